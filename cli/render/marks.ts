/**
 * Marks on the screen: all of them at the top, and each below the line of the diff that it is about.
 * A row of theirs begins with `!`, which no row of a diff does.
 *
 * @module
 */

import { visibleLine } from "../../read_mod.ts";
import type { Mark } from "../../mod.ts";
import type { Style } from "./style.ts";
import { wrap } from "./wrap.ts";

const NONE: readonly Mark[] = [];

/**
 * One mark.
 *
 * @param mark The mark.
 * @param where What stands before its words.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns Rows, each behind a `!`.
 */
export function rowsOfMark(mark: Mark, where: string, columns: number, style: Style): string[] {
  const { severity, message } = mark;
  const text = `${severity.padEnd(6)}  ${where}${visibleLine(message, "code")}`;
  const paint = { high: style.red, medium: style.magenta, low: style.dim }[severity];
  return wrap("! ", text, columns, "prose").map(paint);
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
    return rowsOfMark(mark, where, columns, style);
  });
}

/**
 * Follows a diff line by line, and says which marks stand below each.
 *
 * @param marks The marks of the change that the diff shows.
 * @returns Gives the marks that go below a line of the diff. To be asked for each line, in order.
 */
export function marksBelow(marks: readonly Mark[]): (diffLine: string) => readonly Mark[] {
  const byPlace = Map.groupBy(marks, ({ side, line }) => `${side} ${line}`);
  const at = (side: Mark["side"], line: number) => byPlace.get(`${side} ${line}`) ?? [];
  let oldLine: number | undefined;
  let newLine = 0;
  return (diffLine) => {
    // A line of a file begins with a sign, so nobody else can write the header of a hunk.
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
