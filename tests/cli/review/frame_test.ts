import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TOOLS } from "../../../mod.ts";
import { shortText, textOf } from "../../support/arbitraries.ts";
import { drawnByInk } from "../../support/ink.ts";
import { holds } from "../../support/properties.ts";
import { queueSample } from "../../support/records.ts";
import { sitDown } from "../../support/seat.ts";
import { tempDir } from "../../support/temp.ts";

/** Text that would rather be something else: wide, escaped, long, ours. */
const hostile = fc.oneof(
  textOf("漢字", "한국어", "\u202e", "\x1b[31m", "\n", "│ ", "! high  ", "e\u0301", "👩‍👩‍👧", "x".repeat(90)),
  shortText,
);

const proposal = fc.record({
  bottleSlug: fc.constantFrom("dev-1", "web.2", "a-bottle-with-the-longest-name-that-there-may-be".padEnd(63, "x")),
  id: fc.constantFrom("p1", "i".repeat(128)),
  tool: fc.constantFrom(...TOOLS),
  justification: hostile,
  proposedFile: fc.oneof(hostile, textOf("api.example.com\n", "*.example.com\n", "# ", "漢")),
  arrivalTimestamp: fc.constantFrom("2026-01-01T00:00:00Z", new Date().toISOString(), "\x1b[2Jnow"),
  currentFileHash: fc.constantFrom("", "f".repeat(64)),
});

const key = fc.constantFrom(
  ..."jkxxsSarm/?Gqu漢".split(""),
  ..."jxa".split(""),
  "return",
  "return",
  "escape",
  "space",
  "ctrl-d",
);

const size = fc.record({
  columns: fc.integer({ min: 20, max: 130 }),
  rows: fc.integer({ min: 5, max: 45 }),
});

Deno.test("frame() has as many rows as the screen, none wider, whatever is shown and pressed", async () => {
  await holds(
    fc.asyncProperty(
      fc.array(proposal, { maxLength: 4 }),
      fc.array(key, { maxLength: 8 }),
      fc.array(size, { minLength: 1, maxLength: 3 }),
      async (proposals, keys, sizes) => {
        await using dir = await tempDir();
        for (const proposal of proposals) await queueSample(dir.path, proposal);
        const seat = await sitDown(dir, { editor: 'echo "漢 mine" >> "$1"' });
        const check = () => {
          for (const size of sizes) {
            const rows = seat.seat.frame(size);
            assertEquals(rows.length, size.rows);
            for (const row of rows) assert(!/\p{C}|\p{Zl}|\p{Zp}/u.test(row), JSON.stringify(row));
            const drawn = drawnByInk(rows, size.columns);
            assertEquals(drawn.map((row) => row.trimEnd()), rows.map((row) => row.trimEnd()));
          }
        };
        check();
        for (const key of keys) {
          await seat.decide(key);
          check();
        }
      },
    ),
    40,
  );
});
