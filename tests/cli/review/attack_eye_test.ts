import { cut, fill } from "../../../cli/render/wrap.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;

/** Terminals take one cell or two for each of these, or three for a pair. */
const WIDE = ["漢", "я", "ᄀ\u0897", "🇩🇪", "क्ष", "ﷺ", "🏳🌈"].map((text) => text.repeat(30));

// Threat: A13
Deno.test("the row that keys are about is never wider than the screen, in any terminal", async () => {
  await using dir = await tempDir();
  for (const [n, justification] of WIDE.entries()) {
    await queueSample(dir.path, { id: `p${n}`, arrivalTimestamp: at(n), justification });
  }
  const { keys, screen } = await openTestApp(dir);
  for (const _ of WIDE) {
    for (const columns of [40, 80, 120]) {
      const row = screen({ columns }).split("\n").find((row) => row.startsWith(">"))!;
      assertEquals(cut(row, columns), row);
    }
    await keys("j");
  }
});

Deno.test("fill() ends early where a character may be wide", () => {
  assertEquals(fill("ab", 4), "ab  ");
  assertEquals(fill("я漢", 6), "я漢  ");
  assertEquals(fill("⟨U+202E⟩", 12), "⟨U+202E⟩  ");
  assertEquals(fill("abcdef", 4), "abcdef");
});

Deno.test("what went wrong stays on the row that it is about, whatever it quotes", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const words = "Cannot do it: no\n> approved p9 (dev-2)\n\u202e";
  const { app, keys, screen, wait } = await openTestApp(dir, {
    ports: { decide: () => Promise.reject(new Error(words)) },
  });
  await keys("return", "a");
  await wait(6_000);
  for (const _ of [1, 2]) {
    assertStringIncludes(screen(), "Cannot do it");
    assert(!/^> approved/m.test(screen()), screen());
    await keys("k");
  }
  assert(app.end().length > 0);
});

// Threat: A13
Deno.test("no id, however long, pushes what is odd off the table of several", async () => {
  await using dir = await tempDir();
  for (const end of ["a", "b"]) {
    const id = "x".repeat(127) + end; // They differ in the last character alone.
    await queueSample(dir.path, { id, proposedFile: "*.example.com\n" });
  }
  const { keys, screen } = await openTestApp(dir);
  await keys("x", "x", "a", "space", "space");
  assertEquals(
    screen({ columns: 80 }).match(/will be approved {2}│ dev-1 .* 1 high {2}id "x/g)?.length,
    2,
  );
});

Deno.test("what was not judged yet is not shown as if it had no marks", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "*.example.com\n" });
  const { screen } = await openTestApp(dir, { ports: { marksOf: () => undefined } });
  for (const columns of [40, 80]) {
    assert(
      /^> +\? .*│/m.test(screen({ columns })),
      screen({ columns }),
    );
  }
});
