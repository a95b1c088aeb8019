/**
 * The list on the screen: a row for each proposal, and below the words of the one that keys are about.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  makeVisible,
  MAX_JUSTIFICATION_BYTES,
  visibleLine,
  type VisibleText,
} from "../../../internal_mod.ts";
import type { PendingProposal } from "../../../mod.ts";
import { renderMarks } from "../../render/diff.ts";
import { marksInShort } from "../../render/pending.ts";
import { renderQuoted } from "../../render/quote.ts";
import { badge, type Style, trimPlain } from "../../render/style.ts";
import { age } from "../../render/time.ts";
import { cut, fill, wrap } from "../../render/wrap.ts";
import { type Row, wordsOf } from "../list.ts";
import type { State } from "../state.ts";

/** From so many rows on, the words of the current proposal are below the list. */
const ROOMY = 14;

/** How much of the screen the current proposal's words take. */
const PREVIEW_SHARE = 0.4;

/** From so many columns on, a row has the tool's whole name. */
const WIDE = 72;

/** What a list needs of a justification. */
interface Said extends VisibleText {
  /** Its beginning, as it was written. */
  readonly beginning: string;
  /** Whether it is longer than the sidecar lets through. */
  readonly tooLong: boolean;
}

/** A row is drawn again and again, and a justification in a queue can have megabytes. */
const said = new WeakMap<PendingProposal, Said>();

function saidIn(entry: PendingProposal): Said {
  let known = said.get(entry);
  if (known === undefined) {
    const whole = trimPlain(entry.proposal.justification);
    const tooLong = whole.length > MAX_JUSTIFICATION_BYTES;
    const beginning = [...whole.slice(0, MAX_JUSTIFICATION_BYTES)].slice(0, -1).join("");
    const text = tooLong ? beginning : whole;
    known = { ...makeVisible(text, { oneLine: true }), beginning: text, tooLong };
    said.set(entry, known);
  }
  return known;
}

function paintOf({ stage }: Row, style: Style): (text: string) => string {
  if (stage.kind === "over") return style.dim;
  if (stage.kind === "open") return (text) => text;
  return style.bold;
}

function headingsOf(wide: boolean): string[] {
  return wide ? ["AGE", "BOTTLE", "TOOL", "MARKS"] : ["AGE", "BOTTLE", "FILE", "MARKS"];
}

/** What is odd about a proposal; on a narrow screen only the worst of it. */
function oddness(state: State, { entry, stage }: Row, wide: boolean): string {
  if (stage.kind !== "open") return "";
  const { escaped, tooLong } = saidIn(entry);
  const marks = state.ports.marksOf(entry);
  if (!wide) {
    const severity = marks === undefined ? "?" : marks[0]?.severity;
    return severity ?? (escaped > 0 || tooLong ? "tricks" : "");
  }
  return [marksInShort(marks), badge(escaped), tooLong ? "[too long]" : ""]
    .filter((text) => text !== "").join(" ");
}

/** The cells of a row, without the last, which takes what room is left. */
function cellsOf(state: State, row: Row, wide: boolean): string[] {
  const { proposal } = row.entry;
  return [
    age(proposal.arrivalTimestamp, state.ports.now()),
    proposal.bottleSlug,
    wide ? proposal.tool : CONFIG_FILE_FOR_TOOL[proposal.tool],
    oddness(state, row, wide),
  ];
}

/** Cells beside each other, and the last one behind them. */
function lineUp(cells: readonly string[], widths: readonly number[], last: string): string {
  const padded = cells.map((cell, n) => cut(cell, widths[n]!).padEnd(widths[n]!));
  return `${padded.join("  ")}  ${last}`;
}

function drawRow(state: State, row: Row, cells: string, columns: number): string {
  const { list, style } = state;
  const isCurrent = list.current()?.key === row.key;
  const signs = `${isCurrent ? ">" : " "}${list.isSelected(row.key) ? "x" : " "}`;
  const text = cut(`${signs} ${cells}`.trimEnd(), columns - 1);
  return isCurrent ? style.inverse(fill(text, columns - 1)) : paintOf(row, style)(text);
}

/** The agent's words come behind a bar; what we say of a proposal comes without one. */
function lastCell(state: State, { entry, stage }: Row): string {
  const words = wordsOf(stage, state.ports.now());
  return words === undefined ? `│ ${saidIn(entry).text}` : `! ${visibleLine(words)}`;
}

/** On a narrow screen, what we say of a proposal takes the room of what it is about. */
function kept({ stage }: Row, cells: readonly string[]): readonly string[] {
  return wordsOf(stage, 0) === undefined ? cells : cells.slice(0, 2);
}

function drawTable(state: State, rows: readonly Row[], columns: number): string[] {
  const wide = columns >= WIDE;
  const most = wide ? [5, 20, 16, 30] : [5, 9, 11, 6];
  const headings = headingsOf(wide);
  const cells = rows.map((row) => cellsOf(state, row, wide));
  const widths = most.map((limit, n) =>
    Math.min(limit, Math.max(...[headings, ...cells].map((row) => row[n]!.length)))
  );
  return [
    state.style.dim(cut(`   ${lineUp(headings, widths, "│ THE AGENT SAYS")}`, columns - 1)),
    ...rows.map((row, n) => {
      const beside = wide ? cells[n]! : kept(row, cells[n]!);
      return drawRow(state, row, lineUp(beside, widths, lastCell(state, row)), columns);
    }),
  ];
}

/** What would be read first of the current proposal. */
function preview(state: State, row: Row | undefined, height: number, columns: number): string[] {
  if (row === undefined || row.stage.kind !== "open") return [];
  const { style, ports } = state;
  const { id, bottleSlug, tool } = row.entry.proposal;
  const rows = renderQuoted(
    {
      heading: cut(`${bottleSlug}  ${tool}  ${id}`, columns - 1),
      text: saidIn(row.entry).beginning,
      kind: "prose",
    },
    columns,
    style,
  );
  const marks = renderMarks(ports.marksOf(row.entry) ?? [], columns, style);
  const room = height - 1 - Math.min(marks.length, Math.ceil(height / 2));
  const shown = rows.length > room ? [...rows.slice(0, room - 1), "│ …"] : rows;
  return [
    style.dim("─".repeat(columns - 1)),
    ...shown,
    ...marks.slice(0, height - 1 - shown.length),
  ];
}

function whyEmpty({ list }: State): string {
  const { snoozed } = list.counts();
  const hidden = snoozed === 0 ? "" : ` ${snoozed} hidden with s: S shows them.`;
  return list.filter() === ""
    ? `Nothing is pending.${hidden} New proposals appear here.`
    : `No proposal has that text in it: Esc shows all.${hidden}`;
}

/** The list, in at most `height` rows. */
export function listRows(state: State, height: number, columns: number): string[] {
  const { list, style } = state;
  const share = Math.ceil(height * PREVIEW_SHARE);
  const below = height >= ROOMY ? preview(state, list.current(), share, columns) : [];
  const room = height - (below.length === 0 ? 0 : share);
  const rows = list.window(Math.max(1, room - 1));
  if (rows.length === 0) {
    return ["", ...wrap(" ", whyEmpty(state), columns, "prose").map(style.dim)];
  }
  const drawn = drawTable(state, rows, columns);
  if (below.length === 0) return drawn;
  while (drawn.length < room) drawn.push("");
  return [...drawn, ...below];
}
