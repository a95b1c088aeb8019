/**
 * The table of proposals that are decided together: what will happen to each, then what happened.
 *
 * @module
 */

import { visibleLine } from "../../../internal_mod.ts";
import { shortIds } from "../../command/resolve.ts";
import { marksInShort } from "../../render/pending.ts";
import { quoteId } from "../../render/quote.ts";
import { cut, wrap } from "../../render/wrap.ts";
import { isMeant } from "../batch.ts";
import { wordsOf } from "../list.ts";
import type { BatchItem, State, View } from "../state.ts";

type Batch = Extract<View, { place: "batch" }>;

/** How many lines a diff adds and removes. */
function countLines(diff: string): string {
  let [added, removed] = [0, 0];
  for (const line of diff.split("\n").slice(2)) {
    if (line.startsWith("+")) added++;
    else if (line.startsWith("-")) removed++;
  }
  return `+${added} -${removed}`;
}

/** The longest word before a row; what is longer goes below it. */
const MOST_WORD = 27;

/** The room that the bottle and what it asks for get behind that word. */
const LEAST_SUBJECT = 40;

/** What will happen to one, or what happened: a word or two, and what there is to say besides. */
interface Outcome {
  readonly word: string;
  readonly why?: string;
}

function inShort(words: string, instead: string): Outcome {
  return words.length <= MOST_WORD ? { word: words } : { word: instead, why: words };
}

function outcomeOf(state: State, { status, step }: Batch, item: BatchItem): Outcome {
  const stage = state.list.row(item.key)?.stage;
  if (stage === undefined) return { word: "done, and off the list" };
  const words = wordsOf(stage, state.ports.elapsedMs());
  if (stage.kind !== "open") {
    return inShort(words ?? "", "no longer pending");
  }
  if (step === "decided" && item.leftOut === undefined) {
    return inShort(words ?? "not decided", "not decided");
  }
  if (isMeant(state, item)) return { word: `will be ${status}` };
  return { word: "left out", why: item.leftOut ?? words ?? "it changed" };
}

function idOf({ key }: BatchItem): string {
  return key.slice(key.indexOf("/") + 1);
}

/** What one asks for, without its id. */
function subjectOf({ key, look }: BatchItem): string {
  const [slug = ""] = key.split("/");
  const cells = look === undefined ? [slug] : [
    slug,
    look.inspection.proposal.tool,
    countLines(look.inspection.diff),
    marksInShort(look.inspection.marks),
  ];
  return cells.filter((cell) => cell !== "").join("  ");
}

/** What the bottle's slug will be asked for: nobody should type it for what they have not read. */
function highMarks(state: State, { step }: Batch, item: BatchItem): readonly string[] {
  if (step !== "asked" || !isMeant(state, item)) return [];
  return (item.unconfirmed?.marks ?? []).map(({ message }) => `high  ${message}`);
}

/** The rows of one proposal, which fit on one screen: its page, which was shown before, has all its marks. */
function cutRows(rows: readonly string[], room: number, columns: number): readonly string[] {
  if (rows.length <= room) return rows;
  const some = rows.slice(0, Math.max(0, room - 1));
  const rest = `   ! and ${rows.length - some.length} more rows, on its page`;
  return [...some, cut(rest, columns - 1)];
}

/** The rows of the table, at most `height` of them. */
export function batchRows(
  state: State,
  view: Batch,
  height: number,
  columns: number,
): string[] {
  const { items, status, notes, step } = view;
  const isLeftOut = (item: BatchItem) =>
    step === "asked" ? !isMeant(state, item) : item.leftOut !== undefined;
  const left = items.filter(isLeftOut).length;
  const count = items.length - left;
  const verb = status === "approved" ? "approve" : "reject";
  const without = left > 0 ? `, and leave out ${left}` : "";
  const title = step === "asked" ? `Enter will ${verb} ${count}${without}:` : "Results:";
  const above = [
    state.style.bold(cut(` ${title}`, columns - 1)),
    ...(notes === "" ? [] : [cut(` notes: ${visibleLine(notes)}`, columns - 1)]),
    "",
  ];
  const shorts = shortIds(items.map(idOf));
  const outcomes = items.map((item) => outcomeOf(state, view, item));
  const width = Math.max(0, ...outcomes.map(({ word }) => word.length));
  const rows: string[] = [];
  const room = height - above.length;
  for (const [n, item] of items.entries()) {
    if (n < state.offset) continue;
    const { word, why } = outcomes[n]!;
    const beside = ` ${visibleLine(word).padEnd(width)}  │ `;
    // Which one it is comes below where there is no room for it.
    const isRoomy = columns - beside.length >= LEAST_SUBJECT;
    const own = isRoomy ? [] : [cut(` ${visibleLine(word)}`, columns - 1)];
    own.push(...wrap(isRoomy ? beside : "   │ ", subjectOf(item), columns - 2, "prose"));
    // The id is the sidecar's own, and alone is cut: it pushes nothing off the screen.
    own.push(cut(`${own.pop()}  ${quoteId(shorts.get(idOf(item))!)}`, columns - 1));
    for (const text of why === undefined ? highMarks(state, view, item) : [why]) {
      own.push(...wrap("   ! ", visibleLine(text), columns, "prose"));
    }
    rows.push(...cutRows(own, room, columns));
    if (rows.length > room) break;
    state.pageEnd = n + 1;
  }
  return [...above, ...rows].slice(0, height);
}
