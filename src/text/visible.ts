/**
 * Writes a text piece by piece. Pure. Where every character is escaped, a text has millions of pieces, and
 * a string put together of that many is slow to make and slow to read; so small ones are collected in
 * a buffer.
 *
 * @module
 */

import { MARK, natureOf, readName, TRICK } from "./characters.ts";
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

const [OPEN, U, PLUS, CLOSE] = [0x27e8, 0x55, 0x2b, 0x27e9] as const;

// ⟨ U + ⟩
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

/**
 * How a text is meant to be read. `"prose"`: in any language. `"code"`: byte by byte, as diffs, files,
 * hosts and names are, where a letter beyond ASCII may be there to look like one in it.
 */
export type TextKind = "prose" | "code";

/** How a text is shown. */
export interface VisibleOptions {
  /** How it is meant to be read; `"prose"` unless given. */
  readonly kind?: TextKind;
  /** Whether it must stay on one line: LF is shown as `↵`. */
  readonly oneLine?: boolean;
}

/** A text as it can be shown. */
export interface VisibleText {
  /** The text, without a control character; LF is kept unless it must be one line. */
  readonly text: string;
  /** How many of its characters are shown by their code point. TAB and LF have signs, and do not count. */
  readonly escaped: number;
}

/** ASCII without controls needs no second look, and is nearly everything. */
const PLAIN = /^[\n\x20-\x7e]*$/;

const LF = 0x0a;

const TAB = 0x09;

const SPACE = 0x20;

const DEL = 0x7f;

/** How many marks a character may carry: there are languages that need three. */
const MOST_MARKS = 3;

/**
 * Makes untrusted text safe to show, and counts what was escaped.
 *
 * Shown by code point, as `⟨U+202E⟩`: whatever could move the cursor, hide, reorder or imitate (see
 * {@linkcode visible}); in code, every character beyond ASCII. TAB is shown as `⇥`. Takes time linear in
 * what it returns: for 5 MB less than 100 ms, tricks and all.
 *
 * @param text Any text.
 * @param options What it is, and whether it must be one line.
 * @returns What to show, and the count for a badge.
 */
export function makeVisible(text: string, options: VisibleOptions = {}): VisibleText {
  const { kind = "prose", oneLine = false } = options;
  if (PLAIN.test(text)) {
    return { text: oneLine ? text.replaceAll("\n", "↵") : text, escaped: 0 };
  }
  const writer = startText();
  let escaped = 0;
  let kept = 0;
  // How many marks the character before carries; as many as it may, where there is none to carry one.
  let marks = MOST_MARKS;
  let strict = kind === "code";
  let nameEnd = strict ? text.length : 0;
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
    const nature = natureOf(codePoint);
    const isMark = (nature & MARK) !== 0;
    const hidden = (nature & TRICK) !== 0 || strict && codePoint > DEL ||
      isMark && marks === MOST_MARKS;
    const sign = codePoint === TAB ? "⇥" : codePoint === LF && oneLine ? "↵" : "";
    marks = hidden || codePoint <= SPACE ? MOST_MARKS : isMark ? marks + 1 : 0;
    if (!hidden && sign === "") continue;
    addPart(writer, text, kept, at);
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
 * Makes prose safe to print. Every character that could move the cursor, hide, reorder or imitate is
 * written as `⟨U+202E⟩`: controls and format characters, blanks that are no plain space, a fourth
 * combining mark in a row, a mark without a base, and the brackets and signs in which we write that. A
 * name that can be mistaken for another, `\u0430dmin` in which one letter is Cyrillic or a host in letters
 * beyond ASCII, is shown as {@linkcode visibleCode} does. TAB is shown as `⇥`, LF is kept.
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
 * @returns Text without a control character but LF.
 */
export function visible(text: string): string {
  return makeVisible(text).text;
}

/**
 * Makes a diff, a file, a host or a name safe to print: as {@linkcode visible}, and every character
 * beyond ASCII is written by its code point, since it may be there to look like another one.
 *
 * @param text Any text.
 * @returns Printable ASCII, LF, and our signs.
 */
export function visibleCode(text: string): string {
  return makeVisible(text, { kind: "code" }).text;
}

/**
 * Makes untrusted text safe to print within one line: as {@linkcode visible}, and LF as `↵`.
 *
 * @param text Any text.
 * @param kind How it is meant to be read.
 * @returns One line.
 */
export function visibleLine(text: string, kind: TextKind = "prose"): string {
  return makeVisible(text, { kind, oneLine: true }).text;
}
