import { readAnswer } from "../../../internal_mod.ts";
import { listPendingProposals } from "../../../mod.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview, type Review } from "../../support/review.ts";
import { REPO } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { setTimeout } from "node:timers/promises";

const ignore = NO_TMUX;

/** What Ctrl-Z and the like need: the terminal's modes as a shell has them. */
const SANE = / icanon.* echo /s;

/** Opens the full screen on one proposal, and approves it: for five seconds nothing is written. */
async function approveOne(dir: TempDir): Promise<Review> {
  await queueSample(dir.path, { id: "p1" });
  const review = await openReview(dir);
  await review.type("Enter");
  await review.shows(/^\+ *\d+ api\.github\.com$/m);
  await review.decide("a", /u to undo/);
  return review;
}

/** The terminal is the shell's again, as it was, and nothing of what could be undone was written. */
async function isRestored(dir: TempDir, review: Review): Promise<void> {
  assertEquals(await review.state(), { alternate: false, cursor: true });
  await review.command("stty -a; echo ' modes' 'shown'");
  const modes = await review.shows(/ modes shown$/m);
  assert(SANE.test(modes), modes);
  assertEquals(await readAnswer(dir.at("queue", "dev-1"), "p1"), undefined);
  assertEquals((await listPendingProposals(dir.at("queue", "dev-1"))).length, 1);
}

for (
  const [what, end, code, says] of [
    [
      "kill -9",
      ({ program }) => Deno.kill(program, "SIGKILL"),
      137,
      "The screen was ended from outside",
    ],
    [
      "SIGTERM",
      ({ program }) => Deno.kill(program, "SIGTERM"),
      143,
      "nothing was written: p1 (dev-1)",
    ],
    [
      "SIGHUP",
      ({ program }) => Deno.kill(program, "SIGHUP"),
      129,
      "nothing was written: p1 (dev-1)",
    ],
    [
      "SIGQUIT",
      ({ program }) => Deno.kill(program, "SIGQUIT"),
      131,
      "nothing was written: p1 (dev-1)",
    ],
    [
      "SIGTERM to the launcher",
      ({ launcher }) => Deno.kill(launcher, "SIGTERM"),
      143,
      "p1 (dev-1)",
    ],
  ] as const satisfies readonly (readonly [
    string,
    (processes: Awaited<ReturnType<Review["processes"]>>) => void,
    number,
    string,
  ])[]
) {
  Deno.test(`${what} leaves the terminal as it was, and writes nothing`, { ignore }, async () => {
    await using dir = await tempDir();
    await using review = await approveOne(dir);
    assertEquals(await review.state(), { alternate: true, cursor: false });
    end(await review.processes());
    const screen = await review.shows(new RegExp(`^ended ${code}$`, "m"));
    assertStringIncludes(screen.replaceAll("\n ↪", ""), says);
    await isRestored(dir, review);
  });
}

// Threat: C10
Deno.test(
  "after kill -9 the next run shows what is still open, and decides it",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await using review = await approveOne(dir);
    Deno.kill((await review.processes()).program, "SIGKILL");
    await review.shows(/^ended 137$/m);
    await review.command(`sh ${join(REPO, "cli/supervise.sh")} review; echo again $?`);
    await review.shows(/^ supervise {2}1 pending/m);
    await review.type("Enter");
    await review.shows(/^\+ *\d+ api\.github\.com$/m);
    await review.decide("a", /u to undo/);
    await review.type("q");
    await review.shows(/not recorded yet/);
    await review.still(400);
    await review.type("q");
    await review.shows(/^approved p1[^]*^again 0$/m);
    assertEquals((await readAnswer(dir.at("queue", "dev-1"), "p1"))?.status, "approved");
  },
);

Deno.test("however early it is ended, the terminal is as it was", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const launcher = `exec sh ${join(REPO, "cli/supervise.sh")} review`;
  await using terminal = await openTerminal(
    "stty -a | grep -o ' icanon.* echo '; echo shell ready",
  );
  await terminal.shows(/^shell ready$/m);
  // From before there is a program to when it reads keys: its first screen is painted in between.
  for (let ms = 0; ms <= 600; ms += 40) {
    // A name of its own: the shell of the round before has left its number under another one.
    const pidFile = dir.at(`pid-${ms}`);
    const command = `CLAUDE_BOTTLE_ROOT=${dir.path} sh -c 'echo $$ > ${pidFile}; ${launcher}'`;
    const modes = "stty -a | tr '\\n' ' ' | grep -o ' icanon.* echo ' | cut -c -8";
    await Deno.writeTextFile(dir.at("run"), `${command}\necho "ended $?, ${ms}" $(${modes})\n`);
    await terminal.paste(`clear; sh ${dir.at("run")}\n`, false);
    let pid = "";
    while (!pid.endsWith("\n")) {
      await setTimeout(5);
      pid = await Deno.readTextFile(pidFile).catch(() => "");
    }
    await setTimeout(ms);
    Deno.kill(Number(pid), "SIGTERM");
    await terminal.shows(new RegExp(`^ended 143, ${ms} icanon$`, "m"));
    assertEquals(await terminal.state(), { alternate: false, cursor: true }, `after ${ms} ms`);
  }
});

// Threat: C10
Deno.test("Ctrl-C ends it, says what was not decided, and leaves the terminal as it was", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await using review = await approveOne(dir);
  await review.type("C-c");
  const screen = await review.shows(/^ended 0$/m);
  assertStringIncludes(screen, "! not decided, nothing was written: p1 (dev-1)");
  await isRestored(dir, review);
});

for (
  const starter of [
    `sh ${join(REPO, "cli/supervise.sh")}`,
    `deno task --quiet --config ${join(REPO, "deno.json")} supervise`,
  ]
) {
  const what = starter.split(" ").slice(0, 2).join(" ").replace(REPO, "");
  // Threat: C10
  Deno.test(
    `Ctrl-Z gives the terminal to the shell, and fg comes back to the same screen: ${what}`,
    {
      ignore,
    },
    async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p1" });
      await using review = await openReview(dir, { starter });
      await review.type("Enter");
      const before = await review.shows(/^\+ *\d+ api\.github\.com$/m);
      await review.type("C-z");
      await review.shows(/Stopped|Suspended|suspended/);
      assertEquals(await review.state(), { alternate: false, cursor: true });
      await review.command("stty -a; echo ' modes' 'shown'");
      assert(SANE.test(await review.shows(/ modes shown$/m)));
      await queueSample(dir.path, { id: "p2", justification: "Came meanwhile." });
      await review.command("fg");
      const after = await review.shows(/^ supervise {2}.*2 pending/m);
      const change = (screen: string) =>
        screen.slice(screen.indexOf("--- allowlist"), screen.indexOf("\n\n"));
      assertEquals(change(after), change(before));
      assertEquals(await review.state(), { alternate: true, cursor: false });
      // Keys count again.
      await review.decide("a", /u to undo/);
      await review.type("u");
      await review.shows(/Taken back/);
      await review.type("q");
      await review.shows(/^ended 0$|Stopped/m);
    },
  );
}

Deno.test("Ctrl-Z says so where there is no shell to go back to", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const starter = `exec setsid --wait sh ${join(REPO, "cli/supervise.sh")}`;
  await using review = await openReview(dir, { starter });
  await review.type("C-z");
  await review.shows(/Cannot stop here: there is no shell to go back to/);
  await review.type("q");
});

/** What the screen says of an editor's end. Where its path is long, a row ends between two words. */
const ended = (code: number) =>
  new RegExp(`ended with exit code ${code}`.replaceAll(" ", "[\\s↪]+"));

// Threat: C10
Deno.test(
  "a crash gives the terminal back, says why in a line, and ends with 1",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await using review = await approveOne(dir);
    await Deno.rename(dir.at("queue"), dir.at("elsewhere"));
    await Deno.symlink(dir.at("elsewhere"), dir.at("queue"));
    const screen = await review.shows(/^ended 1$/m);
    const told = screen.replaceAll(/ *\n( ↪)? */g, " ");
    assertStringIncludes(told, "it is a link, where a directory belongs");
    assert(!/\bat (async )?\S+ \(file:|Uncaught/.test(screen), screen);
    await Deno.remove(dir.at("queue"));
    await Deno.rename(dir.at("elsewhere"), dir.at("queue"));
    await isRestored(dir, review);
  },
);

Deno.test(
  "an editor has the terminal to itself, and the screen is whole after it",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    // It reads late: whoever else reads the terminal has what was typed.
    const script = `#!/bin/sh
echo "the editor: $(stty -a | grep -o " icanon")"
while ! [ -e ${dir.at("read")} ]; do sleep 0.1; done
read line
echo "$line" > "$1"
`;
    await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
    await using review = await openReview(dir, { env: { EDITOR: dir.at("editor") } });
    await review.type("Enter");
    await review.shows(/^\+ *\d+ api\.github\.com$/m);
    await review.decide("m", /^the editor: {2}icanon/m);
    assertEquals(await review.state(), { alternate: false, cursor: true });
    await review.command("typed.example");
    await review.still(500);
    await Deno.writeTextFile(dir.at("read"), "");
    const screen = await review.shows(/^\+ *\d+ typed\.example$/m);
    assert(!screen.includes("the editor:"), screen);
    assertEquals(await review.state(), { alternate: true, cursor: false });
    // Ctrl-C and Ctrl-\ in an editor are the editor's; what it printed before is still there.
    for (const [key, code, times] of [["C-c", 130, 2], ["C-\\", 131, 3]] as const) {
      await review.decide("m", new RegExp(`(the editor: {2}icanon[^]*){${times}}`));
      await review.type(key);
      await review.shows(ended(code));
      await review.shows(/^\+ *\d+ typed\.example$/m);
    }
  },
);

Deno.test(
  "a Ctrl-C that ends the editor does not end the screen, though its signal arrives after the editor's end",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const script = `#!/bin/sh
(while kill -0 $$ 2>/dev/null; do :; done; kill -INT $PPID; : > ${dir.at("sent")}) &
exit 130
`;
    await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
    await using review = await openReview(dir, { env: { EDITOR: dir.at("editor") } });
    await review.type("Enter");
    await review.shows(/^\+ *\d+ api\.github\.com$/m);
    await review.decide("m", ended(130));
    const isSent = () => Deno.stat(dir.at("sent")).then(() => true, () => false);
    while (!await isSent()) await setTimeout(10);
    await review.type("?");
    await review.shows(/this page$/m);
  },
);

for (
  const [what, words, env, expected] of [
    ["--plain", "review --plain", {}, /\[a\/m\/r\/s\/q\] $/m],
    ["TERM=dumb", "review", { TERM: "dumb" }, /\[a\/m\/r\/s\/q\] $/m],
    [
      "no terminal to type at",
      "review < /dev/null",
      {},
      /Cannot review without a terminal: use list, /,
    ],
    [
      "no terminal to see",
      "review > out; cat out",
      {},
      /Cannot review without a terminal: use list, /,
    ],
    ["--json", "review --json", {}, /Cannot review as JSON: use list, then show/],
  ] as const
) {
  Deno.test(`review takes no screen with ${what}`, { ignore }, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const line = `cd ${dir.path}; ${
      Object.entries(env).map(([name, value]) => `${name}=${value} `)
    }` +
      `sh ${join(REPO, "cli/supervise.sh")} ${words}`;
    await using terminal = await openTerminal(line, { CLAUDE_BOTTLE_ROOT: dir.path });
    await terminal.sees(expected);
    assertEquals(await terminal.state(), { alternate: false, cursor: true });
  });
}

Deno.test("deno task approve opens it; NO_COLOR leaves no colour in it", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "*.example.com\n" });
  const env = { CLAUDE_BOTTLE_ROOT: dir.path };
  await using coloured = await openTerminal(`cd ${REPO}; unset NO_COLOR; deno task approve`, env);
  await using plain = await openTerminal(`cd ${REPO} && NO_COLOR=1 deno task approve`, env);
  const seen: string[] = [];
  for (const terminal of [coloured, plain]) {
    await terminal.shows(/^ supervise {2}1 pending[^]*1 high/m);
    await terminal.type("Enter");
    await terminal.shows(/^\+ *\d+ \*\.example\.com$/m);
    seen.push((await terminal.colours()).split("\n").slice(-40).join("\n"));
    await terminal.type("q");
    await terminal.shows(/^> /m);
    await terminal.type("q");
    await terminal.shows(/^[$#]\s*$/m);
    assertEquals(await terminal.state(), { alternate: false, cursor: true });
  }
  // deno-lint-ignore no-control-regex
  const painted = seen.map((screen) => /\x1b\[[0-9;]*3\dm/.test(screen));
  assertEquals(painted, [true, false]);
});
