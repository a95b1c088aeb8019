import { SNOOZE_MS } from "../../../cli/review/list.ts";
import { readOverview } from "../../../mod.ts";
import { openTestApp, type TestApp } from "../../support/app.ts";
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

const cursorOf = (app: TestApp) => app.cursor()?.match(/Reason (\d+)/)?.[1];

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
    const app = await openTestApp(dir);
    app.screen();
    await app.press(...keys.split(" ").filter((key) => key !== ""));
    assertEquals(cursorOf(app), expected);
  });
}

Deno.test("keys scroll an open proposal, and go back to the list, on the same row", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 3);
  const app = await openTestApp(dir);
  await app.press("j", "return");
  assertStringIncludes(app.screen(), "\np2  dev-1  pipelock-block\n");
  const withoutCount = (text: string) => text.replace(/^.* changed lines seen/, "");
  const first = app.screen();
  await app.press("j");
  assert(!app.screen().includes("p2  dev-1"));
  await app.press("k");
  assertEquals(withoutCount(app.screen()), withoutCount(first));
  await app.press("G");
  assertStringIncludes(app.screen(), "+60 h59.example");
  await app.press("g", "space", "b");
  assertEquals(withoutCount(app.screen()), withoutCount(first));
  for (const key of ["q", "escape", "left", "h", "return"]) {
    await app.press(key);
    assertEquals(cursorOf(app), "2");
    await app.press("l");
    assert(app.cursor() === undefined);
  }
});

Deno.test("a burst of keys moves and opens; no other key of it does anything, and no paste", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 9);
  const app = await openTestApp(dir);
  app.app.burst("jjjj");
  assertEquals(cursorOf(app), "5");
  app.app.burst("kk");
  assertEquals(cursorOf(app), "3");
  app.app.burst("jkj j  kG");
  assertEquals(cursorOf(app), "9");
  app.app.burst("gjj");
  for (const text of ["aa", "jak", "xx", "ss", "qq", "uu", "/p", "日本"]) {
    app.app.burst(text);
    await app.wait(1_000);
    assertStringIncludes(app.screen(), "Several keys at once decide nothing.");
  }
  for (const text of ["a", "q", "r"]) {
    app.app.paste(text);
    await app.wait(1_000);
    assertStringIncludes(app.screen(), "A paste decides nothing.");
  }
  assertEquals([cursorOf(app), app.left.quit], ["3", 0]);
  app.app.burst("j\r");
  await app.idle();
  assertStringIncludes(app.screen(), "\np4  dev-1  pipelock-block\n");
  for (const text of ["a\r", "Ga", "aaaa", "nnnnnna\r", "mm", "r no\r"]) {
    app.app.burst(text);
    await app.wait(1_000);
    assertStringIncludes(app.screen(), "Several keys at once decide nothing.");
  }
  assertStringIncludes(app.screen(), "changed lines seen");
  assertEquals(readOverview({ root: dir.path }).pending.length, 9);
  await app.wait(10_000);
  assertEquals(readOverview({ root: dir.path }).pending.length, 9);
});

Deno.test("/ shows what has a text in it while it is typed; Esc shows everything again", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 12);
  await queueSample(dir.path, { id: "w1", bottleSlug: "web.2", tool: "capability-block" });
  const app = await openTestApp(dir, { rows: 40 });
  const rows = () => app.screen().split("\n").filter((row) => row.includes(" │ ")).length;
  assertEquals(rows(), 14); // With the heading.
  await app.press("/", "W", "E", "b");
  assertEquals(rows(), 2);
  await app.press("return");
  assertStringIncludes(app.screen(), 'only "WEb"');
  await app.press("/", "ctrl-u");
  await app.answer("reason 1");
  assertEquals(rows(), 5); // 1, 10, 11, 12, and the heading.
  await app.press("escape");
  assertEquals(rows(), 14);
  await app.press("/");
  await app.answer("nowhere");
  assertStringIncludes(app.screen(), "No proposal has that text in it: Esc shows all.");
  await app.press("/", "escape");
  assertEquals(rows(), 14);
});

Deno.test("s hides a proposal from this screen alone; it comes back by itself, or with S", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 3);
  const app = await openTestApp(dir);
  await app.decide("s");
  assertStringIncludes(app.screen(), "Hidden here for 15 minutes; the agent does not learn of it.");
  assertStringIncludes(app.screen(), "3 pending · 1 not now");
  assertEquals(cursorOf(app), "2");
  assertEquals(readOverview({ root: dir.path }).pending.length, 3);
  await app.press("G", "j");
  await app.press("S");
  assertStringIncludes(app.screen(), "! shown again");
  await app.press("g", "return");
  await app.decide("s");
  assert(!app.screen().includes("Reason 2."));
  await app.wait(SNOOZE_MS - 60_000);
  assertEquals(app.screen().split("shown again").length, 2);
  await app.wait(60_000);
  const rows = app.screen().split("\n").slice(2, 5);
  assertEquals(rows.map((row) => row.split("  ").at(-1)?.trim().replace(/^│ /, "")), [
    "Reason 3.",
    "! shown again",
    "! shown again after 15 minutes",
  ]);
});

Deno.test("? lists the keys of where it was pressed, and goes back there", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 1);
  const app = await openTestApp(dir, { rows: 60 });
  for (
    const [keys, title] of [[[], "In the list"], [["return"], "Looking at a proposal"]] as const
  ) {
    await app.press(...keys);
    const before = app.screen();
    await app.press("?");
    assertStringIncludes(app.screen(), `\n${title}\n`);
    assertStringIncludes(app.screen(), "  a                  approve the file");
    await app.press("q");
    assertEquals(app.screen(), before);
  }
});

Deno.test("keys that the place does not know say so; Ctrl-Z, Ctrl-L and Ctrl-C reach the terminal", async () => {
  await using dir = await tempDir();
  await queueSome(dir, 1);
  const app = await openTestApp(dir);
  await app.press("Z");
  assertStringIncludes(app.screen(), '"Z" does nothing here; ? lists the keys.');
  await app.press("ctrl-z", "ctrl-l", "return", "ctrl-z", "ctrl-c");
  assertEquals(app.left, { quit: 1, suspended: 2, repainted: 1 });
});

Deno.test("an empty list says so, and no key finds anything to do in it", async () => {
  await using dir = await tempDir();
  const app = await openTestApp(dir);
  for (const key of ["return", "a", "r", "m", "s", "x"]) {
    await app.decide(key);
    assertStringIncludes(app.screen(), "0 pending");
    assertStringIncludes(app.screen(), " No proposal is listed.\n");
  }
  await app.press("u");
  assertStringIncludes(app.screen(), "Nothing can be undone: a recorded decision stays.");
  await app.press("q");
  assertEquals(app.left.quit, 1);
});
