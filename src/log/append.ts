/**
 * Appends chained, signed lines to an audit log. All of it happens under the log's lock: what stands
 * there is compared with what was written last, what the Python original appended since is counted
 * in, what a crash tore is put aside, and the new line says so.
 *
 * @module
 */

import { auditLogPath, privateDir } from "../disk/layout.ts";
import { type LockedLog, openUnsynced, type UnsyncedRecord, withLockedLog } from "../disk/lock.ts";
import { namesInOwn, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { replaceFileAlone, syncNames } from "../disk/write.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { encodeAuditEntry } from "../records/codec.ts";
import { AuditLogChangedError, MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead, type Head, parseHead } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { asciiJson } from "../text/json.ts";
import { advance, linesOf, sealLine } from "./chain.ts";
import { entryOn, isBlank } from "./entries.ts";
import { openSigningKey, type SigningKey } from "./key.ts";
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

/** What was written last: enough to recognize the log, and to go on without reading it whole. */
interface Written {
  readonly head: Head;
  /** The head before the last line, and where that line lies. */
  readonly prev: string;
  readonly start: number;
  readonly end: number;
  /** Whether a torn line was put aside since, and no line says so yet. */
  readonly torn: boolean;
}

const NOTHING: Written = {
  head: EMPTY_HEAD,
  prev: EMPTY_HEAD.hash,
  start: 0,
  end: 0,
  torn: false,
};

/** Which file this process wrote to, by the log's path and the file that remembers it. */
const writtenHere = new Map<string, string>();

/** How many broken lines a `repair` names. */
const MOST_NAMED = 5;

/**
 * The file that remembers what was written last to a log.
 *
 * @param root The root.
 * @param log The log's name.
 * @returns The path, in `private/`.
 */
export function writtenPath(root: string, log: string): string {
  return join(privateDir(root), "heads", log);
}

/** One record of fixed length, so that it can be overwritten in place. */
function encodeWritten({ head, prev, start, end, torn }: Written): Uint8Array {
  const text = `${formatHead(head)} ${prev} ${start} ${end}${torn ? " torn" : ""}`;
  return new TextEncoder().encode(text.padEnd(255) + "\n");
}

function decodeWritten(bytes: Uint8Array, path: string): Written {
  const [text = "", prev = "", start, end, torn] = new TextDecoder().decode(bytes).trimEnd()
    .split(" ");
  const head = parseHead(text);
  if (head !== undefined && /^[0-9a-f]{64}$/.test(prev) && Number(end) >= Number(start)) {
    return { head, prev, start: Number(start), end: Number(end), torn: torn !== undefined };
  }
  throw new MalformedRecordError(
    path,
    undefined,
    "it is no head; move it away, and find out who changed it",
  );
}

/**
 * Reads what was written last to a log.
 *
 * @param root The root.
 * @param log The log's name.
 * @returns The head after it, or `undefined` if this root never wrote to it.
 * @throws {MalformedRecordError} If the record is damaged.
 */
export function rememberedHead(root: string, log: string): Head | undefined {
  return readWritten(writtenPath(root, log))?.head;
}

function readWritten(path: string): Written | undefined {
  const bytes = readOwnFile(path);
  return bytes === undefined ? undefined : decodeWritten(bytes, path);
}

/**
 * Appends an entry to its log, chained and signed, and durable once this returns.
 *
 * ```text
 * the signing key is made, if there is none
 * flock of the log; the record of what was written last is compared with what stands there
 *   first time only: the record is created        a crash leaves one that says nothing
 *   torn tail: its bytes are written to a side file, the record says so, they are cut off
 *                                                 a crash between: done again; after: the record
 *                                                 still says so, and so will the next line
 * onSealed(line)                                  the caller's own note, before the line exists
 * append, fdatasync                               see withLockedLog
 * the record is overwritten, unsynced             a power cut leaves an older one, also true
 * ```
 *
 * @param entry The entry.
 * @param root The root.
 * @param onSealed Called with the line, under the lock, before it is written.
 * @returns The line, as it was written.
 * @throws {InvalidNameError} If the component or the slug is none; nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is written.
 */
export async function appendEntry(
  entry: AuditEntry,
  root: string,
  onSealed: (sealed: SealedLine) => void = () => {},
): Promise<SealedLine> {
  const path = auditLogPath(entry.component, entry.bottleSlug, { root });
  const name = auditLogName(entry.component, entry.bottleSlug);
  const { operatorKey: _, repair: __, ...own } = entry;
  const said = encodeAuditEntry(own); // Before anything is made: a wrong field leaves no trace.
  const key = await openSigningKey(root);
  const recordPath = writtenPath(root, name);
  const append = (log: LockedLog): SealedLine => {
    using record = openWritten(recordPath, path);
    const before = findEnd(log, path, recordPath, record);
    const sealed = seal(said, name, key, before);
    onSealed(sealed);
    const { line, offset: start, head } = sealed;
    log.append(line);
    const written = { head, prev: before.head.hash, start, end: start + line.length, torn: false };
    try {
      record.overwrite(encodeWritten(written));
    } catch {
      // The line stands. An older record is true of it too: a log only grows.
    }
    return sealed;
  };
  let isThere = false;
  try {
    return await withLockedLog(path, false, (log) => {
      isThere = true;
      return append(log);
    });
  } catch (error) {
    if (isThere || !(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { head } = readWritten(recordPath) ?? NOTHING;
  if (head.seq > 0 && ownFileStamp(path) === undefined) {
    throw new AuditLogChangedError(path, "it is gone", recordPath);
  }
  return await withLockedLog(path, head.seq === 0, append);
}

interface LogEnd {
  readonly head: Head;
  readonly size: number;
  readonly repair: readonly string[];
}

/** Adds to an entry's text what the log itself says, and seals it. */
function seal(said: string, log: string, key: SigningKey, end: LogEnd): SealedLine {
  const repair = end.repair.length > 0 ? { repair: end.repair.join("; ") } : {};
  const added = asciiJson({ operator_key: key.fingerprint, ...repair });
  const line = sealLine(
    log,
    `${said.slice(0, -"}\n".length)},${added.slice(1)}`,
    end.head,
    key.privateKey,
  );
  const head = advance(end.head, line);
  return { line, offset: end.size, head };
}

/** Opens the record of a log, and makes it the first time: that nothing is known to be written. */
function openWritten(path: string, log: string): UnsyncedRecord {
  const record = openUnsynced(path);
  if (record !== undefined) return record;
  // The log may be the Python original's, and its name not durable yet.
  syncNames(dirname(log));
  replaceFileAlone(path, encodeWritten(NOTHING));
  return openUnsynced(path)!;
}

/** Where the chain stands, after whatever was appended since this root wrote last is counted in. */
function findEnd(log: LockedLog, path: string, recordPath: string, record: UnsyncedRecord): LogEnd {
  const written = decodeWritten(record.bytes, recordPath);
  // A record that was moved away takes with it what this process knows of the log.
  const here = `${path} ${record.identity}`;
  const reason = changeOf(log, written, writtenHere.get(here));
  if (reason !== undefined) throw new AuditLogChangedError(path, reason, recordPath);
  writtenHere.set(here, log.identity);

  let { head, end, torn } = written;
  const broken: number[] = [];
  for (const line of linesOf(log.read(written.end, log.size))) {
    if (line.at(-1) !== 0x0a) {
      keepTorn(path, head.seq, line);
      // Before the cut, or nobody would look for it after a crash.
      record.overwrite(encodeWritten({ ...written, torn: true }));
      record.sync();
      log.cut(end);
      torn = true;
      break;
    }
    if (!isBlank(line) && entryOn(line, path) === undefined) broken.push(head.seq + 1);
    head = advance(head, line);
    end += line.length;
  }
  const repair = [
    ...(torn ? tornBetween(path, written.head.seq, head.seq) : []),
    ...brokenWords(broken),
  ];
  return { head, size: end, repair };
}

/** Why a log is not the one that was written to; `undefined` if it is. */
function changeOf(log: LockedLog, written: Written, identity = log.identity): string | undefined {
  const { head, prev, start, end } = written;
  if (identity !== log.identity) return "another file stands in its place";
  if (log.size < end) return `it has ${log.size} bytes, and had ${end}`;
  if (start === end) return undefined;
  const standing = advance({ seq: head.seq - 1, hash: prev }, log.read(start, end));
  return standing.hash === head.hash
    ? undefined
    : `line ${head.seq} is not the one that was written`;
}

/** Where the bytes of the n-th torn line are kept that stood where line `seq` is now. */
function tornPath(path: string, seq: number, n: number): string {
  return `${path}.torn-${seq}${n === 1 ? "" : `.${n}`}`;
}

/** Whoever put a line aside may have died in its own: then there are several, and all are kept. */
function keepTorn(path: string, seq: number, torn: Uint8Array): void {
  for (let n = 1;; n++) {
    const kept = readOwnFile(tornPath(path, seq, n));
    if (kept === undefined) return replaceFileAlone(tornPath(path, seq, n), torn);
    // Put aside already; the crash came before the cut.
    if (Buffer.from(torn).equals(kept)) return;
  }
}

/** What was put aside, and is not said in the log yet: a crash may have come in between. */
function tornBetween(path: string, from: number, to: number): string[] {
  const found: string[] = [];
  for (const name of namesInOwn(dirname(path))) {
    const [, seq] = name.match(/\.torn-(\d+)(?:\.\d+)?$/) ?? [];
    if (!name.startsWith(`${basename(path)}.torn-`) || seq === undefined) continue;
    if (Number(seq) < from || Number(seq) > to) continue;
    const bytes = readOwnFile(join(dirname(path), name))!;
    found.push(`${bytes.length} bytes of a torn line are kept in ${name}`);
  }
  return found;
}

function brokenWords(broken: readonly number[]): string[] {
  if (broken.length === 0) return [];
  const named = broken.slice(0, MOST_NAMED).join(", ");
  const more = broken.length > MOST_NAMED ? ` and ${broken.length - MOST_NAMED} more` : "";
  return [`not entries: line ${named}${more}`];
}
