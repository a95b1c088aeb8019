/**
 * Reads what only the operator's side can write: audit logs, config files in force, intents. Links are
 * followed, because the operator may have placed them.
 *
 * @module
 */

/** The whole file; `undefined` if it does not exist. */
export function readOwnFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  return unlessMissing(() => Deno.readFileSync(path));
}

/** The names in a directory that exists, sorted. */
export function namesInOwn(dir: string): readonly string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name).sort();
}

/** Which file it is, and in which state, without a look at its content. */
export interface OwnFileStamp {
  /** Device, inode and time of birth: the number of an inode is soon given to another file. */
  readonly identity: string;
  /** Everything that differs between two states of a file: identity, size, times of change, mode. */
  readonly text: string;
  /** The size, in bytes. */
  readonly size: number;
  /** The mode. */
  readonly mode: number;
  /** When the content changed last, in milliseconds since 1970. */
  readonly changedMs: number;
}

/** The state of a file; `undefined` if it does not exist. */
export function ownFileStamp(path: string): OwnFileStamp | undefined {
  return unlessMissing(() => stampOf(Deno.statSync(path)));
}

/** The state that a file's metadata tell. */
export function stampOf(info: Deno.FileInfo): OwnFileStamp {
  const { dev, ino, size, birthtime, mtime, ctime } = info;
  const [mode, changedMs] = [info.mode ?? 0, mtime?.getTime() ?? 0];
  const identity = `${dev}:${ino}:${birthtime?.getTime()}`;
  // The time of change that a program can set, and the one that it cannot, in whole seconds.
  const text = `${identity}:${size}:${changedMs}:${ctime?.getTime()}:${mode}`;
  return { identity, text, size, mode, changedMs };
}

/** What a call gives; `undefined` if it finds no file. */
export function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
