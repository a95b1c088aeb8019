/**
 * Makes text that somebody else wrote harmless on a terminal, and its tricks visible. Pure.
 *
 * @module
 */

/**
 * What is shown by name instead of by effect: controls and format characters (ESC, CR, BS, bidi
 * overrides, zero-width characters, unassigned and private code points, lone surrogates), line and
 * paragraph separators, what renderers ignore or leave blank, every space but the plain one, a
 * fourth combining mark in a row, a mark without a base, and the two brackets and the arrows that
 * surfaces of ours write, so that nobody can type them. LF stays.
 */
const TRICKS = new RegExp(
  [
    "(?!\\n)[\\p{C}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800\\u{1D159}\\uFFFC\\u{133FC}]",
    "(?! )\\p{Zs}",
    "(?<=\\p{M}{3})\\p{M}",
    "(?<=^|[\\n\\p{C}\\p{Z}])\\p{M}",
    "[\\u27E8\\u27E9\\u21E5\\u21AA]",
  ].join("|"),
  "gu",
);

/** ASCII without controls needs no second look, and is nearly everything. */
const PLAIN = /^[\n\x20-\x7e]*$/;

/**
 * Makes untrusted text safe to print: every character that could move the cursor, hide, reorder or
 * imitate is written as `⟨U+202E⟩`; TAB as `⇥`. The brackets and the arrow are themselves escaped
 * where the text has them, so the form cannot be forged. LF is kept; see {@linkcode visibleLine}.
 *
 * @example A bidi override shows itself
 * ```ts
 * import { visible } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(visible("user\u202e // admin"), "user⟨U+202E⟩ // admin");
 * ```
 *
 * @param text Any text.
 * @returns Text without a control character but LF.
 */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(TRICKS, (trick) => {
    if (trick === "\t") return "⇥";
    const code = trick.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return `⟨U+${code}⟩`;
  });
}

/**
 * Makes untrusted text safe to print within one line: as {@linkcode visible}, and LF as `⟨U+000A⟩`.
 *
 * @param text Any text.
 * @returns One line.
 */
export function visibleLine(text: string): string {
  return visible(text).replaceAll("\n", "⟨U+000A⟩");
}
