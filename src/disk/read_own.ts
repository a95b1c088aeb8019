/**
 * Reads what only the operator's side can write: audit logs, config files in force, intents. Links are
 * followed, because the operator may have placed them.
 *
 * @module
 */

import { readUntrusted } from "./read_untrusted.ts";
import { join } from "@std/path";
import { existsSync, fstatSync, statfsSync } from "node:fs";

/** The largest file that is read whole, in bytes, unless a caller says otherwise. */
const MAX_OWN_BYTES = 512 * 1024 * 1024;

/**
 * The whole file; `undefined` if it does not exist. The operator can name any file, and an editor can put
 * anything in a file's place: a FIFO, a device, a hole, a file that grows.
 *
 * @throws {UnsafeFileError} If it is no regular file, is too large, or changes while it is read.
 */
export function readOwnFile(path: string, maxBytes = MAX_OWN_BYTES): Uint8Array | undefined {
  const options = { maxBytes, allowHardLinks: true, followLinks: true };
  return unlessMissing(() => readUntrusted(path, options).bytes);
}

/** Whether an open file is a device that takes bytes one by one, as terminals and `/dev/null` do. */
export function isDevice(fd: number): boolean {
  return fstatSync(fd).isCharacterDevice();
}

/** The names in a directory, sorted; none if it does not exist. */
export function namesInOwn(dir: string): readonly string[] {
  return unlessMissing(() => Array.from(Deno.readDirSync(dir), ({ name }) => name).sort()) ?? [];
}

/** Whether Deno grants an access. Where it may not, it could ask the person at the terminal for more. */
export function isGranted(name: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

/** Whether a file exists: a tenth of what an error costs that tells it. */
export function isThere(path: string): boolean {
  return existsSync(path);
}

/** Which file it is, and in which state, without a look at its content. */
export interface OwnFileStamp {
  /** Device, inode and time of birth: the number of an inode is soon given to another file. */
  readonly identity: string;
  /** Everything that differs between two states of a file: identity, size, times of change, mode. */
  readonly text: string;
  /** The size, in bytes. */
  readonly size: number;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** The mode. */
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number | null;
  /** The number of its group. */
  readonly gid: number | null;
  /** When the content changed last, in milliseconds since 1970. */
  readonly changedMs: number;
}

/** The state of a file; `undefined` if it does not exist. */
export function ownFileStamp(path: string): OwnFileStamp | undefined {
  return unlessMissing(() => stampOf(Deno.statSync(path)));
}

/** The state that a file's metadata tell. */
export function stampOf(info: Deno.FileInfo): OwnFileStamp {
  const { dev, ino, size, birthtime, mtime, ctime, isFile, isDirectory, uid, gid } = info;
  const [mode, changedMs] = [info.mode ?? 0, mtime?.getTime() ?? 0];
  const identity = `${dev}:${ino}:${birthtime?.getTime()}`;
  // The time of change that a program can set, and the one that it cannot, in whole seconds.
  const text = `${identity}:${size}:${changedMs}:${ctime?.getTime()}:${mode}`;
  return { identity, text, size, isFile, isDirectory, mode, uid, gid, changedMs };
}

/** A file that was read whole, and its state before that. */
export interface ReadOwn {
  readonly stamp: OwnFileStamp;
  readonly bytes: Uint8Array;
}

const readBefore = new Map<string, ReadOwn>();

/**
 * The whole file and its state; `undefined` if it does not exist. It is read again only after its state
 * has changed, and gives the same object until then: for a small file that is asked for often.
 */
export function readOwnFileOnce(path: string): ReadOwn | undefined {
  const stamp = ownFileStamp(path);
  const before = readBefore.get(path);
  if (stamp === undefined || stamp.text === before?.stamp.text) return stamp && before;
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const read = { stamp, bytes };
  readBefore.set(path, read);
  return read;
}

/** The path behind all links in a path: what a program is granted that gets no other one. */
export function pathBehindLinks(path: string): string {
  return Deno.realPathSync(path);
}

/** Why no directory can have this path; `undefined` if one has it, or nothing is there. */
export function whyNoDirectory(path: string): string | undefined {
  const { FilesystemLoop, NotADirectory, PermissionDenied } = Deno.errors;
  // Deno has read another name for each byte that is not UTF-8.
  if (path.includes("\ufffd")) return "a name in its path is not UTF-8";
  try {
    return ownFileStamp(path)?.isDirectory === false ? "it is not a directory" : undefined;
  } catch (error) {
    if (error instanceof FilesystemLoop) return "its links lead in a circle";
    if (error instanceof NotADirectory) return "a part of its path is not a directory";
    if (error instanceof PermissionDenied) return "this user may not enter a directory of its path";
    return undefined; // The call that needs the directory says what is wrong.
  }
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

/** A file or directory of the operator's own, and who may do what with it. */
export interface OwnEntry {
  readonly path: string;
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number | null;
  readonly isDirectory: boolean;
  /** Whether it is a plain file: neither a directory nor a FIFO, a socket or a device. */
  readonly isFile: boolean;
  /** The file system. */
  readonly device: number;
}

/** Whether a path is a link, wherever it leads. */
export function isLink(path: string): boolean {
  return unlessMissing(() => Deno.lstatSync(path))?.isSymlink ?? false;
}

/**
 * One of them; `undefined` if it does not exist, is in a directory that may not be entered, has a path that
 * is too long, or is a link: a link's own mode says nothing.
 */
export function ownEntry(path: string): OwnEntry | undefined {
  let stat: Deno.FileInfo;
  try {
    stat = Deno.lstatSync(path);
  } catch (error) {
    const { NotFound, PermissionDenied } = Deno.errors;
    if (error instanceof NotFound || error instanceof PermissionDenied) return undefined;
    // A bottle can plant directories so deep that no path leads to the last one.
    if (error instanceof Error && "code" in error && error.code === "ENAMETOOLONG") {
      return undefined;
    }
    throw error;
  }
  if (stat.isSymlink) return undefined;
  const { mode, uid, isDirectory, isFile, dev: device } = stat;
  return { path, mode: mode ?? 0, uid, isDirectory, isFile, device };
}

/**
 * A directory and everything below it that may be listed, but nothing below those that `isClosed` names;
 * follows no link. Nothing if there is no such directory.
 */
export function* walkOwn(dir: string, isClosed: (dir: string) => boolean): Generator<OwnEntry> {
  let entries: Deno.DirEntry[];
  const own = ownEntry(dir);
  if (own !== undefined) yield own;
  if (isClosed(dir)) return;
  try {
    entries = [...Deno.readDirSync(dir)];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return; // It is gone, is no directory, or may not be listed: its own entry tells.
  }
  for (const { name, isDirectory } of entries) {
    const path = join(dir, name);
    if (isDirectory) yield* walkOwn(path, isClosed);
    else {
      const entry = ownEntry(path);
      if (entry !== undefined) yield entry;
    }
  }
}

/** How much room a disk has. */
export interface DiskRoom {
  readonly bytes: number;
  /** How many more files; `Infinity` where the file system does not count them. */
  readonly files: number;
}

/**
 * How much room is left on the disk of a path. Needs `--allow-sys=statfs`.
 *
 * @throws {Deno.errors.NotCapable} If that is not granted.
 */
export function roomAt(path: string): DiskRoom {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree };
}
