/**
 * Rows of the screen that are made when they are looked at. A proposal may have a hundred thousand lines,
 * and a screen shows forty.
 *
 * @module
 */

import type { Style } from "./style.ts";

/** Some rows, for a screen of so many columns. */
export type Block = (columns: number, style: Style) => readonly string[];

/**
 * All rows of some blocks.
 *
 * @param blocks The blocks.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns The rows.
 */
export function renderBlocks(
  blocks: readonly Block[],
  columns: number,
  style: Style,
): string[] {
  return blocks.flatMap((block) => block(columns, style));
}
