import { readAuditEntries } from "../../../mod.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";

const ignore = isMissing("tmux", "-V");

const LAUNCHER = join(REPO, "cli/supervise.sh");

const YES = /Type yes to (approve \S+ \(dev-1\)|answer with this version): $/m;

function open(dir: TempDir, words: string, env: Record<string, string> = {}) {
  const variables = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", ...env };
  // The modes of the terminal come last: whatever was answered, it has an echo and whole lines.
  return openTerminal(
    `sh ${LAUNCHER} ${words}; echo ended $?; stty -a | grep -ow -- '-\\?\\(icanon\\|echo\\)'`,
    variables,
    [100, 60],
  );
}

const decided = async (dir: TempDir) =>
  (await readAuditEntries("pipelock", "dev-1", { root: dir.path }))
    .map(({ proposalId, operatorAction }) => `${operatorAction} ${proposalId}`);

for (
  const [answer, ended, log] of [
    [["yes", "Enter"], 0, ["approved p1"]],
    [["no", "Enter"], 1, []],
    [["y", "Enter"], 1, []],
    [["Enter"], 1, []],
    [["C-d"], 1, []],
  ] as const
) {
  // Threat: B6
  Deno.test(
    `approve ID on a terminal shows, asks, and ends with ${ended} after ${answer.join(" ")}`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p1" });
      await using terminal = await open(dir, "approve p1");
      const shown = await terminal.sees(YES);
      for (const text of ["│ The tests", "+2 api.github.com"]) assertStringIncludes(shown, text);
      await terminal.type(...answer);
      const screen = await terminal.sees(/^ended \d+\n-?icanon\n-?echo$/m);
      assertStringIncludes(screen, `\nended ${ended}\nicanon\necho\n`);
      assertEquals(await decided(dir), [...log]);
      if (ended === 1) assertStringIncludes(screen, "Cancelled: p1 was not decided");
      // What was shown, and was not approved, is not remembered.
      if (ended !== 0) assertEquals((await supervise(dir, "approve p1")).code, 6);
    },
  );
}

function supervise(dir: TempDir, words: string) {
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
  return run("sh", ["-c", `sh ${LAUNCHER} ${words}`], { env });
}

Deno.test(
  "approve ID on a terminal wants the bottle's name for a high mark",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1", proposedFile: "*.example.com\n" });
    await queueSample(dir.path, { id: "p2", proposedFile: "*.example.net\n" });
    await using terminal = await open(dir, "approve p1 p2");
    await terminal.sees(/Type dev-1 \(the bottle's name\) to approve anyway: $/m);
    await terminal.type("yes", "Enter");
    await terminal.sees(/not dev-1\.[^]*p2 {2}dev-1[^]*to approve anyway: $/m);
    await terminal.type("dev-1", "Enter");
    // The failure of one is told at its place, and the word of the other counts for that alone.
    const screen = await terminal.sees(/^ended \d+/m);
    assertStringIncludes(screen, "p1: Cancelled: p1 was not decided");
    assertStringIncludes(
      screen,
      "approved p2 (dev-1)\nin force: the file alone: nothing reloads it\nended 1",
    );
    assertEquals(await decided(dir), ["approved p2"]);
  },
);

// Threat: B6
Deno.test(
  "approve of several on a terminal asks for each below its own change",
  { ignore },
  async () => {
    await using dir = await tempDir();
    for (const id of ["p1", "p2"]) {
      await queueSample(dir.path, { id, proposedFile: `${id}.example.com\n` });
    }
    await using terminal = await open(dir, "approve p1 p2");
    const first = await terminal.sees(/Type yes to approve p1 \(dev-1\): $/m);
    assertStringIncludes(first, "+1 p1.example.com");
    assert(!first.includes("p2.example.com"));
    // The line for the second question is there before that question, and counts for nothing.
    await terminal.paste("yes\nyes\n", false);
    await terminal.sees(/too soon[^]*Type yes to approve p2 \(dev-1\): $/m);
    assertEquals(await decided(dir), ["approved p1"]);
    await terminal.type("yes", "Enter");
    // Its change is made in the file that the first one put in force.
    assertStringIncludes(await terminal.sees(/^ended \d+/m), "modified p2 (dev-1)\nin force: ");
    assertEquals(await decided(dir), ["approved p1", "modified p2"]);
  },
);

// Threat: C6
Deno.test(
  "a yes that is typed before the question is no answer, though its Enter comes after it",
  { ignore },
  async () => {
    await using dir = await tempDir();
    for (const id of ["p1", "p2", "p3"]) {
      await queueSample(dir.path, { id, proposedFile: `${id}.example.com\n` });
    }
    await using terminal = await open(dir, "approve p1 p2 p3");
    await terminal.sees(/Type yes to approve p1 \(dev-1\): $/m);
    await terminal.paste("yes\nyes", false);
    await terminal.sees(/approve p2 \(dev-1\): .*too soon[^]*approve p2 \(dev-1\): $/m);
    await terminal.type("Enter");
    await terminal.sees(/p2: Cancelled[^]*Type yes to approve p3 \(dev-1\): $/m);
    // The end of the input is still one: the question was asked in whole lines.
    await terminal.type("C-d");
    const screen = await terminal.sees(/^ended \d+\n-?icanon\n-?echo$/m);
    assertStringIncludes(
      screen,
      `p3: Cancelled: p3 was not decided\nin force: the file alone: nothing reloads it\nended 1\nicanon\necho\n`,
    );
    assertEquals(await decided(dir), ["approved p1"]);
  },
);

// Threat: B6
Deno.test(
  "a proposal that changes while it is asked about is not approved",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const { path } = await queueSample(dir.path, { id: "p1" });
    await using terminal = await open(dir, "approve p1");
    await terminal.sees(YES);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("api.github.com", "api.evil.example"));
    await terminal.type("yes", "Enter");
    assertStringIncludes(await terminal.sees(/^ended \d+/m), "\nended 5");
    assertEquals(await decided(dir), []);
  },
);

Deno.test(
  "approve ID says what was rejected of the same kind, as show does",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p0" });
    assertEquals((await supervise(dir, "reject p0 --notes no")).code, 0);
    await queueSample(dir.path, { id: "p1" });
    await using terminal = await open(dir, "approve p1");
    assertStringIncludes(await terminal.sees(YES), "! The same lines were rejected ");
    await terminal.type("no", "Enter");
    await terminal.sees(/^ended 1/m);
  },
);

for (const [answer, ended, log] of [["yes", 0, ["modified p1"]], ["no", 1, []]] as const) {
  Deno.test(
    `modify on a terminal shows what the editor left, and asks: ${answer}`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p1" });
      const editor = '#!/bin/sh\necho mine.example > "$1"\n';
      await Deno.writeTextFile(dir.at("editor"), editor, { mode: 0o755 });
      await using terminal = await open(dir, "modify p1", { EDITOR: dir.at("editor"), VISUAL: "" });
      assertStringIncludes(await terminal.sees(YES), "+1 mine.example");
      assertEquals(await decided(dir), []);
      await terminal.type(answer, "Enter");
      await terminal.sees(new RegExp(`^ended ${ended}`, "m"));
      assertEquals(await decided(dir), [...log]);
    },
  );
}

for (
  const [answer, ended, log, more] of [["yes", 0, 1, ""], ["no", 1, 0, ""], [
    "no",
    1,
    0,
    " --file mine",
  ]] as const
) {
  Deno.test(
    `edit${more} on a terminal shows the version, and asks: ${answer}`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await Deno.mkdir(dir.at("queue", "dev-1"), { recursive: true });
      const editor = '#!/bin/sh\necho mine.example > "$1"\n';
      await Deno.writeTextFile(dir.at("editor"), editor, { mode: 0o755 });
      await Deno.writeTextFile(dir.at("mine"), "mine.example\n");
      const env = { EDITOR: dir.at("editor"), VISUAL: "" };
      const words = `edit allowlist --bottle dev-1${more.replace("mine", dir.at("mine"))}`;
      await using terminal = await open(dir, words, env);
      const screen = await terminal.sees(/Type yes to put this version in force \(dev-1\): $/m);
      assertStringIncludes(screen, "+1 mine.example");
      assertEquals(await decided(dir), []);
      await terminal.type(answer, "Enter");
      await terminal.sees(new RegExp(`^ended ${ended}`, "m"));
      assertEquals((await decided(dir)).length, log);
    },
  );
}

for (const columns of [40, 80, 100]) {
  // Threat: A6, A13
  Deno.test(
    `no row of a question or refusal begins with an agent's words at ${columns} columns`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      const words = "zz ".repeat(60);
      const proposedFile = `FROM debian:12@sha256:${"1".repeat(64)}\nRUN curl x|sh -s ${words}\n`;
      await queueSample(dir.path, { id: "p1", tool: "capability-block", proposedFile });
      // A sidecar's owner chooses the id.
      const id = `${"a".repeat(70)}${"-zz".repeat(10)}`;
      await queueSample(dir.path, { id });
      await queueSample(dir.path, { id: "p3", proposedFile: `zz${words}\n` });
      await Deno.writeTextFile(dir.at("editor"), '#!/bin/sh\necho USER ada >> "$1"\n', {
        mode: 0o755,
      });
      const verbs = ["approve p1", "modify p1", "approve aaa", "approve p3", "review --plain"];
      const script = verbs.map((verb) => `sh ${LAUNCHER} ${verb}`).join("\n");
      await Deno.writeTextFile(dir.at("script"), `${script}\necho finished\n`);
      const env = { CLAUDE_BOTTLE_ROOT: dir.path, EDITOR: dir.at("editor"), VISUAL: "" };
      await using terminal = await openTerminal(`sh ${dir.at("script")}`, env, [columns, 60]);
      const answers = [
        [/anyway: $/m, "no"],
        [/not dev-1\.[^]*anyway: $/m, "no"],
        [/Type yes to[^]*: $/m, "no"],
        [/\[a\/m\/r\/s\/q\] $/m, "a"],
        [/to review[^]*anyway: $/m, "no"],
        [/to review[^]*not dev-1\.[^]*\[a\/m\/r\/s\/q\] $/m, "s"],
        [/(to review[^]*){2}\[a\/m\/r\/s\/q\] $/m, "s"],
        [/(to review[^]*){3}\[a\/m\/r\/s\/q\] $/m, "a"],
        [/Not decided\. [^]*\[a\/m\/r\/s\/q\] $/m, "q"],
      ] as const;
      for (const [question, answer] of answers) {
        await terminal.sees(question);
        await terminal.type(answer, "Enter");
      }
      const rows = await terminal.rows(/^finished/m);
      assert(rows.some((row) => row.includes("zz zz")));
      for (const row of rows) assert(!/^[a z-]*zz/.test(row), rows.join("\n"));
      assertEquals(await decided(dir), []);
    },
  );
}

// Threat: B6
Deno.test("what a reader of show did not take to the end was not shown", async () => {
  await using dir = await tempDir();
  const proposedFile = Array.from({ length: 20_000 }, (_, n) => `h${n}.example.com\n`).join("");
  await queueSample(dir.path, { id: "p1", proposedFile });
  const { err } = await supervise(dir, "show p1 | head -1");
  assertStringIncludes(err, "! not all of it was read, so it does not count as shown");
  assert(!await exists(dir.at("private", "shown", "dev-1", "p1")));
  assertEquals((await supervise(dir, "approve p1")).code, 6);
  assertEquals((await supervise(dir, "show p1 | cat > /dev/null")).code, 0);
  assertEquals((await supervise(dir, "approve p1 --confirm dev-1")).code, 0);
});
