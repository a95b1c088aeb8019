import { renderDiff } from "../../../mod.ts";
import { diffBlocks } from "../../../cli/render/diff.ts";
import { makeStyle } from "../../../cli/render/style.ts";
import type { Block } from "../../../cli/render/wrap.ts";
import { openViewport, type Viewport } from "../../../cli/review/viewport.ts";
import { holds } from "../../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const PLAIN = makeStyle(false);

/** Blocks of some rows each; a narrow screen breaks each row in two. */
function blocksOf(counts: readonly number[]): Block[] {
  return counts.map((count, block) => (columns) =>
    Array.from({ length: columns < 40 ? 2 * count : count }, (_, row) => `${block}.${row}`)
  );
}

type Step = (viewport: Viewport) => void;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: -30, max: 30 }).map((by) => (p: Viewport) => p.scroll(by)),
  },
  { weight: 1, arbitrary: fc.constant((p: Viewport) => p.scroll(-Infinity)) },
  { weight: 1, arbitrary: fc.constant((p: Viewport) => p.scroll(Infinity)) },
);

Deno.test("rows() is always as many rows as fit, one after the other as in the whole text", () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(20, 80));
  holds(fc.property(
    fc.array(fc.nat(5), { maxLength: 12 }),
    fc.array(fc.tuple(step, size), { minLength: 1, maxLength: 20 }),
    (counts, steps) => {
      const blocks = blocksOf(counts);
      const viewport = openViewport(blocks, PLAIN);
      for (const [take, [height, columns]] of steps) {
        take(viewport);
        const all = blocks.flatMap((block) => block(columns, PLAIN));
        const rows = viewport.rows(height, columns);
        assertEquals(rows.length, Math.min(height, all.length));
        const from = rows.length === 0 ? 0 : all.indexOf(rows[0]!);
        assertEquals(rows, all.slice(from, from + rows.length));
      }
    },
  ));
});

Deno.test("scroll() reaches each row, forwards and backwards, a row at a time", () => {
  const viewport = openViewport(blocksOf([3, 0, 1, 4]), PLAIN);
  const tops = (by: number) =>
    Array.from({ length: 8 }, () => {
      const [top] = viewport.rows(2, 80);
      viewport.scroll(by);
      return top;
    });
  const down = ["0.0", "0.1", "0.2", "2.0", "3.0", "3.1", "3.2", "3.2"];
  assertEquals(tops(1), down);
  assertEquals(tops(-1), ["3.2", "3.1", "3.0", "2.0", "0.2", "0.1", "0.0", "0.0"]);
});

/** Changed lines of some rows each, between headers and lines that stay; on a narrow screen twice as many. */
function changesOf(counts: readonly number[]): Block[] {
  return blocksOf(counts).flatMap((block): Block[] => [
    () => ["@@"],
    Object.assign(block, { counts: "line" as const }),
    () => [" stays"],
  ]);
}

/** Shows a frame for long enough. */
function look(viewport: Viewport, height: number, columns: number): void {
  viewport.rows(height, columns);
  viewport.stood();
}

Deno.test("a changed line was seen once all its rows were on the screen, and not by a jump over it", () => {
  const viewport = openViewport(changesOf(Array(20).fill(1)), PLAIN);
  assertEquals(viewport.seenInWords(), "0 of 20 changed lines seen");
  look(viewport, 6, 80);
  assertEquals(viewport.seenInWords(), "2 of 20 changed lines seen");
  viewport.scroll(Infinity);
  assertEquals(viewport.seenInWords(), "2 of 20 changed lines seen"); // Nothing was shown there yet.
  look(viewport, 6, 80);
  assertEquals(viewport.seenInWords(), "4 of 20 changed lines seen");
  viewport.scroll(-Infinity);
  look(viewport, 60, 80);
  assertEquals(viewport.seenInWords(), "20 of 20 changed lines seen");
});

Deno.test("a frame that is replaced before it stood counts nothing, in words neither", () => {
  const viewport = openViewport(changesOf(Array(20).fill(1)), PLAIN);
  viewport.rows(6, 80);
  assertEquals(viewport.seenInWords(), "0 of 20 changed lines seen");
  viewport.scroll(Infinity);
  viewport.rows(6, 80);
  viewport.stood();
  assertEquals(viewport.seenInWords(), "2 of 20 changed lines seen");
  viewport.scroll(-Infinity);
  viewport.rows(6, 80);
  viewport.begin(); // A frame without the text.
  viewport.stood();
  assertEquals(viewport.seenInWords(), "2 of 20 changed lines seen");
});

Deno.test("a line of many rows was seen once each of them was on the screen, at one width", () => {
  const viewport = openViewport(changesOf([30]), PLAIN);
  look(viewport, 11, 80);
  viewport.scroll(20);
  look(viewport, 11, 80); // Rows 19 to 29: of 10 to 18 none was there.
  assertEquals(viewport.hasUnseen(), true);
  viewport.scroll(-10);
  look(viewport, 5, 80);
  assertEquals(viewport.hasUnseen(), true);
  // On a narrower screen it has other rows.
  look(viewport, 11, 30);
  look(viewport, 11, 80);
  viewport.scroll(14);
  look(viewport, 5, 80); // Rows 14 to 18, the last that lacked before.
  assertEquals(viewport.hasUnseen(), true);
  viewport.scroll(-Infinity);
  look(viewport, 32, 80);
  assertEquals(viewport.hasUnseen(), false);
  look(viewport, 5, 30);
  assertEquals(viewport.hasUnseen(), false); // What was read is read.
});

Deno.test("toUnseen() leads through all that was not seen, in any order of jumps, on any screen", () => {
  holds(fc.property(
    fc.array(fc.nat(9), { maxLength: 12 }),
    fc.array(step, { maxLength: 6 }),
    fc.integer({ min: 1, max: 12 }),
    fc.constantFrom(20, 80),
    (counts, steps, height, columns) => {
      const viewport = openViewport(changesOf(counts.map((count) => count + 1)), PLAIN);
      for (const take of steps) {
        take(viewport);
        look(viewport, height, columns);
      }
      look(viewport, height, columns);
      const most = counts.reduce((sum, count) => sum + 2 * (count + 1), 0);
      for (let presses = 0; viewport.hasUnseen(); presses++) {
        assert(presses <= most, `${presses} times, and not all was seen`);
        assert(viewport.toUnseen());
        look(viewport, height, columns);
      }
      assert(!viewport.toUnseen());
      const all = counts.length;
      const lines = all === 1 ? "line" : "lines";
      assertEquals(viewport.seenInWords(), `${all} of ${all} changed ${lines} seen`);
    },
  ));
});

Deno.test("toUnseen() leads to what comes next, and back to the beginning only from the end", () => {
  const viewport = openViewport(changesOf(Array(20).fill(1)), PLAIN);
  look(viewport, 1, 80);
  viewport.scroll(30);
  assert(viewport.toUnseen());
  assert(viewport.rows(6, 80).includes("10.0"));
  viewport.scroll(Infinity);
  look(viewport, 6, 80);
  assert(viewport.toUnseen());
  assert(viewport.rows(6, 80).includes("0.0"));
});

Deno.test("what has an age is made anew on each screen", () => {
  let age = 0;
  const live: Block = Object.assign(() => [`${++age} s ago`], { isLive: true });
  const viewport = openViewport([live, () => ["stays"]], PLAIN);
  const first = viewport.rows(5, 80);
  const second = viewport.rows(5, 80);
  assert(first[0] !== second[0]);
});

Deno.test("a narrower screen goes on in the block that was at its top", () => {
  const viewport = openViewport(blocksOf([3, 3, 3, 3, 3]), PLAIN);
  viewport.rows(3, 80);
  viewport.scroll(7);
  assertEquals(viewport.rows(3, 80)[0], "2.1");
  assertEquals(viewport.rows(3, 30)[0], "2.0");
  assertEquals(viewport.rows(3, 80)[0], "2.0");
});

Deno.test("a text of five megabytes makes only the rows that are looked at", () => {
  const made = new Set<number>();
  const lines = Array.from({ length: 100_000 }, (_, n) => `${n}`.padEnd(50, "."));
  const viewport = openViewport(
    lines.map((line, n) => () => {
      made.add(n);
      return [line];
    }),
    PLAIN,
  );
  assertEquals(viewport.rows(40, 80), lines.slice(0, 40));
  viewport.scroll(Infinity);
  assertEquals(viewport.rows(40, 80), lines.slice(-40));
  viewport.scroll(-40);
  assertEquals(viewport.rows(40, 80), lines.slice(-80, -40));
  assert(made.size < 300, `${made.size}`);
});

Deno.test("a changed line was seen with the row that says that it has no LF, and not without it", () => {
  const viewport = openViewport(diffBlocks(renderDiff("x\n", "x")), PLAIN);
  assertEquals(viewport.rows(5, 80).at(-1), "+1 x");
  viewport.stood();
  assertEquals(viewport.seenInWords(), "1 of 2 changed lines seen");
  assertEquals(viewport.rows(6, 80).at(-1), "\\ No newline at end of file");
  viewport.stood();
  assertEquals(viewport.seenInWords(), "2 of 2 changed lines seen");
});
