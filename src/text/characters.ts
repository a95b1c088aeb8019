/**
 * What a character is to the eye of a reader, so far as it can deceive: whether it hides or acts,
 * whether it is part of a word, and of which alphabet. Pure.
 *
 * @module
 */

/** It is shown by its code point, wherever it stands. */
export const TRICK = 1 << 1;

/** It is drawn on the character before it. */
export const MARK = 1 << 2;

/** It goes on a word: letters, digits, marks, `_`, and what nobody sees between two of them. */
export const JOINS = 1 << 3;

/** The alphabets, as bits; a character of none of them has none. */
export const ALPHABETS = 0b1111 << 4;

/** It was looked at; without this bit a character was not. */
const KNOWN = 1 << 0;

const LATIN = 1 << 4;

const GREEK = 1 << 5;

const CYRILLIC = 1 << 6;

/** All the others together: what matters is which ones a word may not be mixed of. */
const OTHER = 1 << 7;

/**
 * Controls and format characters (ESC, CR, BS, C1, bidi controls, zero-width characters, unassigned and
 * private code points, halves of pairs), line and paragraph separators, what renderers ignore or leave
 * blank, and every space but the plain one.
 */
const HIDES =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}\uFFFC\u{133FC}]|(?! )\p{Zs}/u;

/**
 * The brackets, arrows and the bracket-like that could pass for the signs in which we write what was
 * escaped. `⟨`, `⟩`, `⇥`, `↵` and `↪` are ours alone; the others are as good as them on a screen.
 */
const OURS = /[⟨⟩⇥↵↪\u2329\u232A\u3008\u3009\u276C\u276D\u2770\u2771\u29FC\u29FD\u2039\u203A]/u;

const PART_OF_WORD = /[\p{L}\p{M}\p{N}\p{Pc}]|(?!\p{Cc})[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Scripts that are written without spaces, or whose endings are put to foreign words: there a Latin word
 * stands in one row with the others, and nobody is deceived.
 */
const WRITTEN_TOGETHER = new RegExp(
  [
    "Han",
    "Hiragana",
    "Katakana",
    "Hangul",
    "Bopomofo",
    "Thai",
    "Lao",
    "Khmer",
    "Myanmar",
    "Tibetan",
  ]
    .map((script) => `\\p{Script=${script}}`).join("|"),
  "u",
);

function alphabetOf(character: string): number {
  if (!/[\p{L}\p{N}]/u.test(character)) return 0;
  if (/\p{Script=Latin}/u.test(character)) return LATIN;
  if (/\p{Script=Greek}/u.test(character)) return GREEK;
  if (/\p{Script=Cyrillic}/u.test(character)) return CYRILLIC;
  if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) return 0;
  // A digit of theirs can stand for a letter o; a letter of theirs for none.
  return WRITTEN_TOGETHER.test(character) && !/\p{Nd}/u.test(character) ? 0 : OTHER;
}

function lookAt(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  let nature = KNOWN | alphabetOf(character);
  if (character !== "\n" && (HIDES.test(character) || OURS.test(character))) nature |= TRICK;
  if (/\p{M}/u.test(character)) nature |= MARK;
  if (PART_OF_WORD.test(character)) nature |= JOINS;
  return nature;
}

/** What was looked at once, by code point: a text has many characters, and few different ones. */
const NATURES = new Uint8Array(0x110000);

/**
 * What a character is.
 *
 * @param codePoint The character.
 * @returns {@linkcode TRICK}, {@linkcode MARK}, {@linkcode JOINS} and one of the
 * {@linkcode ALPHABETS}, those that it is; never 0.
 */
export function natureOf(codePoint: number): number {
  return NATURES[codePoint] || (NATURES[codePoint] = lookAt(codePoint));
}

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
