import { readAnswer } from "../../internal_mod.ts";
import {
  decide,
  listPendingProposals,
  readAuditEntries,
  sha256Hex,
  writeProposal,
} from "../../mod.ts";
import { flood } from "../support/flood.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { openTerminal } from "../support/tmux.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { userInfo } from "node:os";

const ignore = isMissing("tmux", "-V");

const PROMPT = /\[a\/m\/r\/s\/q\] $/m;

const prompts = (count: number) => new RegExp(`(\\[a/m/r/s/q\\][^]*){${count}}`);

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;

function review(dir: TempDir, env: Record<string, string> = {}) {
  const command = `sh ${join(REPO, "cli/supervise.sh")} review --plain; echo ended $?`;
  return openTerminal(command, { CLAUDE_BOTTLE_ROOT: dir.path, ...env });
}

Deno.test(
  "review walks through what is pending: approve, reject, modify, skip, quit",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const [first, second, third, fourth] = [
      await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) }),
      await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) }),
      await queueSample(dir.path, { id: "p3", arrivalTimestamp: at(3) }),
      await queueSample(dir.path, { id: "p4", arrivalTimestamp: at(4) }),
    ];
    await Deno.writeTextFile(dir.at("editor"), '#!/bin/sh\necho mine.example >> "$1"\n', {
      mode: 0o755,
    });
    await using terminal = await review(dir, { EDITOR: dir.at("editor") });

    const screen = await terminal.sees(PROMPT);
    for (
      const text of ["4 to review", "p1  dev-1  pipelock-block", "│ The tests", "+2 api.github"]
    ) {
      assertStringIncludes(screen, text);
    }
    await terminal.type("x", "Enter");
    await terminal.sees(/q {2}quit[^]*\[a\/m\/r\/s\/q\] $/m);
    await terminal.type("a", "Enter");
    await terminal.sees(/approved p1 \(dev-1\)[^]*p2 {2}dev-1[^]*\[a\/m\/r\/s\/q\] $/m);

    await terminal.type("r", "Enter");
    await terminal.sees(/Why\? The agent reads it: $/m);
    await terminal.type("Enter");
    await terminal.sees(/Not rejected: a rejection needs a note/);
    await terminal.sees(prompts(4));
    await terminal.type("r", "Enter");
    await terminal.sees(/Why\?[^]*Why\? The agent reads it: $/m);
    await terminal.type("No, thanks.", "Enter");
    await terminal.sees(/rejected p2[^]*p3 {2}dev-1[^]*\[a\/m\/r\/s\/q\] $/m);

    await terminal.type("m", "Enter");
    await terminal.sees(/\+ *\d+ mine\.example[^]*Type yes to answer with this version: $/m);
    await terminal.type("yes", "Enter");
    await terminal.sees(/Notes for the agent \(Enter for none\): $/m);
    await terminal.type("Mine.", "Enter");
    await terminal.sees(/modified p3[^]*p4 {2}dev-1[^]*\[a\/m\/r\/s\/q\] $/m);

    await terminal.type("s", "Enter");
    await terminal.sees(/Nothing is left to review\. Still pending: 1\.\s+ended 0/);

    assertEquals((await readAnswer(first.queueDir, "p1"))?.status, "approved");
    assertEquals((await readAnswer(second.queueDir, "p2"))?.notes, "No, thanks.");
    const modified = await readAnswer(third.queueDir, "p3");
    assertEquals(modified?.finalFile, `${third.proposal.proposedFile}mine.example\n`);
    assertEquals(modified?.notes, "Mine.");
    const left = await listPendingProposals(fourth.queueDir);
    assertEquals(left.map(({ id }) => id), ["p4"]);
    const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
    assertEquals(
      entries.map(({ operator }) => operator),
      Array(3).fill(`${userInfo().username}@${Deno.hostname()}`),
    );
  },
);

// Threat: C6
Deno.test("review takes no paste and no early Enter for an answer", { ignore }, async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
  await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) });
  await queueSample(dir.path, { id: "p3", arrivalTimestamp: at(3) });
  await using terminal = await review(dir);
  await terminal.sees(PROMPT);
  // One burst of keys: the first line counts, those behind it were typed before the next question.
  await terminal.type("a", "Enter", "a", "Enter", "a", "Enter");
  await terminal.sees(/approved p1[^]*typed too soon, ignored[^]*\[a\/m\/r\/s\/q\] $/m);
  await terminal.type("C-d");
  await terminal.sees(/ended 0/);
  const left = await listPendingProposals(queueDir);
  assertEquals(left.map(({ id }) => id), ["p2", "p3"]);
});

// Threat: B6
Deno.test(
  "review says that somebody else decided, or that the proposal changed",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const first = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
    const second = await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) });
    await using terminal = await review(dir);
    await terminal.sees(PROMPT);
    await decide({
      root: dir.path,
      bottleSlug: "dev-1",
      proposalId: "p1",
      proposalSha256: first.proposalSha256,
      verdict: { status: "rejected" },
      notes: "no",
      operator: "bob@there",
    });
    await terminal.type("a", "Enter");
    await terminal.sees(
      /p1 is already rejected, by bob@there[^]*p2 {2}dev-1[^]*\[a\/m\/r\/s\/q\] $/m,
    );
    await writeProposal(second.queueDir, { ...second.proposal, justification: "Other words." });
    await terminal.type("a", "Enter");
    await terminal.sees(/p2: it is not the one that was shown[^]*│ Other words\.[^]*q\] $/m);
    assertEquals((await listPendingProposals(first.queueDir)).length, 1);
    await terminal.type("a", "Enter");
    await terminal.sees(/approved p2[^]*Nothing is left to review\.\s+ended 0/);
  },
);

Deno.test(
  "review asks for a word before it decides over a changed file in force",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const { queueDir } = await queueSample(dir.path, {
      id: "p1",
      currentFileHash: sha256Hex("other"),
    });
    await using terminal = await review(dir);
    await terminal.sees(
      /! The agent did not start from the allowlist in force[^]*\[a\/m\/r\/s\/q\] $/m,
    );
    await terminal.type("a", "Enter");
    await terminal.sees(/Type yes to approve anyway: $/m);
    await terminal.type("y", "Enter");
    await terminal.sees(prompts(2));
    assertEquals(await readAnswer(queueDir, "p1"), undefined);
    await terminal.type("a", "Enter");
    await terminal.sees(/anyway:[^]*Type yes to approve anyway: $/m);
    await terminal.type("yes", "Enter");
    await terminal.sees(/approved p1/);
  },
);

// Threat: A10
Deno.test(
  "review wants the bottle's slug for a high mark, of the file that would be answered",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const wild = "api.example.com\n*.example.com\n";
    const [first, second] = [
      await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1), proposedFile: wild }),
      await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) }),
    ];
    await Deno.writeTextFile(dir.at("editor"), '#!/bin/sh\necho "*.evil.example" >> "$1"\n', {
      mode: 0o755,
    });
    await using terminal = await review(dir, { EDITOR: dir.at("editor") });
    await terminal.sees(
      /^! high {4}line 2: "\*\.example\.com" would[^]*^\+2 \*\.example\.com\n! high {4}"\*[^]*q\] $/m,
    );
    await terminal.type("a", "Enter");
    await terminal.sees(
      /would allow[^]*\.\nType dev-1 \(the bottle's name\) to approve anyway: $/m,
    );
    await terminal.type("yes", "Enter");
    await terminal.sees(/Not decided: that is not dev-1\.[^]*\[a\/m\/r\/s\/q\] $/m);
    assertEquals(await readAnswer(first.queueDir, "p1"), undefined);
    await terminal.type("a", "Enter");
    await terminal.sees(/Not decided[^]*Type dev-1 \(the bottle's name\) to approve anyway: $/m);
    await terminal.type("C-d");
    await terminal.sees(/anyway:\s*\nNot decided: that is not dev-1\.[^]*q\] $/m);
    await terminal.type("a", "Enter");
    await terminal.sees(/\nNot decided[^]*\nNot decided[^]*to approve anyway: $/m);
    await terminal.type("dev-1", "Enter");
    await terminal.sees(/approved p1[^]*p2 {2}dev-1[^]*\[a\/m\/r\/s\/q\] $/m);

    // What the agent proposed has no mark; what the operator makes of it has one.
    await terminal.type("m", "Enter");
    await terminal.sees(
      /\+\d \*\.evil\.example\n! high {4}[^]*Type yes to answer with this version: $/m,
    );
    await terminal.type("yes", "Enter");
    await terminal.sees(
      /approved p1[^]*Type dev-1 \(the bottle's name\) to answer with your version anyway: $/m,
    );
    await terminal.type("Enter");
    await terminal.sees(/approved p1[^]*Not decided[^]*Your version is kept[^]*q\] $/m);
    assertEquals(await readAnswer(second.queueDir, "p2"), undefined);
    await terminal.type("q", "Enter");
    await terminal.sees(/ended 0/);
  },
);

Deno.test(
  "the demo can be driven by hand, by somebody who reads only the screen",
  { ignore },
  async () => {
    await using terminal = await openTerminal(
      "deno run --no-prompt --allow-read --allow-write --allow-run=deno,sh --allow-net=127.0.0.1 demo/main.ts; echo ended $?",
      { NO_COLOR: "1" },
      [90, 50],
    );
    // A key that decides is not taken before the screen has stood still.
    const decide = async (key: string) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await terminal.type(key);
    };
    await terminal.sees(/^You are the operator[^]*Press Enter to see what it asks/m);
    await terminal.type("Enter");
    await terminal.sees(/3 pending[^]*Enter look {2}a approve {2}m modify {2}r reject/);
    await decide("a");
    await terminal.sees(/Look first, then a approves it/);
    await decide("a");
    await terminal.sees(/2 pending[^]*u to undo \(\d s\): approving/);
    await decide("r");
    await terminal.sees(/Look first, then r rejects it/);
    await decide("r");
    await terminal.sees(/Why\? The agent reads it:/);
    await terminal.type("One host only.");
    await terminal.sees(/> One host only\._/);
    await terminal.type("Enter");
    await terminal.sees(/1 pending[^]*u to undo \(\d s\): rejecting/);
    await decide("a");
    await terminal.sees(/Look first, then a approves it/);
    await decide("a");
    await terminal.sees(/Type demo-1 \(the bottle's name\) to approve anyway:/);
    // On a busy machine keys that are not waited for come at once, and count as a paste.
    for (let typed = 1; typed <= "demo-1".length; typed++) {
      await terminal.type("demo-1".charAt(typed - 1));
      await terminal.sees(new RegExp(`> ${"demo-1".slice(0, typed)}_`));
    }
    await terminal.type("Escape");
    await terminal.sees(/Not decided\./);
    await terminal.type("q");
    await terminal.sees(/! approved[^]*! rejected/);
    await terminal.type("q");
    const screen = await terminal.sees(/ended 0/);
    for (
      const text of [
        "You are the operator",
        "Still open: 1.",
        "approved: the operator accepted your ",
        "Notes: One host only.",
        "audit verify",
      ]
    ) assertStringIncludes(screen, text);
  },
);

Deno.test("the demo decides by itself without a terminal, and says so", async () => {
  const { code, out, err } = await run("deno", [
    "run",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-run=deno,sh",
    "--allow-net=127.0.0.1",
    join(REPO, "demo/main.ts"),
  ]);
  assertEquals(code, 0, err);
  assertMatch(
    err,
    /^! created the audit signing key, SHA256:[^\n]*\nNo signature was checked, and the order in part: [^\n]*\n$/,
  );
  for (
    const text of [
      "Nobody is asked: the demo decides by itself",
      "- line 3: found",
      "approved: the operator accepted your routes.json",
      "modified: the operator accepted another version of allowlist",
      "rejected: Dockerfile stays as it is",
      "reject: rule keep-the-image rejects it",
    ]
  ) assertStringIncludes(out, text);
  // It ends with the agent's own request, in a proxy that is installed: CI has one.
  const words = out.replaceAll(/\s+/g, " ");
  if (isMissing("tinyproxy", "-v")) assertMatch(words, /through |No proxy is here/);
  else {
    assertMatch(words, /through \/usr\S+, which the demo started: 403 before it asked, 200 after/);
    assertStringIncludes(words, "Try again now: the proxy was seen to have it.");
  }
});

Deno.test(
  "review raises an alarm when more are pending than it walks through",
  { ignore },
  async () => {
    await using dir = await tempDir();
    flood(dir.at("queue", "dev-1"), 1_002);
    await using terminal = await review(dir);
    const screen = await terminal.sees(PROMPT);
    assertStringIncludes(screen, "! dev-1: 2 more are pending and not listed");
    assertStringIncludes(screen, "1000 to review");
    // What is skipped leaves the count as it is; the alarm is not repeated.
    await terminal.type("s", "Enter");
    const next = await terminal.sees(prompts(2));
    assertEquals(next.split("not listed").length, 2);
    await terminal.type("q", "Enter");
    await terminal.sees(/ended 0/);
  },
);
