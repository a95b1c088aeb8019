import { readAnswer } from "../../../internal_mod.ts";
import { decide, readAuditEntries, sha256Hex } from "../../../mod.ts";
import { sitDown } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const WILD = "api.example.com\n*.example.com\n";

/** What stands on the disk about a decision. */
async function written(dir: TempDir, id = "p1") {
  const answer = await readAnswer(dir.at("queue", "dev-1"), id);
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  const entry = entries.find(({ proposalId }) => proposalId === id);
  return { status: answer?.status, notes: answer?.notes, logged: entry?.operatorAction };
}

const NOTHING = { status: undefined, notes: undefined, logged: undefined };

Deno.test("a approves what was looked at, after five seconds and not before", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir, { notes: "As agreed." });
  await seat.decide("a");
  assertStringIncludes(seat.screen(), "Look first, then a approves it.");
  assertStringIncludes(seat.screen(), "+api.github.com");
  await seat.decide("a");
  assertStringIncludes(seat.cursor()!, "! approving in 5 s, u undoes");
  await seat.wait(4_000);
  assertStringIncludes(seat.screen(), "1 decision is written in 1 s: u undoes");
  assertEquals(await written(dir), NOTHING);
  await seat.wait(1_000);
  assertEquals(await written(dir), { status: "approved", notes: "As agreed.", logged: "approved" });
  assertStringIncludes(seat.screen(), "! approved");
  assertEquals(seat.seat.end(), ["approved p1 (dev-1)"]);
});

Deno.test("the notes of the command line are what a question for notes begins with", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: "2026-01-01T00:00:00Z" });
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: "2026-01-01T00:00:01Z" });
  await queueSample(dir.path, { id: "p3", arrivalTimestamp: "2026-01-01T00:00:02Z" });
  const seat = await sitDown(dir, { notes: "As agreed", editor: 'echo mine.example > "$1"' });
  await seat.press("return");
  await seat.decide("r");
  await seat.answer(", no.");
  await seat.press("return");
  await seat.keys("m", "a");
  await seat.answer(".");
  await seat.press("x");
  await seat.keys("a", "return");
  await seat.wait(5_000);
  assertEquals((await written(dir, "p1")).notes, "As agreed, no.");
  assertEquals((await written(dir, "p2")).notes, "As agreed.");
  assertEquals((await written(dir, "p3")).notes, "As agreed");
});

Deno.test("how long a decision can be undone is said though a filter hides its row", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  await seat.press("/");
  await seat.answer("p2");
  assert(!/approving in/.test(seat.screen()), seat.screen());
  assertStringIncludes(seat.screen(), "1 decision is written in 5 s: u undoes");
});

Deno.test("a right behind whatever showed something else decides nothing, and says so", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir);
  const tooSoon = async () => {
    seat.clock.pass(299);
    seat.seat.press("a");
    assertStringIncludes(seat.screen(), "The screen has just changed: look, and press it again.");
    await seat.wait(6_000);
  };
  await seat.press("return");
  await tooSoon();
  await seat.press("q");
  await tooSoon();
  await seat.decide("r");
  await seat.press("escape");
  await tooSoon();
  assertEquals(await written(dir), NOTHING);
});

// Threat: C9
Deno.test("u takes back a decision of which nothing was written, and nothing ever is", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  await seat.wait(4_900);
  await seat.press("u");
  assertStringIncludes(seat.screen(), "Taken back, nothing was written.");
  assertStringIncludes(seat.cursor()!, "! taken back");
  await seat.wait(10_000);
  assertEquals(await written(dir), NOTHING);
  await seat.press("u");
  assertStringIncludes(seat.screen(), "Nothing can be undone");
});

Deno.test("r wants a note, offers the last five, and takes it for the next time", async () => {
  await using dir = await tempDir();
  const note = (n: number) => `Old note ${n}.`;
  for (let n = 1; n <= 6; n++) {
    const { proposalSha256 } = await queueSample(dir.path, { id: `old${n}` });
    await decide({
      root: dir.path,
      bottleSlug: "dev-1",
      proposalId: `old${n}`,
      proposalSha256,
      verdict: { status: "rejected" },
      notes: note(n),
      operator: "ada@host",
    });
  }
  await queueSample(dir.path, { id: "p1", arrivalTimestamp: "2026-01-01T00:00:00Z" });
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: "2026-01-01T00:00:01Z" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("r");
  assertStringIncludes(seat.screen(), "Why? The agent reads it:\n > _");
  const offered = () =>
    [...seat.screen().matchAll(/^ [> ] ((?:Old|No).*)$/gm)].map(([, text]) => text);
  assertEquals(offered(), [6, 5, 4, 3, 2].map(note));
  await seat.press("return");
  assertStringIncludes(seat.screen(), "Not rejected: a rejection needs a note.");
  await seat.decide("r");
  await seat.answer("   ");
  assertStringIncludes(seat.screen(), "Not rejected");
  await seat.decide("r");
  await seat.answer("No, thanks.");
  await seat.wait(5_000);
  assertEquals((await written(dir)).notes, "No, thanks.");

  await seat.press("return");
  await seat.decide("r");
  assertEquals(offered(), ["No, thanks.", ...[6, 5, 4, 3].map(note)]);
  await seat.press("down", "tab", "return");
  await seat.wait(5_000);
  assertEquals((await written(dir, "p2")).notes, note(6));
});

Deno.test("a high mark wants the slug, typed by hand", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILD });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  // What it lets in is said where the slug is asked for, or the slug becomes a habit.
  assertStringIncludes(
    seat.screen(),
    ' pipelock-block: "*.example.com" would allow every host below "example.com".\n' +
      " Type dev-1 (the bottle's name) to approve anyway:\n",
  );
  seat.seat.paste("dev-1");
  assertStringIncludes(seat.screen(), "Type it by hand: a pasted word confirms nothing.");
  seat.seat.burst("dev-1");
  assertStringIncludes(seat.screen(), "\n > _\n");
  for (const line of ["", "yes", "dev-2", "dev-1x"]) {
    await seat.answer(line);
    // The question stays: what is typed next must not become keys.
    assertStringIncludes(seat.screen(), "That is not dev-1. Type it, or leave with Esc.");
    assertStringIncludes(seat.screen(), "\n > _\n");
  }
  await seat.press("escape");
  assertStringIncludes(seat.screen(), "Not decided");
  await seat.wait(10_000);
  assertEquals(await written(dir), NOTHING);
  await seat.decide("a");
  await seat.answer("dev-1");
  await seat.wait(5_000);
  assertEquals((await written(dir)).status, "approved");
});

Deno.test("a refused paste says why while the question stands", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILD });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  seat.seat.paste("dev-1");
  const screen = seat.screen();
  assert(screen.indexOf("Type it by hand") !== -1 && screen.includes("Enter answers"), screen);
});

Deno.test("a file that the agent did not start from wants a yes", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", currentFileHash: sha256Hex("other") });
  const seat = await sitDown(dir);
  await seat.press("return");
  assertStringIncludes(seat.screen(), "! The agent did not start from the allowlist in force.");
  for (const line of ["y", "Yes!", ""]) {
    await seat.decide("a");
    assertStringIncludes(seat.screen(), "Type yes to approve anyway:");
    await seat.answer(line);
    assertStringIncludes(seat.screen(), "That is not yes.");
    await seat.press("escape");
    assertStringIncludes(seat.screen(), "Not decided.");
  }
  await seat.decide("a");
  await seat.answer("yes");
  await seat.wait(5_000);
  assertEquals((await written(dir)).status, "approved");
});

// Threat: C9
Deno.test("a warns once of what was never on the screen", async () => {
  await using dir = await tempDir();
  const proposedFile = Array.from({ length: 99 }, (_, n) => `h${n}.example\n`).join("");
  for (const id of ["p1", "p2"]) await queueSample(dir.path, { id, proposedFile });
  const seat = await sitDown(dir);
  await seat.press("return");
  seat.screen();
  await seat.decide("a");
  assert(/You have seen \d+ % of it; Space goes on/.test(seat.screen()));
  await seat.decide("a");
  await seat.wait(5_000);
  assertEquals((await written(dir)).status, "approved");

  await seat.press("return", "G");
  seat.screen();
  await seat.decide("a");
  await seat.wait(5_000);
  assertEquals((await written(dir, "p2")).status, "approved");
});

Deno.test("m shows what the editor left, and answers with it once it was looked at", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir, { editor: 'echo "*.mine.example" >> "$1"' });
  await seat.decide("m");
  assertStringIncludes(seat.screen(), "Look first, then m modifies it.");
  await seat.decide("m");
  const version = seat.screen();
  assertStringIncludes(version, "Your version, against the file in force:");
  assertStringIncludes(version, "+*.mine.example\n! high ");
  // The mark is of the operator's version, and wants the slug all the same.
  await seat.decide("a");
  await seat.answer("dev-1");
  assertStringIncludes(seat.screen(), "Notes for the agent (Enter for none):");
  await seat.answer("Mine.");
  assertEquals(await written(dir), NOTHING);
  await seat.wait(5_000);
  assertEquals((await written(dir)).notes, "Mine.");
  const answer = await readAnswer(dir.at("queue", "dev-1"), "p1");
  assertEquals(answer?.finalFile, "api.example.com\napi.github.com\n*.mine.example\n");
  assertEquals([...Deno.readDirSync(dir.at("private", "edit"))], []);
});

Deno.test("an edit is edited again, or left; then its file is kept, and the screen says where", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir, {
    editor: 'echo "h$(wc -l < "$1").example" >> "$1"',
    columns: 200,
  });
  await seat.press("return");
  await seat.decide("m");
  await seat.decide("m");
  assertStringIncludes(seat.screen(), "+h2.example\n+h3.example\n");
  await seat.press("escape");
  const kept = seat.screen().match(/Your version is kept.*--file (\S+)/)?.[1];
  assertEquals(
    await Deno.readTextFile(kept!),
    "api.example.com\napi.github.com\nh2.example\nh3.example\n",
  );
  assertEquals([...Deno.readDirSync(dir.at("private", "edit"))].length, 1);
});

for (
  const [what, editor, words] of [
    ["fails", "exit 3", "ended with exit code 3"],
    ["changes nothing", "true", "Cancelled: the file was left unchanged"],
    ["leaves what is not sound", 'echo HTTP://x > "$1"', "Cancelled: line 1: "],
  ] as const
) {
  Deno.test(`an editor that ${what} leaves the proposal on the screen, undecided`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const seat = await sitDown(dir, { editor });
    await seat.press("return");
    await seat.decide("m");
    assertStringIncludes(seat.screen(), words);
    assertStringIncludes(seat.screen(), "p1  dev-1  pipelock-block");
    await seat.wait(10_000);
    assertEquals(await written(dir), NOTHING);
  });
}

Deno.test("a file that is not sound cannot be approved as it is", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "HTTP://x\n" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  assertStringIncludes(
    seat.screen(),
    "m changes the file, r rejects it. Invalid allowlist: line 1:",
  );
  await seat.wait(10_000);
  assertEquals(await written(dir), NOTHING);
});

Deno.test("q asks once while something can be undone; a second q writes it first", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  await seat.decide("q");
  assertStringIncludes(seat.screen(), "One decision is not written yet: q again writes now");
  // Any other key in between, and it asks again.
  await seat.press("j");
  await seat.decide("q");
  assertEquals([seat.left.quit, await written(dir)], [0, NOTHING]);
  await seat.decide("q");
  assertEquals([seat.left.quit, (await written(dir)).status], [1, "approved"]);
});

Deno.test("Ctrl-C leaves what can be undone undone, and says so", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const seat = await sitDown(dir);
  await seat.press("return");
  await seat.decide("a");
  await seat.press("ctrl-c");
  assertEquals(seat.left.quit, 1);
  assertEquals(seat.seat.end(), ["! not decided, nothing was written: p1 (dev-1)"]);
  seat.clock.pass(60_000);
  await seat.idle();
  assertEquals(await written(dir), NOTHING);
});
