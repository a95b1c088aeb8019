/**
 * Runs a test as a user who is not root: root may do what modes forbid, and would not see what an operator
 * sees.
 *
 * @module
 */

import { must } from "./planted.ts";
import { run } from "./run.ts";
import { assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import process from "node:process";

const NOBODY = 65_534;

/** Whether this process can become another user; otherwise it is not root, and need not. */
export const isRoot = Deno.uid() === 0;

/** Tells a process that it runs one test alone. */
const ALONE = "DENO_TEST_ALONE";

/**
 * Runs a test in a process of its own. A process changes its user for all its threads, and other tests run in
 * them: they could not write their files meanwhile.
 *
 * @param test The test, which returns at once if this gives `true`.
 * @returns `false` in the process of its own, and where the user need not be changed.
 */
export async function ranAlone({ name, origin }: Deno.TestContext): Promise<boolean> {
  if (!isRoot || Deno.env.has(ALONE)) return false;
  const filter = `/^${name.replace(/[^\w ]/g, "\\$&")}$/`;
  const args = ["test", "-A", "--no-check", "--filter", filter, fromFileUrl(origin)];
  const { out, err } = await run(Deno.execPath(), args, { env: { [ALONE]: "1", NO_COLOR: "1" } });
  assertMatch(out, /^ok \| 1 passed .*\| 0 failed/m, `${out}${err}`);
  return true;
}

/**
 * Runs a function as a user who is not root, and who owns the directory, in a test that runs alone.
 *
 * @param dir The directory, with everything in it.
 * @param run The function.
 * @param prepare What root does to the directory before.
 * @returns What the function gives.
 */
export async function asUser<T>(
  dir: string,
  run: () => Promise<T>,
  prepare: () => Promise<void> = async () => {},
): Promise<T> {
  if (!isRoot) return await run();
  if (!Deno.env.has(ALONE)) throw new Error("Cannot become another user: other tests run here");
  await must("chown", "-R", `${NOBODY}:${NOBODY}`, dir);
  await prepare();
  process.seteuid!(NOBODY);
  try {
    return await run();
  } finally {
    process.seteuid!(0);
  }
}

/**
 * Becomes a user who is not root for good, in a test that runs alone: programs that it starts know no other.
 *
 * @param dir What the user owns from now on.
 */
export async function becomeUser(dir: string): Promise<void> {
  if (!isRoot) return;
  if (!Deno.env.has(ALONE)) throw new Error("Cannot become another user: other tests run here");
  await must("chown", "-R", `${NOBODY}:${NOBODY}`, dir);
  process.setgid!(NOBODY);
  process.setuid!(NOBODY);
}
