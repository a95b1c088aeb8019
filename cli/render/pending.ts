/**
 * What is pending: a table, and each proposal and problem as JSON or as a line.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  type Hints,
  makeVisible,
  reachOfPending,
  unlistedReason,
} from "../../read_mod.ts";
import type {
  HeldBottle,
  Mark,
  OpenGrants,
  Overview,
  PendingProposal,
  Reach,
  UnrecordedResponse,
} from "../../mod.ts";
import { beginningOf, quoteFile, quoteId, visibleJson } from "./quote.ts";
import { badge, paintHigh, paintPart, type Style } from "./style.ts";
import { age, localTime } from "./time.ts";
import { alignColumns, cut, wrap } from "./wrap.ts";

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
  readonly hints: ReadonlyMap<PendingProposal, Hints>;
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

/** What a row says where nothing is marked: that is no proof yet that nothing is new. */
function reachInShort(reach: Reach | undefined): string {
  return reach === "no-new-reach" ? "no new" : reach === "new-reach" ? "new" : "";
}

/** Paints what a row says of its marks by the most severe. The word says it too. */
export function paintMarks(marks: readonly Mark[] | undefined, style: Style): Style["red"] {
  const severity = marks?.[0]?.severity;
  if (severity === "high") return paintHigh(style);
  return severity === "medium" ? style.magenta : (text) => text;
}

/** On a narrower terminal a row has the bottle, the marks and the agents' words, and not the tool. */
const WIDE = 72;

/** The room that the agents' words get in a row of the table. */
const LEAST_WORDS = 12;

/**
 * A table of what is pending. A column says how each is marked or, without a mark, whether
 * anything is new; if there are hints, or anything was
 * escaped, a column says that. The agents' words come last. Where they have no room beside the rest, each
 * proposal has several rows, and only the agents' words are cut.
 */
export function renderPending(
  pending: readonly PendingProposal[],
  { shorts, marks, hints, columns, nowMs, style }: PendingTable,
): string[] {
  const header = ["ID", "MARKS", "NOTE", "BOTTLE", "AGE", "TOOL", "JUSTIFICATION"];
  const rows = pending.map((entry) => {
    const { id, bottleSlug, tool, arrivalTimestamp, justification } = entry.proposal;
    const said = beginningOf(justification);
    const { text, escaped } = makeVisible(said.text, { oneLine: true });
    const note = hintInShort(hints.get(entry), escaped) || said.tooLong;
    const judged = marksInShort(marks.get(entry)) || reachInShort(reachOfPending(entry));
    const known = [quoteId(shorts.get(id) ?? id), judged, note];
    return [...known, bottleSlug, age(arrivalTimestamp, nowMs), tool, text];
  });
  const isShown = header.map((name, n) =>
    (name !== "MARKS" && name !== "NOTE" || rows.some((row) => row[n] !== "")) &&
    (name !== "TOOL" && name !== "AGE" || columns >= WIDE)
  );
  const shown = [header, ...rows].map((row) => row.filter((_, n) => isShown[n]));
  const paint = (line: string, from: number, n: number) => {
    const judged = marks.get(pending[n]!);
    return paintPart(line, from, marksInShort(judged).length, paintMarks(judged, style));
  };
  const widthOf = (n: number) => Math.max(...shown.map((row) => row[n]!.length + 2));
  const before = shown[0]!.slice(0, -1).reduce((cells, _, n) => cells + widthOf(n), 0);
  if (columns - 1 - before >= LEAST_WORDS) {
    const from = widthOf(0);
    return alignColumns(shown).map((line, n) => {
      const short = cut(line, columns - 1);
      return n === 0 ? style.dim(short) : paint(short, from, n - 1);
    });
  }
  return [
    style.dim("ID  BOTTLE"),
    ...rows.flatMap(([id, judged, note, bottle, age, tool, text], n) => {
      const odd = [judged, note, ...(columns < WIDE ? [] : [age, tool])].filter((word) =>
        word !== ""
      );
      return [
        ...wrap("", `${id}  ${bottle}`, columns),
        ...(odd.length === 0 ? [] : wrap("  ", odd.join("  "), columns))
          .map((row, at) => at === 0 ? paint(row, 2, n) : row),
        cut(`  │ ${text}`, columns - 1),
      ];
    }),
  ];
}

/** From how many decisions of a day on they are said. */
const OFTEN = 4;

/** How many of its bottle's proposals for the same file were decided in 24 hours; `undefined` if few. */
export function oftenIn({ decided }: Hints): number | undefined {
  return decided >= OFTEN ? decided : undefined;
}

/**
 * The weightiest hint in a word or two: `rejected`, `[3 escaped]`, `stale`, `6 decided`. A `?` comes first if
 * not all was compared: an agent can bring about any of the others, and would hide by it that it was rejected.
 */
export function hintInShort(hints: Hints | undefined, escaped: number): string {
  if (hints?.rejectedBefore !== undefined) return "rejected";
  const count = hints === undefined ? undefined : oftenIn(hints);
  const often = count === undefined ? "" : `${count} decided`;
  const hint = escaped > 0 ? badge(escaped) : hints?.stale ? "stale" : often;
  return `${hints?.isPartial ? "? " : ""}${hint}`.trimEnd();
}

/** The hints as JSON. */
export function hintsJson({ stale, decided, rejected, rejectedBefore, isPartial }: Hints): object {
  return {
    stale,
    recent: {
      decided,
      rejected,
      rejected_before: rejectedBefore ?? null,
      complete: isPartial !== true,
    },
  };
}

/** A pending proposal as JSON, without its marks. */
export function pendingJson({ proposal, proposalSha256 }: PendingProposal): object {
  return {
    bottle_slug: proposal.bottleSlug,
    id: proposal.id,
    tool: proposal.tool,
    arrival_timestamp: proposal.arrivalTimestamp,
    justification: proposal.justification,
    ...visibleJson({ justification: beginningOf(proposal.justification).text }, "prose"),
    proposal_sha256: proposalSha256,
  };
}

export function markJson({ severity, rule, message, side, line }: Mark): object {
  return { severity, rule, message, side, line };
}

export function unreadableJson({ bottleSlug, file, reason }: UnreadableInBottle): object {
  return { bottle_slug: bottleSlug, file, reason };
}

/** The alarm of a file that cannot be read, not made visible yet. */
export function unreadableLine({ bottleSlug, file, reason }: UnreadableInBottle): string {
  return `! unreadable: ${bottleSlug}/${quoteFile(file)}: ${reason}`;
}

export function unlistedJson({ bottleSlug, count }: UnlistedInBottle): object {
  return { bottle_slug: bottleSlug, count };
}

/** All that is wrong in the queues, a line each, not made visible yet. */
export function alarmLines(overview: Overview): string[] {
  const { held, unrecordedResponses, unlisted, unreadable } = overview;
  return [
    ...heldLines(held),
    ...unrecordedResponses.map(unrecordedLine),
    ...unlisted.map(unlistedLine),
    ...unreadable.map(unreadableLine),
  ];
}

/** Why no file in force of a bottle is changed now, not made visible yet. */
export function heldInWords(
  { notProven, frozenUntil, problem }: Omit<HeldBottle, "bottleSlug">,
): string[] {
  return [
    ...(notProven === undefined ? [] : [
      `ENFORCER NOT PROVEN: nobody knows which ${CONFIG_FILE_FOR_TOOL[notProven.tool]} it has ` +
      `(${notProven.reason}); apply resolve ends that`,
    ]),
    ...(frozenUntil === undefined ? [] : [`FROZEN until ${localTime(frozenUntil)}`]),
    ...(problem === undefined ? [] : [`NOTHING IS APPLIED: ${problem}`]),
  ];
}

/** The alarms of bottles whose files in force are not changed now, not made visible yet. */
export function heldLines(held: readonly HeldBottle[]): string[] {
  return held.flatMap((one) => heldInWords(one).map((words) => `! ${one.bottleSlug}: ${words}`));
}

/** What keeps a bottle's files in force from being changed, as JSON. */
export function heldJson({ notProven, frozenUntil }: Omit<HeldBottle, "bottleSlug">): object {
  const { tool, reason, since } = notProven ?? {};
  return {
    not_proven: notProven === undefined ? null : { tool, reason, since },
    frozen_until: frozenUntil ?? null,
  };
}

/** What is said where nothing is listed. A proposal that cannot be listed may be pending. */
export function nothingListed({ unlisted, unreadable }: Overview, what = "Nothing"): string {
  const isSure = unlisted.length + unreadable.length === 0;
  return isSure ? `${what} is pending.` : `${what} that is pending can be listed.`;
}

export function unlistedLine({ bottleSlug, count }: UnlistedInBottle): string {
  return `! ${bottleSlug}: ${unlistedReason(count)}`;
}

export function unrecordedJson({ bottleSlug, proposalId, says }: UnrecordedResponse): object {
  return { bottle_slug: bottleSlug, id: proposalId, says };
}

/** The alarm of a response that no log has, not made visible yet. */
export function unrecordedLine({ bottleSlug, proposalId, says }: UnrecordedResponse): string {
  return `! answered without a record: ${bottleSlug}/${quoteId(proposalId)}: ${says}`;
}

/** What is said of grants whose time is over, and of records of grants that cannot be read. */
export function overdueLines({ grants, unreadable }: OpenGrants): string[] {
  const over = grants.filter(({ isOverdue }) => isOverdue);
  return [
    ...over.map(({ proposalId, bottleSlug, why = "nothing ended it so far" }) =>
      `! overdue: the grant ${quoteId(proposalId)} (${bottleSlug}) is still in force: ${why}`
    ),
    ...unreadable.map(({ path, reason }) =>
      `! what was granted by ${path} does not end: ${reason}`
    ),
  ];
}

export function overdueJson({ grants }: Pick<OpenGrants, "grants">): object[] {
  return grants.filter(({ isOverdue }) => isOverdue).map((
    { proposalId, bottleSlug, until, why },
  ) => ({
    ...{ id: proposalId, bottle_slug: bottleSlug, until, why: why ?? null },
  }));
}
