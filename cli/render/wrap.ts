/**
 * Lines in rows and cells. Rows are made when they are looked at: a proposal may have a hundred thousand
 * lines, and a screen shows forty.
 *
 * @module
 */

import type { TextKind } from "../../internal_mod.ts";
import type { Style } from "./style.ts";

/** One part of a text. */
export interface Block {
  /** The rows of the part, for a screen of so many columns. */
  (columns: number, style: Style): readonly string[];
  /**
   * What a person has to see of it before it is approved: a line that would be added or removed, with its
   * marks, or a mark that is on no such line. The full screen counts those that were seen.
   */
  readonly counts?: "line" | "mark";
  /** Whether its rows are other ones after a while, as those with an age are. */
  readonly isLive?: boolean;
}

/** The same rows, of a difference that is shown beside the one that is decided. */
export const notCounted = (block: Block): Block => (columns, style) => block(columns, style);

export function renderBlocks(
  blocks: readonly Block[],
  columns: number,
  style: Style,
): string[] {
  return blocks.flatMap((block) => block(columns, style));
}

/** The margin of a row that continues a line. `makeVisible` escapes it in text of others. */
const GOES_ON = "↪";

/** The least room that text gets, however narrow the terminal: what the longest code point takes. */
const LEAST_CELLS = 12;

/** The code point of a character that `visible` escaped, which is not taken apart. */
const ESCAPE = /⟨U\+[0-9A-F]{4,6}⟩/y;

const OPENING = "⟨".charCodeAt(0);

/** Where the piece ends that begins at a place: a character, or the escape of one. */
function endOfPiece(line: string, at: number): number {
  const unit = line.charCodeAt(at);
  if (unit === OPENING) {
    ESCAPE.lastIndex = at;
    if (ESCAPE.test(line)) return ESCAPE.lastIndex;
  }
  return at + (unit >= 0xd800 && unit < 0xdc00 && at + 1 < line.length ? 2 : 1);
}

/**
 * How many cells a piece takes, at most: terminals differ on what is wide beyond ASCII, and a line
 * that ends early does no harm.
 */
function cellsOf(line: string, at: number, end: number): number {
  if (line.charCodeAt(at) < 0x80) return 1;
  return end - at > 2 ? end - at + 2 : 2; // An escape is ASCII between two brackets.
}

/** Where the text ends that fits into some cells. */
function endOfRow(line: string, from: number, cells: number): number {
  let at = from;
  for (let used = 0; at < line.length;) {
    const end = endOfPiece(line, at);
    used += cellsOf(line, at, end);
    if (used > cells) break;
    at = end;
  }
  return at;
}

/** The sign of a blank in code where nobody would see it. `makeVisible` escapes it in the text itself. */
const BLANK = "·";

/** The same, before the blanks that nobody would see at the end of the row: the next one begins with them. */
function endOfCode(line: string, from: number, cells: number): number {
  const end = endOfRow(line, from, cells);
  let last = end;
  while (last > from && line[last - 1] === " ") last--;
  // In a row of blanks alone each gets a sign, which may take two cells.
  return last > from ? last : Math.min(end, from + Math.floor(cells / 2));
}

/** The same, between words, unless that left half of the row empty. The blank stays in sight. */
function endOfWords(line: string, from: number, cells: number): number {
  const end = endOfRow(line, from, cells);
  if (end === line.length || line[end] === " ") return end;
  // In the row alone: a search back to the beginning, for every row, would take minutes for a long word.
  const blank = line.slice(from, end).lastIndexOf(" ");
  return blank > (end - from) / 2 ? from + blank + 1 : end;
}

/** Cuts a line that is already visible: the line, or its beginning and `…`. */
export function cut(line: string, columns: number): string {
  if (endOfRow(line, 0, columns) === line.length) return line;
  return `${line.slice(0, endOfRow(line, 0, columns - 2))}…`;
}

/** A name in so many cells: its beginning, and more of its end, where the names of bottles differ. */
function withoutMiddle(name: string, cells: number): string {
  const before = Math.floor((cells - 2) / 3);
  return name.length <= cells ? name : `${name.slice(0, before)}…${name.slice(before + 2 - cells)}`;
}

/**
 * Short forms of names in ASCII, in so many cells. Those that would look alike begin where they differ
 * instead. Of three and more, some can still look alike.
 */
export function shortNames(names: Iterable<string>, cells: number): ReadonlyMap<string, string> {
  const alike = Map.groupBy(new Set(names), (name) => withoutMiddle(name, cells));
  const pairs = [...alike].flatMap(([short, [first = "", ...others]]) => {
    if (others.length === 0) return [[first, short] as const];
    let shared = 0;
    while (others.every((name) => name[shared] === first[shared])) shared++;
    return [first, ...others].map((name) => [name, cut(`…${name.slice(shared)}`, cells)] as const);
  });
  return new Map(pairs);
}

/**
 * Fills a line that is already visible with spaces. Where terminals differ on what is wide it ends
 * early, so that none of them continues it in the next row.
 */
export function fill(line: string, columns: number): string {
  let used = 0;
  for (let at = 0; at < line.length;) {
    const end = endOfPiece(line, at);
    used += cellsOf(line, at, end);
    at = end;
  }
  return line + " ".repeat(Math.max(0, columns - used));
}

/**
 * Puts a line that is already visible, without an LF, behind a margin, in as many rows as it needs. All
 * but the first begin with the margin's first character and `↪`. Prose is broken between words. Two lines
 * of code that differ have rows that differ, also without the blanks at their ends: behind a backslash a
 * blank changes what a shell reads.
 */
export function wrap(
  margin: string,
  line: string,
  columns: number,
  kind: TextKind = "code",
): string[] {
  const endOf = kind === "prose" ? endOfWords : endOfCode;
  const text = kind === "prose" ? line : line.trimEnd().padEnd(line.length, BLANK);
  // One cell is left free: some terminals wrap when the last one is written.
  const first = Math.max(LEAST_CELLS, columns - 1 - [...margin].length);
  const further = Math.max(LEAST_CELLS, columns - 4);
  const sign = [...margin][0] ?? " ";
  const rows: string[] = [];
  for (let at = 0; at < text.length || rows.length === 0;) {
    const [begin, cells] = rows.length === 0 ? [margin, first] : [`${sign}${GOES_ON}`, further];
    const end = endOf(text, at, cells);
    const row = text.slice(at, end);
    rows.push(begin + (kind === "code" && row.trimEnd() === "" ? BLANK.repeat(row.length) : row));
    at = end;
  }
  return rows;
}

/**
 * A row as it is if it fits, else, without its colours, as many rows as it needs: the terminal would break
 * it at the margin, where a part of it could pass for a row of this program.
 */
export function fitRow(row: string, columns: number): readonly string[] {
  // deno-lint-ignore no-control-regex -- what makeStyle writes
  const plain = row.replace(/\x1b\[\d+m/g, "");
  const fits = endOfRow(plain, 0, columns) === plain.length;
  return fits ? [row] : wrap("", plain, columns, "prose");
}

/**
 * Puts cells below each other, two spaces apart; the last cell of a row may be of any length. The first
 * columns, as many as `numbers` says, end below each other.
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
