/**
 * Breaks untrusted text before the terminal does. A terminal goes on at the left margin, where only we
 * write; so every line that is too long goes on behind a margin of its own.
 *
 * @module
 */

/** Stands at the margin where a line goes on. `visible` lets nobody else write it. */
const GOES_ON = "↪";

/** The least room that text gets, however narrow the terminal: what the longest code point takes. */
const LEAST_CELLS = 12;

/** What is not taken apart: a character, and the code point of one that `visible` escaped. */
const PIECE = /⟨U\+[0-9A-F]{4,6}⟩|./gu;

function piecesOf(line: string): readonly string[] {
  return line.match(PIECE) ?? [];
}

/**
 * How many cells a piece takes, at most: terminals differ on what is wide beyond ASCII, and a line
 * that ends early does no harm.
 */
function cells(piece: string): number {
  let cells = 0;
  for (const character of piece) cells += character.codePointAt(0)! < 0x80 ? 1 : 2;
  return cells;
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
  for (const piece of piecesOf(line)) {
    used += cells(piece);
    if (used > columns) return `${withoutLast(kept, columns - 2)}…`;
    kept += piece;
  }
  return line;
}

function withoutLast(line: string, columns: number): string {
  let used = 0;
  let kept = "";
  for (const piece of piecesOf(line)) {
    used += cells(piece);
    if (used > columns) break;
    kept += piece;
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
  for (const piece of piecesOf(line)) {
    const width = cells(piece);
    if (used + width > roomLeft) {
      rows.push(row);
      row = "";
      used = 0;
      roomLeft = Math.max(LEAST_CELLS, columns - 4);
    }
    row += piece;
    used += width;
  }
  rows.push(row);
  const sign = [...margin][0] ?? " ";
  return rows.map((text, n) => (n === 0 ? margin + text : `${sign}${GOES_ON}${text}`));
}
