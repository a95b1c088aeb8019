/**
 * A diff and its marks on the screen. Each row of a diff shows its sign. Each row of a mark begins with
 * `!`, which no row of a diff does, and is below the line that it is about.
 *
 * @module
 */

import { makeVisible, visibleLine } from "../../read_mod.ts";
import type { Mark } from "../../mod.ts";
import { badge, type Style } from "./style.ts";
import { type Block, cut, wrap } from "./wrap.ts";

const NONE: readonly Mark[] = [];

/** One mark, in rows that each begin with `!`; `where` comes before its words. */
function rowsOfMark(mark: Mark, where: string, columns: number, style: Style): string[] {
  const { severity, message } = mark;
  const text = `${severity.padEnd(6)}  ${where}${visibleLine(message, "code")}`;
  const paint = { high: style.red, medium: style.magenta, low: style.dim }[severity];
  return wrap("! ", text, columns, "prose").map(paint);
}

/** All marks, one after the other, each with its line. */
export function renderMarks(marks: readonly Mark[], columns: number, style: Style): string[] {
  return marks.flatMap((mark) => {
    const where = `${mark.side === "old" ? "old " : ""}line ${mark.line}: `;
    return rowsOfMark(mark, where, columns, style);
  });
}

/** Follows a diff: gives the marks below each line. It has to be asked for every line, in order. */
function marksBelow(marks: readonly Mark[]): (diffLine: string) => readonly Mark[] {
  const byPlace = Map.groupBy(marks, ({ side, line }) => `${side} ${line}`);
  const at = (side: Mark["side"], line: number) => byPlace.get(`${side} ${line}`) ?? [];
  let oldLine: number | undefined;
  let newLine = 0;
  return (diffLine) => {
    // A line of a file begins with a sign, so no file can imitate the header of a hunk.
    const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@$/.exec(diffLine) ?? [];
    if (from !== undefined) {
      [oldLine, newLine] = [Number(from), Number(to)];
      return NONE;
    }
    if (oldLine === undefined || marks.length === 0) return NONE;
    const sign = diffLine[0];
    const here: Mark[] = [];
    if (sign === " " || sign === "-") here.push(...at("old", oldLine++));
    if (sign === " " || sign === "+") here.push(...at("new", newLine++));
    return here;
  };
}

const PAINTS: Readonly<Record<string, keyof Style>> = {
  "+": "green",
  "-": "red",
  "@": "dim",
  "\\": "dim",
};

/** A line of a diff that is already visible, in rows that each show its sign, painted by it. */
function diffRows(line: string, isHeader: boolean, columns: number, style: Style): string[] {
  if (isHeader) return wrap("", line, columns).map(style.bold);
  const sign = line.slice(0, 1);
  const rows = wrap(sign, line.slice(1), columns);
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
  const below = marksBelow(marks);
  const blocks: Block[] = text.split("\n").slice(0, -1).map((line, n) => {
    const here = below(line);
    return (columns, style) => [
      ...diffRows(line, n < 2, columns, style),
      ...here.flatMap((mark) => rowsOfMark(mark, "", columns, style)),
    ];
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
