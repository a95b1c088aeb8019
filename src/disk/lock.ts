/**
 * Writes that only one process may make at a time: under a lock, to a log, and to the record of what was
 * written last. With `durable.ts` the only writer of files.
 *
 * @module
 */

import { ensureDirectory, FILE_MODE, syncNames, writeFully } from "./write.ts";
import { dirname } from "@std/path";

/** A log that nobody else appends to while it is held. */
export interface LockedLog {
  /** Which file it is: device, inode, and when it was made, as an inode is soon another file's. */
  readonly identity: string;
  /** How long it was when it was locked, in bytes. */
  readonly size: number;
  /** Its bytes from one offset up to another. */
  readonly read: (start: number, end: number) => Uint8Array;
  /** Shortens it, durably. */
  readonly cut: (size: number) => void;
  /** Appends, durably: see {@linkcode withLockedLog}. */
  readonly append: (bytes: Uint8Array) => void;
}

/**
 * Runs a function while holding a log's lock, `flock(2)`, which excludes the Python original's.
 *
 * ```text
 * open(path, O_RDWR|O_APPEND, 0600), with O_CREAT only if asked
 * flock                           waits for whoever holds it; the kernel drops it if they die. If it
 *                                 waited, stat: the name may mean another file by then, or none; then
 *                                 all of it again
 * cut:    ftruncate, fdatasync    a crash leaves the old length or the new one
 * append: write, once             a crash in it leaves a torn last line; the next append finds it
 *         fdatasync               a power cut before it: the bytes, or none, or a part
 *         fsync(directory)        only if the log was empty, and its name perhaps new
 * ```
 * If a write or a sync of `append` fails, the log is cut back to the length it had, so that what was
 * reported as failed is not found later as done.
 *
 * @param path The log; its directory is created if missing.
 * @param create Whether to create a log that is missing.
 * @param run What to do under the lock; not asynchronous.
 * @returns What the function returns.
 * @throws {Deno.errors.NotFound} If it is missing, and not to be created.
 */
export async function withLockedLog<T>(
  path: string,
  create: boolean,
  run: (log: LockedLog) => T,
): Promise<T> {
  using file = await openLocked(path, create);
  const stat = file.statSync();
  const { size } = stat;
  let length = size;
  const cut = (to: number) => {
    file.truncateSync(to);
    file.syncDataSync();
    length = to;
  };
  return run({
    identity: identityOf(stat),
    size,
    read: (start, end) => readAt(file, start, end),
    cut,
    append: (bytes) => {
      try {
        writeFully(file, bytes);
        file.syncDataSync();
        if (length === 0) syncNames(dirname(path));
      } catch (error) {
        try {
          cut(length);
        } catch {
          // The error that matters is the first one.
        }
        throw error;
      }
      length += bytes.length;
    },
  });
}

function identityOf({ dev, ino, birthtime }: Deno.FileInfo): string {
  return `${dev}:${ino}:${birthtime?.getTime()}`;
}

/** What was opened may be removed or replaced while the lock is waited for: it is no log any more. */
async function openLocked(path: string, create: boolean): Promise<Deno.FsFile> {
  if (create) ensureDirectory(dirname(path));
  while (true) {
    const file = Deno.openSync(path, { read: true, append: true, create, mode: FILE_MODE });
    try {
      if (!await lock(file) || standsAt(path, file)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

function standsAt(path: string, file: Deno.FsFile): boolean {
  try {
    return identityOf(Deno.statSync(path)) === identityOf(file.statSync());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Reads a log while nobody appends to it: a shared lock, which only writers wait for.
 *
 * `open`, `flock`, `read`. Writes nothing.
 *
 * @param path The log.
 * @param meanwhile Called while nobody appends: what is read in it belongs to the same state.
 * @returns Its bytes, or `undefined` if there is none; then nothing was called.
 */
export async function readLockedLog(
  path: string,
  meanwhile: () => void = () => {},
): Promise<Uint8Array | undefined> {
  try {
    using file = Deno.openSync(path, { read: true });
    if (!file.tryLockSync(false)) await file.lock(false);
    meanwhile();
    return readAt(file, 0, file.statSync().size);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Most locks are free, and asking at once spares a trip to another thread. Says whether it waited. */
async function lock(file: Deno.FsFile): Promise<boolean> {
  if (file.tryLockSync(true)) return false;
  await file.lock(true);
  return true;
}

function readAt(file: Deno.FsFile, start: number, end: number): Uint8Array {
  if (start >= end) return new Uint8Array();
  const bytes = new Uint8Array(end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** A small file of ours that is overwritten in place. */
export interface UnsyncedRecord extends Disposable {
  /** Which file it is: device and inode. */
  readonly identity: string;
  /** What is in it. */
  readonly bytes: Uint8Array;
  /**
   * Overwrites it with as many bytes as it has, at most 512, and does not wait for the disk: for what
   * may be behind after a power cut without being wrong.
   */
  readonly overwrite: (bytes: Uint8Array) => void;
  /** Waits until the disk has it. */
  readonly sync: () => void;
}

/**
 * Opens a small file of ours that is overwritten in place.
 *
 * `open`, `fstat`, `read`; then `write` at its beginning, and `fdatasync` if asked. A power cut leaves the old bytes or the new
 * ones, for they lie in one sector.
 *
 * @param path The file.
 * @returns The file, open until it is disposed of; `undefined` if there is none.
 */
export function openUnsynced(path: string): UnsyncedRecord | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const stat = file.statSync();
  const bytes = new Uint8Array(512);
  return {
    identity: identityOf(stat),
    bytes: bytes.subarray(0, file.readSync(bytes) ?? 0),
    overwrite: (bytes) => {
      file.seekSync(0, Deno.SeekMode.Start);
      writeFully(file, bytes);
    },
    sync: () => file.syncDataSync(),
    [Symbol.dispose]: () => file.close(),
  };
}

/**
 * Runs a function while holding a lock that every process on this host respects. The lock is
 * `flock(2)` on a file in `private/`, never in a mount; the kernel drops it if the process dies.
 *
 * @param path The lock's file; created if missing, its directory too.
 * @param run What to do under the lock.
 * @returns What the function returns.
 */
export async function withLock<T>(path: string, run: () => T | Promise<T>): Promise<T> {
  ensureDirectory(dirname(path));
  using file = Deno.openSync(path, {
    write: true,
    create: true,
    mode: FILE_MODE,
  });
  await lock(file);
  return await run();
}
