/**
 * A diff and its marks on the screen. Each row of a diff shows its sign, and the first of each line the
 * line's number: in the old file if it was removed, else in the new one. Each row of a mark begins with
 * `!`, which no row of a diff does, and is below the line that it is about.
 *
 * @module
 */

import { makeVisible, visibleLine } from "../../read_mod.ts";
import type { Mark } from "../../mod.ts";
import { badge, paintHigh, type Style } from "./style.ts";
import { type Block, cut, renderBlocks, wrap } from "./wrap.ts";

/** One mark, in rows that each begin with `!`; `where` comes before its words. */
function rowsOfMark(mark: Mark, where: string, columns: number, style: Style): string[] {
  const { severity, message } = mark;
  const text = `${severity.padEnd(6)}  ${where}${visibleLine(message, "code")}`;
  const paint = { high: paintHigh(style), medium: style.magenta, low: style.dim }[severity];
  return wrap("! ", text, columns, "prose").map(paint);
}

function markBlock(mark: Mark): Block {
  const where = `${mark.side === "old" ? "old " : ""}line ${mark.line}: `;
  return (columns, style) => rowsOfMark(mark, where, columns, style);
}

/** All marks, one after the other, each with its line. */
export function renderMarks(marks: readonly Mark[], columns: number, style: Style): string[] {
  return renderBlocks(marks.map(markBlock), columns, style);
}

/** The same in blocks. A mark that is on no line that a diff adds or removes has to be seen here. */
export function markBlocks(diff: string, marks: readonly Mark[]): Block[] {
  if (marks.length === 0) return [];
  const placeOf = followDiff(marks);
  const beside = new Set(
    diff.split("\n").flatMap((line) => {
      const { marks } = placeOf(line);
      return /^[-+]/.test(line) ? marks : [];
    }),
  );
  return marks.map((mark) =>
    beside.has(mark) ? markBlock(mark) : Object.assign(markBlock(mark), { counts: "mark" as const })
  );
}

/** The header of a hunk. A line of a file is behind a sign, so no file can imitate it. */
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@$/;

/** A line of a diff: its number in the file, and what is marked there. */
interface Place {
  readonly number?: number;
  readonly marks: readonly Mark[];
}

const NOWHERE: Place = { marks: [] };

/** Follows a diff: gives the place of each line. It has to be asked for every line, in order. */
function followDiff(marks: readonly Mark[]): (diffLine: string) => Place {
  const byPlace = Map.groupBy(marks, ({ side, line }) => `${side} ${line}`);
  const at = (side: Mark["side"], line: number) => byPlace.get(`${side} ${line}`) ?? [];
  let oldLine: number | undefined;
  let newLine = 0;
  return (diffLine) => {
    const [, from, , to] = HUNK.exec(diffLine) ?? [];
    if (from !== undefined) {
      [oldLine, newLine] = [Number(from), Number(to)];
      return NOWHERE;
    }
    if (oldLine === undefined) return NOWHERE;
    switch (diffLine[0]) {
      case "-":
        return { number: oldLine, marks: at("old", oldLine++) };
      case "+":
        return { number: newLine, marks: at("new", newLine++) };
      case " ":
        return { number: newLine, marks: [...at("old", oldLine++), ...at("new", newLine++)] };
      default:
        return NOWHERE;
    }
  };
}

/** How many digits the numbers of a diff's lines have at most. */
function digitsIn(diffLines: readonly string[]): number {
  const last = diffLines.findLast((line) => HUNK.test(line)) ?? "";
  const [oldFrom = 0, oldCount = 1, newFrom = 0, newCount = 1] = (HUNK.exec(last) ?? []).slice(1)
    .map((digits) => digits === undefined ? undefined : Number(digits));
  return String(Math.max(oldFrom + oldCount, newFrom + newCount) - 1).length;
}

const PAINTS: Readonly<Record<string, keyof Style>> = {
  "+": "green",
  "-": "red",
  "@": "dim",
  "\\": "dim",
};

/** A line of a diff that is already visible, in rows that each show its sign, painted by it. */
function diffRows(line: string, number: string, columns: number, style: Style): string[] {
  const sign = line.slice(0, 1);
  const rows = wrap(sign + number, line.slice(1), columns);
  const paint = PAINTS[sign];
  return paint === undefined ? rows : rows.map(style[paint]);
}

/**
 * A diff in a block for each line, with its marks. The badge is above the diff: below, an added line
 * could imitate even its header.
 */
export function diffBlocks(diff: string, marks: readonly Mark[] = []): Block[] {
  if (diff === "") return [() => ["(no change)"]];
  const { text, escaped } = makeVisible(diff, { kind: "code" });
  const lines = text.split("\n").slice(0, -1);
  // The row that says that a line has no LF is part of that line: it can be all that differs.
  const isNote = (line: string) => line.startsWith("\\");
  const digits = digitsIn(lines);
  const placeOf = followDiff(marks);
  const blocks = lines.flatMap((line, n): Block[] => {
    if (isNote(line)) return [];
    const { number, marks } = placeOf(line);
    if (n < 2) return [(columns, style) => wrap("", line, columns).map(style.bold)];
    const note = lines[n + 1] ?? "";
    const shown = number === undefined ? "" : `${String(number).padStart(digits)} `;
    const block: Block = (columns, style) => [
      ...diffRows(line, shown, columns, style),
      ...marks.flatMap((mark) => rowsOfMark(mark, "", columns, style)),
      ...(isNote(note) ? diffRows(note, "", columns, style) : []),
    ];
    return [/^[-+]/.test(line) ? Object.assign(block, { counts: "line" as const }) : block];
  });
  if (escaped === 0) return blocks;
  const count = badge(escaped);
  return [
    (columns, style) => [
      `${cut("In the diff:", columns - 1 - count.length - 2)}  ${style.magenta(count)}`,
    ],
    ...blocks,
  ];
}
