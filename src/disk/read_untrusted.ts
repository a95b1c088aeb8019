/**
 * The only reader of what others can write. The owner of a sidecar can plant anything in its queue
 * directory: links, FIFOs, devices, holes of ten terabytes, hostile names. Nothing here follows a
 * link, waits for a writer, or reads more than the caller allows.
 *
 * All of it is synchronous on purpose: 32 planted FIFOs starve every asynchronous file system call
 * of a Deno process.
 *
 * @module
 */

import { UnsafeFileError } from "../records/errors.ts";
import { dirname } from "@std/path";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";

/**
 * The largest queue file that is read: 1 MiB of config and 16 KiB of justification, with every character
 * written as `\uXXXX`, and some room.
 */
export const MAX_QUEUE_FILE_BYTES = 8 * 1024 * 1024;

/**
 * The largest directory that is listed, by the bytes that it has for names: 100,000 of this program's on most file
 * systems, or 500,000 of four characters. Deno reads all names of a directory at once, and needs almost a
 * gigabyte of memory for a million.
 */
export const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024;

/** How a file is to be read. */
export interface ReadOptions {
  /** The most that is read, in bytes. */
  readonly maxBytes: number;
  /**
   * Whether the file may have a second name. A response has two for a moment, while it is published, so
   * its reader must say yes; a host that reads a proposal says no.
   */
  readonly allowHardLinks?: boolean;
  /** Whether links to the file are followed: where only the operator can have placed them. */
  readonly followLinks?: boolean;
}

/** A file that was read completely, in one state. */
export interface UntrustedFile {
  /** The bytes, exactly. */
  readonly bytes: Uint8Array;
  /** The state, as {@linkcode stampOfFile} gives it. */
  readonly stamp: string;
}

/** Without `O_NONBLOCK` the open of a FIFO would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Turns a system error into one that names the file; a missing file stays a plain NotFound. */
function asUnsafe(error: unknown, file: string): Error {
  if (error instanceof UnsafeFileError || error instanceof Deno.errors.NotCapable) return error;
  const code = errorCode(error);
  if (code === "ENOENT" || error instanceof Deno.errors.NotFound) {
    return new Deno.errors.NotFound(`Cannot read ${file}: there is no such file`, {
      cause: error,
    });
  }
  const reasons: Readonly<Record<string, string>> = {
    ELOOP: "it is a link",
    EACCES: "this user may not read it, or not enter its directory",
  };
  const reason = reasons[code ?? ""] ?? `the system says ${code ?? String(error)}`;
  return new UnsafeFileError(file, reason, { cause: error });
}

/** What of a file's state is judged before it is read. */
type Judged = Pick<Deno.FileInfo, "isSymlink" | "isDirectory" | "isFile" | "nlink" | "size">;

function refusal(stat: Judged, options: ReadOptions): string | undefined {
  if (stat.isSymlink) return "it is a link";
  if (stat.isDirectory) return "it is a directory";
  if (!stat.isFile) return "it is not a regular file";
  if (stat.nlink !== 1 && options.allowHardLinks !== true) {
    return `it has ${stat.nlink} names (hard links)`;
  }
  if (stat.size > options.maxBytes) {
    return `it has ${stat.size} bytes, more than the ${options.maxBytes} allowed`;
  }
  return undefined;
}

/** Refuses a file that may not be read. Node's big integers would say no more of it than Deno does. */
function refuse(file: string, stat: Judged, options: ReadOptions): void {
  const reason = refusal(stat, options);
  if (reason !== undefined) throw new UnsafeFileError(file, reason);
}

/**
 * Reads a file that others may have planted, or may be changing right now.
 *
 * lstat, open without following or blocking, fstat, a bounded read, fstat again: the file must be
 * regular, the same one throughout, and unchanged while it was read. Under scoped permissions Deno
 * ignores `O_NOFOLLOW`; then the comparison of the two stats detects a link that was swapped in. Where
 * links are followed, the first step is left out.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is not a plain file within the bounds, or changes meanwhile.
 */
export function readUntrusted(file: string, options: ReadOptions): UntrustedFile {
  let fd: number | undefined;
  try {
    const { followLinks = false } = options;
    const before = followLinks ? undefined : Deno.lstatSync(file);
    if (before !== undefined) refuse(file, before, options);
    fd = openSync(file, followLinks ? OPEN_FLAGS : OPEN_FLAGS | constants.O_NOFOLLOW);
    const opened = fstatSync(fd);
    const { dev, ino, nlink, size } = opened;
    const kind = { isDirectory: opened.isDirectory(), isFile: opened.isFile() };
    refuse(file, { isSymlink: false, ...kind, nlink, size }, options);
    if (before !== undefined && (dev !== before.dev || ino !== before.ino)) {
      throw new UnsafeFileError(file, "it was replaced while it was opened");
    }
    // One byte more than expected, so that growth shows.
    const buffer = new Uint8Array(size + 1);
    let length = 0;
    // What has as many bytes as expected is not asked for more: if it grew since, its size says so.
    do {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
    } while (length < size);
    const after = fstatSync(fd);
    // The number of names may fall from two to one while a response is published, and that moves
    // ctime; the bytes are judged by size and mtime.
    const changed = length !== size ||
      after.size !== size ||
      after.mtimeMs !== opened.mtimeMs ||
      (options.allowHardLinks !== true && after.ctimeMs !== opened.ctimeMs);
    if (changed) {
      throw new UnsafeFileError(file, "it changed while it was read");
    }
    // As stampOfFile writes it.
    const stamp = [dev, ino, size, after.mtimeMs, after.ctimeMs].join(":");
    return { bytes: buffer.subarray(0, length), stamp };
  } catch (error) {
    throw asUnsafe(error, file);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** How often a read is repeated because its directory was replaced. */
const MAX_TRIES = 50;

/** How many random checks a directory must pass: one that is swapped passes one time in 2^24. */
const LOOKS = 24;

/**
 * Reads a file as {@linkcode readUntrusted} does, where its directory may be planted too: the owner of a
 * queue can put a link to anywhere in the place of `processed/`, and take it back before anybody looks
 * again. Deno has no handle of a directory to read through, and no stamp that is fine enough to tell.
 *
 * So it is checked many times after the read, and a coin decides what: that the directory is the one it
 * was, or that the file at the path is the one that was read. While a link is in the way the first
 * check fails; while it is not, the second. However fast somebody swaps, nobody knows which check is
 * next.
 *
 * @throws {Deno.errors.NotFound} If there is no such file, or no such directory.
 * @throws {UnsafeFileError} If the directory is a link, or is replaced again and again; or as
 * {@linkcode readUntrusted} throws it.
 */
export function readInDirectory(file: string, options: ReadOptions): UntrustedFile {
  const dir = dirname(file);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const identity = directoryIdentity(dir);
    const found = readUntrusted(file, options);
    const coins = crypto.getRandomValues(new Uint8Array(LOOKS));
    const isSame = coins.every((coin) =>
      coin % 2 === 0 ? directoryIdentity(dir) === identity : stampOfFile(file) === found.stamp
    );
    if (isSame) return found;
  }
  throw new UnsafeFileError(file, "its directory was replaced each time it was read");
}

/**
 * What tells one state of a file from another, without reading it and without following a link: device,
 * inode, size, and both times as far as Deno has them. `undefined` if there is no such file.
 */
export function stampOfFile(file: string): string | undefined {
  try {
    const { dev, ino, size, mtime, ctime } = Deno.lstatSync(file);
    return `${dev}:${ino}:${size}:${mtime?.getTime()}:${ctime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    return `${errorCode(error)}`; // It may not be looked at; that is a state like any other.
  }
}

/** How large a file is, and when it changed. */
export interface SizeAndChange {
  /** Its size, in bytes. */
  readonly bytes: number;
  /** When anything of it changed, its name included, in whole seconds since 1970: Deno has no more. */
  readonly changed: number;
  /** When its content changed, in milliseconds since 1970. The owner can set it to any time. */
  readonly writtenMs: number;
}

/**
 * The size and the times of a file, without reading it and without following a link; `undefined` if there
 * is no such file, or it may not be looked at.
 */
export function sizeAndChange(file: string): SizeAndChange | undefined {
  try {
    const { size, ctimeMs, mtimeMs } = lstatSync(file);
    return { bytes: size, changed: Math.floor(ctimeMs / 1000), writtenMs: mtimeMs };
  } catch {
    return undefined;
  }
}

/**
 * What tells a directory from one that is made anew in its place, without following a link; `undefined` if
 * there is no such directory. The number of an inode is soon given to another one, so the time of birth
 * is part of it.
 *
 * @throws {UnsafeFileError} If something else has that name: a link, a file, a FIFO; or if the directory is
 * larger than `maxBytes`.
 */
export function directoryIdentity(dir: string, maxBytes = Infinity): string | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(dir);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw asUnsafe(error, dir);
  }
  if (info.isDirectory && info.size <= maxBytes) {
    return `${info.dev}:${info.ino}:${info.birthtime?.getTime()}`;
  }
  const reason = info.isDirectory
    ? `it has ${info.size} bytes of names, more than the ${maxBytes} allowed: too many files are in it, or ` +
      "were; move it away, make it anew, and move its files back"
    : info.isSymlink
    ? "it is a link, where a directory belongs"
    : "it is not a directory";
  throw new UnsafeFileError(dir, reason);
}

/**
 * The names in a directory, in no particular order; none if there is no such directory. Others choose
 * them: check each before use.
 *
 * @throws {UnsafeFileError} If it is a link or not a directory, or becomes that meanwhile; or if it is larger
 * than {@linkcode MAX_DIRECTORY_BYTES}.
 */
export function listNames(dir: string): readonly string[] {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = directoryIdentity(dir, MAX_DIRECTORY_BYTES);
    const names = before === undefined ? [] : namesIn(dir);
    // Its stamp may differ: files come and go in it all the time.
    if (directoryIdentity(dir) === before) return names;
  }
  throw new UnsafeFileError(dir, "it was replaced each time it was read");
}

function namesIn(dir: string): readonly string[] {
  try {
    return Array.from(Deno.readDirSync(dir), (entry) => entry.name);
  } catch (error) {
    const mapped = asUnsafe(error, dir);
    if (mapped instanceof Deno.errors.NotFound) return [];
    throw mapped;
  }
}
