/**
 * Rows of text in columns.
 *
 * @module
 */

/**
 * Puts cells below each other, two spaces apart.
 *
 * @param rows The cells; the last one of a row may be of any length.
 * @param numbers How many of the first columns are numbers, and so end below each other.
 * @returns A line for each row, without spaces at its end.
 */
export function alignColumns(rows: readonly (readonly string[])[], numbers = 0): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [n, cell] of row.slice(0, -1).entries()) {
      widths[n] = Math.max(widths[n] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row.map((cell, n) => n < numbers ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0))
      .join("  ").trimEnd()
  );
}
