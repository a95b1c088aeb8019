/**
 * What a check of the doctor's says.
 *
 * @module
 */

import type { Overview } from "../../mod.ts";

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at: a word that stays the same, such as `foreign-answers`. */
  readonly check: string;
  /** `warn`: somebody should look. `bad`: something is broken, or somebody meddled. */
  readonly state: "ok" | "warn" | "bad";
  /** What was seen, in one line. What others wrote is in it as it is: whoever prints makes it visible. */
  readonly says: string;
  /** What to do about it, in one line; a command where there is one. Not if all is well. */
  readonly todo?: string;
}

/** What is checked. */
export interface Subject {
  /** The root. */
  readonly root: string;
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** What is pending: read when it is first asked for, then the same for every check. */
  readonly overview: () => Overview;
}

/** A group of checks: it only looks, and changes nothing on disk. */
export type Check = (subject: Subject) => Promise<readonly Finding[]> | readonly Finding[];

/** How many things a finding names. */
const MOST_NAMED = 3;

/**
 * Names some things, and counts the others.
 *
 * @param things The things; at least one.
 * @returns Such as `a, b, c and 4 more`.
 */
export function named(things: readonly string[]): string {
  const more = things.length - MOST_NAMED;
  const some = things.slice(0, MOST_NAMED).join(", ");
  return more > 0 ? `${some} and ${more} more` : some;
}

/**
 * A word of a shell's command line that means just this text.
 *
 * @param text The text.
 * @returns The text, quoted if a shell would read anything into it.
 */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Says of how many things a sentence is.
 *
 * @param count How many.
 * @param one The word for one.
 * @param many The word for several; `one` with an s unless given.
 * @returns Such as `3 proposals`.
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
