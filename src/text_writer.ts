/**
 * Writes a text piece by piece. Pure. Where every character is escaped, a text has millions of pieces, and
 * a string put together of that many is slow to make and slow to read; so small ones are collected in
 * a buffer.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A text that is being written. */
export interface TextWriter {
  /** What is finished. */
  text: string;
  /** What comes next, in UTF-16 units. */
  readonly units: Uint16Array<ArrayBuffer>;
  /** How much of `units` is in use. */
  used: number;
}

const CHUNK = 1 << 16;
/** Copying fewer units than this is faster than cutting them out. */
const SHORT = 64;

const [OPEN, U, PLUS, CLOSE] = [0x27e8, 0x55, 0x2b, 0x27e9] as const; // ⟨ U + ⟩
const DIGITS = Uint16Array.from("0123456789ABCDEF", (digit) => digit.charCodeAt(0));

/**
 * Starts an empty text.
 *
 * @returns Its writer.
 */
export function startText(): TextWriter {
  return { text: "", units: new Uint16Array(CHUNK), used: 0 };
}

/**
 * Ends a text.
 *
 * @param writer Its writer.
 * @returns The text.
 */
export function endText(writer: TextWriter): string {
  const { units, used } = writer;
  writer.text += Buffer.from(units.buffer, 0, 2 * used).toString("utf16le");
  writer.used = 0;
  return writer.text;
}

/**
 * Adds a part of another text.
 *
 * @param writer Where to.
 * @param text The other text.
 * @param from Where the part begins, in UTF-16 units.
 * @param to Where it ends.
 */
export function addPart(writer: TextWriter, text: string, from: number, to: number): void {
  if (to - from >= SHORT) {
    writer.text = endText(writer) + text.slice(from, to);
    return;
  }
  if (writer.used + SHORT > CHUNK) endText(writer);
  for (let at = from; at < to; at++) writer.units[writer.used++] = text.charCodeAt(at);
}

/**
 * Adds a character's code point: `⟨U+202E⟩`.
 *
 * @param writer Where to.
 * @param codePoint The character.
 */
export function addCodePoint(writer: TextWriter, codePoint: number): void {
  if (writer.used + SHORT > CHUNK) endText(writer);
  const { units } = writer;
  let used = writer.used;
  units[used++] = OPEN;
  units[used++] = U;
  units[used++] = PLUS;
  if (codePoint > 0xfffff) units[used++] = DIGITS[codePoint >> 20]!;
  if (codePoint > 0xffff) units[used++] = DIGITS[codePoint >> 16 & 15]!;
  units[used++] = DIGITS[codePoint >> 12 & 15]!;
  units[used++] = DIGITS[codePoint >> 8 & 15]!;
  units[used++] = DIGITS[codePoint >> 4 & 15]!;
  units[used++] = DIGITS[codePoint & 15]!;
  units[used++] = CLOSE;
  writer.used = used;
}
