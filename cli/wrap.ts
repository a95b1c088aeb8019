/**
 * Breaks untrusted text before the terminal does. A terminal goes on at the left margin, where only we
 * write; so every line that is too long goes on behind a margin of its own.
 *
 * @module
 */

/** Stands at the margin where a line goes on. `visible` lets nobody else write it. */
const GOES_ON = "↪";

/** The least room that text gets, however narrow the terminal. */
const LEAST_CELLS = 10;

/**
 * How many cells a character takes, at most: terminals differ on what is wide beyond ASCII, and a line
 * that ends early does no harm.
 */
function cells(character: string): number {
  return character.codePointAt(0)! < 0x80 ? 1 : 2;
}

/**
 * Cuts a line that is already visible.
 *
 * @param line The line.
 * @param columns How many cells it may take.
 * @returns The line, or its beginning and `…`.
 */
export function cut(line: string, columns: number): string {
  let used = 0;
  let kept = "";
  for (const character of line) {
    used += cells(character);
    if (used > columns) return `${withoutLast(kept, columns - 2)}…`;
    kept += character;
  }
  return line;
}

function withoutLast(line: string, columns: number): string {
  let used = 0;
  let kept = "";
  for (const character of line) {
    used += cells(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
}

/**
 * Puts a line that is already visible behind a margin, in as many rows as it needs.
 *
 * @param margin What stands before the first row, in ASCII or of one cell each: a bar, a diff's sign.
 * @param line The line, without an LF.
 * @param columns How wide the screen is.
 * @returns The rows. All but the first begin with the margin's first character and `↪`.
 */
export function wrap(margin: string, line: string, columns: number): string[] {
  // One cell is left free: some terminals wrap when the last one is written.
  const room = Math.max(LEAST_CELLS, columns - 1 - [...margin].length);
  const rows: string[] = [];
  let row = "";
  let used = 0;
  let roomLeft = room;
  for (const character of line) {
    const width = cells(character);
    if (used + width > roomLeft) {
      rows.push(row);
      row = "";
      used = 0;
      roomLeft = Math.max(LEAST_CELLS, columns - 4);
    }
    row += character;
    used += width;
  }
  rows.push(row);
  const sign = [...margin][0] ?? " ";
  return rows.map((text, n) => (n === 0 ? margin + text : `${sign}${GOES_ON}${text}`));
}
