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

Deno.test("endWasSeen() is true once the end was on the screen, and stays so", () => {
  const viewport = openViewport(blocksOf([4, 4]), PLAIN);
  viewport.rows(4, 80);
  assertEquals(viewport.endWasSeen(), false);
  viewport.scroll(4);
  assertEquals(viewport.endWasSeen(), false); // Nobody has looked yet.
  viewport.rows(4, 80);
  viewport.scroll(-Infinity);
  viewport.rows(4, 80);
  assertEquals(viewport.endWasSeen(), true);
});

Deno.test("endWasSeen() is true at once where all of it fits", () => {
  for (const counts of [[], [0], [2, 1]]) {
    const viewport = openViewport(blocksOf(counts), PLAIN);
    viewport.rows(3, 80);
    assertEquals([viewport.endWasSeen(), viewport.progress()], [true, 1]);
  }
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
