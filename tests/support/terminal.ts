/**
 * What Ink makes of rows, without a terminal.
 *
 * @module
 */

import { Box, renderToString, Text } from "ink";
// @ts-types="@types/react"
import { createElement } from "react";

/**
 * Draws rows as the full screen does.
 *
 * @param rows The rows.
 * @param columns How wide the screen is.
 * @returns The rows as they come to the terminal; one that is too wide is cut.
 */
export function drawnByInk(rows: readonly string[], columns: number): string[] {
  const texts = rows.map((row, n) =>
    createElement(Text, { key: n, wrap: "truncate-end" }, row === "" ? " " : row)
  );
  const box = createElement(Box, { flexDirection: "column" }, ...texts);
  return renderToString(box, { columns }).split("\n");
}
