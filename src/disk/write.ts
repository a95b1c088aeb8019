/**
 * The only writer of files. Every function returns once its effect is on disk, and its comment
 * gives the system calls and what a crash leaves between them. A failed sync is final: the error goes
 * up, nothing is tried again, because the kernel may have dropped the pages.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";

/** What every file of ours has. */
export const FILE_MODE = 0o600;

const DIR_MODE = 0o700;

/**
 * Writes all bytes. A short write is not an error, and a signal may interrupt one.
 *
 * `write`, again until nothing is left. A crash leaves a part.
 *
 * @param file The file.
 * @param bytes The bytes.
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

function syncDirectory(dir: string): void {
  using handle = Deno.openSync(dir, { read: true });
  handle.syncSync();
}

/** Removes a file of ours; that it is gone already is fine, any other failure is not worth a loss. */
function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // What stays behind is a file with a random name that nothing reads.
  }
}

/** Writes and syncs a new file. On failure the file is removed, and the error is the write's. */
function writeNew(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, {
    write: true,
    createNew: true,
    mode: FILE_MODE,
  });
  try {
    writeFully(file, bytes);
    file.syncDataSync();
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
}

/**
 * Creates a directory and its missing parents, mode 0700. One that exists is left as it is.
 *
 * `mkdir` each, `fsync` of the directory above it. A crash leaves some of them; the next call makes
 * the rest. Where the directory above may not be opened, as in a sidecar, it is whoever made that one
 * who makes it last.
 *
 * @param dir The path.
 * @throws {Deno.errors.NotADirectory} If something else stands there.
 */
export function ensureDirectory(dir: string): void {
  const above = dirname(dir);
  try {
    Deno.mkdirSync(dir, { mode: DIR_MODE });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      if (Deno.statSync(dir).isDirectory) return;
      throw new Deno.errors.NotADirectory(
        `Cannot create the directory ${dir}: something else stands there`,
        { cause: error },
      );
    }
    if (!(error instanceof Deno.errors.NotFound) || above === dir) throw error;
    ensureDirectory(above);
    return ensureDirectory(dir);
  }
  try {
    syncDirectory(above);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/**
 * Publishes a file under a name that nobody has taken: of any number of callers exactly one wins.
 *
 * ```text
 * open(staging/<random>, O_CREAT|O_EXCL, 0600)   a crash from here to link leaves a file with a
 * write, fdatasync                               random name that nothing reads
 * chown to the owner of path's directory, if root writes for somebody else
 * link(staging/<random>, path)                   EEXIST: somebody else won
 * fsync(directory of path)                       a power cut before it: all or nothing
 * unlink(staging/<random>)
 * ```
 *
 * @param path The name to take.
 * @param bytes The whole content.
 * @param stagingDir A directory on the same file system; created if missing. For what the host
 * decides it lies in `private/`, where no sidecar can reach.
 * @throws {Deno.errors.AlreadyExists} If the name is taken; what stands there is not touched.
 */
export function createOnce(path: string, bytes: Uint8Array, stagingDir: string): void {
  ensureDirectory(stagingDir);
  const staged = join(stagingDir, `.${crypto.randomUUID()}.tmp`);
  writeNew(staged, bytes);
  try {
    giveToOwnerOf(dirname(path), staged);
    Deno.linkSync(staged, path);
    syncDirectory(dirname(path));
  } finally {
    removeQuietly(staged);
  }
}

/**
 * Does what {@linkcode createOnce} will do, under a name that nothing reads, and takes it back: so that
 * a wrong file system, a directory that may not be written, or a full disk shows before it matters.
 * One caller at a time for a directory.
 *
 * `unlink` of what a crash left, the calls of {@linkcode createOnce}, `unlink`. A crash leaves a hidden
 * file that nothing reads, for the next call to remove. What cannot be removed, a directory that
 * somebody planted under the name, is moved to the staging directory.
 *
 * @param dir The directory of the name to come.
 * @param stagingDir As for {@linkcode createOnce}.
 * @throws {Error} What {@linkcode createOnce} would throw.
 */
export function probeCreateOnce(dir: string, stagingDir: string): void {
  const probe = join(dir, ".probe.tmp");
  try {
    Deno.removeSync(probe);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) moveAside(probe, stagingDir);
  }
  createOnce(probe, new Uint8Array(1), stagingDir);
  Deno.removeSync(probe);
}

/**
 * Removes what a crash left in a directory of ours.
 *
 * `unlink` each; a crash leaves some of them, for the next call.
 *
 * @param dir The directory; nothing happens if it does not exist.
 * @param isOurs Which names to remove; all, unless given.
 */
export function clearDirectory(dir: string, isOurs: (name: string) => boolean = () => true): void {
  try {
    for (const { name } of Deno.readDirSync(dir)) if (isOurs(name)) removeQuietly(join(dir, name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * What stands in somebody's directory must be theirs to read: root may decide for a sidecar that runs
 * as another user. Whoever is not root cannot give a file away, and needs not, as its own user's.
 */
function giveToOwnerOf(dir: string, path: string): void {
  const { uid, gid } = Deno.statSync(dir);
  if (uid === null || uid === Deno.statSync(path).uid) return;
  try {
    Deno.chownSync(path, uid, gid);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

/** Everything of {@linkcode replaceFile} but the last step, which is the caller's; returns for what. */
function renameIntoPlace(path: string, bytes: Uint8Array, mark: string): string {
  const dir = dirname(path);
  const staged = join(dir, `.${basename(path)}.${mark}.tmp`);
  try {
    writeNew(staged, bytes);
  } catch (error) {
    // Asked only when it is missed: it nearly always is there.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    ensureDirectory(dir);
    writeNew(staged, bytes);
  }
  try {
    Deno.renameSync(staged, path);
  } catch (error) {
    removeQuietly(staged);
    throw error;
  }
  return dir;
}

/**
 * Writes a file under a name that stands for its content alone, because it is random or ours: what
 * stood there is replaced whole.
 *
 * ```text
 * open(.<name>.<random>.tmp, O_CREAT|O_EXCL, 0600)   a crash from here to rename leaves a hidden
 * write, fdatasync                                   file that nothing reads
 * rename(.<name>.<random>.tmp, path)                 old or new, never half
 * fsync(directory of path)                           a power cut before it: old or new
 * ```
 *
 * @param path The name; its directory is created if missing.
 * @param bytes The whole content.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  syncDirectory(renameIntoPlace(path, bytes, crypto.randomUUID()));
}

/**
 * Does what {@linkcode replaceFile} does, for a caller whose lock makes it the only writer of this
 * name. The hidden file has one fixed name, so that what a crash leaves behind is cleared away by
 * whoever does the same again.
 *
 * `unlink` of the hidden file, then the calls of {@linkcode replaceFile}.
 *
 * @param path The name; its directory is created if missing.
 * @param bytes The whole content.
 */
export function replaceFileAlone(path: string, bytes: Uint8Array): void {
  removeQuietly(join(dirname(path), `.${basename(path)}.new.tmp`));
  syncDirectory(renameIntoPlace(path, bytes, "new"));
}

/**
 * Moves whatever stands under a name, a link or a directory too, out of somebody's reach.
 *
 * `mkdir`, `rename`, `fsync` of both directories. A crash leaves it in one of the two places.
 *
 * @param path The name; nothing happens if there is nothing.
 * @param dir A directory on the same file system; created if missing.
 */
export function moveAside(path: string, dir: string): void {
  ensureDirectory(dir);
  try {
    Deno.renameSync(path, join(dir, `${basename(path)}.${crypto.randomUUID()}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  syncDirectory(dir);
  syncDirectory(dirname(path));
}

/**
 * Makes a directory with a random name, mode 0700, for files that are kept until they are no longer
 * needed. Nothing of it is synced.
 *
 * @param dir The directory to make it in; created if missing.
 * @returns Its path.
 */
export function makeDirectoryIn(dir: string): string {
  ensureDirectory(dir);
  return Deno.makeTempDirSync({ dir });
}

/** Writes a new file, mode 0600, and syncs it, but not its name. */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  writeNew(path, bytes);
}

/** Removes a directory and everything in it. A crash leaves a part. */
export async function removeDirectory(dir: string): Promise<void> {
  await Deno.remove(dir, { recursive: true });
}

/** Directories whose fsync is due before this turn of the event loop ends. */
const syncsDue = new Map<string, Promise<void>>();

/**
 * Does what {@linkcode replaceFile} does, but calls of one turn of the event loop for one directory
 * share its fsync. It comes after the last of their renames, and no call returns before it: ten
 * writes at once are as durable as ten in a row, and pay for one.
 *
 * @param path The name; its directory is created if missing.
 * @param bytes The whole content.
 */
export async function replaceFileWithOthers(path: string, bytes: Uint8Array): Promise<void> {
  const dir = renameIntoPlace(path, bytes, crypto.randomUUID());
  let due = syncsDue.get(dir);
  if (due === undefined) {
    due = Promise.resolve().then(() => {
      // First, so that a rename after it finds no sync that has begun.
      syncsDue.delete(dir);
      syncDirectory(dir);
    });
    syncsDue.set(dir, due);
  }
  await due;
}

/**
 * Moves files from one directory to another. Missing ones are skipped; what stands at the target is
 * replaced.
 *
 * `rename` each, then `fsync` both directories. A crash leaves each file in one of the two.
 *
 * @param names The files' names.
 * @param from The directory they are in.
 * @param to The directory they go to; created if missing.
 */
export function moveFiles(names: readonly string[], from: string, to: string): void {
  ensureDirectory(to);
  let moved = false;
  for (const name of names) {
    try {
      Deno.renameSync(join(from, name), join(to, name));
      moved = true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  if (!moved) return;
  syncDirectory(to);
  syncDirectory(from);
}

/**
 * Removes a file for good. That it is gone already is fine.
 *
 * `unlink`, `fsync` of the directory. A crash leaves it there or gone.
 *
 * @param path The file.
 */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  syncDirectory(dirname(path));
}

/**
 * Makes the names in a directory durable, whoever made them.
 *
 * `open`, `fsync`.
 *
 * @param dir The directory.
 */
export function syncNames(dir: string): void {
  syncDirectory(dir);
}

/**
 * Makes durable what is in a file, whoever wrote it.
 *
 * `open`, `fdatasync`.
 *
 * @param path The file.
 */
export function syncFile(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncDataSync();
}
