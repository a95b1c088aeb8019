/**
 * Whether a file of ours is still the one that it was.
 *
 * @module
 */

/**
 * What tells one state of a file from another, without reading it.
 *
 * Needs `--allow-read` for the file.
 *
 * @param path The file.
 * @returns The state; `""` if there is no such file.
 */
export function stampOf(path: string): string {
  try {
    const { ino, size, mtime } = Deno.statSync(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    // A directory that may not be looked into, say, is a state too: whoever reads the file tells of it.
    return error instanceof Deno.errors.NotFound ? "" : String(error);
  }
}
