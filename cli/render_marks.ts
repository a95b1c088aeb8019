/**
 * Marks on the screen: all of them at the top, and each below the line of the diff that it is about.
 * A row of theirs begins with `!`, which no row of a diff does.
 *
 * @module
 */

import { type Mark, visibleLine } from "../mod.ts";
import type { Style } from "./style.ts";
import { wrap } from "./wrap.ts";

function rowsOf(mark: Mark, where: string, columns: number, style: Style): string[] {
  const { severity, message } = mark;
  const text = `${severity.padEnd(6)}  ${where}${visibleLine(message, "code")}`;
  const paint = { high: style.red, medium: style.yellow, low: style.dim }[severity];
  return wrap("! ", text, columns).map(paint);
}

/**
 * All marks, one after the other, each with its line.
 *
 * @param marks The marks.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns Lines.
 */
export function renderMarks(marks: readonly Mark[], columns: number, style: Style): string[] {
  return marks.flatMap((mark) => {
    const where = `${mark.side === "old" ? "old " : ""}line ${mark.line}: `;
    return rowsOf(mark, where, columns, style);
  });
}

/**
 * Follows a diff line by line, and says which marks stand below each.
 *
 * @param marks The marks of the change that the diff shows.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns Gives the rows that go below a line of the diff. To be asked for each line, in order.
 */
export function marksBelow(
  marks: readonly Mark[],
  columns: number,
  style: Style,
): (diffLine: string) => string[] {
  const byPlace = Map.groupBy(marks, ({ side, line }) => `${side} ${line}`);
  const at = (side: Mark["side"], line: number) => byPlace.get(`${side} ${line}`) ?? [];
  let oldLine: number | undefined;
  let newLine = 0;
  return (diffLine) => {
    // A line of a file begins with a sign, so nobody else can write the header of a hunk.
    const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@$/.exec(diffLine) ?? [];
    if (from !== undefined) {
      [oldLine, newLine] = [Number(from), Number(to)];
      return [];
    }
    if (oldLine === undefined) return [];
    const sign = diffLine[0];
    const here: Mark[] = [];
    if (sign === " " || sign === "-") here.push(...at("old", oldLine++));
    if (sign === " " || sign === "+") here.push(...at("new", newLine++));
    return here.flatMap((mark) => rowsOf(mark, "", columns, style));
  };
}
