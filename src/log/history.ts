/**
 * Reads the entries of several logs in the order of time, and holds one line of each log at a time.
 *
 * @module
 */

import { auditLogPath } from "../disk/layout.ts";
import { openOwnFile } from "../disk/lock.ts";
import {
  ACTION_APPLY_RESOLVED,
  ACTION_SUPERSEDED,
  type AuditEntry,
  instantOf,
} from "../records/audit_entry.ts";
import type { ProposalRef } from "../records/proposal.ts";
import { formatHead, type Head } from "../records/head.ts";
import { advance, linesFromEnd, linesOf } from "./chain.ts";
import { decidedAmong, isDecision } from "./decisions.ts";
import type { AuditLogId } from "./entries.ts";
import { readLine } from "./lines.ts";
import { signatureOf } from "./signature.ts";
import { Buffer } from "node:buffer";

/** In which order, and what to do with lines that are not entries. */
export interface HistoryOptions {
  readonly root: string;
  /** Whether the newest entry comes first. */
  readonly newestFirst: boolean;
  /** Called for every line that is not an entry and not blank. */
  readonly onBroken?: (log: AuditLogId) => void;
  /**
   * Called for every chained line beside another one that it does not follow, or that does not follow it: one
   * of them was changed, added, moved or is there twice, or one between them is gone.
   */
  readonly onUnlinked?: (log: AuditLogId) => void;
  /** Called for a log that cannot be read, or not to its end; unless given, the error is thrown. */
  readonly onUnreadable?: (log: AuditLogId, error: unknown) => void;
}

function* entriesOf(log: AuditLogId, options: HistoryOptions): Generator<AuditEntry> {
  try {
    yield* readEntries(log, options);
  } catch (error) {
    if (options.onUnreadable === undefined) throw error;
    options.onUnreadable(log, error);
  }
}

function* readEntries(
  log: AuditLogId,
  { root, newestFirst, onBroken, onUnlinked }: HistoryOptions,
): Generator<AuditEntry> {
  const path = auditLogPath(log.component, log.slug, { root });
  using file = openOwnFile(path);
  if (file === undefined) return;
  const lines = newestFirst ? linesFromEnd(file.read, file.stamp.size) : linesOf(file.chunks());
  /** The head between the line that was read last, if that is chained, and the one that is read next. */
  let between: Head | undefined;
  for (const line of lines) {
    const { entry, link, problem } = readLine(line, path);
    const before = link && { seq: link.seq, hash: link.prev };
    const after = before && advance(before, line);
    const [near, far] = newestFirst ? [after, before] : [before, after];
    if (between && near && formatHead(near) !== formatHead(between)) onUnlinked?.(log);
    between = far;
    if (entry !== undefined) yield entry;
    else if (problem !== undefined) onBroken?.(log);
  }
}

/**
 * The entries of several logs by their time. The entries of one log keep its order, whatever times they
 * state: the chain proves that order, and anyone may write any time.
 */
export function* readHistory(
  logs: readonly AuditLogId[],
  options: HistoryOptions,
): Generator<AuditEntry> {
  const sign = options.newestFirst ? -1 : 1;
  const sources = logs.map((log) => entriesOf(log, options));
  const take = (source: Generator<AuditEntry>) => {
    const { value: entry } = source.next();
    return entry && { source, entry, rank: sign * instantOf(entry.timestamp) };
  };
  try {
    let first = sources.flatMap((source) => take(source) ?? []);
    while (first.length > 0) {
      const next = first.reduce((a, b) => b.rank < a.rank ? b : a);
      yield next.entry;
      const following = take(next.source);
      first = first.flatMap((one) => one !== next ? [one] : following ?? []);
    }
  } finally {
    for (const source of sources) source.return(undefined);
  }
}

/**
 * Finds the proposals on which some logs have a decision, and whose id begins with a text; if one has
 * exactly this id, those alone, and no log is read whole. The latest decision comes first. A log that cannot be
 * read matters only if no other one has such a decision: then the error is thrown.
 */
export function findDecided(
  prefix: string,
  logs: readonly AuditLogId[],
  root: string,
): Required<ProposalRef>[] {
  const slugs = [...new Set(logs.map(({ slug }) => slug))];
  const ids = new Set([prefix]);
  let unreadable: { readonly error: unknown } | undefined;
  const onUnreadable = (_: unknown, error: unknown) => void (unreadable ??= { error });
  const exact = slugs.filter((slug) => {
    try {
      return decidedAmong(ids, slug, root).has(prefix);
    } catch (error) {
      onUnreadable(slug, error);
      return false;
    }
  });
  if (exact.length > 0) {
    return exact.map((bottleSlug) => ({ root, bottleSlug, proposalId: prefix }));
  }
  const found = new Map<string, Required<ProposalRef>>();
  for (const entry of readHistory(logs, { root, newestFirst: true, onUnreadable })) {
    const { bottleSlug, proposalId } = entry;
    if (proposalId?.startsWith(prefix) !== true || !isDecision(entry)) continue;
    const name = `${bottleSlug}/${proposalId}`;
    if (!found.has(name)) found.set(name, { root, bottleSlug, proposalId });
  }
  if (found.size === 0 && unreadable !== undefined) throw unreadable.error;
  return [...found.values()];
}

/** An entry by which a file came into force. */
export type ChangeEntry = AuditEntry & Required<Pick<AuditEntry, "applied" | "finalSha256">>;

/**
 * The entries by which the file of a log came into force, the newest first; without those of decisions that did
 * not take effect. The log is read from its end, as far as entries are taken.
 */
export function* changesFromEnd(
  { component, slug }: AuditLogId,
  root: string,
): Generator<ChangeEntry> {
  const path = auditLogPath(component, slug, { root });
  using file = openOwnFile(path);
  if (file === undefined) return;
  /** The last line that says so, by the proposal. */
  const superseded = new Map<string, number>();
  for (const bytes of linesFromEnd(file.read, file.stamp.size)) {
    // In a JSON string the quotes would be escaped. Most of a long log need not be parsed.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (!text.includes('"applied"') && !text.includes(`"${ACTION_SUPERSEDED}"`)) continue;
    const { entry, link } = readLine(bytes, path);
    if (entry === undefined) continue;
    const { proposalId = "", operatorAction, applied, finalSha256 } = entry;
    const seq = link?.seq ?? -1;
    if (operatorAction === ACTION_SUPERSEDED) {
      const isOwn = signatureOf({ entry, link, component, bytes }, slug, root) === "good";
      // A copy of an older line says nothing of a later decision.
      if (isOwn && !superseded.has(proposalId)) superseded.set(proposalId, seq);
    } else if (
      applied !== undefined && finalSha256 !== undefined &&
      operatorAction !== ACTION_APPLY_RESOLVED && seq >= (superseded.get(proposalId) ?? -1)
    ) yield { ...entry, applied, finalSha256 };
  }
}
