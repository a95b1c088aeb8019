/**
 * Makes text that somebody else wrote harmless on a terminal, and its tricks visible. Pure.
 *
 * What is escaped is written as `⟨U+202E⟩`. Nobody can type that form: its brackets, and what looks like
 * them, are escaped themselves. So the text can be had back from what is shown, character by character,
 * and no two texts look alike.
 *
 * @module
 */

import { MARK, natureOf, TRICK } from "./characters.ts";
import { readName } from "./look_alikes.ts";
import { addCodePoint, addPart, endText, startText } from "./text_writer.ts";

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
 * @example A host that is not what it looks like
 * ```ts
 * import { makeVisible } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(makeVisible("+\u0430pi.github.com\n", { kind: "code" }), {
 *   text: "+⟨U+0430⟩pi.github.com\n",
 *   escaped: 1,
 * });
 * ```
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
