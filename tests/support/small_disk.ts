/**
 * File systems of their own, of a size, where they can be mounted.
 *
 * @module
 */

import { run } from "./run.ts";
import { tempDir } from "./temp.ts";

/** Whether a file system can be mounted here; says on standard error if not. */
export const canMount: boolean = Deno.uid() === 0 && await (async () => {
  await using dir = await tempDir();
  try {
    await using _ = await mountTmpfs(dir.path, "size=1m");
    return true;
  } catch {
    return false;
  }
})();

if (!canMount) console.error("cannot mount a small disk here: the tests of a full one are skipped");

/**
 * Mounts a file system in memory.
 *
 * @param path The directory to mount it on.
 * @param options How large it is, as mount(8) wants it.
 * @returns What unmounts it, for `await using`.
 */
export async function mountTmpfs(path: string, options: string): Promise<AsyncDisposable> {
  const { code, err } = await run("mount", ["-t", "tmpfs", "-o", options, "none", path]);
  if (code !== 0) throw new Error(err);
  return {
    [Symbol.asyncDispose]: async () => {
      await run("umount", [path]);
    },
  };
}
