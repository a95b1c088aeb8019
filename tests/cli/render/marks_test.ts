import { diffBlocks, renderMarks } from "../../../cli/render/diff.ts";
import { paintMarks } from "../../../cli/render/pending.ts";
import { makeStyle, paintPart } from "../../../cli/render/style.ts";
import { renderBlocks } from "../../../cli/render/wrap.ts";
import { type Mark, renderDiff } from "../../../mod.ts";
import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";

const STYLE = makeStyle(false);

const mark = (side: Mark["side"], line: number, severity: Mark["severity"] = "high"): Mark => ({
  severity,
  rule: "a-rule",
  message: `${side} ${line}`,
  side,
  line,
});

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `line ${n + 1}`);

Deno.test("diffBlocks() puts each mark below its line, in every hunk", () => {
  const before = numbered(30);
  const after = before.with(1, "two").with(27, "@@ -1 +1 @@").toSpliced(20, 0, "more");
  const diff = renderDiff(`${before.join("\n")}\n`, after.join("\n"));
  const marks = [
    mark("old", 2, "low"),
    mark("new", 2),
    mark("new", 4, "medium"),
    mark("new", 12), // in no hunk
    mark("new", 21),
    mark("old", 28),
    mark("new", 29),
    mark("new", 31),
  ];
  const lines = renderBlocks(diffBlocks(diff, marks), 80, STYLE);
  const below = lines.flatMap((line, n) => line.startsWith("!") ? [[lines[n - 1], line]] : []);
  assertEquals(below, [
    ["- 2 line 2", "! low     old 2"],
    ["+ 2 two", "! high    new 2"],
    ["  4 line 4", "! medium  new 4"],
    ["+21 more", "! high    new 21"],
    ["-28 line 28", "! high    old 28"],
    ["+29 @@ -1 +1 @@", "! high    new 29"],
    ["+31 line 30", "! high    new 31"],
  ]);
  assertEquals(
    lines.filter((line) => !line.startsWith("!")),
    renderBlocks(diffBlocks(diff), 80, STYLE),
  );
});

Deno.test("renderMarks() says on which line of which file each is, in rows of its own", () => {
  const long = { ...mark("new", 3), message: "x".repeat(40) };
  assertEquals(renderMarks([long, mark("old", 7, "low")], 40, STYLE), [
    "! high    line 3: xxxxxxxxxxxxxxxxxxxxx",
    "!↪xxxxxxxxxxxxxxxxxxx",
    "! low     old line 7: old 7",
  ]);
});

Deno.test("a removed line and a high mark differ in their colours, and in their signs without any", () => {
  const marks = [mark("old", 1)];
  const blocks = diffBlocks("--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n", marks);
  const [removed, high] = renderBlocks(blocks, 80, makeStyle(true)).slice(-2);
  const paintOf = (row: string) => row.slice(0, row.search(/[-!]/));
  assertNotEquals(paintOf(removed!), paintOf(high!));
  const [plainRemoved, plainHigh] = renderBlocks(blocks, 80, STYLE).slice(-2);
  assertEquals([plainRemoved![0], plainHigh!.slice(0, 6)], ["-", "! high"]);
});

Deno.test("a row of the list is painted by its most severe mark, and says it", () => {
  const style = makeStyle(true);
  const painted = (severity: Mark["severity"]) =>
    paintMarks([mark("new", 1, severity)], style)("x");
  assertEquals(new Set([painted("high"), painted("medium"), style.red("x"), "x"]).size, 4);
  assertEquals(paintPart("ab cd", 3, 9, style.red), `ab ${style.red("cd")}`);
  assertEquals(paintPart("ab", 3, 9, style.red), "ab");
});

// Threat: A7
Deno.test("diffBlocks() shows two lines that differ in rows that differ, also without their last blanks", () => {
  const rowsOf = (line: string, columns: number) => {
    const rows = renderBlocks(diffBlocks(renderDiff("", `${line}\n`)), columns, STYLE);
    return rows.slice(rows.findIndex((row) => row.startsWith("@@")) + 1).map((row) =>
      row.trimEnd()
    );
  };
  assertEquals(rowsOf("iptables -A OUTPUT \\ ", 80), ["+1 iptables -A OUTPUT \\·"]);
  assertEquals(rowsOf("  ", 80), ["+1 ··"]);
  // A blank where a row ends is at the beginning of the next.
  assertEquals(rowsOf("rm -rf /aaa bbb/ ccc", 20), ["+1 rm -rf /aaa bbb/", "+↪ ccc"]);
  const signs = `+↪${"·".repeat(8)}`;
  assertEquals(rowsOf(`a${" ".repeat(24)}b`, 20), ["+1 a", signs, signs, `+↪${" ".repeat(8)}b`]);
  const line = fc.string({
    unit: fc.constantFrom("a", "\\", " ", " ", "\t", "·", "↪"),
    maxLength: 60,
  });
  fc.assert(fc.property(line, line, fc.integer({ min: 20, max: 50 }), (one, other, columns) => {
    if (one === other) assertEquals(rowsOf(one, columns), rowsOf(other, columns));
    else assertNotEquals(rowsOf(one, columns), rowsOf(other, columns));
  }));
  const twins = fc.tuple(line, fc.nat(3), fc.nat(3)).filter(([, a, b]) => a !== b);
  fc.assert(fc.property(twins, fc.integer({ min: 20, max: 50 }), ([text, a, b], columns) => {
    assertNotEquals(
      rowsOf(text + " ".repeat(a), columns),
      rowsOf(text + " ".repeat(b), columns),
    );
  }));
});
