/**
 * What is pending: a table, and each proposal and problem as JSON or as a line.
 *
 * @module
 */

import { makeVisible, unlistedReason, visibleLine } from "../../read_mod.ts";
import type { Mark, Overview, PendingProposal, UnrecordedResponse } from "../../mod.ts";
import { visibleJson } from "./quote.ts";
import { badge, type Style, trimPlain } from "./style.ts";
import { age } from "./time.ts";
import { alignColumns, cut } from "./wrap.ts";

/** The marks of pending proposals. A proposal without an entry was not judged. */
export type PendingMarks = ReadonlyMap<PendingProposal, readonly Mark[]>;

export type MarkCounts = Readonly<Record<Mark["severity"], number>>;

/** Counts the marks of one proposal; `null` if it was not judged. */
export function countMarks(marks: readonly Mark[] | undefined): MarkCounts | null {
  if (marks === undefined) return null;
  const counts = { high: 0, medium: 0, low: 0 };
  for (const { severity } of marks) counts[severity]++;
  return counts;
}

type UnreadableInBottle = Overview["unreadable"][number];

type UnlistedInBottle = Overview["unlisted"][number];

interface PendingTable {
  /** The short form of each id. */
  readonly shorts: ReadonlyMap<string, string>;
  readonly marks: PendingMarks;
  readonly columns: number;
  readonly nowMs: number;
  readonly style: Style;
}

/** Marks that stand alone, for a file of which nothing else is judged. */
const UNJUDGED: readonly string[] = ["invalid-file", "failed-check"];

/** The most severe marks, and how many others there are: `2 high +1`; `?` if they were not judged. */
export function marksInShort(marks: readonly Mark[] | undefined): string {
  if (marks === undefined) return "?";
  const [first] = marks;
  if (first === undefined) return "";
  if (UNJUDGED.includes(first.rule)) return first.rule.replace("-", " ");
  const alike = marks.filter(({ severity }) => severity === first.severity).length;
  const others = marks.length === alike ? "" : ` +${marks.length - alike}`;
  return `${alike} ${first.severity}${others}`;
}

/**
 * A table of what is pending. If anything is marked, a column says how; if anything was escaped, a column
 * before the agents' words has the badges.
 */
export function renderPending(
  pending: readonly PendingProposal[],
  { shorts, marks, columns, nowMs, style }: PendingTable,
): string[] {
  const header = ["ID", "BOTTLE", "TOOL", "AGE", "MARKS", "ESCAPED", "JUSTIFICATION"];
  const rows = pending.map((entry) => {
    const { id, bottleSlug, tool, arrivalTimestamp, justification } = entry.proposal;
    const { text, escaped } = makeVisible(trimPlain(justification), { oneLine: true });
    const known = [shorts.get(id) ?? id, bottleSlug, tool, age(arrivalTimestamp, nowMs)];
    return [...known, marksInShort(marks.get(entry)), badge(escaped), text];
  });
  const isShown = header.map((name, n) =>
    name !== "MARKS" && name !== "ESCAPED" || rows.some((row) => row[n] !== "")
  );
  const shown = [header, ...rows].map((row) => row.filter((_, n) => isShown[n]));
  return alignColumns(shown).map((line, n) => {
    const short = cut(line, columns - 1);
    return n === 0 ? style.dim(short) : short;
  });
}

/** A pending proposal as JSON, without its marks. */
export function pendingJson({ proposal, proposalSha256 }: PendingProposal): object {
  return {
    bottle_slug: proposal.bottleSlug,
    id: proposal.id,
    tool: proposal.tool,
    arrival_timestamp: proposal.arrivalTimestamp,
    justification: proposal.justification,
    ...visibleJson({ justification: proposal.justification }, "prose"),
    proposal_sha256: proposalSha256,
  };
}

export function unreadableJson({ bottleSlug, file, reason }: UnreadableInBottle): object {
  return { bottle_slug: bottleSlug, file, reason };
}

export function unreadableLine({ bottleSlug, file, reason }: UnreadableInBottle): string {
  return `! unreadable: ${visibleLine(`${bottleSlug}/${file}: ${reason}`, "code")}`;
}

export function unlistedJson({ bottleSlug, count }: UnlistedInBottle): object {
  return { bottle_slug: bottleSlug, count };
}

export function unlistedLine({ bottleSlug, count }: UnlistedInBottle): string {
  return `! ${bottleSlug}: ${unlistedReason(count)}`;
}

export function unrecordedJson({ bottleSlug, proposalId, says }: UnrecordedResponse): object {
  return { bottle_slug: bottleSlug, id: proposalId, says };
}

export function unrecordedLine({ bottleSlug, proposalId, says }: UnrecordedResponse): string {
  return `! answered without a record: ${bottleSlug}/${proposalId}: ${visibleLine(says, "code")}`;
}
