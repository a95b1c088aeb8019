/**
 * A folder, kept in memory, to be put back in no time.
 *
 * @module
 */

import { join } from "@std/path";

/** A directory or a file. */
interface Entry {
  readonly path: string;
  readonly mode: number;
  /** When it was changed last: answers are ordered by that. */
  readonly mtime: Date;
  /** The file's bytes; `undefined` for a directory. */
  readonly bytes: Uint8Array | undefined;
}

/** A folder's content, parents first. */
export type Tree = readonly Entry[];

/**
 * Keeps a folder.
 *
 * @param root The folder.
 * @returns What is in it.
 */
export function readTree(root: string): Tree {
  const entries: Entry[] = [];
  const visit = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(join(root, path))) {
      const inner = join(path, name);
      const { mode, mtime } = Deno.statSync(join(root, inner));
      const bytes = isDirectory ? undefined : Deno.readFileSync(join(root, inner));
      entries.push({ path: inner, mode: mode! & 0o777, mtime: mtime!, bytes });
      if (isDirectory) visit(inner);
    }
  };
  visit(".");
  return entries;
}

/**
 * Puts a folder back as it was.
 *
 * @param root The folder; what is in it goes.
 * @param tree What is to be in it.
 */
export function restoreTree(root: string, tree: Tree): void {
  removeTree(root);
  Deno.mkdirSync(root, { mode: 0o700 });
  for (const { path, mode, mtime, bytes } of tree) {
    if (bytes === undefined) Deno.mkdirSync(join(root, path), { mode });
    else {
      Deno.writeFileSync(join(root, path), bytes, { mode, createNew: true });
      Deno.utimeSync(join(root, path), mtime, mtime);
    }
  }
}

/**
 * Removes a folder, if it is there.
 *
 * @param root The folder.
 */
export function removeTree(root: string): void {
  try {
    Deno.removeSync(root, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
