/**
 * What keeps a bottle's files in force from being changed: a change that could not be taken back for sure, and
 * an operator who froze them.
 *
 * @module
 */

import { privateDir } from "../disk/layout.ts";
import { readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { removeFile, replaceFile } from "../disk/write.ts";
import { isTool, parseJsonBytes } from "../records/codec.ts";
import { SuperviseError } from "../records/errors.ts";
import { checkBottleSlug, isBottleSlug } from "../records/names.ts";
import type { Tool } from "../records/proposal.ts";
import { isText, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import { join } from "@std/path";

/** Which enforcer may have another file than the one in force, and why nobody knows. */
export interface NotProven {
  /** The tool whose file it is. */
  readonly tool: Tool;
  /** Why, without a capital letter and a full stop. It may have the words of a program. */
  readonly reason: string;
  /** Since when, ISO 8601. */
  readonly since: string;
  /** The text of the file that it may have instead; `null` if it may have none. */
  readonly mayHave: string | null;
}

const NOT_PROVEN = shapeOf<NotProven>("state", {
  tool: { wire: "tool", check: isTool },
  reason: { wire: "reason", check: isText },
  since: { wire: "since", check: isText },
  mayHave: {
    wire: "may_have",
    check: (value) => value === null ? undefined : isText(value),
    missing: null,
  },
});

function notProvenPath(root: string, slug: string): string {
  return join(privateDir(root), "not-proven", `${checkBottleSlug(slug)}.json`);
}

/** @throws {MalformedRecordError} If the file is damaged: that is not "proven". */
export function readNotProven(root: string, slug: string): NotProven | undefined {
  const path = notProvenPath(root, slug);
  const bytes = readOwnFile(path);
  return bytes === undefined ? undefined : NOT_PROVEN.read(parseJsonBytes(bytes, path), path);
}

/** Notes that an enforcer may have another file than the one in force. */
export function noteNotProven(root: string, slug: string, state: NotProven): void {
  const text = asciiJson(NOT_PROVEN.write(state), 2) + "\n";
  replaceFile(notProvenPath(root, slug), new TextEncoder().encode(text));
}

/** Takes back what {@linkcode noteNotProven} noted. */
export function forgetNotProven(root: string, slug: string): void {
  removeFile(notProvenPath(root, slug));
}

const FROZEN = shapeOf<{ readonly until: string }>("state", {
  until: {
    wire: "until",
    check: (value) =>
      isText(value) ?? (Number.isNaN(Date.parse(value as string)) ? "no time" : undefined),
  },
});

function frozenPath(root: string, slug: string): string {
  return join(privateDir(root), "frozen", `${checkBottleSlug(slug)}.json`);
}

/**
 * Until when the operator froze the bottle's files, ISO 8601; `undefined` if they did not, or that time is over.
 *
 * @throws {MalformedRecordError} If the file is damaged.
 */
export function readFrozen(root: string, slug: string, now = Date.now()): string | undefined {
  const path = frozenPath(root, slug);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const { until } = FROZEN.read(parseJsonBytes(bytes, path), path);
  return Date.parse(until) > now ? until : undefined;
}

/** A bottle whose files in force are not changed now. */
export interface HeldBottle {
  /** The bottle. */
  readonly bottleSlug: string;
  /** Why it is not known which file the bottle's enforcer has; missing if that is known. */
  readonly notProven?: NotProven;
  /** Until when the operator froze the bottle's files, ISO 8601; missing if they are not frozen. */
  readonly frozenUntil?: string;
  /** Why that cannot be told: then nothing is changed either. */
  readonly problem?: string;
}

/** The bottles whose files in force are not changed now. Two directories are read, and the files in them. */
export function listHeld(root: string, only?: string): readonly HeldBottle[] {
  const names = ["not-proven", "frozen"].flatMap((dir) => listNames(join(privateDir(root), dir)));
  const slugs = new Set(names.map((name) => name.replace(/\.json$/, "")).filter(isBottleSlug));
  return [...slugs].sort().flatMap((bottleSlug) => {
    if (only !== undefined && bottleSlug !== only) return [];
    try {
      const [notProven, frozenUntil] = [
        readNotProven(root, bottleSlug),
        readFrozen(root, bottleSlug),
      ];
      if (notProven === undefined && frozenUntil === undefined) return [];
      return [{ bottleSlug, ...(notProven && { notProven }), ...(frozenUntil && { frozenUntil }) }];
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error;
      return [{ bottleSlug, problem: error.message }];
    }
  });
}

/** Freezes a bottle's files until a time, ISO 8601, or no longer. */
export function freeze(root: string, slug: string, until: string | undefined): void {
  const path = frozenPath(root, slug);
  if (until === undefined) removeFile(path);
  else replaceFile(path, new TextEncoder().encode(asciiJson(FROZEN.write({ until }), 2) + "\n"));
}
