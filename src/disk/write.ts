/**
 * The only writer of files. Every function returns once its effect is on disk; its comment lists the
 * system calls, and what a crash leaves between them. A failed sync is final: the error goes up, and
 * nothing tries again, because the kernel may have dropped the pages.
 *
 * @module
 */

import { ownFileStamp, whyNoDirectory } from "./read_own.ts";
import { listNames } from "./read_untrusted.ts";
import { basename, dirname, join } from "@std/path";
import { lchownSync } from "node:fs";

/** The mode of every file that this project writes. */
export const FILE_MODE = 0o600;

const DIR_MODE = 0o700;

/**
 * Writes all bytes. A short write is not an error, and a signal may interrupt one.
 *
 * `write`, again until nothing is left. A crash leaves a part.
 */
export function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += file.writeSync(bytes.subarray(written));
    } catch (error) {
      if (!(error instanceof Deno.errors.Interrupted)) throw error;
    }
  }
}

/**
 * Makes the names in a directory durable, whichever process made them.
 *
 * `open`, `fsync`.
 */
export function syncNames(dir: string): void {
  using handle = Deno.openSync(dir, { read: true });
  handle.syncSync();
}

/** Removes a file that nothing reads. It may be gone already; a failure is not worth a loss. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone already, or stays behind.
  }
}

/** Opens a new file; its directory is created if missing. */
export function openNew(path: string): Deno.FsFile {
  const options = { write: true, createNew: true, mode: FILE_MODE };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    // Asked only when it is missed: it nearly always is there.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    ensureDirectory(dirname(path));
    return Deno.openSync(path, options);
  }
}

/**
 * Writes a new file, mode 0600, and syncs it, but not its name. Its directory is created if missing. On
 * failure the file is removed, and the error is the write's.
 *
 * `open`, `write`, `fdatasync` unless it need not be synced. A crash leaves a part of it.
 */
export function writeNewFile(path: string, bytes: Uint8Array, isSynced = true): void {
  using file = openNew(path);
  try {
    writeFully(file, bytes);
    if (isSynced) file.syncDataSync();
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
}

function renameOrRemove(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    removeQuietly(from);
    throw error;
  }
}

/**
 * Creates a directory and its missing parents, mode 0700. One that exists is left as it is.
 *
 * `mkdir` each, `fsync` of the directory above it. A crash leaves some of them; the next call makes
 * the rest. A sidecar may not open the directory above its queue: then the host, which made that one,
 * must fsync it.
 *
 * @throws {Deno.errors.NotADirectory} If something else has that name, or the name of a directory above it.
 */
export function ensureDirectory(dir: string): void {
  const above = dirname(dir);
  try {
    Deno.mkdirSync(dir, { mode: DIR_MODE });
  } catch (error) {
    const isThere = error instanceof Deno.errors.AlreadyExists;
    const why = isThere && ownFileStamp(dir) === undefined
      ? "it is a link that leads nowhere"
      : whyNoDirectory(dir);
    if (why !== undefined) {
      throw new Deno.errors.NotADirectory(`Cannot create the directory ${dir}: ${why}`, {
        cause: error,
      });
    }
    if (isThere) return;
    if (!(error instanceof Deno.errors.NotFound) || above === dir) throw error;
    ensureDirectory(above);
    return ensureDirectory(dir);
  }
  try {
    syncNames(above);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/**
 * Publishes a file under a name that is free: if several callers try, exactly one succeeds.
 *
 * ```text
 * open(staging/<random>, O_CREAT|O_EXCL, 0600)   a crash from here to link leaves a file with a
 * write, fdatasync                               random name that nothing reads
 * chown to the owner of path's directory, if root writes for another user
 * link(staging/<random>, path)                   EEXIST: somebody else was first
 * fsync(directory of path)                       a power cut before it: all or nothing
 * unlink(staging/<random>)
 * ```
 *
 * @param stagingDir A directory on the same file system; created if missing. For what the host
 * decides it lies in `private/`, where no sidecar can reach.
 * @throws {Deno.errors.AlreadyExists} If the name is taken; the file that has it is not touched.
 * @throws {Error} If the owner of path's directory could not read the file.
 */
export function createOnce(path: string, bytes: Uint8Array, stagingDir: string): void {
  const staged = join(stagingDir, `.${crypto.randomUUID()}.tmp`);
  writeNewFile(staged, bytes);
  try {
    giveToOwnerOf(dirname(path), staged);
    Deno.linkSync(staged, path);
    syncNames(dirname(path));
  } finally {
    removeQuietly(staged);
  }
}

/**
 * Does what {@linkcode createOnce} will do, with so many bytes, under a name that nothing reads, and takes
 * it back: so a wrong file system, a directory that may not be written, or a full disk shows before it
 * matters. One caller at a time for a directory.
 *
 * `unlink` of what a crash left, the calls of {@linkcode createOnce}, `unlink`. A crash leaves a hidden
 * file that nothing reads, for the next call to remove.
 *
 * @throws {Error} What {@linkcode createOnce} would throw.
 */
export function probeCreateOnce(dir: string, stagingDir: string, bytes: number): void {
  const probe = freeProbe(dir);
  createOnce(probe, new Uint8Array(bytes), stagingDir);
  Deno.removeSync(probe);
}

/** A name for a probe. If something that cannot be removed has the usual one, a random name. */
function freeProbe(dir: string): string {
  const probe = join(dir, ".probe.tmp");
  try {
    Deno.removeSync(probe);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return probe;
    return join(dir, `.probe-${crypto.randomUUID()}.tmp`);
  }
  return probe;
}

/**
 * Removes what a crash left in a directory: the files with matching names, or all.
 *
 * `unlink` each; a crash leaves some of them, for the next call. Nothing happens if there is no such
 * directory.
 *
 * @throws {UnsafeFileError} As {@linkcode listNames}.
 */
export function clearDirectory(
  dir: string,
  matches: (name: string) => boolean = () => true,
): void {
  for (const name of listNames(dir)) if (matches(name)) removeQuietly(join(dir, name));
}

/**
 * Root may decide for a sidecar that runs as another user, and that user must be able to read the file.
 * Another user cannot give a file away: what the directory's owner could not read is not written.
 */
function giveToOwnerOf(dir: string, path: string): void {
  const { uid, gid } = Deno.statSync(dir);
  if (uid === null || gid === null || uid === Deno.statSync(path).uid) return;
  try {
    // Not what a link points to: the owner of a queue could put one there, if it is prepared in the queue.
    lchownSync(path, uid, gid);
  } catch (cause) {
    const reason =
      `user ${uid} owns ${dir}, and could not read it: run this as that user, or as root`;
    throw new Error(reason, { cause });
  }
}

/**
 * Writes a file under a name for which the caller needs no lock, because it is random or named after
 * the content. A file that has the name is replaced whole.
 *
 * ```text
 * open(.<name>.<random>.tmp, O_CREAT|O_EXCL, 0600)   a crash from here to rename leaves a hidden
 * write, fdatasync                                   file that nothing reads
 * rename(.<name>.<random>.tmp, path)                 old or new, never half
 * fsync(directory of path)                           a power cut before it: old or new
 * ```
 *
 * @param path The name; its directory is created if missing.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const staged = stagedName(path, crypto.randomUUID());
  writeNewFile(staged, bytes);
  renameOrRemove(staged, path);
  syncNames(dirname(path));
}

/**
 * Does what {@linkcode replaceFile} does, for a caller whose lock makes it the only writer of this
 * name. The hidden file has one fixed name, so the next call removes what a crash left behind.
 *
 * `unlink` of the hidden file, then the calls of {@linkcode replaceFile}; with a mode, `chmod` of the hidden
 * file before the `rename`.
 *
 * @param path The name; its directory is created if missing.
 * @param mode Its mode, whatever the umask is, for a file that a program of another account reads.
 */
export function replaceFileAlone(path: string, bytes: Uint8Array, mode = FILE_MODE): void {
  const staged = stagedName(path, "new");
  removeQuietly(staged);
  writeNewFile(staged, bytes);
  if (mode !== FILE_MODE) Deno.chmodSync(staged, mode);
  renameOrRemove(staged, path);
  syncNames(dirname(path));
}

/**
 * Moves a durable file over another one, without room on the disk if both are on one file system. The caller's lock
 * makes it the only writer of both names.
 *
 * @param mode Its mode, whatever the umask is.
 */
export function moveOver(from: string, path: string, mode: number): void {
  Deno.chmodSync(from, mode);
  try {
    Deno.renameSync(from, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    replaceFileAlone(path, Deno.readFileSync(from), mode);
    return;
  }
  syncNames(dirname(path));
}

/**
 * Puts a file into a directory that others can write too, for its owner to read: whatever has the name there
 * is replaced, a link or a FIFO too, and nothing is followed or opened.
 *
 * Does what {@linkcode replaceFile} does; the hidden file is in another directory, and is given to the owner
 * of path's directory before the `rename`, if root writes for another user.
 *
 * @param path The name. Others must not be able to replace its directory.
 * @param stagingDir A directory on the same file system that they cannot reach; created if missing.
 * @param options `isCopy`: nothing of it is made durable, because it can be made again.
 * @throws {Error} If the owner could not read the file, or a directory has the name.
 */
export function handOver(
  path: string,
  bytes: Uint8Array,
  stagingDir: string,
  { isCopy = false } = {},
): void {
  const dir = dirname(path);
  const staged = stagedName(join(stagingDir, basename(path)), crypto.randomUUID());
  writeNewFile(staged, bytes, !isCopy);
  try {
    giveToOwnerOf(dir, staged);
    Deno.renameSync(staged, path);
  } catch (error) {
    removeQuietly(staged);
    throw error;
  }
  if (!isCopy) syncNames(dir);
}

/** The name of a hidden file beside another one, which becomes it. */
export function stagedName(path: string, mark: string): string {
  return join(dirname(path), `.${basename(path)}.${mark}.tmp`);
}

/**
 * Moves a file, a link or a directory out of reach of those who can write the directory it is in. They
 * must not be able to replace that directory: through a link in its place another file would be moved.
 *
 * `mkdir`, `rename`, `fsync` of both directories. A crash leaves it in one of the two places.
 *
 * @param path The name; nothing happens if nothing has it.
 * @param dir A directory on the same file system; created if missing.
 * @returns Its new path; `undefined` if nothing had the name.
 */
export function moveAside(path: string, dir: string): string | undefined {
  ensureDirectory(dir);
  const aside = join(dir, `${basename(path)}.${crypto.randomUUID()}`);
  try {
    Deno.renameSync(path, aside);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  syncNames(dir);
  syncNames(dirname(path));
  return aside;
}

/**
 * Makes a directory with a random name, mode 0700, for files that are kept until they are no longer
 * needed. Nothing of it is synced.
 *
 * @param dir The directory to make it in; created if missing.
 */
export function makeDirectoryIn(dir: string): string {
  ensureDirectory(dir);
  return Deno.makeTempDirSync({ dir });
}

/**
 * Lets every user who can reach it read a file, or list a directory, whatever the umask is.
 *
 * `chmod`, `open`, `fsync`. A crash leaves it as it was made.
 */
export function openToReaders(path: string): void {
  Deno.chmodSync(path, Deno.statSync(path).isDirectory ? 0o755 : 0o644);
  syncNames(path);
}

/**
 * Removes a directory of the operator's own and everything in it. A crash leaves a part. What others wrote
 * can be too deep for it: that is moved away.
 */
export async function removeDirectory(dir: string): Promise<void> {
  await Deno.remove(dir, { recursive: true });
}

/**
 * Removes a file for good. It may be gone already.
 *
 * `unlink`, `fsync` of the directory. A crash leaves it there or gone.
 */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  syncNames(dirname(path));
}

/**
 * Makes the content of a file durable, whichever process wrote it.
 *
 * `open`, `fdatasync`.
 */
export function syncFile(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncDataSync();
}
