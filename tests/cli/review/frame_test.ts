import { renderChanges } from "../../../cli/review/terminal.ts";
import { TOOLS } from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { shortText, textOf } from "../../support/arbitraries.ts";
import { holds } from "../../support/properties.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { openVirtualScreen } from "../../support/virtual_screen.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** Text that would rather be something else: wide, escaped, long, ours. */
const hostile = fc.oneof(
  textOf(
    "漢字",
    "한국어",
    "\u202e",
    "\x1b[31m",
    "\n",
    "│ ",
    "! high  ",
    "e\u0301",
    "👩‍👩‍👧",
    "x".repeat(90),
  ),
  shortText,
);

const proposal = fc.record({
  bottleSlug: fc.constantFrom(
    "dev-1",
    "web.2",
    "a-bottle-with-the-longest-name-that-there-may-be".padEnd(63, "x"),
  ),
  id: fc.constantFrom("p1", "i".repeat(128)),
  tool: fc.constantFrom(...TOOLS),
  justification: hostile,
  proposedFile: fc.oneof(hostile, textOf("api.example.com\n", "*.example.com\n", "# ", "漢")),
  arrivalTimestamp: fc.constantFrom("2026-01-01T00:00:00Z", new Date().toISOString(), "\x1b[2Jnow"),
  currentFileHash: fc.constantFrom("", "f".repeat(64)),
});

/** Ways into each part of the screen, and keys pressed there. */
const keys = fc.tuple(
  fc.constantFrom(
    "",
    "return",
    "return m",
    "return ?",
    "return r",
    "?",
    "x x a",
    "x x r n return",
    "/ 漢",
    "a a",
  ),
  fc.array(fc.constantFrom(..."jkxsSarm/?Gqu漢", "return", "escape", "space", "ctrl-d"), {
    maxLength: 6,
  }),
).map(([way, more]) => [...way.split(" ").filter((key) => key !== ""), ...more]);

/** Writes a sound file, whatever was proposed. */
const EDITOR = `case $1 in
  */allowlist) echo '# mine' ;;
  */Dockerfile) echo 'FROM debian:12' ;;
  *) echo '{"routes": []}' ;;
esac > "$1"`;

const size = fc.record({
  columns: fc.oneof(fc.constantFrom(20, 40, 80), fc.integer({ min: 20, max: 130 })),
  rows: fc.oneof(fc.constantFrom(5, 24), fc.integer({ min: 5, max: 45 })),
});

// Threat: A13
Deno.test("frame() has as many rows as the screen, none wider, whatever is shown and pressed", async () => {
  await holds(
    fc.asyncProperty(
      fc.array(proposal, { maxLength: 3 }),
      keys,
      fc.array(size, { minLength: 1, maxLength: 3 }),
      async (proposals, keys, sizes) => {
        await using dir = await tempDir();
        for (const proposal of proposals) await queueSample(dir.path, proposal);
        const app = await openTestApp(dir, { editor: EDITOR });
        const check = () => {
          for (const size of sizes) {
            const rows = app.app.frame(size);
            assertEquals(rows.length, size.rows);
            for (const row of rows) assert(!/\p{C}|\p{Zl}|\p{Zp}/u.test(row), JSON.stringify(row));
            // Keys, or what is typed, are always there: the bottom is never what is cut off.
            assert(/ help| back| quit| answers/.test(rows.at(-1)!), rows.at(-1));
            const screen = openVirtualScreen(size.columns, size.rows);
            screen.write(renderChanges(undefined, rows));
            assertEquals(screen.rows(), rows.map((row) => row.trimEnd()));
          }
        };
        check();
        for (const key of keys) {
          await app.decide(key);
          check();
        }
      },
    ),
    60,
  );
});
