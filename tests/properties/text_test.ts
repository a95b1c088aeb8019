import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { renderDiff, visible, visibleLine } from "../../mod.ts";
import { instantOf } from "../../src/instant.ts";
import { cut, wrap } from "../../cli/wrap.ts";
import { anyText, shortText, textOf } from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";

/** What no terminal may get, half of a pair too. */
const HARMFUL = /(?!\n)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

Deno.test("visible() and visibleLine() leave nothing harmful in any text, and every line a line", () => {
  holds(fc.property(anyText, (text) => {
    const shown = visible(text);
    assert(!HARMFUL.test(shown));
    assertEquals(shown.split("\n").length, text.split("\n").length);
    assert(!HARMFUL.test(visibleLine(text)) && !visibleLine(text).includes("\n"));
  }));
});

Deno.test("visible() shows different texts differently, tricks and halves of pairs too", () => {
  const nearly = fc.tuple(shortText, shortText, shortText)
    .map(([a, b, c]) => [a + c, a + b + c] as const);
  holds(
    fc.property(nearly, ([a, b]) => {
      assertEquals(visible(a) === visible(b), a === b);
      assertEquals(visibleLine(a) === visibleLine(b), a === b);
    }),
    500,
  );
});

Deno.test("wrap() and cut() keep within the screen, and every row behind its margin", () => {
  const margin = fc.constantFrom("", "│ ", "+", "-");
  const line = shortText.map(visibleLine).chain((text) => fc.constant(text.repeat(3)));
  holds(fc.property(line, margin, fc.integer({ min: 20, max: 100 }), (line, margin, columns) => {
    const rows = wrap(margin, line, columns);
    const sign = margin[0] ?? " ";
    assert(rows.every((row, n) => row.startsWith(n === 0 ? margin : `${sign}↪`)));
    assertEquals(
      rows.map((row, n) => row.slice(n === 0 ? margin.length : 2)).join(""),
      line,
    );
    for (const row of [...rows, cut(line, columns)]) assert([...row].length <= columns);
  }));
});

const timestamp = textOf(
  ..."0123456789:.-+TZ ",
  "2026-11-22T10:49:36",
  ".924880",
  "+00:00",
  "+05:30",
  "Z",
  "10:49:36",
  "275760-09-13T00:00:00",
  "Nov 22 2026",
);

Deno.test("instantOf() gives an instant or infinity, never NaN, for any text", () => {
  const contract = documented("src/instant.ts", "instantOf");
  holds(fc.property(fc.oneof({ weight: 4, arbitrary: timestamp }, anyText), (text) => {
    const instant = attempt(contract, () => instantOf(text));
    assert(typeof instant === "number" && !Number.isNaN(instant));
  }));
});

Deno.test("instantOf() orders what either writer wrote by time", () => {
  const micros = fc.integer({ min: 0, max: 4e15 });
  const written = (us: number, python: boolean) => {
    const iso = new Date(Math.floor(us / 1000)).toISOString();
    const fraction = String(us % 1_000_000).padStart(6, "0");
    return python ? iso.replace(/\.\d+Z$/, `.${fraction}+00:00`) : iso;
  };
  holds(fc.property(micros, micros, fc.boolean(), (a, b, python) => {
    const [first, second] = [a, b].map((us) => instantOf(written(us, python)));
    const unit = python ? 1 : 1000;
    assertEquals(
      Math.sign(first! - second!),
      Math.sign(Math.floor(a / unit) - Math.floor(b / unit)),
    );
  }));
});

/** Lines, each with its LF, if it has one. */
const linesOf = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** What a diff makes of the old file, by its line numbers and signs. */
function patched(before: string, diff: string): string {
  const old = linesOf(before);
  const out: string[] = [];
  let at = 0;
  const lines = diff.split("\n").slice(2, -1);
  for (const [n, line] of lines.entries()) {
    const text = line.slice(1) + (lines[n + 1]?.startsWith("\\") ? "" : "\n");
    if (line.startsWith("@")) {
      const [, from, count] = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line)!;
      const start = count === "0" ? Number(from) : Number(from) - 1;
      while (at < start) out.push(old[at++]!);
    } else if (!line.startsWith("\\")) {
      if (!line.startsWith("+")) assertEquals(text, old[at++]);
      if (!line.startsWith("-")) out.push(text);
    }
  }
  return [...out, ...old.slice(at)].join("");
}

Deno.test("renderDiff() never fails, and its diff makes the new file of the old one, for any texts", () => {
  const contract = documented("mod.ts", "renderDiff");
  const near = fc.tuple(anyText, shortText, fc.nat(100))
    .map(([text, insert, at]) => [text, text.slice(0, at) + insert + text.slice(at + 3)] as const);
  holds(fc.property(fc.oneof(near, fc.tuple(anyText, anyText)), ([before, after]) => {
    const diff = attempt(contract, () => renderDiff(before, after))!;
    assertEquals(diff === "", before === after);
    if (diff !== "") assert(patched(before, diff) === after);
  }));
});
