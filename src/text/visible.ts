/**
 * Makes untrusted text safe to show, with its tricks made visible. Pure.
 *
 * @module
 */

import { MARK, natureOf, readName, TRICK } from "./characters.ts";
import { Buffer } from "node:buffer";

/**
 * A text in the making. Where every character is escaped, a text has millions of pieces, and a string
 * concatenated from so many is slow to build and slow to read: a buffer collects small pieces.
 */
interface TextWriter {
  /** The finished part. */
  text: string;
  /** The next part, in UTF-16 units, of which `used` are in use. */
  readonly units: Uint16Array<ArrayBuffer>;
  used: number;
}

const CHUNK = 1 << 16;

/** Fewer units than this are copied faster than sliced. */
const SHORT = 64;

const [OPEN, U, PLUS, CLOSE] = [0x27e8, 0x55, 0x2b, 0x27e9] as const; // ⟨ U + ⟩

const DIGITS = Uint16Array.from("0123456789ABCDEF", (digit) => digit.charCodeAt(0));

function endText(writer: TextWriter): string {
  const { units, used } = writer;
  writer.text += Buffer.from(units.buffer, 0, 2 * used).toString("utf16le");
  writer.used = 0;
  return writer.text;
}

/** Adds the UTF-16 units of another text from `from` up to `to`. */
function addPart(writer: TextWriter, text: string, from: number, to: number): void {
  if (to - from >= SHORT) {
    writer.text = endText(writer) + text.slice(from, to);
    return;
  }
  if (writer.used + SHORT > CHUNK) endText(writer);
  for (let at = from; at < to; at++) writer.units[writer.used++] = text.charCodeAt(at);
}

/** Adds a character's code point, as `⟨U+202E⟩`. */
function addCodePoint(writer: TextWriter, codePoint: number): void {
  if (writer.used + SHORT > CHUNK) endText(writer);
  const { units } = writer;
  let used = writer.used;
  units[used++] = OPEN;
  units[used++] = U;
  units[used++] = PLUS;
  let shift = codePoint > 0xfffff ? 20 : codePoint > 0xffff ? 16 : 12;
  for (; shift >= 0; shift -= 4) units[used++] = DIGITS[codePoint >> shift & 15]!;
  units[used++] = CLOSE;
  writer.used = used;
}

/**
 * How a text is to be read. `"prose"`: words in any language. `"code"`: byte by byte, as diffs, files,
 * hosts and names are; there a letter beyond ASCII may imitate an ASCII one. `"path"`: a path that the
 * operator chose; letters of any language stay.
 */
export type TextKind = "prose" | "code" | "path";

interface VisibleOptions {
  /** How the text is to be read; `"prose"` unless given. */
  readonly kind?: TextKind;
  /** Shows LF as `↵`, so that the text stays on one line. */
  readonly oneLine?: boolean;
}

/** A text that is safe to show. */
export interface VisibleText {
  /** The text without control characters. LF is kept unless `oneLine` was set. */
  readonly text: string;
  /** How many characters are shown by their code point. TAB and LF have signs and do not count. */
  readonly escaped: number;
}

/** Nearly every text is ASCII without controls, and is returned as it is. */
const PLAIN = /^[\n\x20-\x7e]*$/;

const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DEL = 0x7f;

/** How many combining marks a character may have: some languages need three. */
const MOST_MARKS = 3;

/**
 * Escapes what {@linkcode visible} escapes, and in code every character beyond ASCII. Takes time linear in
 * the result: less than 100 ms for 5 MB in which every character is escaped.
 */
export function makeVisible(text: string, options: VisibleOptions = {}): VisibleText {
  const { kind = "prose", oneLine = false } = options;
  if (PLAIN.test(text)) {
    return { text: oneLine ? text.replaceAll("\n", "↵") : text, escaped: 0 };
  }
  const writer: TextWriter = { text: "", units: new Uint16Array(CHUNK), used: 0 };
  let escaped = 0;
  let kept = 0;
  // How many marks the character before has; the most, if no character before can have one.
  let marks = MOST_MARKS;
  let strict = kind === "code";
  let nameEnd = kind === "prose" ? 0 : text.length;
  for (let at = 0, next = 0; at < text.length; at = next) {
    const codePoint = text.codePointAt(at)!;
    next = at + (codePoint > 0xffff ? 2 : 1);
    if (at >= nameEnd) {
      const end = readName(text, at);
      strict = end < 0;
      nameEnd = strict ? ~end : end;
    }
    if (codePoint > SPACE && codePoint < DEL) {
      marks = 0;
      continue;
    }
    const nature = strict && codePoint > DEL ? TRICK : natureOf(codePoint);
    const isMark = (nature & MARK) !== 0;
    const hidden = (nature & TRICK) !== 0 || isMark && marks === MOST_MARKS;
    const sign = codePoint === TAB ? "⇥" : codePoint === LF && oneLine ? "↵" : "";
    marks = hidden || codePoint <= SPACE ? MOST_MARKS : isMark ? marks + 1 : 0;
    if (!hidden && sign === "") continue;
    if (kept < at) addPart(writer, text, kept, at);
    kept = next;
    if (sign !== "") addPart(writer, sign, 0, 1);
    else {
      addCodePoint(writer, codePoint);
      escaped++;
    }
  }
  addPart(writer, text, kept, text.length);
  return { text: endText(writer), escaped };
}

/**
 * Makes prose safe to print. Writes as `⟨U+202E⟩` every character that could move the cursor, hide,
 * reorder or imitate: controls and format characters, right-to-left letters, blanks other than the plain
 * space, a fourth combining mark in a row, a mark without a base, styled and full-width letters, letters
 * of scripts that few write, signs that no language needs, and those of this notation itself. In a name
 * that can be mistaken for another (`\u0430dmin`, where one letter is Cyrillic, or what could be a host, a
 * path, an address or an option) every character beyond ASCII is written so. TAB becomes `⇥`; LF is kept.
 *
 * @example A bidi override and a borrowed letter show themselves
 * ```ts
 * import { visible } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(visible("user\u202e // \u0430dmin"), "user⟨U+202E⟩ // ⟨U+0430⟩dmin");
 * assertEquals(visible("na\u00efve, 日本語, ⟨U+202E⟩"), "na\u00efve, 日本語, ⟨U+27E8⟩U+202E⟨U+27E9⟩");
 * ```
 *
 * @param text Any text.
 * @returns The text, with LF as its only control character.
 */
export function visible(text: string): string {
  return makeVisible(text).text;
}

/** Like {@linkcode visible}, for a diff, a file, a host or a name: escapes all beyond ASCII. */
export function visibleCode(text: string): string {
  return makeVisible(text, { kind: "code" }).text;
}

/** Like {@linkcode visible}, on one line: LF becomes `↵`. */
export function visibleLine(text: string, kind: TextKind = "prose"): string {
  return makeVisible(text, { kind, oneLine: true }).text;
}

/**
 * Like {@linkcode visibleLine}, for a sentence that may name some of the operator's own paths: their letters
 * stay where a path is whole, or the beginning of a longer one.
 */
export function visibleSentence(text: string, own: readonly string[], kind?: TextKind): string {
  const paths = own.filter((path) => !PLAIN.test(path))
    .map((path) => path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  if (paths.length === 0) return visibleLine(text, kind);
  const path = new RegExp(`(?<![^\\s"'(=])(${paths.join("|")})(?![^\\s"'),:;/])`);
  return text.split(path).map((part, n) => visibleLine(part, n % 2 === 0 ? kind : "path")).join("");
}
