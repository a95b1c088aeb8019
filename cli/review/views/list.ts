/**
 * The list on the screen: a row for each proposal, and below the words of the one that keys are about.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, makeVisible, type VisibleText } from "../../../internal_mod.ts";
import type { Overview, PendingProposal } from "../../../mod.ts";
import { renderMarks } from "../../render/diff.ts";
import { hintInShort, marksInShort, nothingListed, paintMarks } from "../../render/pending.ts";
import { hintRows } from "../../render/proposal.ts";
import { beginningOf, quoteId, renderQuoted } from "../../render/quote.ts";
import { paintPart, type Style } from "../../render/style.ts";
import { age } from "../../render/time.ts";
import { cut, fill, shortNames, wrap } from "../../render/wrap.ts";
import { type Row, wordsOf } from "../list.ts";
import type { State } from "../state.ts";

/** From so many rows on, the words of the current proposal are below the list. */
const ROOMY = 14;

/** How much of the screen the current proposal's words take. */
const PREVIEW_SHARE = 0.4;

/** From so many columns on, a row has its marks and its note beside each other. */
const WIDE = 72;

/** The cells before a row's columns: whether it is current, and whether it is selected. */
const SIGNS = 3;

/** The room that the agents' words get before the last columns do. */
const LEAST_WORDS = 14;

/** In less room there are no words at all. */
const LEAST_LAST = 8;

/** What a list needs of a justification. */
interface Said extends VisibleText {
  /** A badge if it is longer than the sidecar lets through. */
  readonly tooLong: string;
}

/** A row is drawn again and again, and a justification in a queue can have megabytes. */
const said = new WeakMap<PendingProposal, Said>();

function saidIn(entry: PendingProposal): Said {
  let known = said.get(entry);
  if (known === undefined) {
    const { text, tooLong } = beginningOf(entry.proposal.justification);
    known = { ...makeVisible(text, { oneLine: true }), tooLong };
    said.set(entry, known);
  }
  return known;
}

function paintOf({ stage }: Row, style: Style): (text: string) => string {
  return stage.kind === "over" ? style.dim : style.bold;
}

/** A column of the list. Its width is the same whatever arrives in its rows late. */
interface Column {
  readonly heading: string;
  readonly width: number;
  readonly cell: (row: Row) => string;
}

/** What comes before any hint. */
const WORST: readonly string[] = ["high", "invalid", "failed", "?"];

/** What is odd about a proposal on a narrow screen: the worst of it. */
function worstOf(state: State, { entry }: Row): string {
  // "1 high +2"; of what is not judged any further "invalid file".
  const [first = "", second = ""] = marksInShort(state.ports.marksOf(entry)).split(" ");
  const worst = /\d/.test(first) ? second : first;
  if (WORST.includes(worst)) return worst;
  const { escaped, tooLong } = saidIn(entry);
  const hint = hintInShort(state.ports.hintsOf(entry), 0);
  return hint || worst || (escaped > 0 || tooLong !== "" ? "tricks" : "");
}

function noteOf(state: State, { entry }: Row): string {
  const { escaped, tooLong } = saidIn(entry);
  return hintInShort(state.ports.hintsOf(entry), escaped) || tooLong;
}

/** All columns, the weightiest first. */
function columnsOf(state: State, columns: number): Column[] {
  const { list, ports } = state;
  const wide = columns >= WIDE;
  // Of a row that is decided the stage is all that counts.
  const ifOpen = (cell: (row: Row) => string) => (row: Row) =>
    row.stage.kind === "open" ? cell(row) : "";
  const risk = wide
    ? [
      {
        heading: "MARKS",
        width: 12,
        cell: ifOpen((row) => marksInShort(ports.marksOf(row.entry))),
      },
      { heading: "NOTE", width: 13, cell: ifOpen((row) => noteOf(state, row)) },
    ]
    : [{ heading: "MARKS", width: 8, cell: ifOpen((row) => worstOf(state, row)) }];
  const slugs = list.visible().map(({ entry }) => entry.proposal.bottleSlug);
  const longest = Math.max("BOTTLE".length, ...slugs.map((slug) => slug.length));
  const room = risk.reduce((left, { width }) => left - width - 2, columns - 1 - SIGNS);
  const bottle = Math.min(wide ? 20 : 9, longest, room);
  const shorts = shortNames(slugs, bottle);
  return [
    ...risk,
    {
      heading: "BOTTLE",
      width: bottle,
      cell: ({ entry }) => shorts.get(entry.proposal.bottleSlug) ?? "",
    },
    {
      heading: "AGE",
      width: 5,
      cell: ({ entry }) => age(entry.proposal.arrivalTimestamp, ports.now()),
    },
    { heading: "FILE", width: 11, cell: ({ entry }) => CONFIG_FILE_FOR_TOOL[entry.proposal.tool] },
  ];
}

/** All up to the bottle, and of the others as many as the agents' words leave room for. */
function fitting(all: readonly Column[], columns: number): readonly Column[] {
  let room = columns - 1 - SIGNS - LEAST_WORDS;
  const kept = all.findIndex(({ width }) => (room -= width + 2) < 0);
  const least = 1 + all.findIndex(({ heading }) => heading === "BOTTLE");
  return kept === -1 ? all : all.slice(0, Math.max(least, kept));
}

function drawRow(state: State, row: Row, columns: readonly Column[], cells: number): string {
  const { list, style, ports } = state;
  const isCurrent = list.current()?.key === row.key;
  const beside = lineUp(columns, ({ cell }) => cell(row));
  const hasLast = cells - 1 - SIGNS - beside.length >= LEAST_LAST;
  const last = lastCell(state, row);
  const signs = [
    isCurrent ? ">" : " ",
    list.isSelected(row.key) ? "x" : " ",
    // A sign where what we say of it has no room: to open it says the rest.
    !hasLast && last.startsWith("!") ? "!" : " ",
  ].join("");
  const text = `${signs}${hasLast ? cut(beside + last, cells - 1 - SIGNS) : beside.trimEnd()}`;
  const painted = (line: string) =>
    row.stage.kind === "open"
      ? paintPart(line, SIGNS, columns[0]!.width, paintMarks(ports.marksOf(row.entry), style))
      : paintOf(row, style)(line);
  return isCurrent ? style.inverse(painted(fill(text, cells - 1))) : painted(text);
}

/** Cells below each other, each with two spaces behind it. */
function lineUp(columns: readonly Column[], cellOf: (column: Column) => string): string {
  return columns.map((column) => `${cut(cellOf(column), column.width).padEnd(column.width)}  `)
    .join("");
}

/** The agent's words come behind a bar; what we say of a proposal comes without one. */
function lastCell({ ports }: State, { entry, stage }: Row): string {
  const words = wordsOf(stage, ports.elapsedMs());
  return words === undefined ? `│ ${saidIn(entry).text}` : `! ${ports.visible(words)}`;
}

function drawTable(state: State, rows: readonly Row[], columns: number): string[] {
  const every = columnsOf(state, columns);
  const all = fitting(every, columns);
  const heading = `${" ".repeat(SIGNS)}${lineUp(all, ({ heading }) => heading)}`;
  const room = columns - 1 - heading.length;
  // What we say of a proposal takes the room of what it is about.
  const named = (...headings: readonly string[]) =>
    every.filter(({ heading }) => headings.includes(heading));
  const open = named("MARKS", "BOTTLE");
  const over = fitting(named("BOTTLE", "AGE"), columns);
  return [
    state.style.dim(
      room < LEAST_LAST ? heading.trimEnd() : cut(`${heading}│ THE AGENT SAYS`, columns - 1),
    ),
    ...rows.map((row) => {
      const isSaid = wordsOf(row.stage, 0) !== undefined;
      const beside = !isSaid ? all : row.stage.kind === "open" ? open : over;
      return drawRow(state, row, beside, columns);
    }),
  ];
}

/** What would be read first of the current proposal. */
function preview(state: State, row: Row | undefined, height: number, columns: number): string[] {
  if (row === undefined || row.stage.kind !== "open") return [];
  const { style, ports } = state;
  const { id, bottleSlug, tool, justification: text } = row.entry.proposal;
  const words = [tool, quoteId(id)];
  // A heading is cut; the name of the bottle is not.
  const above = bottleSlug.length <= columns / 2 ? [] : wrap("", bottleSlug, columns);
  if (above.length === 0) words.unshift(bottleSlug);
  const heading = cut(words.join("  "), columns - 1);
  const rows = [...above, ...renderQuoted({ heading, text, kind: "prose" }, columns, style)];
  const marks = [
    ...hintRows(ports.hintsOf(row.entry), tool, columns, style, ports.now()),
    ...renderMarks(ports.marksOf(row.entry) ?? [], columns, style),
  ];
  const room = height - 1 - Math.min(marks.length, Math.ceil(height / 2));
  const shown = rows.length > room ? [...rows.slice(0, room - 1), "│ …"] : rows;
  return [
    style.dim("─".repeat(columns - 1)),
    ...shown,
    ...marks.slice(0, height - 1 - shown.length),
  ];
}

function whyEmpty({ list }: State, overview: Overview): string {
  const { snoozed } = list.counts();
  const hidden = snoozed === 0 ? "" : ` ${snoozed} hidden with s: S shows them.`;
  return list.filter() !== ""
    ? `No proposal has that text in it: Esc shows all.${hidden}`
    : `${nothingListed(overview, snoozed === 0 ? "Nothing" : "Nothing else")}${hidden} ` +
      "New proposals appear here.";
}

/** The list, in at most `height` rows. */
export function listRows(
  state: State,
  overview: Overview,
  height: number,
  columns: number,
): string[] {
  const { list, style } = state;
  const share = Math.ceil(height * PREVIEW_SHARE);
  const below = height >= ROOMY ? preview(state, list.current(), share, columns) : [];
  const room = height - (below.length === 0 ? 0 : share);
  const rows = list.window(Math.max(1, room - 1));
  if (rows.length === 0) {
    return ["", ...wrap(" ", whyEmpty(state, overview), columns, "prose").map(style.dim)];
  }
  const drawn = drawTable(state, rows, columns);
  if (below.length === 0) return drawn;
  while (drawn.length < room) drawn.push("");
  return [...drawn, ...below];
}
