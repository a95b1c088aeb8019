/**
 * Temporary directories that go away by themselves.
 *
 * @module
 */

import { join } from "@std/path";

/** A directory that is removed at the end of the block. */
export interface TempDir extends AsyncDisposable {
  /** Its path, without links in it. */
  readonly path: string;
  /** A path in it. */
  readonly at: (...parts: string[]) => string;
}

/**
 * Makes a temporary directory.
 *
 * @returns The directory, for `await using`.
 */
export async function tempDir(): Promise<TempDir> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "supervise-" }));
  return {
    path,
    at: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
