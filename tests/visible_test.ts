import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { visible, visibleLine } from "../mod.ts";

const ESC = "\x1b";

for (
  const [what, text, shown] of [
    ["plain text", "Open api.github.com, please.\n", "Open api.github.com, please.\n"],
    ["accents, as one character or two", "naïve cafe\u0301", "naïve cafe\u0301"],
    ["a bidi override", "a\u202eb", "a⟨U+202E⟩b"],
    ["bidi isolates", "\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"],
    ["zero-width characters", "gith\u200bub\ufeff", "gith⟨U+200B⟩ub⟨U+FEFF⟩"],
    ["a colour", `${ESC}[31mred`, "⟨U+001B⟩[31mred"],
    ["a link", `${ESC}]8;;http://x${ESC}\\y`, "⟨U+001B⟩]8;;http://x⟨U+001B⟩\\y"],
    ["the clipboard", `${ESC}]52;c;eA==\x07`, "⟨U+001B⟩]52;c;eA==⟨U+0007⟩"],
    ["C1 controls", "\u009b31m", "⟨U+009B⟩31m"],
    ["carriage return", "safe\rEVIL", "safe⟨U+000D⟩EVIL"],
    ["backspace", "evil\b\b\b\bgood", "evil⟨U+0008⟩⟨U+0008⟩⟨U+0008⟩⟨U+0008⟩good"],
    ["a tab", "a\tb", "a⇥b"],
    ["a typed arrow", "a⇥b", "a⟨U+21E5⟩b"],
    ["a typed escape", "⟨U+202E⟩", "⟨U+27E8⟩U+202E⟨U+27E9⟩"],
    ["no-break space", "a\u00a0b", "a⟨U+00A0⟩b"],
    ["the braille blank", "\u2800", "⟨U+2800⟩"],
    ["the Hangul filler", "\u3164", "⟨U+3164⟩"],
    ["line and paragraph separators", "\u2028\u2029", "⟨U+2028⟩⟨U+2029⟩"],
    ["half a pair", "\ud800", "⟨U+D800⟩"],
    ["tag characters", "\u{e0041}", "⟨U+E0041⟩"],
    ["private use", "\ue000", "⟨U+E000⟩"],
    ["stacked marks", `a${"\u0301".repeat(5)}`, "a\u0301\u0301\u0301⟨U+0301⟩⟨U+0301⟩"],
    ["a mark without a base", "\u0301a\n\u0301", "⟨U+0301⟩a\n⟨U+0301⟩"],
    ["NUL and DEL", "\0\x7f", "⟨U+0000⟩⟨U+007F⟩"],
  ] as const
) {
  Deno.test(`visible() shows ${what}`, () => assertEquals(visible(text), shown));
}

Deno.test("visible() leaves no control character in any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u.test(visible(text)));
  }));
});

Deno.test("visible() shows different texts differently", () => {
  const tricky = fc.string({
    unit: fc.constantFrom("a", "⟨", "⟩", "U+202E", "\u202e", "\t", "⇥", "\n", "é"),
  });
  fc.assert(fc.property(tricky, tricky, (a, b) => {
    if (a !== b) assert(visible(a) !== visible(b));
  }));
});

Deno.test("visibleLine() gives one line", () => {
  assertEquals(visibleLine("a\nb"), "a⟨U+000A⟩b");
});
