/**
 * Reads what only the operator's side can write: audit logs, config files in force, intents.
 *
 * @module
 */

/**
 * Reads a file of the operator's own, following links as the operator laid them.
 *
 * @param path The file.
 * @returns Its bytes, or `undefined` if there is none.
 */
export function readOwnFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The names in a directory of the operator's own.
 *
 * @param dir The directory, which exists.
 * @returns The names, in order.
 */
export function namesInOwn(dir: string): readonly string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name).sort();
}

/** Which file it is, what tells one state of it from another, and who may read it. */
export interface OwnFileStamp {
  /** Which file it is: device, inode, and when it was made, as an inode is soon another file's. */
  readonly identity: string;
  /** The same, size, time of change, mode. */
  readonly text: string;
  /** The file's mode. */
  readonly mode: number;
  /** When its content changed last, in milliseconds since 1970. */
  readonly changedMs: number;
}

/**
 * The state of a file of the operator's own, without reading it.
 *
 * @param path The file.
 * @returns Its state, or `undefined` if there is none.
 */
export function ownFileStamp(path: string): OwnFileStamp | undefined {
  try {
    const { dev, ino, size, birthtime, mtime, mode } = Deno.statSync(path);
    const identity = `${dev}:${ino}:${birthtime?.getTime()}`;
    const text = `${identity}:${size}:${mtime?.getTime()}:${mode}`;
    return { identity, text, mode: mode ?? 0, changedMs: mtime?.getTime() ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
