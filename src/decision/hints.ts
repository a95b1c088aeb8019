/**
 * What an operator should know of a pending proposal beside its marks: whether the agent started from
 * another file, and what was decided lately on the same bottle's proposals for the same file. Hints are
 * for a person's eyes; nothing is refused for them.
 *
 * @module
 */

import type { FileInForce } from "../host/config_files.ts";
import { isDecision, readLatestEntries, stampOfLogs } from "../log/decisions.ts";
import type { PendingProposal } from "../queue/files.ts";
import { type AuditEntry, instantOf } from "../records/audit_entry.ts";
import { MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import { componentOf, STATUS_REJECTED, type Tool } from "../records/proposal.ts";
import { readFileInForceOrNot } from "./overview.ts";

/** What is known of a pending proposal beside its marks. */
export interface Hints {
  /** Whether the agent started from a file other than the one in force. */
  readonly stale: boolean;
  /** How many of the bottle's proposals for this file were decided in the last 24 hours. */
  readonly decided: number;
  /** How many of those were rejected. */
  readonly rejected: number;
  /** The last rejection of this change in the last 24 hours, or of one with at least half of its lines. */
  readonly rejectedBefore?: {
    readonly timestamp: string;
    /** Whether it was of exactly these lines. */
    readonly exact: boolean;
  };
  /** Set if not all was read or compared: more may be decided, and this change rejected before. */
  readonly isPartial?: true;
}

const DAY_MS = 24 * 60 * 60_000;

/** With how many rejections, the latest first, a change is compared. */
const MOST_COMPARED = 20;

/**
 * How much of a bottle's proposals for one file is compared in one look, in characters: of small files, and
 * as much of large ones, so that a large file takes no hint off the small ones. The largest file fits; a
 * later look goes on, since what was compared is kept.
 */
const MAX_COMPARED_CHARS = MAX_CONFIG_FILE_BYTES;

/** The largest file that counts as a small one. */
const MAX_SMALL_CHARS = MAX_COMPARED_CHARS / 16;

/** How much of the rejections' diffs is kept to compare with, in characters: that of a largest file that is new. */
const MAX_DIFF_CHARS = 1.5 * MAX_CONFIG_FILE_BYTES;

/** How much of a log's end is read: a line with the diff of a largest file can have 6 MiB. */
const MAX_LOG_BYTES = 8 * MAX_CONFIG_FILE_BYTES;

/** What a bottle's proposals for one file are compared with. */
interface Place {
  readonly inForce: FileInForce | undefined;
  /** The lines of the file in force. */
  readonly lines: ReadonlySet<string>;
  /** Equal for places with the same file in force and the same rejections. */
  readonly stamp: string;
  readonly charsLeft: { small: number; large: number };
  readonly decided: number;
  readonly rejected: number;
  readonly isPartial: boolean;
  /** The latest of the rejections, the last one first, each with the lines that it was about. */
  readonly latest: readonly { readonly timestamp: string; readonly lines: Set<string> }[];
}

/** Opens a view of the hints as they are now: it reads each file in force and the end of each log once. */
export function openHintView(root: string, nowMs: number): (entry: PendingProposal) => Hints {
  const places = new Map<string, Place>();
  const known = new Map<PendingProposal, Hints>();
  return (entry) => {
    const { bottleSlug, tool } = entry.proposal;
    const key = `${bottleSlug}/${tool}`;
    const place = places.get(key) ?? placeOf(entry, root, nowMs);
    places.set(key, place);
    const hints = known.get(entry) ?? hintsAt(place, entry);
    known.set(entry, hints);
    return hints;
  };
}

/** The hints to pending proposals. */
export function hintsOfPending(
  pending: readonly PendingProposal[],
  root: string,
  nowMs: number,
): ReadonlyMap<PendingProposal, Hints> {
  const of = openHintView(root, nowMs);
  const bySize = pending.toSorted((a, b) =>
    a.proposal.proposedFile.length - b.proposal.proposedFile.length
  );
  return new Map(bySize.map((entry) => [entry, of(entry)]));
}

function placeOf(entry: PendingProposal, root: string, nowMs: number): Place {
  const { bottleSlug, tool } = entry.proposal;
  const { decisions, isCut } = recentDecisions(tool, bottleSlug, root, nowMs - DAY_MS);
  const decided = decisions
    .filter(({ timestamp }) => nowMs - instantOf(timestamp) / 1000 < DAY_MS);
  const rejected = decided.filter(({ isRejected }) => isRejected);
  const latest = rejected.flatMap(({ timestamp, diff }) =>
    diff === undefined ? [] : [{ timestamp, lines: linesOfDiff(diff) }]
  ).reverse();
  const isPartial = isCut && decided.length === decisions.length ||
    latest.length < rejected.length;
  const inForce = readFileInForceOrNot(entry, root);
  const stamp = [inForce?.currentSha256, ...latest.map(({ timestamp }) => timestamp)].join();
  const counts = { decided: decided.length, rejected: rejected.length };
  const lines = new Set(latest.length === 0 ? [] : inForce?.currentFile?.split("\n"));
  const charsLeft = { small: MAX_COMPARED_CHARS, large: MAX_COMPARED_CHARS };
  return { inForce, lines, stamp, charsLeft, ...counts, isPartial, latest };
}

function hintsAt(place: Place, entry: PendingProposal): Hints {
  const { inForce, decided, rejected } = place;
  const { currentFileHash } = entry.proposal;
  const stale = inForce !== undefined && currentFileHash !== "" &&
    currentFileHash !== inForce.currentSha256;
  const before = rejectedBefore(place, entry);
  const isPartial = place.isPartial || before === "unknown";
  return {
    ...{ stale, decided, rejected },
    ...(before !== "unknown" && before !== undefined && { rejectedBefore: before }),
    ...(isPartial && { isPartial }),
  };
}

type Rejected = Hints["rejectedBefore"];

/** A queue's view gives the same entry as long as its file is the same: a later look compares what is new. */
const compared = new WeakMap<
  PendingProposal,
  { readonly stamp: string; readonly rejected: Rejected }
>();

function rejectedBefore(place: Place, entry: PendingProposal): Rejected | "unknown" {
  const { length } = entry.proposal.proposedFile;
  if (place.latest.length === 0) return undefined;
  // A larger file is invalid, and may have millions of lines.
  if (place.inForce === undefined || length > MAX_CONFIG_FILE_BYTES) return "unknown";
  const before = compared.get(entry);
  if (before?.stamp === place.stamp) return before.rejected;
  const share = length > MAX_SMALL_CHARS ? "large" : "small";
  if (length > place.charsLeft[share]) return "unknown";
  place.charsLeft[share] -= length;
  const rejected = findRejected(place, entry.proposal.proposedFile);
  compared.set(entry, { stamp: place.stamp, rejected });
  return rejected;
}

function findRejected({ lines: inForce, latest }: Place, proposedFile: string): Rejected {
  // A change with more than twice the lines of a rejection has not half of its own from there.
  const most = 2 * Math.max(...latest.map(({ lines }) => lines.size));
  const asked = changedLines(inForce, new Set(proposedFile.split("\n")), most);
  if (asked === undefined) return undefined;
  for (const { timestamp, lines } of latest) {
    const shared = asked.intersection(lines).size;
    if (shared === 0 || 2 * shared < asked.size) continue;
    return { timestamp, exact: shared === asked.size && shared === lines.size };
  }
  return undefined;
}

/** The latest decisions of a log. */
interface Recent {
  readonly stamp: string;
  readonly decisions: readonly {
    readonly timestamp: string;
    readonly isRejected: boolean;
    /** Set if it is a rejection to compare with. */
    readonly diff?: string;
  }[];
  /** Whether there may be others before them. */
  readonly isCut: boolean;
}

/** The latest decisions, by the log that they are in. They are read again when a log has changed. */
const known = new Map<string, Recent>();

/** Of how many logs the latest decisions are kept in memory. */
const MOST_KNOWN = 300;

/** The latest decisions, at least all of them since a time if `isCut` does not say otherwise. */
function recentDecisions(
  tool: Tool,
  slug: string,
  root: string,
  sinceMs: number,
): Omit<Recent, "stamp"> {
  const component = componentOf(tool);
  const key = `${root}\n${component}-${slug}`;
  try {
    const stamp = stampOfLogs(slug, root);
    const before = known.get(key);
    if (before?.stamp === stamp) return before;
    const latest = { sinceMs, maxBytes: MAX_LOG_BYTES };
    const { entries, isCut } = readLatestEntries(component, slug, root, latest);
    const recent = { stamp, decisions: forComparison(entries.filter(isDecision)), isCut };
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, recent);
    return recent;
  } catch {
    // doctor and audit verify say what is wrong with a log.
    return { decisions: [], isCut: true };
  }
}

/** Leaves the diffs of the latest rejections alone, and of these the smallest, up to {@linkcode MAX_DIFF_CHARS}. */
function forComparison(entries: readonly AuditEntry[]): Recent["decisions"] {
  const isRejected = (entry: AuditEntry) => entry.operatorAction === STATUS_REJECTED;
  let charsLeft = MAX_DIFF_CHARS;
  const compared = new Set(
    entries.filter(isRejected).slice(-MOST_COMPARED)
      .sort((a, b) => a.diff.length - b.diff.length)
      .filter(({ diff }) => (charsLeft -= diff.length) >= 0),
  );
  return entries.map((entry) => ({
    timestamp: entry.timestamp,
    isRejected: isRejected(entry),
    ...(compared.has(entry) && { diff: entry.diff }),
  }));
}

/** Only lines with a letter or a digit tell two changes apart: a bracket is in every file. */
function addLine(lines: Set<string>, sign: string, line: string): void {
  if (/[\p{L}\p{N}]/u.test(line)) lines.add(sign + line.trim());
}

/** The lines that a diff adds and removes, each behind its sign. */
function linesOfDiff(diff: string): Set<string> {
  const lines = new Set<string>();
  for (const line of diff.split("\n").slice(2)) {
    if (/^[-+]/.test(line)) addLine(lines, line[0]!, line.slice(1));
  }
  return lines;
}

/**
 * The lines that only one of two files has; `undefined` if they are more than `most`. No diff is made: where
 * they are does not matter.
 */
function changedLines(
  old: ReadonlySet<string>,
  proposed: ReadonlySet<string>,
  most: number,
): Set<string> | undefined {
  const lines = new Set<string>();
  for (const [sign, these, others] of [["+", proposed, old], ["-", old, proposed]] as const) {
    for (const line of these) {
      if (!others.has(line)) addLine(lines, sign, line);
      if (lines.size > most) return undefined;
    }
  }
  return lines;
}
