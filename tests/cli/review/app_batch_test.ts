import { readAnswer } from "../../../internal_mod.ts";
import { sha256Hex } from "../../../mod.ts";
import { openTestApp, type TestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;

/** Three plain ones, one that is stale, one with a high mark of another bottle. */
async function queueSome(dir: TempDir): Promise<void> {
  const stale = { currentFileHash: sha256Hex("other") };
  const wild = { bottleSlug: "web.2", proposedFile: "*.example.com\n" };
  for (const [n, change] of [{}, {}, {}, stale, wild].entries()) {
    await queueSample(dir.path, { id: `p${n + 1}`, arrivalTimestamp: at(n), ...change });
  }
}

async function statuses(dir: TempDir): Promise<string> {
  const all = [1, 2, 3, 4, 5].map(async (n) => {
    const slugs = Array.from(Deno.readDirSync(dir.at("queue")), ({ name }) => name);
    const answers = slugs.map((slug) => readAnswer(dir.at("queue", slug), `p${n}`));
    return (await Promise.all(answers)).find((answer) => answer !== undefined)?.status ?? "-";
  });
  return (await Promise.all(all)).join(" ");
}

/** Shows all that is selected, and then the table of what would happen. */
async function toTable(app: TestApp): Promise<void> {
  await app.decide("a");
  while (/^── \d+ of \d+ ─|changed lines? seen/m.test(app.screen())) await app.press("space");
}

/** The rows of the table, without what each would change. */
const fates = (app: TestApp) =>
  [...app.screen().matchAll(/^ (.+?) +│ .* {2}(p\d)$/gm)].map(([, fate, id]) => `${id} ${fate}`);

Deno.test("a shows what would happen to each that is selected, and leaves out what is stale", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("x", "x", "j", "x", "x");
  assertStringIncludes(app.screen(), "4 selected");
  assertEquals(app.screen().match(/^[> ]x/gm)?.length, 4);
  await toTable(app);
  assertStringIncludes(app.screen(), " Enter will approve 3, and leave out 1:");
  assertEquals(fates(app), [
    "p1 will be approved",
    "p2 will be approved",
    "p4 left out",
    "p5 will be approved",
  ]);
  assertStringIncludes(
    app.screen(),
    "   ! The allowlist in force is not the one the agent started from",
  );
  assertStringIncludes(
    app.screen(),
    '│ web.2  pipelock-block  +1 -0  1 high  p5\n   ! high  "*.example.com" would allow "example.com" and all',
  );

  // One slug for the bottle that has a high mark, and none for the other.
  await app.decide("return");
  assertStringIncludes(app.screen(), "Type web.2 (the bottle's name) to approve anyway:");
  await app.answer("dev-1");
  assertStringIncludes(app.screen(), "That is not web.2.");
  await app.answer("web.2");
  assertStringIncludes(app.screen(), " Results:");
  assertStringIncludes(fates(app)[0]!, "p1 u to undo (5 s): approving");
  assertEquals(await statuses(dir), "- - - - -");
  await app.wait(5_000);
  assertEquals(await statuses(dir), "approved approved - - approved");
  assertEquals(fates(app).map((fate) => fate.slice(0, 11)), [
    "p1 approved",
    "p2 approved",
    "p4 left out",
    "p5 approved",
  ]);
  await app.press("q");
  assert(!app.screen().includes("selected"));
  const report = app.app.end();
  assertEquals(report.filter((line) => line.startsWith("approved")).length, 3);
  // Once, however many they are.
  assertEquals(report.filter((line) => line.includes("nothing reloads it")).length, 1);
});

Deno.test("u undoes all of a table at once", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("x", "x", "x");
  await toTable(app);
  await app.decide("return");
  await app.wait(4_000);
  await app.press("u");
  assertEquals(fates(app), ["p1 taken back", "p2 taken back", "p3 taken back"]);
  await app.wait(10_000);
  assertEquals(await statuses(dir), "- - - - -");
});

Deno.test("r asks for one note for all of them", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("G", "x", "k", "x", "g", "x");
  await app.decide("r");
  await app.answer("Not today.");
  // A rejection lets nothing in: what is stale is in, and no slug is asked for.
  assertStringIncludes(app.screen(), " Enter will reject 3:\n notes: Not today.\n");
  await app.decide("return");
  await app.wait(5_000);
  assertEquals(await statuses(dir), "rejected - - rejected rejected");
  assertEquals((await readAnswer(dir.at("queue", "web.2"), "p5"))?.notes, "Not today.");
});

Deno.test("each of a table has its own result, also where somebody was faster", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const [other, app] = [await openTestApp(dir), await openTestApp(dir, { columns: 120 })];
  await app.press("x", "x", "x");
  await toTable(app);
  await app.decide("return");
  await other.press("j", "return");
  await other.decide("r");
  await other.answer("Mine.");
  await other.wait(5_000);
  // The queue tells of it only after the five seconds here are over.
  await app.wait(5_000);
  const [first, second, third] = fates(app);
  assertEquals([first, third], ["p1 approved", "p3 approved"]);
  assertEquals(second, "p2 no longer pending");
  assert(/already rejected, by /.test(app.screen()), app.screen());
  assertEquals(await statuses(dir), "approved rejected approved - -");
  const report = app.app.end();
  assertEquals(report.map((line) => line.slice(0, 11)), [
    "approved p1",
    "  in force:",
    "! Proposal ",
    "approved p3",
  ]);
});

Deno.test("a table that was left decides nothing, and was no look at what is in it", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("x", "x");
  await toTable(app);
  await app.press("escape", "escape", "g");
  await app.decide("a");
  assertStringIncludes(app.screen(), "Look first, then a approves it.");
  await app.wait(10_000);
  assertEquals(await statuses(dir), "- - - - -");
});

// Threat: B12
Deno.test("what changes under a table is not decided with it", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("x", "x", "x");
  await toTable(app);
  const justification = "Other words.";
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(0), justification });
  await Deno.remove(dir.at("queue", "dev-1", "p2.proposal.json"));
  await app.look();
  assertEquals(fates(app).map((fate) => fate.slice(0, 12)), [
    "p1 left out",
    "p2 withdrawn",
    "p3 will be a",
  ]);
  await app.decide("return");
  assertStringIncludes(app.screen(), "recorded in 5 s");
  await app.wait(5_000);
  assertEquals(await statuses(dir), "- - approved - -");
});

// Threat: C9
Deno.test("Enter decides a table that is longer than the screen once each of its rows was seen", async () => {
  await using dir = await tempDir();
  for (let n = 0; n < 30; n++) {
    await queueSample(dir.path, { id: `q${n}`, arrivalTimestamp: `2026-01-01T00:00:${n + 10}Z` });
  }
  for (const scrolls of [["space", "G"], [], ["G"]]) {
    const app = await openTestApp(dir, { rows: 20 });
    for (let n = 0; n < 30; n++) await app.press("x");
    await toTable(app);
    let shown = app.screen();
    for (const key of scrolls) {
      await app.press(key);
      shown += app.screen();
    }
    const unseen: number[] = [];
    while (unseen.length < 4) {
      await app.decide("return");
      const left = app.screen().match(/(\d+) were not on the screen: Enter shows them, then/)?.[1];
      if (left === undefined) break;
      unseen.push(Number(left));
      shown += app.screen();
    }
    assertEquals(unseen, scrolls[0] === "space" ? [] : [14]);
    for (let n = 0; n < 30; n++) assertStringIncludes(shown, `q${n}`);
    assertStringIncludes(app.screen(), "30 decisions recorded in 5 s");
    await app.press("u");
  }
});

// Threat: C9
Deno.test("Enter decides a table with a proposal whose high marks need more rows than the screen has", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
  const proposedFile = Array.from({ length: 60 }, (_, n) => `*.h${n}.example\n`).join("");
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2), proposedFile });
  const app = await openTestApp(dir, { rows: 14 });
  await app.press("x", "x");
  await toTable(app);
  let shown = app.screen();
  await app.decide("return");
  shown += app.screen();
  assertStringIncludes(shown, "1 was not on the screen: Enter shows them, then decides.");
  assertMatch(shown, /\n {3}! and \d+ more rows, on its page\n/);
  await app.decide("return");
  await app.answer("dev-1");
  assertStringIncludes(app.screen(), "2 decisions recorded in 5 s");
});

// Threat: C9
Deno.test("a shows each that is selected; what was not on the screen is left out of the table", async () => {
  await using dir = await tempDir();
  const long = (name: string) => Array.from({ length: 90 }, (_, n) => `# ${name}${n}\n`).join("");
  await queueSample(dir.path, {
    id: "p1",
    bottleSlug: "dev-1",
    arrivalTimestamp: at(1),
    proposedFile: "# a\n# b\n",
  });
  await queueSample(dir.path, {
    id: "p2",
    bottleSlug: "dev-2",
    arrivalTimestamp: at(2),
    proposedFile: long("a"),
  });
  await queueSample(dir.path, {
    id: "p3",
    bottleSlug: "dev-3",
    arrivalTimestamp: at(3),
    proposedFile: long("b"),
  });
  const app = await openTestApp(dir);
  await app.press("x", "x", "x");
  await app.decide("a");
  assertStringIncludes(app.screen(), "\n── 1 of 3 ───");
  assertStringIncludes(app.screen(), " supervise  2 of 182 changed lines seen");
  // To the end by a jump: what lies between was not on the screen.
  await app.press("G");
  await app.decide("return");
  assertEquals(fates(app).filter((fate) => fate.includes("will be")), ["p1 will be approved"]);
  const left = app.screen().match(/^ {3}! \d+ of 90 changed lines seen\. Decide it alone$/gm);
  assertEquals(left?.length, 2, app.screen());
  await app.press("escape");

  // It goes on where it was left; n leads to what lacks.
  await app.decide("a");
  assertStringIncludes(app.screen(), "\n── 1 of 2 ───");
  for (let presses = 0; /(?<!\d)(\d+) of (?!\1)\d+ changed/.test(app.screen()); presses++) {
    assert(presses < 40, app.screen());
    await app.press("n");
  }
  await app.press("return");
  assertEquals(fates(app).map((fate) => fate.slice(3)), Array(3).fill("will be approved"));
  await app.decide("return");
  await app.wait(5_000);
  assertEquals(await statuses(dir), "approved approved approved - -");
});

// Threat: B12
Deno.test("what changes while several are shown is not decided, whatever was seen of it before", async () => {
  await using dir = await tempDir();
  await queueSome(dir);
  const app = await openTestApp(dir, { columns: 120 });
  await app.press("x", "x", "x");
  await app.decide("a");
  await app.press("space");
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(0), justification: "Other words." });
  await app.look();
  for (let n = 0; n < 9 && !app.screen().includes("Enter will"); n++) await app.press("space");
  assertEquals(fates(app).map((fate) => fate.slice(0, 11)), [
    "p1 left out",
    "p2 will be ",
    "p3 will be ",
  ]);
});
