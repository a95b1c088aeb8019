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
import {
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  STATUS_REJECTED,
  type Tool,
} from "../records/proposal.ts";
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
}

const DAY_MS = 24 * 60 * 60_000;

/** With how many rejections, the latest first, a change is compared. */
const MOST_COMPARED = 20;

/** What a bottle's proposals for one file are compared with. */
interface Place {
  readonly inForce: FileInForce | undefined;
  readonly decided: number;
  readonly rejected: number;
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
  return new Map(pending.map((entry) => [entry, of(entry)]));
}

function placeOf(entry: PendingProposal, root: string, nowMs: number): Place {
  const { bottleSlug, tool } = entry.proposal;
  const decided = recentDecisions(tool, bottleSlug, root, nowMs - DAY_MS)
    .filter(({ timestamp }) => nowMs - instantOf(timestamp) / 1000 < DAY_MS);
  const rejected = decided.filter(({ operatorAction }) => operatorAction === STATUS_REJECTED);
  const latest = rejected.slice(-MOST_COMPARED).reverse()
    .map(({ timestamp, diff }) => ({ timestamp, lines: linesOfDiff(diff) }));
  const counts = { decided: decided.length, rejected: rejected.length };
  return { inForce: readFileInForceOrNot(entry, root), ...counts, latest };
}

function hintsAt(
  { inForce, decided, rejected, latest }: Place,
  { proposal }: PendingProposal,
): Hints {
  const { currentFileHash, proposedFile } = proposal;
  const stale = inForce !== undefined && currentFileHash !== "" &&
    currentFileHash !== inForce.currentSha256;
  const counts = { stale, decided, rejected };
  // A larger file is invalid, and may have millions of lines.
  if (latest.length === 0 || proposedFile.length > MAX_CONFIG_FILE_BYTES) return counts;
  const asked = changedLines(inForce?.currentFile ?? "", proposedFile);
  for (const { timestamp, lines } of latest) {
    const shared = asked.intersection(lines).size;
    if (shared === 0 || 2 * shared < asked.size) continue;
    const exact = shared === asked.size && shared === lines.size;
    return { ...counts, rejectedBefore: { timestamp, exact } };
  }
  return counts;
}

/** The latest decisions, by the log that they are in. They are read again when a log has changed. */
const known = new Map<
  string,
  { readonly stamp: string; readonly entries: readonly AuditEntry[] }
>();

/** Of how many logs the latest decisions are kept in memory. */
const MOST_KNOWN = 300;

/** The latest decisions, at least all of them since a time that is in the last megabyte of the log. */
function recentDecisions(
  tool: Tool,
  slug: string,
  root: string,
  sinceMs: number,
): readonly AuditEntry[] {
  const component = COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD;
  const key = `${root}\n${component}-${slug}`;
  try {
    const stamp = stampOfLogs(slug, root);
    const before = known.get(key);
    if (before?.stamp === stamp) return before.entries;
    const entries = readLatestEntries(component, slug, root, sinceMs)
      .filter(isDecision);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, { stamp, entries });
    return entries;
  } catch {
    // doctor and audit verify say what is wrong with a log.
    return [];
  }
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

/** The lines that only one of two files has. No diff is made: where they are does not matter. */
function changedLines(before: string, after: string): Set<string> {
  const [old, proposed] = [before, after].map((file) => new Set(file.split("\n")));
  const lines = new Set<string>();
  for (const line of proposed!.difference(old!)) addLine(lines, "+", line);
  for (const line of old!.difference(proposed!)) addLine(lines, "-", line);
  return lines;
}
