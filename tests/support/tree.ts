/**
 * What is in a directory, to tell whether anything in it was touched.
 *
 * @module
 */

import { sha256Hex } from "../../mod.ts";
import { join } from "@std/path";

/**
 * Describes everything below a directory: each path with its mode, inode, time of change, size and the
 * hash of its content. A name that came and went has changed its directory's time.
 *
 * @param dir The directory.
 * @param leftOut Paths in it that are none of the caller's business.
 * @returns A line for each path, in order.
 */
export function treeOf(dir: string, leftOut: readonly string[] = []): readonly string[] {
  const lines: string[] = [];
  const visit = (path: string) => {
    if (leftOut.includes(path)) return;
    const at = join(dir, path);
    const { isDirectory, isFile, mode, size, mtime, ino } = Deno.lstatSync(at);
    const about = [path, mode!.toString(8), ino, mtime!.toISOString()];
    if (isFile) about.push(size, sha256Hex(Deno.readFileSync(at)));
    lines.push(about.join(" "));
    if (!isDirectory) return;
    for (const { name } of Deno.readDirSync(at)) visit(join(path, name));
  };
  visit(".");
  return lines.sort();
}
