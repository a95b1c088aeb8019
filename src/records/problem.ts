/**
 * Problems that a validator of a config file reports, and the checks that all formats share. Pure.
 *
 * @module
 */

import { lineAt, quote } from "../text/quote.ts";

/** One reason why a config file cannot be used. Both texts are printable ASCII. */
export interface ConfigProblem {
  /** `line 3`, a JSON path such as `$.routes[0].upstream`, or `file` for the whole file. */
  readonly where: string;
  /** What was found, what was expected and what to do, in one sentence without a full stop. */
  readonly message: string;
}

/**
 * The problem of a file on which a step of this program fails, such as its `check`. Others write the files,
 * so no file may end more than its own row.
 */
export function failedCheck(step: string, error: unknown): ConfigProblem {
  const reason = quote(error instanceof Error ? error.message : String(error), 200);
  const found = `found a file on which the ${step} fails (${reason})`;
  return { where: "file", message: `${found}, expected a plainer one: reject it, or simplify it` };
}

/** The largest config file in bytes of UTF-8: 1 MiB. A larger one is refused unread. */
export const MAX_CONFIG_FILE_BYTES = 1024 * 1024;

/** How many problems a validator lists at most. If there are more, one further problem says so. */
export const MAX_PROBLEMS = 20;

/** What no format allows, or else the first {@linkcode MAX_PROBLEMS} that `find` yields. */
export function listProblems(
  text: string,
  find: (text: string) => Iterable<ConfigProblem>,
): readonly ConfigProblem[] {
  const unfit = findUnfitText(text);
  if (unfit) return [unfit];
  const listed: ConfigProblem[] = [];
  for (const problem of find(text)) {
    if (listed.length === MAX_PROBLEMS) {
      const message = `more problems follow: solve the ${MAX_PROBLEMS} above, then check again`;
      return [...listed, { where: "file", message }];
    }
    listed.push(problem);
  }
  return listed;
}

/**
 * Finds what no config file of any format may have: more than {@linkcode MAX_CONFIG_FILE_BYTES}, a NUL
 * character, which ends the file for half of the programs that read it, or half of a surrogate pair, which
 * cannot be written as UTF-8.
 */
export function findUnfitText(text: string): ConfigProblem | undefined {
  const isTooLong = text.length > MAX_CONFIG_FILE_BYTES ||
    new TextEncoder().encode(text).length > MAX_CONFIG_FILE_BYTES;
  if (isTooLong) {
    const found = `found more than ${MAX_CONFIG_FILE_BYTES} bytes`;
    return {
      where: "file",
      message: `${found}, expected at most that many: remove what is not needed`,
    };
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    const message = "found a NUL character, expected text: remove it";
    return { where: `line ${lineAt(text, nul)}`, message };
  }
  if (text.isWellFormed()) return undefined;
  const message = "found half of a surrogate pair, expected whole Unicode characters: remove it";
  return { where: `line ${lineAt(text, text.search(/\p{Surrogate}/u))}`, message };
}
