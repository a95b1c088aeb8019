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

function joins(text: string, at: number): boolean {
  return at < text.length && (natureOf(text.codePointAt(at)!) & JOINS) !== 0;
}

/**
 * Reads a name: words, with a dot or a hyphen between each two. It can be mistaken for another one if a
 * word in it mixes alphabets (Latin with Cyrillic, Greek, Armenian, Cherokee, Hebrew and so on; not with
 * Han, Kana, Hangul or Thai, which are written in one row with it), or if it is a host or a file that
 * ends in ASCII and has other characters before.
 *
 * @param text The text.
 * @param start Where the name may begin, in UTF-16 units.
 * @returns Where it ends, `start` if none begins there; below 0, as `~end`, if it can be mistaken.
 */
export function readName(text: string, start: number): number {
  let ascii = true;
  let mixed = false;
  let lastDot = -1;
  let alphabets = 0;
  let end = start;
  while (end < text.length) {
    const codePoint = text.codePointAt(end)!;
    const nature = natureOf(codePoint);
    if ((nature & JOINS) !== 0) {
      alphabets |= nature & ALPHABETS;
      // More than one bit.
      if ((alphabets & (alphabets - 1)) !== 0) mixed = true;
    } else {
      const isBetween = (codePoint === HYPHEN || isDot(codePoint)) && end > start &&
        joins(text, end + 1);
      if (!isBetween) break;
      if (codePoint !== HYPHEN) lastDot = end;
      alphabets = 0;
    }
    if (codePoint >= 0x80) ascii = false;
    end += codePoint > 0xffff ? 2 : 1;
  }
  const isForeignHost = !ascii && lastDot >= 0 && ENDING.test(text.slice(lastDot + 1, end));
  return mixed || isForeignHost ? ~end : end;
}
