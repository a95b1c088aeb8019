import { renderDiff } from "../../mod.ts";
import { shortText } from "../support/arbitraries.ts";
import { holds } from "../support/properties.ts";
import { run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

Deno.test("renderDiff() gives the empty text for no change", () => {
  assertEquals(renderDiff("", ""), "");
  assertEquals(renderDiff("a\nb", "a\nb"), "");
});

Deno.test("renderDiff() labels the files, and gives three lines of context", () => {
  const before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  assertEquals(
    renderDiff(before, before.replace("5", "five"), { label: "routes.json" }),
    `--- routes.json (current)
+++ routes.json (proposed)
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
`,
  );
});

Deno.test("renderDiff() joins hunks whose context touches, and parts those that do not", () => {
  const lines = Array.from({ length: 30 }, (_, n) => `${n}\n`);
  const change = (...at: number[]) => lines.map((line, n) => at.includes(n) ? `!${line}` : line);
  const hunks = (after: string[]) =>
    renderDiff(lines.join(""), after.join("")).split("\n").filter((line) => line.startsWith("@@"));
  assertEquals(hunks(change(5, 12)), ["@@ -3,14 +3,14 @@"]);
  assertEquals(hunks(change(5, 13)), ["@@ -3,7 +3,7 @@", "@@ -11,7 +11,7 @@"]);
});

Deno.test("renderDiff() says where a final LF is missing, on either side", () => {
  const marker = "\\ No newline at end of file";
  const body = (diff: string) => diff.split("\n").slice(3, -1);
  assertEquals(body(renderDiff("a", "a\n")), ["-a", marker, "+a"]);
  assertEquals(body(renderDiff("a\n", "a")), ["-a", "+a", marker]);
  assertEquals(body(renderDiff("a\nb", "A\nb")), ["-a", "+A", " b", marker]);
  assertEquals(body(renderDiff("", "x")), ["+x", marker]);
});

Deno.test("renderDiff() ends lines at LF alone, so that the carriage return shows", () => {
  const diff = renderDiff("a\r\nb\u2028c\n", "a\nb\u2028c\n");
  assertEquals(diff.split("\n").slice(3, -1), ["-a\r", "+a", " b\u2028c"]);
});

/** Takes a diff back apart: what `patch` would make of `before`. */
async function apply(program: "patch" | "git", before: string, diff: string): Promise<string> {
  await using dir = await tempDir();
  const name = program === "git" ? "config (proposed)" : "file";
  await Deno.writeTextFile(dir.at(name), before);
  await Deno.writeTextFile(dir.at("diff"), diff);
  const { code, out, err } = program === "git"
    ? await run("git", ["apply", "-p0", "--whitespace=nowarn", "diff"], {
      cwd: dir.path,
      env: { GIT_CEILING_DIRECTORIES: dir.path },
    })
    : await run("patch", ["--binary", "--no-backup-if-mismatch", name, "diff"], { cwd: dir.path });
  assertEquals(code, 0, out + err);
  // Both may remove a file that has become empty.
  return await Deno.readTextFile(dir.at(name)).catch(() => "");
}

const PAIRS: readonly (readonly [string, string])[] = [
  ["a\nb\nc\n", "a\nB\nc\n"],
  ["", "x\n"],
  ["x\n", ""],
  ["a", "a\n"],
  ["a\nb", "a\nc"],
  ["a\n\n", "a\n\n\n"],
  ["a\r\nb\r\n", "a\nb\n"],
  ["--- a\n+++ b\n", "+++ b\n--- a\n@@ -1 +1 @@\n"],
  [
    Array.from({ length: 50 }, (_, n) => n).join("\n"),
    Array.from({ length: 50 }, (_, n) => n % 9 ? n : -n).join("\n"),
  ],
  // Too much has moved for a small diff.
  [
    Array.from({ length: 3000 }, (_, n) => n).join("\n"),
    Array.from({ length: 3000 }, (_, n) => 3000 - n).join("\n"),
  ],
];

/** Lines that a program could take for its own. */
const DIFF_LIKE = [
  ...[
    "\\ No newline at end of file",
    "- x",
    "--- a",
    "+++ a",
    "@@ -1 +1 @@",
    "*** 1,2 ****",
    "1c1",
  ],
  ...["< a", "diff --git a/a b/a", "Index: a", "Prereq: a", "GIT binary patch", "rename from a"],
];

for (const program of ["patch", "git"] as const) {
  const ignore = isMissing(program);

  for (const [n, [before, after]] of PAIRS.entries()) {
    Deno.test(`${program} accepts renderDiff(), pair ${n}`, { ignore }, async () => {
      assertEquals(await apply(program, before, renderDiff(before, after)), after);
    });
  }

  // Threat: A7
  Deno.test(
    `${program} makes the new file out of the old one and renderDiff()`,
    { ignore },
    async () => {
      // What a diff is made of, what ends a line elsewhere, and any text that a file can hold: half
      // a surrogate pair cannot be written as UTF-8.
      const line = fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "", "\t", "é", "a\r", "a\u2028b") },
        { weight: 2, arbitrary: fc.constantFrom(...DIFF_LIKE) },
        { weight: 1, arbitrary: shortText.map((text) => text.toWellFormed()) },
      );
      const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
        .map(([lines, end]) => lines.join("\n") + (end ? "\n" : ""));
      await holds(
        fc.asyncProperty(text, text, async (before, after) => {
          fc.pre(before !== after);
          assertEquals(await apply(program, before, renderDiff(before, after)), after);
        }),
        60,
      );
    },
  );
}

/** Reads the new file out of a diff with unlimited context; here: every line is in some hunk. */
function newSide(diff: string): string {
  let text = "";
  for (const line of diff.split("\n").slice(2, -1)) {
    if (line.startsWith("\\")) text = text.slice(0, -1);
    else if (line[0] === "+" || line[0] === " ") text += `${line.slice(1)}\n`;
  }
  return text;
}

const MiB = 1024 * 1024;

const HOSTILE: readonly (readonly [string, () => readonly [string, string]])[] = [
  ["disjoint lines", () => [numbered("a", 120_000), numbered("b", 120_000)]],
  ["the same lines reversed", () => [numbered("", 150_000), numbered("", 150_000, true)]],
  ["one line of 1 MiB", () => ["x".repeat(MiB), "y".repeat(MiB)]],
  ["CRLF against LF", () => ["ab\r\n".repeat(MiB / 4), "ab\n".repeat(MiB / 4)]],
  ["blank lines against others", () => ["\n".repeat(MiB), "a\n".repeat(MiB / 2)]],
];

function numbered(prefix: string, count: number, reversed = false): string {
  const lines = Array.from({ length: count }, (_, n) => prefix + n.toString(36));
  return (reversed ? lines.reverse() : lines).join("\n") + "\n";
}

for (const [what, files] of HOSTILE) {
  // Threat: A8
  Deno.test(`renderDiff() is true for ${what}, and the same each time`, () => {
    const [before, after] = files();
    const diff = renderDiff(before, after);
    assertEquals(newSide(diff) === after, true);
    assert(diff === renderDiff(before, after));
  });
}

Deno.test("renderDiff() names the line before an empty range", () => {
  const rangeOf = (before: string, after: string) => renderDiff(before, after).split("\n")[2];
  assertEquals(rangeOf("", "a\n"), "@@ -0,0 +1 @@");
  assertEquals(rangeOf("a\nb\n", ""), "@@ -1,2 +0,0 @@");
});
