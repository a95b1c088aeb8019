/**
 * The index of a log: at which offsets lines name a proposal, so that a decision is found without
 * reading the log. It is derived, and it is not evidence: a line that it names is read from the log
 * before it counts.
 *
 * It must not leave out a line. So it states up to which offset it covers the log, and the log's stamp:
 * which file, size, times of change. While the log has that stamp, no other program has written to it,
 * and only the lines behind the offset are read. An append that finds its own stamp under the log's lock
 * replaces it by the next one. In every other case the index is made anew: the Python original appended,
 * the log was replaced or edited, a process died between the line and the stamp. Head and pages are
 * authenticated with a secret that is derived from the signing key's file, so an index that is damaged, or
 * made without that file, is not used.
 *
 * @module
 */

import { auditLogPath, privateDir, signingKeyPath } from "../disk/layout.ts";
import { type LockedLog, openOwnFile, openUnsynced, type OwnFile } from "../disk/lock.ts";
import {
  isGranted,
  isThere,
  type OwnFileStamp,
  ownFileStamp,
  readOwnFileOnce,
} from "../disk/read_own.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { auditLogName } from "../records/names.ts";
import { sha256 } from "../text/hash.ts";
import { isWhole, linesOf } from "./chain.ts";
import {
  decodeHead,
  encodeHead,
  type IndexFile,
  type IndexSeal,
  keyOf,
  makeRecordList,
  MOST_OFFSET,
  offsetsOf,
  openIndexFile,
  readRecords,
} from "./index_file.ts";
import { type AuditLine, readLine } from "./lines.ts";
import { join } from "@std/path";

/** A log as small as this is read whole, and has no index. An index may lag behind its log by as much. */
const READ_BYTES = 64 * 1024;

/** About as much of a log is read in the time that the index takes for one id. */
const LOOK_UP_BYTES = 2 * 1024;

/** A log, and where its index is. */
interface Place {
  /** The log's name. */
  readonly log: string;
  readonly root: string;
  readonly path: string;
  readonly indexPath: string;
}

function placeOf(root: string, component: string, slug: string): Place {
  const log = auditLogName(component, slug);
  const path = auditLogPath(component, slug, { root });
  return { log, root, path, indexPath: join(privateDir(root), "index", log) };
}

/** Only who can read the signing key can make an index that is used. */
function sealOf({ log, root }: Pick<Place, "log" | "root">): IndexSeal {
  const secret = readOwnFileOnce(signingKeyPath(root))?.bytes ?? new Uint8Array();
  return { log, key: sha256(new TextEncoder().encode("audit-index-v1\n"), secret) };
}

/**
 * The lines of a log that name one of some proposals, and perhaps others, in the order of the log. All
 * come from the log: the index only says which ones need not be read.
 *
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
export function* linesNaming(
  ids: ReadonlySet<string>,
  root: string,
  component: string,
  slug: string,
): Generator<NamedLine> {
  const place = placeOf(root, component, slug);
  using log = openOwnFile(place.path);
  if (log === undefined) return;
  const isLong = log.stamp.size > Math.max(READ_BYTES, ids.size * LOOK_UP_BYTES);
  const named = isLong ? lookUp(ids, log, place) : undefined;
  yield* named?.lines ?? [];
  for (const line of linesOf(log.chunks(named?.covered))) {
    // The end of a line that a crash tore was never acknowledged.
    if (isWhole(line)) yield { ...readLine(line, place.path), bytes: line };
  }
}

/** A line, and its bytes, which are valid until the next one is taken. */
interface NamedLine extends AuditLine {
  readonly bytes: Uint8Array;
}

interface Named {
  readonly lines: readonly NamedLine[];
  readonly covered: number;
}

/** Looks up in the index; `undefined` if it cannot be used and cannot be made now. */
function lookUp(ids: ReadonlySet<string>, log: OwnFile, place: Place): Named | undefined {
  if (log.stamp.size >= MOST_OFFSET || !isGranted("read", place.indexPath)) return undefined;
  const isShort = ({ covered }: Named) => log.stamp.size - covered <= READ_BYTES;
  const found = askFile(ids, log, place);
  if (found !== undefined && isShort(found)) return found;
  try {
    // While the lock is held, no program that takes it appends.
    using lock = isGranted("write", place.indexPath) ? log.tryLock() : undefined;
    if (lock === undefined) return found;
    if (ownFileStamp(place.path)?.text !== log.stamp.text) return found;
    // Another process may have made the index before the lock was free.
    const latest = askFile(ids, log, place);
    if (latest !== undefined && isShort(latest)) return latest;
    return ask(makeIndex(log, place, latest !== undefined), ids, log, place);
  } catch {
    return found;
  }
}

/** Asks the index on disk; `undefined` if it is missing, does not fit the log, or cannot be read. */
function askFile(ids: ReadonlySet<string>, log: OwnFile, place: Place): Named | undefined {
  try {
    using file = openOwnFile(place.indexPath);
    const index = file && openIndexFile(file.read, sealOf(place));
    return index?.stamp === log.stamp.text ? ask(index, ids, log, place) : undefined;
  } catch {
    // It only saves time: the log has everything.
    return undefined;
  }
}

/** The lines at the offsets that an index has for some ids; `undefined` if it is not true of the log. */
function ask(
  index: IndexFile,
  ids: ReadonlySet<string>,
  log: OwnFile,
  { path }: Place,
): Named | undefined {
  const keys = new Map<number, number>();
  for (const key of new Set(Array.from(ids, keyOf))) {
    const offsets = offsetsOf(index, key);
    if (offsets === undefined) return undefined;
    for (const offset of offsets) keys.set(offset, key);
  }
  const lines: NamedLine[] = [];
  for (const [offset, key] of [...keys].sort(([a], [b]) => a - b)) {
    const [bytes = new Uint8Array()] = linesOf(log.chunks(offset));
    const line = readLine(bytes, path);
    if (keyOf(line.entry?.proposalId ?? "") !== key) return undefined;
    lines.push({ ...line, bytes });
  }
  return { lines, covered: index.covered };
}

/**
 * Makes the index of a log whose lock is held, or makes the one on disk longer, and writes it. It is
 * used even if it cannot be written: a full disk keeps no decision from being found.
 */
function makeIndex(log: OwnFile, place: Place, extend: boolean): IndexFile {
  const seal = sealOf(place);
  const list = makeRecordList();
  let covered = 0;
  if (extend) {
    using file = openOwnFile(place.indexPath);
    const before = file && openIndexFile(file.read, seal);
    if (before === undefined || !readRecords(before, list.add)) {
      return makeIndex(log, place, false);
    }
    covered = before.covered;
  }
  for (const line of linesOf(log.chunks(covered))) {
    if (!isWhole(line)) break;
    const id = readLine(line, place.path).entry?.proposalId;
    if (id !== undefined) list.add(keyOf(id), covered);
    covered += line.length;
  }
  const bytes = list.encode({ covered, stamp: log.stamp.text }, seal);
  try {
    replaceFileAlone(place.indexPath, bytes);
  } catch {
    // The next look-up tries again.
  }
  return openIndexFile((start, end) => bytes.subarray(start, end), seal)!;
}

/**
 * Brings the index along after an append, if it fitted the log before. The caller holds the log's lock.
 * A crash before this, or in it, leaves an index that does not fit, for the next look-up to replace. Not
 * synced: the log's bytes are on the disk already, and an older head does not fit.
 */
export function followAppend(
  root: string,
  component: string,
  slug: string,
  before: OwnFileStamp,
  log: LockedLog,
): void {
  if (before.size <= READ_BYTES) return;
  try {
    const place = placeOf(root, component, slug);
    if (!isThere(place.indexPath)) return;
    using file = openUnsynced(place.indexPath);
    if (file === undefined) return;
    const seal = sealOf(place);
    const head = decodeHead(file.bytes, seal);
    if (head?.stamp !== before.text) return;
    file.overwrite(encodeHead({ ...head, stamp: log.stamp().text }, seal));
  } catch {
    // The line is recorded. The next look-up makes the index anew.
  }
}
