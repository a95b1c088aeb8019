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

/** Continues a word: letters, digits, marks, `_`, `¡`, `¿`, and invisible characters between them. */
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

/** Ends a name: blanks, brackets, quotation marks, commas and what else no host or path has inside. */
const ENDS = 1 << 8;

/** A letter or mark of a script that is written together with foreign words. */
const TOGETHER = 1 << 9;

/** Punctuation beyond ASCII that is not escaped. */
const PAUSE = 1 << 10;

/**
 * Controls and format characters (ESC, CR, BS, C1, bidi controls, zero-width characters, unassigned and
 * private code points, halves of pairs), line and paragraph separators, characters that renderers ignore or
 * leave blank, and every space but the plain one.
 */
const HIDES =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}\uFFFC\u{133FC}]|(?! )\p{Zs}/u;

/** Brackets that look like those of an escape, although they are punctuation of a script in use. */
const NOTATION = /[\u3008\u3009]/;

/**
 * The blocks of right-to-left scripts: a superset of the bidi classes R, AL and AN without the controls.
 * From the defaults in DerivedBidiClass.txt of Unicode 17.0 (2025), which hold for unassigned ones too.
 */
const RIGHT_TO_LEFT =
  /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** The scripts in daily use, as Unicode's annex 31 recommends them (table 5), that run left to right. */
const IN_USE = anyScript(
  "Latin Greek Cyrillic Armenian Georgian Ethiopic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil " +
    "Telugu Kannada Malayalam Sinhala Thai Lao Khmer Myanmar Tibetan Han Hiragana Katakana Hangul Bopomofo",
);

/** Where the letters of languages are; the rest of these scripts is phonetic, historic or styled. */
const LATIN_GREEK_CYRILLIC = /[\u00C0-\u024F\u0370-\u052F\u1E00-\u1FFF]/;

/** Signs of no script, and full-width ones, that prose cannot do without. Others are escaped. */
const KEPT_SIGNS = /[¡¢£¥§©«¬®°±¶·»¿×÷–—―‘’‚“”„•…→≈≠≤≥，！？：；（）]/;

/** Emoji; not those of enclosed letters, nor flags, which are letters. */
const EMOJI = /(?=[\u{1F300}-\u{1FAFF}])\p{Emoji_Presentation}/u;

const PART_OF_WORD =
  /[\p{L}\p{M}\p{N}\p{Pc}¡¿]|(?!\p{Cc})[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

const END_OF_NAME = /[\p{Cc}\p{Z}()[\]{}<>"',;!?*`，！？；、\p{Pi}\p{Pf}\p{Ps}\p{Pe}]/u;

/**
 * Scripts that are written without spaces, or that add their endings to foreign words: a Latin word in
 * one row with them deceives nobody, because their letters look like none of its.
 */
const WRITTEN_TOGETHER = anyScript("Han Hiragana Katakana Hangul Bopomofo Thai Lao Khmer Tibetan");

function anyScript(names: string): RegExp {
  const scripts = names.split(" ").map((script) => `\\p{Script_Extensions=${script}}`);
  return new RegExp(`[${scripts.join("")}]`, "u");
}

function alphabetOf(character: string): number {
  if (!/[\p{L}\p{N}]/u.test(character)) return 0;
  if (/\p{Script=Latin}/u.test(character)) return LATIN;
  if (/\p{Script=Greek}/u.test(character)) return GREEK;
  if (/\p{Script=Cyrillic}/u.test(character)) return CYRILLIC;
  if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) return 0;
  // A digit of these scripts can pass for the letter o; their letters pass for none.
  return WRITTEN_TOGETHER.test(character) && !/\p{Nd}/u.test(character) ? 0 : OTHER;
}

/** Tells whether a sign beyond ASCII belongs to the prose of a language. */
function isKeptSign(character: string): boolean {
  if (KEPT_SIGNS.test(character)) return true;
  if (character.normalize("NFKC") !== character) return false;
  return /\p{P}/u.test(character) && IN_USE.test(character) || /\p{Sc}/u.test(character) ||
    EMOJI.test(character);
}

/** Tells whether a letter, mark or number beyond ASCII belongs to the prose of a language. */
function isKeptLetter(character: string): boolean {
  if (!IN_USE.test(character) && !/[\u0300-\u036F]/.test(character)) return false;
  // Unicode takes it for a form of others: full-width, mathematical, circled. A letter that is made of
  // several of its own script, as in Thai and Hindi, imitates none.
  const normal = [...character.normalize("NFKC")];
  if (normal.join("") !== character) {
    return normal.length > 1 && normal.every((part) => part > "\u0900" && IN_USE.test(part));
  }
  return !/(?=\p{L})[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u.test(character) ||
    LATIN_GREEK_CYRILLIC.test(character) && !/(?=\p{Lo})\p{Script=Latin}/u.test(character);
}

function isTrick(character: string): boolean {
  if (HIDES.test(character) || NOTATION.test(character)) return character !== "\n";
  if (character <= "\x7f") return false;
  if (RIGHT_TO_LEFT.test(character)) return true;
  return /[\p{P}\p{S}]/u.test(character) ? !isKeptSign(character) : !isKeptLetter(character);
}

function lookAt(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  let nature = KNOWN | alphabetOf(character);
  if (isTrick(character)) nature |= TRICK;
  if (/\p{M}/u.test(character)) nature |= MARK;
  if (PART_OF_WORD.test(character)) nature |= JOINS;
  if (/[\p{L}\p{M}\p{Nl}]/u.test(character) && WRITTEN_TOGETHER.test(character)) nature |= TOGETHER;
  // A bracket that is escaped is no bracket to the reader.
  if (END_OF_NAME.test(character) && ((nature & TRICK) === 0 || /[\p{Cc}\p{Z}]/u.test(character))) {
    nature |= ENDS;
  }
  if (character > "\x7f" && /\p{P}/u.test(character) && (nature & TRICK) === 0) nature |= PAUSE;
  return nature;
}

/** The properties found so far, by code point: a text has many characters, but few different ones. */
const NATURES = new Uint16Array(0x110000);

/** The properties of a character, as bits: {@linkcode TRICK}, {@linkcode MARK} and others. */
export function natureOf(codePoint: number): number {
  return NATURES[codePoint] || (NATURES[codePoint] = lookAt(codePoint));
}

/** What is between two words of a name, or before its first one. */
const NOTHING = 0;
/** One hyphen: `API-ключ` is two honest words. Before a word it begins an option. */
const HYPHEN = 1;
/** One dot, which an abbreviation has too: `т.е.` */
const DOT = 2;
/** Punctuation beyond ASCII alone: before Han or Thai, the sentence goes on behind it. */
const PAUSES = 3;
/** Anything else. */
const SIGNS = 4;

function signsWith(signs: number, codePoint: number, nature: number): number {
  if ((nature & PAUSE) !== 0 && (signs === NOTHING || signs === PAUSES)) return PAUSES;
  if (signs !== NOTHING) return SIGNS;
  if (codePoint === 0x2d) return HYPHEN;
  return codePoint === 0x2e ? DOT : SIGNS;
}

/** An abbreviation has no more words: four of one letter could pass for an IP address. */
const MOST_INITIALS = 3;

function isMixed(alphabets: number): boolean {
  // True if more than one bit is set.
  return (alphabets & (alphabets - 1)) !== 0;
}

/**
 * Reads a name, which is words and the signs between them up to a blank, bracket, quotation mark or comma,
 * and returns the index of its end; `~end` (below 0) if the name can be mistaken for another. That is so if
 *
 * - a word mixes alphabets (Latin with Cyrillic, but not with Han or Thai, which are written in one row
 *   with Latin), or
 * - it has a character beyond ASCII and could be a host, a path, a URL, an address or a command, which is:
 *   a word has a sign before it. Excepted are a hyphen between words, an abbreviation of single letters
 *   (`т.е.`), and a sign of a language before a script that is written without spaces, or
 * - it has a character that is always escaped.
 */
export function readName(text: string, start: number): number {
  let isForeign = false;
  let isSuspect = false;
  let mixed = false;
  let alphabets = 0;
  let allAlphabets = 0;
  let signs = NOTHING;
  let words = 0;
  let length = 0;
  let hasInitialsOnly = true;
  let end = start;
  while (end < text.length) {
    const codePoint = text.codePointAt(end)!;
    const nature = natureOf(codePoint);
    if ((nature & ENDS) !== 0) break;
    if ((nature & JOINS) === 0) {
      // A sign beyond ASCII behind one of ASCII can be the first letter of a word: `evil.©om`.
      if (codePoint >= 0x80 && signs !== NOTHING && text.charCodeAt(end - 1) < 0x80) {
        isSuspect = true;
      }
      signs = signsWith(signs, codePoint, nature);
    } else {
      if (signs !== NOTHING || words === 0) {
        if (signs === PAUSES && (nature & TOGETHER) !== 0) break;
        if (signs > HYPHEN || signs === HYPHEN && words === 0) isSuspect = true;
        if (signs !== NOTHING && (signs !== DOT || words === 0)) hasInitialsOnly = false;
        signs = NOTHING;
        alphabets = 0;
        length = 0;
        words++;
      }
      if ((nature & MARK) === 0) length++;
      if (length > 1 || words > MOST_INITIALS || (nature & (MARK | ALPHABETS)) === 0) {
        hasInitialsOnly = false;
      }
      alphabets |= nature & ALPHABETS;
      allAlphabets |= alphabets;
      if (isMixed(alphabets)) mixed = true;
    }
    if ((nature & TRICK) !== 0) {
      isSuspect = true;
      hasInitialsOnly = false;
    }
    if (codePoint >= 0x80) isForeign = true;
    end += codePoint > 0xffff ? 2 : 1;
  }
  const isAbbreviation = hasInitialsOnly && !isMixed(allAlphabets);
  return mixed || isForeign && isSuspect && !isAbbreviation ? ~end : end;
}
