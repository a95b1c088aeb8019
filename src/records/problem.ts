/**
 * What a validator of a config file reports, and what all of them refuse before they look closer.
 * Pure.
 *
 * @module
 */

import { lineAt } from "../text/quote.ts";

/** One reason why a config file cannot be used. Both texts are printable ASCII. */
export interface ConfigProblem {
  /** `line 3`, a JSON path such as `$.routes[0].upstream`, or `file` for the whole file. */
  readonly where: string;
  /** What was found, what was expected, and what to do; one sentence without a full stop. */
  readonly message: string;
}

/** The size, in bytes of UTF-8, above which a config file is refused unread: 1 MiB. */
export const MAX_CONFIG_FILE_BYTES = 1024 * 1024;

/** How many problems a validator tells; one more then says that there are others. */
export const MAX_PROBLEMS = 20;

/** Collects the first {@linkcode MAX_PROBLEMS} problems. */
export interface ProblemCollector {
  /** Adds one; what is beyond the limit is only noticed. */
  add(where: string, message: string): void;
  /** Whether there are more than can be told, so that looking on is of no use. */
  isFull(): boolean;
  /** What is to be told, in the order it was added. */
  list(): readonly ConfigProblem[];
}

/**
 * Starts an empty collection.
 *
 * @returns The collector.
 */
export function collectProblems(): ProblemCollector {
  const told: ConfigProblem[] = [];
  let full = false;
  return {
    add(where, message) {
      if (told.length < MAX_PROBLEMS) told.push({ where, message });
      else full = true;
    },
    isFull: () => full,
    list() {
      if (!full) return told;
      const message = `more problems follow: solve the ${MAX_PROBLEMS} above, then check again`;
      return [...told, { where: "file", message }];
    },
  };
}

/**
 * Finds what no config file may hold, whatever its format: more than
 * {@linkcode MAX_CONFIG_FILE_BYTES}, a NUL character, which ends the file for half of the programs
 * that read it, and half of a surrogate pair, which cannot be written as UTF-8.
 *
 * @param text The file's text.
 * @returns The problem, or `undefined` if there is none.
 */
export function findUnfitText(text: string): ConfigProblem | undefined {
  const bytes = text.length > MAX_CONFIG_FILE_BYTES
    ? text.length
    : new TextEncoder().encode(text).length;
  if (bytes > MAX_CONFIG_FILE_BYTES) {
    return {
      where: "file",
      message:
        `found more than ${MAX_CONFIG_FILE_BYTES} bytes, expected at most that many: remove what is not needed`,
    };
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    return {
      where: `line ${lineAt(text, nul)}`,
      message: "found a NUL character, expected text: remove it",
    };
  }
  if (!text.isWellFormed()) {
    return {
      where: `line ${lineAt(text, text.search(/\p{Surrogate}/u))}`,
      message: "found half of a surrogate pair, expected whole Unicode characters: remove it",
    };
  }
  return undefined;
}
