import { shortIds } from "../../../cli/command/resolve.ts";
import { renderPending } from "../../../cli/render/pending.ts";
import { makeStyle } from "../../../cli/render/style.ts";
import { shortNames } from "../../../cli/render/wrap.ts";
import { hintsOfPending, marksOfPending } from "../../../internal_mod.ts";
import { readOverview } from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const WIDTHS = Array.from({ length: 101 }, (_, n) => 20 + n);

/** Names of two bottles that are easily taken for each other: where they differ, and how long they are. */
const PAIRS: Readonly<Record<string, readonly [string, string]>> = {
  "short names": ["dev-1", "dev-2"],
  "a common beginning": ["claude-bottle-customer-dev-1", "claude-bottle-customer-dev-2"],
  "a common end": ["a-bottle-of-the-frontend-team", "b-bottle-of-the-frontend-team"],
  "a difference in the middle": [
    "bottle-of-team-1-for-the-frontend-and-backend",
    "bottle-of-team-2-for-the-frontend-and-backend",
  ],
  "the longest names": ["a".repeat(63), `${"a".repeat(62)}b`],
};

for (const [about, slugs] of Object.entries(PAIRS)) {
  const prepare = async (root: string) => {
    for (const [n, bottleSlug] of slugs.entries()) {
      const proposedFile = "*.example.net\n";
      // The ids begin alike too, as a sidecar's owner can choose them.
      const id = `${"7".repeat(100)}${n}`;
      await queueSample(root, { id, bottleSlug, proposedFile, justification: "word ".repeat(40) });
    }
  };

  // Threat: A13
  Deno.test(`review on 20 to 120 columns tells bottles with ${about} apart, and keeps marks and keys`, async () => {
    await using dir = await tempDir();
    await prepare(dir.path);
    const app = await openTestApp(dir, { columns: 20 });
    const frame = (columns: number) => app.screen({ columns }).split("\n");
    const rowsOf = (columns: number) =>
      frame(columns).filter((row) => /^[> ][x ][! ]1? ?high /.test(row));
    const foot = (columns: number, ...keys: string[]) => {
      const rows = frame(columns).slice(-5).join("\n");
      for (const key of keys) assertStringIncludes(rows, key, `${columns}`);
    };
    for (const columns of WIDTHS) {
      const rows = rowsOf(columns);
      assertEquals(
        new Set(rows.map((row) => row.slice(1))).size,
        2,
        `${columns}: ${rows.join("|")}`,
      );
      foot(columns, "a approve", "r reject", "Enter look", "? help");
    }
    await app.press("return");
    for (const columns of WIDTHS) {
      foot(columns, "a approve", "r reject", "q list", "? help");
      // Whole, on however many rows.
      const shown = frame(columns).join("").replaceAll(/[ ↪]/g, "");
      assertStringIncludes(shown, slugs[0], `${columns}`);
    }
    await app.decide("r");
    await app.answer("no");
    for (const columns of WIDTHS) foot(columns, "u to undo");
    await app.press("q");
    for (const columns of WIDTHS) foot(columns, "u to undo", "a approve", "r reject");
  });

  // Threat: A13
  Deno.test(`list on 20 to 120 columns tells bottles with ${about} apart, and keeps marks and ids`, async () => {
    await using dir = await tempDir();
    await prepare(dir.path);
    const { pending } = readOverview({ root: dir.path });
    const table = {
      shorts: shortIds(pending.map(({ proposal }) => proposal.id)),
      marks: marksOfPending(pending, dir.path),
      hints: hintsOfPending(pending, dir.path, Date.now()),
      nowMs: Date.now(),
      style: makeStyle(false),
    };
    for (const columns of WIDTHS) {
      const rows = renderPending(pending, { ...table, columns });
      for (const row of rows) assert(row.length < columns, `${columns}: ${row}`);
      const shown = rows.join("").replaceAll(/[ ↪]/g, "");
      for (const [n, slug] of slugs.entries()) {
        assertStringIncludes(shown, slug, `${columns}`);
        assertStringIncludes(shown, `${"7".repeat(100)}${n}`, `${columns}`);
      }
      assertEquals(rows.filter((row) => row.includes("1 high")).length, 2, `${columns}`);
      assertEquals(rows.filter((row) => row.includes("│ wo")).length, 2, `${columns}`);
    }
  });
}

Deno.test("shortNames() tells two names apart wherever they differ, in as many cells as a list has", () => {
  for (const cells of [6, 9, 20]) {
    for (let at = 0; at < 63; at++) {
      const names = ["a", "b"].map((letter) => "x".repeat(at) + letter + "y".repeat(62 - at));
      const shorts = [...shortNames(names, cells).values()];
      assertEquals(new Set(shorts).size, 2, `${at} in ${cells}`);
      // An ellipsis may take two cells.
      for (const short of shorts) assert(short.replaceAll("…", "..").length <= cells, short);
    }
  }
  assertEquals([...shortNames(["dev-1", "dev-1"], 6)], [["dev-1", "dev-1"]]);
});
