import { readAnswer } from "../../../internal_mod.ts";
import { decide, writeResponse } from "../../../mod.ts";
import { marksOfPending } from "../../../read_mod.ts";
import { openTestApp, type TestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const WILD = "api.example.com\n*.example.org\n";

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;

const queue = (dir: TempDir, n: number, more: Record<string, string> = {}) =>
  queueSample(dir.path, {
    id: `p${n}`,
    arrivalTimestamp: at(n),
    justification: `Reason ${n}.`,
    ...more,
  });

/** Somebody else rejects a proposal. */
async function rejectElsewhere(dir: TempDir, proposalId: string, proposalSha256: string) {
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId, proposalSha256 };
  const verdict = { status: "rejected" } as const;
  await decide({ ...ref, verdict, notes: "no", operator: "bob@there" });
}

async function putInForce(dir: TempDir, text: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), text);
}

const screenRowOf = (app: TestApp, text: string) =>
  app.screen().split("\n").findIndex((row) => row.includes(text));

// Threat: B12
Deno.test("what arrives comes last, and moves neither the cursor's row nor its place", async () => {
  await using dir = await tempDir();
  for (let n = 10; n < 40; n++) await queue(dir, n);
  const app = await openTestApp(dir, { rows: 13 });
  app.screen();
  await app.press("space", "j", "j", "k");
  const [cursor, place] = [app.cursor(), screenRowOf(app, app.cursor()!)];
  // Older, by what it says of itself, than all that is there; and newer.
  for (const n of [1, 59]) {
    await queue(dir, n);
    await app.look();
    assertEquals([app.cursor(), screenRowOf(app, app.cursor()!)], [cursor, place]);
  }
  await app.press("G");
  assertStringIncludes(app.cursor()!, "Reason 59.");
  await app.press("k");
  assertStringIncludes(app.cursor()!, "Reason 1.");
});

// Threat: B12
Deno.test("rows of another bottle that come and go below hold up no key", async () => {
  for (const opened of [false, true]) {
    await using dir = await tempDir();
    await queue(dir, 1);
    const app = await openTestApp(dir);
    if (opened) await app.press("return");
    await app.wait(1_000);
    for (let n = 2; n < 5; n++) await queue(dir, n, { bottleSlug: "z9" });
    await app.look();
    await Deno.remove(dir.at("queue", "z9"), { recursive: true });
    await app.look();
    await app.wait(9_000);
    if (!opened) assertStringIncludes(app.screen(), "withdrawn");
    // With this second they leave the list.
    await app.wait(1_000);
    assert(!app.screen().includes("withdrawn"));
    await app.press("a");
    await app.wait(100);
    assertStringIncludes(app.screen(), opened ? "u to undo" : "Look first, then a approves it.");
  }
});

Deno.test("a row that waits no more says why, goes after a while, and the cursor stays", async () => {
  await using dir = await tempDir();
  const [first] = [await queue(dir, 1), await queue(dir, 2), await queue(dir, 3)];
  const app = await openTestApp(dir);
  await app.press("j", "j");
  await rejectElsewhere(dir, "p1", first.proposalSha256);
  await Deno.remove(dir.at("queue", "dev-1", "p2.proposal.json"));
  await app.look();
  assertStringIncludes(app.screen(), "│ THE AGENT SAYS\n");
  assertStringIncludes(app.screen(), "! rejected by bob@there");
  assertStringIncludes(app.screen(), "! withdrawn");
  assertStringIncludes(app.screen(), "1 pending");
  assertStringIncludes(app.cursor()!, "Reason 3.");
  await app.press("k");
  for (const key of ["a", "r", "m", "s", "x", "return"]) {
    await app.decide(key);
    assertStringIncludes(app.screen(), "It is no longer pending: withdrawn.");
  }
  await app.press("G");
  await app.wait(10_000);
  assert(!app.screen().includes("withdrawn"));
  assertStringIncludes(app.cursor()!, "Reason 3.");
  assertEquals(screenRowOf(app, "Reason 3."), 2);
});

Deno.test("a page says that its proposal is over for as long as it is on the screen", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queue(dir, 1);
  const app = await openTestApp(dir);
  await app.press("return");
  await rejectElsewhere(dir, "p1", proposalSha256);
  await app.look();
  await app.wait(60_000);
  assertStringIncludes(app.screen(), "It is no longer pending: rejected by bob@there");
  await app.decide("a");
  assertStringIncludes(app.screen(), "It is no longer pending: rejected by bob@there.");
  await app.press("q");
  await app.wait(1_000);
  assert(!app.screen().includes("rejected by bob@there"));
});

Deno.test("at forty columns a row still says what became of it, and how old it is", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queue(dir, 1);
  const app = await openTestApp(dir, { columns: 40 });
  await rejectElsewhere(dir, "p1", proposalSha256);
  await app.look();
  const days = Math.floor((Date.now() - Date.parse(at(1))) / 86_400_000);
  assertEquals(app.cursor(), `>  dev-1   ${days} d  ! rejected by bob@t…`);
});

// Threat: B12
Deno.test("keys that decide are ignored for 300 ms after the list has moved by itself", async () => {
  await using dir = await tempDir();
  await queue(dir, 1);
  await queue(dir, 2, { proposedFile: "# a\n" });
  const app = await openTestApp(dir);
  await app.press("j", "return", "q");
  await Deno.remove(dir.at("queue", "dev-1", "p1.proposal.json"));
  await app.look();
  await app.wait(10_000); // The row above the cursor goes now.
  app.clock.pass(299);
  app.app.press("a");
  assertStringIncludes(app.screen(), "The screen has just changed: look, and press it again.");
  await app.wait(6_000);
  assertEquals(await readAnswer(dir.at("queue", "dev-1"), "p2"), undefined);
  await app.decide("a");
  await app.wait(5_000);
  assertEquals((await readAnswer(dir.at("queue", "dev-1"), "p2"))?.status, "approved");
});

/** What may happen to a proposal while somebody is about to decide it, and what the screen says then. */
const CHANGES = [
  ["somebody else decides it", async (dir: TempDir, sha256: string) => {
    await rejectElsewhere(dir, "p1", sha256);
  }, "It is no longer pending: rejected by bob@there"],
  ["its file vanishes", async (dir: TempDir) => {
    await Deno.remove(dir.at("queue", "dev-1", "p1.proposal.json"));
  }, "It is no longer pending: withdrawn"],
  ["it is written anew", async (dir: TempDir) => {
    await queue(dir, 1, { proposedFile: WILD, justification: "Other words." });
  }, "The proposal changed while you looked. This is the new one."],
  ["the file in force changes", async (dir: TempDir) => {
    await putInForce(dir, "api.example.com\nother.example.com\n");
  }, "The file in force changed while you looked. This is what would change now."],
  ["somebody plants a response", async (dir: TempDir) => {
    const planted = { proposalId: "p1", status: "rejected", notes: "", finalFile: null } as const;
    await writeResponse(dir.at("queue", "dev-1"), planted);
  }, "! Another program answered while you looked, without a record."],
] as const;

for (const [what, change, says] of CHANGES) {
  Deno.test(`when ${what}, the open proposal says so, and the question is withdrawn`, async () => {
    await using dir = await tempDir();
    await putInForce(dir, "api.example.com\n");
    const { proposalSha256 } = await queue(dir, 1, { proposedFile: WILD });
    const app = await openTestApp(dir, { columns: 100 });
    await app.press("return");
    await app.decide("a");
    assertStringIncludes(app.screen(), "Type dev-1");
    await change(dir, proposalSha256);
    await app.look();
    await app.wait(1_000);
    assertStringIncludes(app.screen(), says);
    assert(!app.screen().includes("Type dev-1"), app.screen());
    // What is typed now is no answer any more, and decides nothing.
    for (const key of "dev-1") await app.press(key);
    await app.press("return");
    await app.wait(6_000);
    const answer = await readAnswer(dir.at("queue", "dev-1"), "p1");
    assert(answer?.status !== "approved");
  });

  Deno.test(`when ${what}, a decision on it that can be undone is dropped`, async () => {
    await using dir = await tempDir();
    await putInForce(dir, "api.example.com\n");
    const { proposalSha256 } = await queue(dir, 1);
    await queue(dir, 2, { proposedFile: "# a\n" });
    const app = await openTestApp(dir, { columns: 100 });
    await app.press("return");
    await app.decide("a");
    await app.press("k");
    assertStringIncludes(app.screen(), "recorded in 5 s");
    await change(dir, proposalSha256);
    await app.look();
    await app.wait(1_000);
    assert(!app.screen().includes("u to undo"), app.screen());
    assert(
      /! (rejected by bob|withdrawn|changed meanwhile|the file in force|answered without)/.test(
        app.cursor()!,
      ),
    );
    await app.wait(10_000);
    assert((await readAnswer(dir.at("queue", "dev-1"), "p1"))?.status !== "approved");
    assertEquals(app.app.end().filter((line) => line.startsWith("approved")), []);
  });

  Deno.test(`when ${what} in the editor's time, the version is kept, and decides nothing`, async () => {
    await using dir = await tempDir();
    await putInForce(dir, "api.example.com\n");
    const { proposalSha256 } = await queue(dir, 1);
    const app = await openTestApp(dir, { columns: 200, editor: 'echo mine.example > "$1"' });
    await app.press("return");
    await app.decide("m");
    await app.decide("a");
    assertStringIncludes(app.screen(), "Notes for the agent");
    await change(dir, proposalSha256);
    await app.look();
    await app.wait(1_000);
    await app.press("return");
    await app.wait(6_000);
    assert((await readAnswer(dir.at("queue", "dev-1"), "p1"))?.status !== "modified");
    const [kept] = [...Deno.readDirSync(dir.at("private", "edit"))];
    const path = dir.at("private", "edit", kept!.name, "allowlist");
    assertEquals(await Deno.readTextFile(path), "mine.example\n");
    await app.press("escape");
    const told = `${app.screen()}\n${app.app.end().join("\n")}`;
    assertStringIncludes(told, path);
  });
}

Deno.test("a proposal that cannot be read any more says why, on its row and at the foot", async () => {
  await using dir = await tempDir();
  const { path } = await queue(dir, 1);
  const app = await openTestApp(dir, { columns: 160 });
  await Deno.writeTextFile(path, "{");
  await app.press("return");
  assertStringIncludes(app.cursor()!, "! Cannot read ");
  assertEquals(app.screen().split("Cannot read").length, 3);
  await app.look();
  assertStringIncludes(app.screen(), "! unreadable: dev-1/p1.proposal.json");
});

Deno.test("what the list cannot show stands above it: planted answers, broken files", async () => {
  await using dir = await tempDir();
  await queue(dir, 1);
  for (const n of [2, 3, 4]) {
    await Deno.writeTextFile(dir.at("queue", "dev-1", `b${n}.proposal.json`), "{\x1b[2J");
  }
  await Deno.writeTextFile(
    dir.at("queue", "dev-1", "p9.response.json"),
    '{"proposal_id":"p9","status":"approved","notes":"","final_file":""}',
  );
  const app = await openTestApp(dir, { columns: 160 });
  const [, ...alarms] = app.screen().split("\n").slice(0, 4);
  assertEquals(alarms[0], "! answered without a record: dev-1/p9: approved");
  assertStringIncludes(alarms[1]!, "! unreadable: dev-1/b2.proposal.json");
  assertStringIncludes(alarms[2]!, "! and 2 more: see list");
});

// Threat: B12
Deno.test("marks that come late move nothing, at any width; the row says the risk without a colour", async () => {
  await using dir = await tempDir();
  for (const [n, proposedFile] of ["*.example.com\n", "a.example\n", "HTTP://x\n"].entries()) {
    await queueSample(dir.path, { id: `p${n}`, arrivalTimestamp: at(n), proposedFile });
  }
  let isJudged = false;
  const app = await openTestApp(dir, {
    ports: {
      marksOf: (entry) => isJudged ? marksOfPending([entry], dir.path).get(entry) : undefined,
    },
  });
  for (const columns of [40, 60, 80, 120]) {
    const places = () =>
      app.screen({ columns }).split("\n").slice(1, 5)
        .flatMap((row) => [row.indexOf("│"), row.search(/dev-1|BOTTLE/)]);
    isJudged = false;
    const before = places();
    assert(/^> {2}\?/m.test(app.screen({ columns })));
    isJudged = true;
    assertEquals(places(), before);
    assert(/^> {2}(1 )?high /m.test(app.screen({ columns })), app.screen({ columns }));
  }
});

Deno.test("at forty columns the foot keeps undo and reject, and the row the key that undoes", async () => {
  await using dir = await tempDir();
  await queue(dir, 2, { proposedFile: "# a\n" });
  await queue(dir, 3, { proposedFile: "# a\n" });
  const app = await openTestApp(dir, { columns: 40 });
  assert(/ r reject .* q quit$/m.test(app.screen()), app.screen());
  await app.press("return");
  assert(/ r reject .* q list/m.test(app.screen()), app.screen());
  await app.decide("a");
  assert(/! u to undo \(5 s\)/m.test(app.screen()), app.screen());
  assert(/u to undo: recorded in 5 s/.test(app.screen()));
  assert(/ r reject {2}u undo /m.test(app.screen()), app.screen());
});

Deno.test("the age of an open proposal goes on", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: new Date().toISOString() });
  const app = await openTestApp(dir);
  await app.press("return");
  const age = () => Number(/\((\d+) s ago\)/.exec(app.screen())?.[1]);
  const first = age();
  await app.wait(20_000);
  assertEquals(age(), first + 20);
});

Deno.test("the list and the open proposal say that the same was rejected a moment ago, and how often the bottle asked", async () => {
  await using dir = await tempDir();
  const proposedFile = "# a\n";
  for (let n = 1; n <= 5; n++) {
    const { proposalSha256 } = await queueSample(dir.path, { id: `old${n}`, proposedFile });
    await rejectElsewhere(dir, `old${n}`, proposalSha256);
  }
  await queueSample(dir.path, { id: "p1", proposedFile, arrivalTimestamp: at(1) });
  const other = { proposedFile: "# other\n", currentFileHash: "0".repeat(64) };
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2), ...other });
  await queueSample(dir.path, { id: "p3", arrivalTimestamp: at(3), bottleSlug: "web.2", ...other });
  const app = await openTestApp(dir);
  const rows = () => app.screen().split("\n").slice(2, 5).map((row) => row.slice(3).trim());
  assert(rows()[0]!.startsWith("rejected "), app.screen());
  assert(rows()[1]!.startsWith("stale "), app.screen());
  assert(rows()[2]!.startsWith("stale "), app.screen());
  await app.press("return");
  const says = /^! The same lines were rejected \d+ s ago\.$/m;
  assert(says.test(app.screen()), app.screen());
  assertStringIncludes(
    app.screen(),
    "! This bottle's allowlist in 24 hours: 5 proposals decided, 5 rejected.",
  );
  await app.press("q", "G", "return");
  assert(!app.screen().includes("rejected"), app.screen());
});
