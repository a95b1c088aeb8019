/**
 * What a check of the doctor's finds, and the words for it.
 *
 * @module
 */

import type { Overview } from "../../mod.ts";

export interface Finding {
  /** What was checked: a word that stays the same, such as `foreign-answers`. */
  readonly check: string;
  /** `warn`: a person should look. `bad`: something is broken, or was tampered with. */
  readonly state: "ok" | "warn" | "bad";
  /** What was seen, in one line. An agent's words are in it as they are: make them visible to print. */
  readonly says: string;
  /** What to do about it, in one line; a command where there is one. Absent if all is well. */
  readonly todo?: string;
}

/** What is checked. */
export interface Subject {
  readonly root: string;
  /** What a command in a `todo` begins with. */
  readonly supervise: string;
  readonly nowMs: number;
  /** What is pending: read when it is first asked for, then the same for every check. */
  readonly overview: () => Overview;
}

/** A group of checks: it only reads, and changes nothing on disk. */
export type Check = (subject: Subject) => Promise<readonly Finding[]> | readonly Finding[];

export function findingsOf(check: string) {
  return {
    ok: (says: string): Finding => ({ check, state: "ok", says }),
    warn: (says: string, todo: string): Finding => ({ check, state: "warn", says, todo }),
    bad: (says: string, todo: string): Finding => ({ check, state: "bad", says, todo }),
  };
}

const MOST_NAMED = 3;

/** Names some things and counts the rest: `a, b, c and 4 more`. */
export function named(things: readonly string[]): string {
  const more = things.length - MOST_NAMED;
  const some = things.slice(0, MOST_NAMED).join(", ");
  return more > 0 ? `${some} and ${more} more` : some;
}

/** A count and its word: `3 proposals`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
