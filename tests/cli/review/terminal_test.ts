import { makeStyle } from "../../../cli/render/style.ts";
import { cut } from "../../../cli/render/wrap.ts";
import { renderChanges } from "../../../cli/review/terminal.ts";
import { holds } from "../../support/properties.ts";
import { NO_TMUX } from "../../support/review.ts";
import { tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { openVirtualScreen } from "../../support/virtual_screen.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";

const { bold, dim, green, inverse, magenta } = makeStyle(true);

const SIZE = { columns: 30, rows: 6 };

const row = fc.tuple(
  fc.constantFrom("", "a", "│ words", "漢字かな", "x".repeat(40), "e\u0301 한국어", "  indented"),
  fc.constantFrom(bold, dim, green, inverse, magenta, (text: string) => text),
).map(([text, paint]) => {
  const fitting = cut(text, SIZE.columns - 1);
  return fitting === "" ? "" : paint(fitting);
});

/** Screens one after the other, some of them drawn whole. */
const frames = fc.array(
  fc.record({
    rows: fc.array(row, { minLength: SIZE.rows, maxLength: SIZE.rows }),
    whole: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

type Frames = readonly { readonly rows: readonly string[]; readonly whole: boolean }[];

/** All that is written for some screens. */
function written(frames: Frames): string {
  let before: readonly string[] | undefined;
  let text = "";
  for (const { rows, whole } of frames) {
    text += renderChanges(whole ? undefined : before, rows);
    before = rows;
  }
  return text;
}

Deno.test("renderChanges() leaves the last rows on the screen, whatever was there before", () => {
  holds(
    fc.property(frames, (frames) => {
      const screen = openVirtualScreen(SIZE.columns, SIZE.rows);
      screen.write("what the shell left\x1b[3;1Hthere");
      screen.write(written([{ ...frames[0]!, whole: true }, ...frames.slice(1)]));
      const expected = openVirtualScreen(SIZE.columns, SIZE.rows);
      for (const [n, text] of frames.at(-1)!.rows.entries()) {
        expected.write(`\x1b[${n + 1};1H${text}`);
      }
      assertEquals(screen.cells(), expected.cells());
    }),
    500,
  );
});

Deno.test("renderChanges() writes the rows that differ, and nothing for none", () => {
  const before = ["one", "two", "three"];
  assertEquals(renderChanges(before, before), "");
  assertEquals(renderChanges(before, ["one", "2", "three"]), "\x1b[2;1H\x1b[2K2");
});

Deno.test("a terminal shows the last of many screens", { ignore: NO_TMUX }, async () => {
  await using dir = await tempDir();
  const sample = fc.sample(frames, 40).flat();
  const bytes = "\x1b[?7l" + written([{ ...sample[0]!, whole: true }, ...sample]);
  await Deno.writeTextFile(dir.at("bytes"), bytes);
  const { columns, rows } = SIZE;
  await using terminal = await openTerminal(
    `clear; cat ${dir.at("bytes")}; sleep 1000`,
    {},
    [columns, rows],
  );
  const last = openVirtualScreen(columns, rows);
  last.write(renderChanges(undefined, sample.at(-1)!.rows));
  const pattern = last.rows().map((row) => row.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\n");
  const screen = await terminal.shows(new RegExp(`^${pattern}\n*$`));
  assertEquals(screen.split("\n").slice(0, rows).map((row) => row.trimEnd()), last.rows());
});
