/**
 * The record of what this root wrote last to each of its logs, in `private/heads`: by it an append knows
 * the log again.
 *
 * @module
 */

import { auditDir, privateDir } from "../disk/layout.ts";
import { openOwnFile, type OwnFile } from "../disk/lock.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead, type Head, parseHead } from "../records/head.ts";
import { advance } from "./chain.ts";
import { join } from "@std/path";

/** What was written last: enough to recognize the log, and to go on without reading it whole. */
export interface Written {
  readonly head: Head;
  /** The hash before the last line, and the offsets at which that line begins and ends. */
  readonly prev: string;
  readonly start: number;
  readonly end: number;
  /** Whether a torn line was put aside since, and no line states it yet. */
  readonly torn: boolean;
}

/** The record of a log to which nothing was written yet. */
export const NOTHING: Written = {
  head: EMPTY_HEAD,
  prev: EMPTY_HEAD.hash,
  start: 0,
  end: 0,
  torn: false,
};

/** The directory of the records. */
export function writtenRoot(root: string): string {
  return join(privateDir(root), "heads");
}

/** The file, in `private/`, that remembers what was written last to a log. */
export function writtenPath(root: string, log: string): string {
  return join(writtenRoot(root), log);
}

/** A record's bytes. Always as long, so that it can be overwritten in place. */
export function encodeWritten({ head, prev, start, end, torn }: Written): Uint8Array {
  const text = `${formatHead(head)} ${prev} ${start} ${end}${torn ? " torn" : ""}`;
  return new TextEncoder().encode(text.padEnd(255) + "\n");
}

/**
 * Reads a record.
 *
 * @throws {MalformedRecordError} If it is damaged.
 */
export function decodeWritten(bytes: Uint8Array, path: string): Written {
  const [text = "", prev = "", start, end, torn] = new TextDecoder().decode(bytes).trimEnd()
    .split(" ");
  const head = parseHead(text);
  if (head !== undefined && /^[0-9a-f]{64}$/.test(prev) && Number(end) >= Number(start)) {
    return { head, prev, start: Number(start), end: Number(end), torn: torn !== undefined };
  }
  const reason = "it is not a head; move it away, and find out who changed it";
  throw new MalformedRecordError(path, undefined, reason);
}

/**
 * The head after the line that was written last to a log; `undefined` if this root never wrote to it.
 *
 * @throws {MalformedRecordError} If the record is damaged.
 */
export function rememberedHead(root: string, log: string): Head | undefined {
  return readWritten(writtenPath(root, log))?.head;
}

/** A record by its path; `undefined` if the file is missing. An append may overwrite it at the same time. */
export function readWritten(path: string): Written | undefined {
  using file = openOwnFile(path);
  return file && decodeWritten(file.read(0, 512), path);
}

/** The line that a record says was written last; `undefined` if the log does not have it there. */
export function lineIn(log: Pick<OwnFile, "read">, written: Written): Uint8Array | undefined {
  const { head, prev, start, end } = written;
  const line = log.read(start, end);
  return advance({ seq: head.seq - 1, hash: prev }, line).hash === head.hash ? line : undefined;
}

/**
 * The line that this root wrote last to a log; `undefined` if it wrote none, or the log or the record is not
 * what it was: the next append to that log says so.
 */
export function lastLine(root: string, log: string): Uint8Array | undefined {
  try {
    const written = readWritten(writtenPath(root, log));
    using file = openOwnFile(join(auditDir({ root }), `${log}.log`));
    return file && written && lineIn(file, written);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}
