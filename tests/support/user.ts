/**
 * Runs code as a user who is not root: root may do what modes forbid, and would not see what an operator
 * sees.
 *
 * @module
 */

import { must } from "./planted.ts";
import process from "node:process";

const NOBODY = 65_534;

/** Whether this process can become another user; otherwise it is not root, and need not. */
const isRoot = Deno.uid() === 0;

/**
 * Runs a function as a user who is not root, and who owns the directory.
 *
 * @param dir The directory, with everything in it.
 * @param run The function. Nothing else may run meanwhile.
 * @returns What it gives.
 */
export async function asUser<T>(dir: string, run: () => Promise<T>): Promise<T> {
  if (!isRoot) return await run();
  await must("chown", "-R", `${NOBODY}:${NOBODY}`, dir);
  process.seteuid!(NOBODY);
  try {
    return await run();
  } finally {
    process.seteuid!(0);
  }
}
