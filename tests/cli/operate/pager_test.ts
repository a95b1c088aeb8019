import { writeAuditEntry } from "../../../mod.ts";
import { sampleEntry } from "../../support/audit.ts";
import { NO_TMUX } from "../../support/review.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ignore = NO_TMUX;

const LAUNCHER = join(REPO, "cli/supervise.sh");

/** Writes so many entries, whose notes could act on a terminal. */
async function record(dir: TempDir, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const entry = sampleEntry({ proposalId: `p${n}`, operatorNotes: "\x1b[31m\x1b]0;x\x07" });
    await writeAuditEntry(entry, { root: dir.path });
  }
}

/** Runs the launcher in a terminal, and says its exit code. */
function openAudit(
  dir: TempDir,
  env: Record<string, string>,
  size: readonly [number, number] = [80, 24],
  words = "audit show",
) {
  // The terminal's own shell may set another path.
  const path = env.PATH === undefined ? "" : `PATH=${env.PATH} `;
  const command = `${path}sh ${LAUNCHER} ${words}; echo "ended with $?"`;
  return openTerminal(command, { CLAUDE_BOTTLE_ROOT: dir.path, PAGER: "", LESS: "", ...env }, size);
}

for (const size of [[80, 24], [40, 24]] as const) {
  // Threat: A6
  Deno.test(`audit show at ${size.join("x")} is in less, the newest first, and left by q`, {
    ignore,
  }, async () => {
    await using dir = await tempDir();
    await record(dir, 60);
    await using terminal = await openAudit(dir, {}, size);
    const screen = await terminal.shows(/^:$/m);
    const rows = screen.trimEnd().split("\n").filter((row) => row.startsWith("20"));
    assertMatch(rows[0]!, /^2026-11-2\d \d\d:\d\d {2}approved {2}p59/);
    assert(rows.every((row) => row.length < size[0] && !row.includes("ESC")), screen);
    assertStringIncludes(await terminal.colours(), "\x1b[32m");
    await terminal.type("q");
    await terminal.sees(/^ended with 0$/m);
  });
}

Deno.test(
  "audit show that fits on the screen stays there, and less waits for no key",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await record(dir, 3);
    await using terminal = await openAudit(dir, {});
    await terminal.sees(/ p0 [^]*^ended with 0$/m);
  },
);

Deno.test("audit show takes less if $PAGER is blank, or only quotes", { ignore }, async () => {
  await using dir = await tempDir();
  await record(dir, 60);
  for (const PAGER of ["  ", "''"]) {
    await using terminal = await openAudit(dir, { PAGER });
    await terminal.shows(/^:$/m);
    await terminal.type("q");
    await terminal.sees(/^ended with 0$/m);
  }
});

Deno.test("audit show splits $PAGER as a shell does, and gives no colours to what is not less", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await record(dir, 3);
  const pager = dir.at("my pager");
  await Deno.writeTextFile(pager, '#!/bin/sh\necho "has $1 $LESSSECURE"; cat -v\n', {
    mode: 0o755,
  });
  await using terminal = await openAudit(dir, { PAGER: `"${pager}" 'two words'` });
  const screen = await terminal.sees(/^ended with 0$/m);
  assertStringIncludes(screen, "has two words 1\n");
  assertEquals(screen.match(/ p\d /g), [" p2 ", " p1 ", " p0 "]);
  assertEquals(screen.includes("^["), false);
});

for (
  const [what, pager, says, code] of [
    [
      "is missing",
      "no-such-pager",
      "! printed without a pager: no-such-pager is not there; set $PAGER",
      0,
    ],
    [
      "cannot be split",
      "less '",
      "Cannot use less ' as a pager: a quote or a \\ in it has no end",
      2,
    ],
    [
      "fails",
      "sh -c 'cat >/dev/null; exit 3'",
      "Cannot show it in sh: it ended with exit code 3",
      1,
    ],
    ["fails at once", "sh -c 'exit 4'", "Cannot show it in sh: it ended with exit code 4", 1],
    ["is left early", "head -n 1", "", 0],
  ] as const
) {
  Deno.test(`audit show says what is wrong with a pager that ${what}`, { ignore }, async () => {
    await using dir = await tempDir();
    await record(dir, 60);
    await using terminal = await openAudit(dir, { PAGER: pager });
    const screen = await terminal.sees(new RegExp(`^ended with ${code}$`, "m"));
    assertStringIncludes(screen.replaceAll(/\n ↪/g, ""), says);
    if (what === "is missing") assertStringIncludes(screen, "  p59 ");
  });
}

Deno.test("Ctrl-C in the pager ends neither the pager nor the verb", { ignore }, async () => {
  await using dir = await tempDir();
  await record(dir, 60);
  await using terminal = await openAudit(dir, {});
  await terminal.shows(/^:$/m);
  await terminal.type("C-c");
  // less drops the keys that come while it handles the signal.
  do await terminal.type("G"); while (!/ p0 /.test(await terminal.still(300)));
  await terminal.type("q");
  await terminal.sees(/^ended with 0$/m);
});

Deno.test("a Ctrl-C whose signal arrives after the end of the pager does not end the verb", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await record(dir, 3);
  // Signals are taken in the order of their numbers: the second one says that the first one was taken.
  const program = `
import { main } from ${JSON.stringify(join(REPO, "cli/main.ts"))};
const { promise, resolve } = Promise.withResolvers();
Deno.addSignalListener("SIGUSR1", resolve);
const code = await main(["audit", "show"]);
Deno.kill(Deno.pid, "SIGINT");
Deno.kill(Deno.pid, "SIGUSR1");
await promise;
Deno.exit(code);
`;
  await Deno.writeTextFile(dir.at("late.ts"), program);
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, PAGER: "cat" };
  const command = `deno run -A -c ${join(REPO, "deno.json")} ${
    dir.at("late.ts")
  }; echo "ended with $?"`;
  await using terminal = await openTerminal(command, env);
  await terminal.sees(/^ended with 0$/m);
});

// Threat: C8
Deno.test(
  "the launcher grants the pager to audit show alone, on a terminal, and not with --plain",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("bin"));
    const deno =
      '#!/bin/sh\nfor arg in "$@"; do case $arg in --allow-run*) echo "$arg" ;; esac; done\n';
    await Deno.writeTextFile(dir.at("bin", "deno"), `${deno}echo granted\n`, { mode: 0o755 });
    const env = { PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}`, CLAUDE_BOTTLE_ROOT: dir.path };
    for (
      const [words, pager, expected] of [
        ["audit show", "", "--allow-run=less\n"],
        ["--json audit show p1 --full", "more -d", "--allow-run=more\n"],
        ["audit show --plain", "", ""],
        ["audit head", "less", ""],
        ["list", "less", ""],
        ["show audit", "less", ""],
      ] as const
    ) {
      await using terminal = await openAudit(dir, { ...env, PAGER: pager }, [80, 24], words);
      const screen = await terminal.sees(/^ended with 0$/m);
      assertStringIncludes(screen, `${expected}granted\nended`);
      assertEquals(screen.includes("--allow-run"), expected !== "", words);
    }
    const piped = await run("sh", [LAUNCHER, "audit", "show"], { env: { ...env, PAGER: "less" } });
    assertEquals(piped.out, "granted\n");
  },
);
