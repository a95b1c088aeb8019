import { readAnswer } from "../../../internal_mod.ts";
import { decide, readOverview, writeProposal } from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;

const other = { proposedFile: "api.example.com\nother.example\n", justification: "Other words." };

for (const isListed of [true, false]) {
  const when = isListed ? "and was listed anew" : "before the list knows";
  Deno.test(`several are never decided with one that changed once selected, ${when}`, async () => {
    await using dir = await tempDir();
    const first = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
    const second = await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) });
    const { keys, look, screen, wait } = await openTestApp(dir, { rows: 30 });
    await keys("x", "x");
    await writeProposal(first.queueDir, { ...first.proposal, ...other });
    if (isListed) await look();
    await keys("a");
    if (!isListed) await look();
    await keys("return", "return");
    assertStringIncludes(screen(), ": approving");
    await wait(10_000);
    assertEquals(await readAnswer(first.queueDir, "p1"), undefined);
    assertEquals((await readAnswer(second.queueDir, "p2"))?.status, "approved");
  });
}

Deno.test("what was only a row of a table is looked at before it is decided alone", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  const { keys, screen, wait } = await openTestApp(dir);
  await keys("x", "a", "q", "escape", "a");
  assertStringIncludes(screen(), "+2 api.github.com");
  await wait(10_000);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

Deno.test("from the list too, a shows what was not seen", async () => {
  await using dir = await tempDir();
  const proposedFile = Array.from({ length: 200 }, (_, n) => `host-${n}.example\n`).join("");
  const { queueDir } = await queueSample(dir.path, { id: "p1", proposedFile });
  const { keys, screen, wait } = await openTestApp(dir);
  await keys("return", "q", "a");
  assertStringIncludes(screen(), "Not decided: this part was not on the screen yet.");
  await wait(10_000);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

// Threat: B12
Deno.test("a proposal that was gone and is back is looked at again", async () => {
  await using dir = await tempDir();
  const { queueDir, path } = await queueSample(dir.path, { id: "p1" });
  const bytes = await Deno.readFile(path);
  const { keys, look, screen } = await openTestApp(dir);
  await keys("return");
  await Deno.remove(path);
  await look();
  await Deno.writeFile(path, bytes);
  await look();
  await keys("a");
  assertStringIncludes(screen(), "look again");
  await keys("a");
  assertStringIncludes(screen(), ": approving");
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

// Threat: B12
Deno.test("a question that takes its time to appear asks about nothing else", async () => {
  await using dir = await tempDir();
  const first = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) });
  const notes = Promise.withResolvers<readonly string[]>();
  const { keys, press, wait, idle } = await openTestApp(dir, {
    ports: { pastNotes: () => notes.promise },
  });
  await keys("return", "r");
  // A large log is still being read. The operator sees no question, and does something else.
  await keys("/");
  await press("g", "i", "t");
  notes.resolve([]);
  await idle();
  await press("h", "u", "b", "return");
  await wait(10_000);
  const answer = await readAnswer(first.queueDir, "p1");
  assertEquals(answer, undefined);
});

Deno.test("what is being written is written before q ends it, and told if it is not", async () => {
  await using dir = await tempDir();
  const proposedFile = "# a\n";
  const { queueDir } = await queueSample(dir.path, {
    id: "p1",
    proposedFile,
    arrivalTimestamp: at(1),
  });
  await queueSample(dir.path, { id: "p2", proposedFile, arrivalTimestamp: at(2) });
  const gate = Promise.withResolvers<void>();
  const { app, keys, wait, idle, left } = await openTestApp(dir, {
    ports: {
      decide: async ({ inspection, currentSha256 }, { verdict, notes }) => {
        await gate.promise; // Somebody else holds the bottle's lock.
        const { proposal: { bottleSlug, id: proposalId }, proposalSha256 } = inspection;
        return await decide({
          root: dir.path,
          bottleSlug,
          proposalId,
          proposalSha256,
          currentSha256,
          verdict,
          notes,
          operator: "ada@host",
        });
      },
    },
  });
  await keys("x", "x", "a", "space", "space", "return");
  await wait(6_000);
  assertEquals(app.end().filter((line) => /p1|p2/.test(line)).length, 2);
  await keys("q", "q");
  assertEquals(left.quit, 0);
  gate.resolve();
  while (left.quit === 0) await idle();
  for (const id of ["p1", "p2"]) {
    assertEquals((await readAnswer(queueDir, id))?.status, "approved");
  }
});

// Threat: C9
Deno.test("a held q does not write what can still be undone", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  const { app, keys, wait, left } = await openTestApp(dir);
  await keys("return", "a");
  await wait(1_000);
  for (let n = 0; n < 10; n++) {
    app.press("q");
    await wait(30);
  }
  assertEquals(left.quit, 0);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

async function rejectElsewhere(root: string, proposalId: string, proposalSha256: string) {
  await decide({
    root,
    bottleSlug: "dev-1",
    proposalId,
    proposalSha256,
    verdict: { status: "rejected" },
    notes: "No.",
    operator: "bob@there",
  });
}

// Threat: B12
Deno.test("what was decided elsewhere as the last question was answered is not held", async () => {
  await using dir = await tempDir();
  const first = await queueSample(dir.path, { id: "p1" });
  const test = await openTestApp(dir, { editor: 'echo mine.example > "$1"' });
  await test.keys("return", "m", "a");
  assertStringIncludes(test.screen(), "Notes for the agent");
  await rejectElsewhere(dir.path, "p1", first.proposalSha256);
  test.app.press("return");
  test.take(readOverview({ root: dir.path }));
  await test.idle();
  assertStringIncludes(test.screen(), "It is no longer pending: rejected by bob@there.");
  await test.wait(6_000);
  assertEquals((await readAnswer(first.queueDir, "p1"))?.status, "rejected");
});

// Threat: B12
Deno.test("of several, the one that was decided elsewhere as the slug was typed is not held", async () => {
  await using dir = await tempDir();
  const proposedFile = "*.example.com\n";
  const first = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1), proposedFile });
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2), proposedFile });
  const test = await openTestApp(dir, { columns: 120 });
  await test.keys("x", "x", "a", "space", "space", "space", "return");
  await test.press(..."dev-1");
  await rejectElsewhere(dir.path, "p1", first.proposalSha256);
  test.app.press("return");
  test.take(readOverview({ root: dir.path }));
  await test.idle();
  assertEquals(test.screen().match(/: approving/g)?.length, 1, test.screen());
});

Deno.test("what a filter hides stays selected, and is decided with the rest", async () => {
  await using dir = await tempDir();
  const ids = ["p1", "p2"];
  for (const id of ids) await queueSample(dir.path, { id, justification: `For ${id}.` });
  const test = await openTestApp(dir, { columns: 120 });
  await test.press("g", "x", "/");
  await test.answer("p2");
  await test.press("x");
  assertStringIncludes(test.screen(), "2 selected");
  await test.keys("a", "space", "space", "space", "return");
  await test.wait(5_000);
  for (const id of ids) {
    assertEquals((await readAnswer(dir.at("queue", "dev-1"), id))?.status, "approved");
  }
});

Deno.test("a version whose decision failed is kept, and the end says where", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const test = await openTestApp(dir, {
    editor: 'echo mine.example > "$1"',
    ports: { decide: () => Promise.reject(new Error("Cannot do it: no")) },
  });
  await test.keys("return", "m", "a");
  await test.answer("");
  await test.wait(6_000);
  assertEquals(test.app.end().filter((line) => /kept.*--file /.test(line)).length, 1);
});
