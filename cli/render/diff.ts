/**
 * A diff on the screen: every row shows its sign, and what should be noticed stands below its line.
 *
 * @module
 */

import { makeVisible } from "../../read_mod.ts";
import type { Mark } from "../../mod.ts";
import { marksBelow, rowsOfMark } from "./marks.ts";
import { badge, type Style } from "./style.ts";
import { type Block, cut, renderBlocks, wrap } from "./wrap.ts";

/** A line of a diff that is already visible, in rows that each show its sign, painted by it. */
function diffRows(line: string, isHeader: boolean, columns: number, style: Style): string[] {
  if (isHeader) return wrap("", line, columns).map(style.bold);
  const sign = line.slice(0, 1);
  const rows = wrap(sign, line.slice(1), columns);
  switch (sign) {
    case "+":
      return rows.map(style.green);
    case "-":
      return rows.map(style.red);
    case "@":
    case "\\":
      return rows.map(style.dim);
    default:
      return rows;
  }
}

/**
 * A diff, with what should be noticed below the lines that it is about. The badge stands above it: below,
 * an added line could imitate even its header.
 *
 * @param diff The diff.
 * @param marks What should be noticed; nothing unless given.
 * @returns A block for each line.
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

/**
 * The rows of {@linkcode diffBlocks}.
 *
 * @param diff The diff.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @param marks What should be noticed; nothing unless given.
 * @returns Rows.
 */
export function renderDiffLines(
  diff: string,
  columns: number,
  style: Style,
  marks: readonly Mark[] = [],
): string[] {
  return renderBlocks(diffBlocks(diff, marks), columns, style);
}
