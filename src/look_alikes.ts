/**
 * Names that can be mistaken for others: words whose letters come from several alphabets, and hosts and
 * files in letters beyond ASCII. Pure.
 *
 * @module
 */

import { ALPHABETS, JOINS, natureOf } from "./characters.ts";

/** What stands between the parts of a name, to a URL parser: `.`, and the three others it takes for one. */
function isDot(codePoint: number): boolean {
  return codePoint === 0x2e || codePoint === 0x3002 || codePoint === 0xff0e || codePoint === 0xff61;
}

const HYPHEN = 0x2d;

/** What can follow the last dot of a host or a file: ASCII, more than one character, a letter first. */
const ENDING = /^[a-z][a-z0-9-]+$/i;

/** How many UTF-16 units a character takes. */
function unitsOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

function joins(text: string, at: number): boolean {
  return at < text.length && (natureOf(text.codePointAt(at)!) & JOINS) !== 0;
}

/**
 * Finds where a name ends: words, with a dot or a hyphen between each two.
 *
 * @param text The text.
 * @param start Where the name may begin, in UTF-16 units.
 * @returns Where it ends; `start`, if none begins there.
 */
export function endOfName(text: string, start: number): number {
  let end = start;
  while (end < text.length) {
    const codePoint = text.codePointAt(end)!;
    const isPart = (natureOf(codePoint) & JOINS) !== 0 ||
      end > start && (codePoint === HYPHEN || isDot(codePoint)) && joins(text, end + 1);
    if (!isPart) break;
    end += unitsOf(codePoint);
  }
  return end;
}

/**
 * Whether a name can be mistaken for another one: a word in it mixes alphabets (Latin with Cyrillic,
 * Greek, Armenian, Cherokee, Hebrew and so on; not with Han, Kana, Hangul or Thai, which are written in
 * one row with it), or it is a host or a file that ends in ASCII and has other characters before.
 *
 * @param text The text.
 * @param start Where the name begins, in UTF-16 units.
 * @param end Where it ends, by {@linkcode endOfName}.
 * @returns Whether it can.
 */
export function canDeceive(text: string, start: number, end: number): boolean {
  let ascii = true;
  let lastDot = -1;
  let alphabets = 0;
  for (let at = start; at < end;) {
    const codePoint = text.codePointAt(at)!;
    if (codePoint >= 0x80) ascii = false;
    if (codePoint === HYPHEN) alphabets = 0;
    else if (isDot(codePoint)) {
      alphabets = 0;
      lastDot = at;
    } else alphabets |= natureOf(codePoint) & ALPHABETS;
    // More than one bit.
    if ((alphabets & (alphabets - 1)) !== 0) return true;
    at += unitsOf(codePoint);
  }
  return !ascii && lastDot >= 0 && ENDING.test(text.slice(lastDot + 1, end));
}
