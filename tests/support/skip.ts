/**
 * Skips tests where a program is missing, but never in CI: there a skip would hide what is not tested.
 *
 * @module
 */

import { hasProgram } from "./run.ts";

/**
 * Says on standard error why tests are skipped; where `CI` is `true`, it throws instead.
 *
 * @param why Why they cannot run; `undefined` if they can.
 * @returns Whether they are to be ignored.
 * @throws {Error} In CI, if there is a reason.
 */
export function mustSkip(why: string | undefined): boolean {
  if (why === undefined) return false;
  if (Deno.env.get("CI") === "true") throw new Error(`Cannot skip tests in CI: ${why}`);
  console.error(`SKIPPED: ${why}`);
  return true;
}

/**
 * Says whether tests that need a program must be skipped.
 *
 * @param program The program.
 * @param flag What makes it end at once.
 * @returns Whether they are to be ignored.
 * @throws {Error} In CI, if the program is missing.
 */
export function isMissing(program: string, flag = "--version"): boolean {
  return mustSkip(hasProgram(program, flag) ? undefined : `there is no ${program} on this machine`);
}
