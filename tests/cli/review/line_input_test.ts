import { addText, editLine, openPrompt, type Question } from "../../../cli/review/prompt.ts";
import { anyText } from "../../support/arbitraries.ts";
import { holds } from "../../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

for (
  const [line, key, expected] of [
    ["ab", "c", "abc"],
    ["ab", "backspace", "a"],
    ["ab", "delete", "a"],
    ["a\u{1f680}", "backspace", "a"],
    ["", "backspace", ""],
    ["one two  ", "ctrl-w", "one "],
    ["one", "ctrl-w", ""],
    ["one two", "ctrl-u", ""],
    ["a", "\u{1f680}", "a\u{1f680}"],
    // What has a name is no text.
    ["a", "left", "a"],
    ["a", "ctrl-z", "a"],
    ["a", "\x1b", "a"],
  ] as const
) {
  Deno.test(`editLine() makes ${JSON.stringify(expected)} of ${JSON.stringify(line)} by ${key}`, () =>
    assertEquals(editLine(line, key), expected));
}

Deno.test("addText() keeps one bounded line without a control character, whatever is pasted", () => {
  assertEquals(addText("a", "b\r\nc\td\x1b[2J\x9b"), "ab c d[2J");
  holds(fc.property(anyText, anyText, (line, text) => {
    const after = addText(addText("", line), text);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(after));
    assert(after.length <= 4_000);
  }));
});

/** A question that was asked, and what was said of what was typed. */
function asked(more: Partial<Question> = {}) {
  const refused: string[] = [];
  const typed: string[] = [];
  const typing = (text: string) => void typed.push(text);
  const question = { text: "Why?", about: ["dev-1/p1"], typing, ...more };
  return { prompt: openPrompt(question, (why) => refused.push(why)), refused, typed };
}

Deno.test("openPrompt() gives the line that was typed, and told every step of it", async () => {
  const { prompt, typed } = asked();
  for (const key of ["n", "o", "space", "x", "backspace", "return"]) prompt.press(key);
  assertEquals(await prompt.answered, "no ");
  assertEquals(typed, ["n", "no", "no ", "no x", "no "]);
});

for (const key of ["escape", "ctrl-c"]) {
  Deno.test(`openPrompt() is left unanswered by ${key}`, async () => {
    const { prompt } = asked();
    prompt.press("n");
    prompt.press(key);
    prompt.press("return");
    assertEquals(await prompt.answered, undefined);
  });
}

Deno.test("openPrompt() takes a paste as one line; a confirmation takes none", async () => {
  const { prompt, refused } = asked();
  prompt.paste("two\nlines");
  prompt.press("return");
  assertEquals([await prompt.answered, refused], ["two lines", []]);

  const confirmation = asked({ confirms: true });
  confirmation.prompt.paste("dev-1");
  confirmation.prompt.press("return");
  assertEquals(await confirmation.prompt.answered, "");
  assertEquals(confirmation.refused, ["Type it by hand: a pasted word confirms nothing."]);
});

Deno.test("openPrompt() takes an offer, which can be changed", async () => {
  const { prompt } = asked({ offers: ["first", "second"] });
  assertEquals(prompt.offer(), -1);
  for (const key of ["down", "down", "down"]) prompt.press(key);
  assertEquals([prompt.offer(), prompt.text()], [1, "second"]);
  prompt.press("up");
  for (const key of ["!", "return"]) prompt.press(key);
  assertEquals(await prompt.answered, "first!");
});

Deno.test("openPrompt() can be withdrawn, and takes no answer then", async () => {
  const { prompt } = asked();
  prompt.withdraw();
  for (const key of ["y", "return"]) prompt.press(key);
  assertEquals(await prompt.answered, undefined);
});
