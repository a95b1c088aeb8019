import { SNOOZE_MS } from "../../../cli/review/list.ts";
import { readOverview } from "../../../mod.ts";
import { sitDown, type TestSeat } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** Proposals `p1`, `p2` and so on, each asking for its own reason. */
async function queueSome(dir: TempDir, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    await queueSample(dir.path, {
      id: `p${n}`,
      arrivalTimestamp: new Date(n * 1000).toISOString(),
      justification: `Reason ${n}.`,
      proposedFile: Array.from({ length: 60 }, (_, line) => `h${line}.example\n`).join(""),
    });
  }
}

const cursorOf = (seat: TestSeat) => seat.cursor()?.match(/Reason (\d+)/)?.[1];

for (
  const [keys, expected] of [
    ["", "1"],
    ["j", "2"],
    ["down down", "3"],
    ["j j k", "2"],
    ["k", "1"],
    ["G", "30"],
    ["end j", "30"],
    ["G g", "1"],
    ["G home", "1"],
    // The body has 22 rows on this screen.
    ["ctrl-d", "12"],
    ["ctrl-d ctrl-d ctrl-u", "12"],
    ["space", "22"],
    ["pagedown", "22"],
    ["space b", "1"],
    ["pagedown pageup", "1"],
  ] as const
) {
  Deno.test(`in the list, ${keys || "no key"} leads to row ${expected}`, async () => {
    await using dir = await tempDir();
    await queueSome(dir, 30);
    const seat = await sitDown(dir);
    seat.screen();
    await seat.press(...keys.split(" ").filter((key) => key !== ""));
    assertEquals(cursorOf(seat), expected);
  });
}

Deno.test("keys scroll an open proposal, and go back to the list, on the same row", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 3);
  const seat = await sitDown(dir);
  await seat.press("j", "return");
  assertStringIncludes(seat.screen(), "\np2  dev-1  pipelock-block\n");
  const first = seat.screen();
  await seat.press("j");
  assert(!seat.screen().includes("p2  dev-1"));
  await seat.press("k");
  assertEquals(seat.screen(), first);
  await seat.press("G");
  assertStringIncludes(seat.screen(), "+h59.example");
  assertStringIncludes(seat.screen(), "all seen");
  await seat.press("g", "space", "b");
  assertEquals(seat.screen().replace("all seen", ""), first.replace(/\d+ %/, ""));
  for (const key of ["q", "escape", "left", "h", "return"]) {
    await seat.press(key);
    assertEquals(cursorOf(seat), "2");
    await seat.press("l");
    assert(seat.cursor() === undefined);
  }
});

Deno.test("a held key moves as far as it was pressed; other bursts, and pastes, do nothing", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 9);
  const seat = await sitDown(dir);
  seat.seat.burst("jjjj");
  assertEquals(cursorOf(seat), "5");
  seat.seat.burst("kk");
  assertEquals(cursorOf(seat), "3");
  for (const text of ["aa", "ja", "jk", "xx", "ss", "qq", "uu", "a\r", "日本"]) {
    seat.seat.burst(text);
    await seat.wait(1_000);
    assertStringIncludes(seat.screen(), "Several keys at once decide nothing.");
  }
  for (const text of ["a", "q", "r"]) {
    seat.seat.paste(text);
    await seat.wait(1_000);
    assertStringIncludes(seat.screen(), "A paste decides nothing.");
  }
  assertEquals([cursorOf(seat), seat.left.quit], ["3", 0]);
  assertEquals(readOverview({ root: dir.path }).pending.length, 9);
});

Deno.test("/ shows what has a text in it while it is typed; Esc shows everything again", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 12);
  await queueSample(dir.path, { id: "w1", bottleSlug: "web.2", tool: "capability-block" });
  const seat = await sitDown(dir, { rows: 40 });
  const rows = () => seat.screen().split("\n").filter((row) => row.includes(" │ ")).length;
  assertEquals(rows(), 14); // With the heading.
  await seat.press("/", "W", "E", "b");
  assertEquals(rows(), 2);
  await seat.press("return");
  assertStringIncludes(seat.screen(), 'only "WEb"');
  await seat.press("/", "ctrl-u");
  await seat.answer("reason 1");
  assertEquals(rows(), 5); // 1, 10, 11, 12, and the heading.
  await seat.press("escape");
  assertEquals(rows(), 14);
  await seat.press("/");
  await seat.answer("nowhere");
  assertStringIncludes(seat.screen(), "Nothing that is shown has that in it: Esc shows all.");
  await seat.press("/", "escape");
  assertEquals(rows(), 14);
});

Deno.test("s hides a proposal from this screen alone; it comes back by itself, or with S", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 3);
  const seat = await sitDown(dir);
  await seat.decide("s");
  assertStringIncludes(seat.screen(), "Hidden here for 15 minutes; the agent is told nothing.");
  assertStringIncludes(seat.screen(), "3 pending · 1 not now");
  assertEquals(cursorOf(seat), "2");
  assertEquals(readOverview({ root: dir.path }).pending.length, 3);
  await seat.press("G", "j");
  await seat.press("S");
  assertStringIncludes(seat.screen(), "! shown again");
  await seat.press("g", "return");
  await seat.decide("s");
  assert(!seat.screen().includes("Reason 2."));
  await seat.wait(SNOOZE_MS - 60_000);
  assertEquals(seat.screen().split("shown again").length, 2);
  await seat.wait(60_000);
  const rows = seat.screen().split("\n").slice(2, 5);
  assertEquals(rows.map((row) => row.split("  ").at(-1)?.trim().replace(/^│ /, "")), [
    "Reason 3.",
    "! shown again",
    "! back after a while",
  ]);
});

Deno.test("? lists the keys of where it was pressed, and goes back there", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 1);
  const seat = await sitDown(dir, { rows: 60 });
  for (
    const [keys, title] of [[[], "In the list"], [["return"], "Looking at a proposal"]] as const
  ) {
    await seat.press(...keys);
    const before = seat.screen();
    await seat.press("?");
    assertStringIncludes(seat.screen(), `\n${title}\n`);
    assertStringIncludes(seat.screen(), "  a                  approve the file");
    await seat.press("q");
    assertEquals(seat.screen(), before);
  }
});

Deno.test("keys that the place does not know say so; Ctrl-Z, Ctrl-L and Ctrl-C reach the terminal", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 1);
  const seat = await sitDown(dir);
  await seat.press("Z");
  assertStringIncludes(seat.screen(), '"Z" does nothing here; ? lists the keys.');
  await seat.press("ctrl-z", "ctrl-l", "return", "ctrl-z", "ctrl-c");
  assertEquals(seat.left, { quit: 1, suspended: 2, repainted: 1 });
});

Deno.test("an empty list says so, and no key finds anything to do in it", async () => {
  await using dir = await tempDir();
  const seat = await sitDown(dir);
  for (const key of ["return", "a", "r", "m", "s", "x"]) {
    await seat.decide(key);
    assertStringIncludes(seat.screen(), "0 pending");
    assertStringIncludes(seat.screen(), " Nothing is pending.\n");
  }
  await seat.press("u");
  assertStringIncludes(seat.screen(), "Nothing can be undone: what is written is recorded.");
  await seat.press("q");
  assertEquals(seat.left.quit, 1);
});
