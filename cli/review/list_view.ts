/**
 * The list on the screen: a row for each proposal, and below the words of the one that keys are about.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  makeVisible,
  type Mark,
  type PendingProposal,
  visible,
} from "../../mod.ts";
import { age, badge, trimPlain } from "../render.ts";
import { renderMarks } from "../render_marks.ts";
import { renderQuoted } from "../render_quoted.ts";
import type { Style } from "../style.ts";
import { cut } from "../wrap.ts";
import type { Desk } from "./desk.ts";
import { type Row, wordsOf } from "./row.ts";

/** From so many rows on, the words of the current proposal stand below the list. */
const ROOMY = 14;

/** How many rows the current proposal's words take. */
const PREVIEW_ROWS = 7;

/** From so many columns on, a row has the tool's whole name. */
const WIDE = 72;

/** A justification on one line; a row is drawn again and again. */
const lines = new WeakMap<PendingProposal, { readonly text: string; readonly escaped: number }>();

function lineOf(entry: PendingProposal) {
  const known = lines.get(entry) ??
    makeVisible(trimPlain(entry.proposal.justification), { oneLine: true });
  lines.set(entry, known);
  return known;
}

/**
 * How many marks there are, by severity, worst first.
 *
 * @param marks The marks.
 * @returns `2 high 1 medium`; nothing for none.
 */
export function countMarks(marks: readonly Mark[]): string {
  return (["high", "medium", "low"] as const)
    .map((severity) => [marks.filter((mark) => mark.severity === severity).length, severity])
    .filter(([count]) => count !== 0)
    .map((pair) => pair.join(" "))
    .join(" ");
}

function paintOf({ standing }: Row, style: Style): (text: string) => string {
  if (standing.kind === "over") return style.dim;
  if (standing.kind === "open") return (text) => text;
  return style.bold;
}

/** The cells of a row, without the last, which takes what room is left. */
function cellsOf(desk: Desk, row: Row, wide: boolean): string[] {
  const { proposal } = row.entry;
  const tool = wide ? proposal.tool : CONFIG_FILE_FOR_TOOL[proposal.tool];
  const { escaped } = lineOf(row.entry);
  const odd = row.standing.kind === "open"
    ? [countMarks(desk.ports.marksOf(row.entry)), badge(escaped)]
    : ["", ""];
  return [
    age(proposal.arrivalTimestamp, desk.ports.now()),
    proposal.bottleSlug,
    tool,
    odd.filter((text) => text !== "").join(" "),
  ];
}

function drawRow(desk: Desk, row: Row, widths: readonly number[], columns: number): string {
  const { table, style, ports } = desk;
  const isCurrent = table.current()?.key === row.key;
  const signs = `${isCurrent ? ">" : " "}${table.isSelected(row.key) ? "x" : " "}`;
  const cells = cellsOf(desk, row, columns >= WIDE)
    .map((cell, n) => cut(cell, widths[n]!).padEnd(widths[n]!))
    .filter((cell) => cell !== "");
  const words = wordsOf(row.standing, ports.now());
  const last = words === undefined ? `│ ${lineOf(row.entry).text}` : `! ${visible(words)}`;
  const text = cut(`${signs} ${cells.join("  ")}  ${last}`.trimEnd(), columns - 1);
  const painted = paintOf(row, style)(text);
  return isCurrent ? style.inverse(text.padEnd(columns - 1)) : painted;
}

/** What would be read first of the current proposal. */
function preview(desk: Desk, row: Row | undefined, columns: number): string[] {
  if (row === undefined || row.standing.kind !== "open") return [];
  const { style, ports } = desk;
  const { id, bottleSlug, tool, justification } = row.entry.proposal;
  const said = renderQuoted(
    {
      heading: cut(`${bottleSlug}  ${tool}  ${id}`, columns - 1),
      text: justification,
      kind: "prose",
    },
    columns,
    style,
  );
  const marks = renderMarks(ports.marksOf(row.entry), columns, style);
  const room = PREVIEW_ROWS - 1 - Math.min(marks.length, 3);
  const shown = said.length > room ? [...said.slice(0, room - 1), "│ …"] : said;
  return [
    style.dim("─".repeat(columns - 1)),
    ...shown,
    ...marks.slice(0, PREVIEW_ROWS - 1 - shown.length),
  ];
}

/**
 * The list.
 *
 * @param desk The desk.
 * @param height How many rows there are.
 * @param columns How wide they are.
 * @returns At most that many rows.
 */
export function listRows(desk: Desk, height: number, columns: number): string[] {
  const { table, style } = desk;
  const below = height >= ROOMY ? preview(desk, table.current(), columns) : [];
  const room = Math.max(1, height - (below.length === 0 ? 0 : PREVIEW_ROWS));
  const { rows } = table.window(room);
  if (rows.length === 0) {
    const why = table.filter() === "" ? "Nothing is pending." : "Nothing pending has that in it.";
    return ["", style.dim(` ${why} What arrives appears here.`)];
  }
  const most = columns >= WIDE ? [4, 20, 16, 30] : [4, 10, 11, 0];
  const all = rows.map((row) => cellsOf(desk, row, columns >= WIDE));
  const widths = most.map((limit, n) => Math.min(limit, Math.max(...all.map((r) => r[n]!.length))));
  const drawn = rows.map((row) => drawRow(desk, row, widths, columns));
  if (below.length === 0) return drawn;
  while (drawn.length < room) drawn.push("");
  return [...drawn, ...below];
}
