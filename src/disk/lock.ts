/**
 * Opens logs, to read them piece by piece and to append under a lock; and small files that are
 * overwritten in place. With `write.ts` the only writer of files.
 *
 * @module
 */

import { UnsafeFileError } from "../records/errors.ts";
import { type OwnFileStamp, ownFileStamp, stampOf, unlessMissing } from "./read_own.ts";
import { ensureDirectory, FILE_MODE, syncNames, writeFully } from "./write.ts";
import { dirname } from "@std/path";

/** A file that is open for reading. */
export interface OwnFile extends Disposable {
  /** The file's state when it was opened. */
  readonly stamp: OwnFileStamp;
  /** The bytes from one offset up to another; fewer if the file ends before. */
  readonly read: (start: number, end: number) => Uint8Array;
  /** The bytes from an offset to the end that the stamp states: see {@linkcode chunksOf}. */
  readonly chunks: (start?: number) => Generator<Uint8Array>;
  /** Takes the file's lock, until that is disposed of; `undefined` if another file handle has it. */
  readonly tryLock: () => Disposable | undefined;
}

/**
 * Opens a file that is a plain one, or does not exist yet. Deno can only wait for the other side of a FIFO,
 * and no signal ends that.
 */
function openPlain(
  path: string,
  options: Deno.OpenOptions,
  stamp = ownFileStamp(path),
): Deno.FsFile {
  if (stamp?.isFile !== false) return Deno.openSync(path, options);
  const reason = stamp.isDirectory ? "it is a directory" : "it is not a regular file";
  throw new UnsafeFileError(path, reason);
}

/** Opens a file; `undefined` if it does not exist. */
export function openOwnFile(path: string): OwnFile | undefined {
  while (true) {
    const stamp = ownFileStamp(path);
    const file = stamp && unlessMissing(() => openPlain(path, { read: true }, stamp));
    if (file === undefined) return undefined;
    // By its path: a handle may be asked for metadata only where the real path is granted too.
    if (ownFileStamp(path)?.identity !== stamp?.identity) {
      file.close();
      continue;
    }
    return asOwnFile(file, stamp!);
  }
}

/** What can be read of an open file, up to the size that a stamp states. */
function asOwnFile(file: Deno.FsFile, stamp: OwnFileStamp): OwnFile {
  return {
    stamp,
    read: (start, end) => readAt(file, start, end),
    chunks: (start = 0) => chunksOf(file, start, stamp.size),
    tryLock() {
      if (!file.tryLockSync(true)) return undefined;
      return { [Symbol.dispose]: () => file.unlockSync() };
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Reads the bytes of an open file from one offset up to another; fewer if it ends before. */
function readAt(file: Deno.FsFile, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, end - start));
  return bytes.subarray(0, fill(file, start, bytes));
}

const FIRST_CHUNK_BYTES = 4 * 1024;

const LAST_CHUNK_BYTES = 256 * 1024;

/**
 * Reads an open file in chunks, so that memory is bounded however large it is. The first chunks are
 * small, so that one line costs little. A chunk's bytes are overwritten when the next one is taken.
 */
function* chunksOf(file: Deno.FsFile, start: number, end: number): Generator<Uint8Array> {
  if (start >= end) return;
  let buffer = new Uint8Array(FIRST_CHUNK_BYTES);
  for (let offset = start; offset < end;) {
    const length = fill(file, offset, buffer.subarray(0, end - offset));
    if (length === 0) return;
    yield buffer.subarray(0, length);
    offset += length;
    if (buffer.length < LAST_CHUNK_BYTES) buffer = new Uint8Array(4 * buffer.length);
  }
}

/** Reads until the bytes are full or the file ends; returns how many there are. */
function fill(file: Deno.FsFile, offset: number, bytes: Uint8Array): number {
  file.seekSync(offset, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return length;
}

/** A log to which no other process appends while it is held. */
export interface LockedLog {
  /** Its state now. */
  readonly stamp: () => OwnFileStamp;
  /** Its bytes from one offset up to another. */
  readonly read: (start: number, end: number) => Uint8Array;
  /** Its bytes from one offset up to another, in chunks: see {@linkcode chunksOf}. */
  readonly chunks: (start: number, end: number) => Generator<Uint8Array>;
  /** Shortens it, durably. */
  readonly cut: (size: number) => void;
  /** Appends, durably: see {@linkcode withLockedLog}. */
  readonly append: (bytes: Uint8Array) => void;
}

/**
 * Runs a function while holding a log's lock, `flock(2)`, which the Python original takes too.
 *
 * ```text
 * stat                            what is there must be a plain file
 * open(path, O_RDWR|O_APPEND, 0600), with O_CREAT only if asked
 * flock                           waits for the process that has it; the kernel drops it if that dies.
 *                                 If it waited, stat: another file may have the name by then, or none;
 *                                 then all of it again
 * cut:    ftruncate, fdatasync    a crash leaves the old length or the new one
 * append: write, once             a crash in it leaves a torn last line; the next append finds it
 *         fdatasync               a power cut before it: the bytes, or none, or a part
 *         fsync(directory)        only if the log was empty, and its name perhaps new
 * flock                           gives the lock back, before the close, which can fail
 * ```
 * If a write or a sync of `append` fails, the log is cut back to the length it had, so that what was
 * reported as failed is not found later as done.
 *
 * @param create Whether to create a log that is missing.
 * @param run What to do under the lock; not asynchronous.
 * @throws {Deno.errors.NotFound} If the log is missing and `create` is false.
 */
export async function withLockedLog<T>(
  path: string,
  create: boolean,
  run: (log: LockedLog) => T,
): Promise<T> {
  using file = await openLocked(path, create);
  let length = file.statSync().size;
  const cut = (to: number) => {
    file.truncateSync(to);
    file.syncDataSync();
    length = to;
  };
  const log: LockedLog = {
    stamp: () => stampOf(file.statSync()),
    read: (start, end) => readAt(file, start, end),
    chunks: (start, end) => chunksOf(file, start, end),
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
  };
  try {
    return run(log);
  } finally {
    // A close that fails may leave the file open, and this process would wait for its own lock.
    try {
      file.unlockSync();
    } catch {
      // The close drops it.
    }
  }
}

/** While the lock was waited for, the file may have been removed or replaced: then it is no longer the log. */
async function openLocked(path: string, create: boolean): Promise<Deno.FsFile> {
  if (create) {
    ensureDirectory(dirname(path));
    // Deno tells a handle's metadata only where the path behind all links may be read. A log that was
    // made before that is found out would be left empty.
    using directory = Deno.openSync(dirname(path), { read: true });
    directory.statSync();
  }
  while (true) {
    const file = openPlain(path, { read: true, append: true, create, mode: FILE_MODE });
    try {
      if (!await lock(file, true) || isAt(path, file)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

function isAt(path: string, file: Deno.FsFile): boolean {
  return ownFileStamp(path)?.identity === stampOf(file.statSync()).identity;
}

/** Most locks are free, and asking at once spares a trip to another thread. Returns whether it waited. */
async function lock(file: Deno.FsFile, exclusive: boolean): Promise<boolean> {
  if (file.tryLockSync(exclusive)) return false;
  await file.lock(exclusive);
  return true;
}

/**
 * Opens a log for reading, as it is at a moment at which no process appends: up to the size that it has
 * then, it has whole lines, or at its end a line that a crash tore. No process has to wait while it is
 * read.
 *
 * `stat`, `open`, `flock`, `stat`, `flock`; then `read`. Writes nothing.
 *
 * @param meanwhile Called at that moment: what it reads belongs to the same state.
 * @returns The log; `undefined` if it does not exist, then nothing was called.
 */
export async function openLogAtRest(
  path: string,
  meanwhile: () => void = () => {},
): Promise<OwnFile | undefined> {
  const file = unlessMissing(() => openPlain(path, { read: true }));
  if (file === undefined) return undefined;
  try {
    await lock(file, false);
    meanwhile();
    const stamp = stampOf(file.statSync());
    file.unlockSync();
    return asOwnFile(file, stamp);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** A small file of the host's that is overwritten in place. */
export interface UnsyncedRecord extends Disposable {
  /** Which file it is: see {@linkcode OwnFileStamp}. */
  readonly identity: string;
  /** Its first 512 bytes. */
  readonly bytes: Uint8Array;
  /**
   * Overwrites them with as many bytes, and does not wait for the disk: for what may be older after a
   * power cut without being wrong.
   */
  readonly overwrite: (bytes: Uint8Array) => void;
  /** Waits until the disk has it. */
  readonly sync: () => void;
}

/**
 * Opens a file whose first bytes are overwritten in place.
 *
 * `stat`, `open`, `fstat`, `read`; then `write` at its beginning, and `fdatasync` if asked. A power cut leaves
 * the old bytes or the new ones, because they lie in one sector.
 *
 * @returns The file, open until it is disposed of; `undefined` if it does not exist.
 */
export function openUnsynced(path: string): UnsyncedRecord | undefined {
  const file = unlessMissing(() => openPlain(path, { read: true, write: true }));
  if (file === undefined) return undefined;
  return {
    identity: stampOf(file.statSync()).identity,
    bytes: readAt(file, 0, 512),
    overwrite: (bytes) => {
      file.seekSync(0, Deno.SeekMode.Start);
      writeFully(file, bytes);
    },
    sync: () => file.syncDataSync(),
    [Symbol.dispose]: () => file.close(),
  };
}

/**
 * Runs a function while holding a lock that every process on this host respects: `flock(2)` on a file in
 * `private/`, which no sidecar can reach. The kernel drops it if the process dies.
 *
 * @param path The lock's file; it and its directory are created if missing.
 */
export async function withLock<T>(path: string, run: () => T | Promise<T>): Promise<T> {
  using file = openLock(path);
  await lock(file, true);
  return await run();
}

/** Does the same, but waits for nobody: if another one has the lock, runs nothing, and gives `undefined`. */
export async function withFreeLock<T>(
  path: string,
  run: () => T | Promise<T>,
): Promise<T | undefined> {
  using file = openLock(path);
  return file.tryLockSync(true) ? await run() : undefined;
}

function openLock(path: string): Deno.FsFile {
  ensureDirectory(dirname(path));
  return openPlain(path, { write: true, create: true, mode: FILE_MODE });
}
