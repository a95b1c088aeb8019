/**
 * How a character can deceive a reader: whether it hides or acts, whether it is part of a word, and which
 * alphabet it belongs to. Pure.
 *
 * @module
 */

/** Always shown by its code point. */
export const TRICK = 1 << 1;

/** Drawn on the character before it. */
export const MARK = 1 << 2;

/** Continues a word: letters, digits, marks, `_`, and invisible characters between them. */
const JOINS = 1 << 3;

/** The bits of the alphabets; digits and signs have none of them. */
const ALPHABETS = 0b1111 << 4;

/** Set for every character that was looked up: 0 in the table means that it was not. */
const KNOWN = 1 << 0;

const LATIN = 1 << 4;
const GREEK = 1 << 5;
const CYRILLIC = 1 << 6;

/** All other alphabets: a word that mixes any two is suspicious. */
const OTHER = 1 << 7;

/**
 * Controls and format characters (ESC, CR, BS, C1, bidi controls, zero-width characters, unassigned and
 * private code points, halves of pairs), line and paragraph separators, characters that renderers ignore or
 * leave blank, and every space but the plain one.
 */
const HIDES =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}\uFFFC\u{133FC}]|(?! )\p{Zs}/u;

/**
 * The signs in which escaped characters are written, `⟨`, `⟩`, `⇥`, `↵` and `↪`, and brackets that look
 * like them on a screen: an agent must not be able to write them.
 */
const NOTATION = /[⟨⟩⇥↵↪\u2329\u232A\u3008\u3009\u276C\u276D\u2770\u2771\u29FC\u29FD\u2039\u203A]/u;

const PART_OF_WORD = /[\p{L}\p{M}\p{N}\p{Pc}]|(?!\p{Cc})[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Scripts that are written without spaces, or that add their endings to foreign words: a Latin word in
 * one row with them deceives nobody.
 */
const WRITTEN_TOGETHER = new RegExp(
  "Han Hiragana Katakana Hangul Bopomofo Thai Lao Khmer Myanmar Tibetan".split(" ")
    .map((script) => `\\p{Script=${script}}`).join("|"),
  "u",
);

function alphabetOf(character: string): number {
  if (!/[\p{L}\p{N}]/u.test(character)) return 0;
  if (/\p{Script=Latin}/u.test(character)) return LATIN;
  if (/\p{Script=Greek}/u.test(character)) return GREEK;
  if (/\p{Script=Cyrillic}/u.test(character)) return CYRILLIC;
  if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) return 0;
  // A digit of these scripts can pass for the letter o; their letters pass for none.
  return WRITTEN_TOGETHER.test(character) && !/\p{Nd}/u.test(character) ? 0 : OTHER;
}

function lookAt(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  let nature = KNOWN | alphabetOf(character);
  if (character !== "\n" && (HIDES.test(character) || NOTATION.test(character))) nature |= TRICK;
  if (/\p{M}/u.test(character)) nature |= MARK;
  if (PART_OF_WORD.test(character)) nature |= JOINS;
  return nature;
}

/** The properties found so far, by code point: a text has many characters, but few different ones. */
const NATURES = new Uint8Array(0x110000);

/** The properties of a character, as bits: {@linkcode TRICK}, {@linkcode MARK} and others. */
export function natureOf(codePoint: number): number {
  return NATURES[codePoint] || (NATURES[codePoint] = lookAt(codePoint));
}

/** The dot between the labels of a host, and the three characters that URL parsers take for one. */
function isDot(codePoint: number): boolean {
  return codePoint === 0x2e || codePoint === 0x3002 || codePoint === 0xff0e || codePoint === 0xff61;
}

const HYPHEN = 0x2d;

/** What can follow the last dot of a host or a file: ASCII, two characters or more, a letter first. */
const ENDING = /^[a-z][a-z0-9-]+$/i;

function joins(text: string, at: number): boolean {
  return at < text.length && (natureOf(text.codePointAt(at)!) & JOINS) !== 0;
}

/**
 * Reads a name, which is words with a dot or a hyphen between each two, and returns the index of its end;
 * `~end` (below 0) if the name can be mistaken for another. That is so if a word mixes alphabets (Latin with
 * Cyrillic, but not with Han or Thai, which are written in one row with Latin), or if a host or a file
 * ends in ASCII and has other characters before.
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
      // True if more than one bit is set.
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
