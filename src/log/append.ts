/**
 * Appends chained, signed lines to an audit log. All of it happens under the log's lock: the log is
 * compared with what was written last, what the Python original appended since is counted in, what a
 * crash tore is put aside, and the new line states that.
 *
 * @module
 */

import { auditLogPath } from "../disk/layout.ts";
import { type LockedLog, openUnsynced, type UnsyncedRecord, withLockedLog } from "../disk/lock.ts";
import { namesInOwn, type OwnFileStamp, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { replaceFileAlone, syncNames } from "../disk/write.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { encodeAuditEntry } from "../records/codec.ts";
import { AuditLogChangedError } from "../records/errors.ts";
import type { Head } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { asciiJson } from "../text/json.ts";
import { advance, isWhole, linesOf, sealLine } from "./chain.ts";
import { followAppend } from "./index.ts";
import { openSigningKey, type SigningKey } from "./key.ts";
import { readLine } from "./lines.ts";
import {
  decodeWritten,
  encodeWritten,
  lineIn,
  NOTHING,
  readWritten,
  type Written,
  writtenPath,
} from "./written.ts";
import { basename, dirname, join } from "@std/path";
import { Buffer } from "node:buffer";

/** A line on its way into a log. */
export interface SealedLine {
  /** The line's bytes, the LF included. */
  readonly line: Uint8Array;
  /** The offset at which it begins. */
  readonly offset: number;
  /** The head of the log after it. */
  readonly head: Head;
}

/** Which file this process wrote to, by the log's path and the file that remembers it. */
const writtenHere = new Map<string, string>();

/** How many broken lines a `repair` names. */
const MOST_NAMED = 5;

/**
 * Appends an entry to its log, chained and signed, and durable once this returns.
 *
 * ```text
 * the signing key is made, if there is none
 * flock of the log; it is compared with the record of what was written last
 *   first time only: the record is created        a crash leaves one that states no line
 *   torn tail: its bytes are written to a side file, the record states that, they are cut off
 *                                                 a crash between: done again; after: the record
 *                                                 still states it, and so will the next line
 * onSealed(line)                                  the caller's own note, before the line exists
 * append, fdatasync                               see withLockedLog
 * the index gets the log's new stamp, unsynced    a crash leaves one that does not fit the log
 * the record is overwritten, unsynced             a power cut leaves an older one, also true
 * ```
 *
 * @param onSealed Called with the line, under the lock, before it is written.
 * @throws {InvalidNameError} If the component or the slug is not valid; nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is written.
 */
export async function appendEntry(
  entry: AuditEntry,
  root: string,
  onSealed: (sealed: SealedLine) => void = () => {},
): Promise<SealedLine> {
  const name = auditLogName(entry.component, entry.bottleSlug);
  const { operatorKey: _, repair: __, ...own } = entry;
  const said = encodeAuditEntry(own); // Before anything is made: a wrong field leaves no trace.
  const key = await openSigningKey(root);
  return await atEnd(entry, root, (log, logEnd, before, record) => {
    const sealed = seal(said, name, key, logEnd);
    onSealed(sealed);
    const { line, offset: start, head } = sealed;
    log.append(line);
    followAppend(root, entry.component, entry.bottleSlug, before, log);
    const written = { head, prev: logEnd.head.hash, start, end: start + line.length, torn: false };
    try {
      record.overwrite(encodeWritten(written));
    } catch {
      // The line is written. An older record is true of the log too, because a log only grows.
    }
    return sealed;
  });
}

/**
 * Throws what {@linkcode appendEntry} would throw if a log was changed, before anything depends on it. Puts a torn
 * line aside, as that does.
 *
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated.
 */
export async function checkAppendable(log: LogOf, root: string): Promise<void> {
  const path = auditLogPath(log.component, log.bottleSlug, { root });
  const name = auditLogName(log.component, log.bottleSlug);
  // There is nothing to compare, and an empty log would look like one that was cut.
  if (
    ownFileStamp(path) === undefined && (readWritten(writtenPath(root, name))?.head.seq ?? 0) === 0
  ) {
    return;
  }
  await atEnd(log, root, () => {});
}

type LogOf = Pick<AuditEntry, "component" | "bottleSlug">;

/** Runs a function under a log's lock, with its end, which is compared with what was written last. */
async function atEnd<T>(
  { component, bottleSlug }: LogOf,
  root: string,
  run: (log: LockedLog, end: LogEnd, before: OwnFileStamp, record: UnsyncedRecord) => T,
): Promise<T> {
  const path = auditLogPath(component, bottleSlug, { root });
  const recordPath = writtenPath(root, auditLogName(component, bottleSlug));
  const locked = (log: LockedLog): T => {
    using record = openWritten(recordPath, path);
    const before = log.stamp();
    return run(log, findEnd(log, before, path, recordPath, record), before, record);
  };
  let isThere = false;
  try {
    return await withLockedLog(path, false, (log) => {
      isThere = true;
      return locked(log);
    });
  } catch (error) {
    if (isThere || !(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { head } = readWritten(recordPath) ?? NOTHING;
  if (head.seq > 0 && ownFileStamp(path) === undefined) {
    throw new AuditLogChangedError(path, "it is gone", recordPath);
  }
  return await withLockedLog(path, head.seq === 0, locked);
}

/** Where a log ends, and what the next line has to state about it. */
interface LogEnd {
  readonly head: Head;
  readonly size: number;
  readonly repair: readonly string[];
}

/** Adds to an entry's text what the log itself states, and seals it. */
function seal(said: string, log: string, key: SigningKey, end: LogEnd): SealedLine {
  const repair = end.repair.length > 0 ? { repair: end.repair.join("; ") } : {};
  const added = asciiJson({ operator_key: key.fingerprint, ...repair });
  const text = `${said.slice(0, -"}\n".length)},${added.slice(1)}`;
  const line = sealLine(log, text, end.head, key.privateKey);
  return { line, offset: end.size, head: advance(end.head, line) };
}

/** Opens the record of a log. The first time it makes one, which states no line. */
function openWritten(path: string, log: string): UnsyncedRecord {
  const record = openUnsynced(path);
  if (record !== undefined) return record;
  // The log may be the Python original's, and its name not durable yet.
  syncNames(dirname(log));
  replaceFileAlone(path, encodeWritten(NOTHING));
  return openUnsynced(path)!;
}

/** Where the chain ends, counting in what was appended since this root wrote last. */
function findEnd(
  log: LockedLog,
  { identity, size }: OwnFileStamp,
  path: string,
  recordPath: string,
  record: UnsyncedRecord,
): LogEnd {
  const written = decodeWritten(record.bytes, recordPath);
  // If the operator moved the record away, what this process remembers of the log must not count either.
  const here = `${path} ${record.identity}`;
  const reason = identity === (writtenHere.get(here) ?? identity)
    ? changeOf(log, size, written)
    : "another file is in its place";
  if (reason !== undefined) throw new AuditLogChangedError(path, reason, recordPath);
  writtenHere.set(here, identity);

  let { head, end, torn } = written;
  const broken: number[] = [];
  for (const line of linesOf(log.chunks(written.end, size))) {
    if (!isWhole(line)) {
      keepTorn(path, head.seq, line);
      // Before the cut: after a crash in between, the next append must look for the side file.
      record.overwrite(encodeWritten({ ...written, torn: true }));
      record.sync();
      log.cut(end);
      torn = true;
      break;
    }
    const { entry, problem } = readLine(line, path);
    if (entry === undefined && problem !== undefined) broken.push(head.seq + 1);
    head = advance(head, line);
    end += line.length;
  }
  const repair = [
    ...(torn ? tornBetween(path, written.head.seq, head.seq) : []),
    ...brokenWords(broken),
  ];
  return { head, size: end, repair };
}

/** Why a log of this size is not the one that was written to; `undefined` if it is. */
function changeOf(log: LockedLog, size: number, written: Written): string | undefined {
  const { head, start, end } = written;
  if (size < end) return `it has ${size} bytes, and had ${end}`;
  if (start === end || lineIn(log, written) !== undefined) return undefined;
  return `line ${head.seq} is not the one that was written`;
}

/**
 * Keeps a torn line in a side file that is named after the line that will be in its place. A process that
 * put one aside may have died while it wrote its own: then there are several.
 */
function keepTorn(path: string, seq: number, torn: Uint8Array): void {
  for (let n = 1;; n++) {
    const aside = `${path}.torn-${seq}${n === 1 ? "" : `.${n}`}`;
    const kept = readOwnFile(aside);
    if (kept === undefined) return replaceFileAlone(aside, torn);
    // It was put aside already; the crash came before the cut.
    if (Buffer.from(torn).equals(kept)) return;
  }
}

/** What was put aside and the log does not state yet, because of a crash perhaps. */
function tornBetween(path: string, from: number, to: number): string[] {
  const found: string[] = [];
  for (const name of namesInOwn(dirname(path))) {
    const [, seq] = name.match(/\.torn-(\d+)(?:\.\d+)?$/) ?? [];
    if (!name.startsWith(`${basename(path)}.torn-`) || seq === undefined) continue;
    if (Number(seq) < from || Number(seq) > to) continue;
    const { size } = ownFileStamp(join(dirname(path), name))!;
    found.push(`${size} bytes of a torn line are kept in ${name}`);
  }
  return found;
}

function brokenWords(broken: readonly number[]): string[] {
  if (broken.length === 0) return [];
  const named = broken.slice(0, MOST_NAMED).join(", ");
  const more = broken.length > MOST_NAMED ? ` and ${broken.length - MOST_NAMED} more` : "";
  return [`not entries: line ${named}${more}`];
}
