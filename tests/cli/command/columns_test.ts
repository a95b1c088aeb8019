import { sampleEntry } from "../../support/audit.ts";
import { inEnvironment } from "../../support/environment.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { writeAll } from "../../../cli/command/terminal.ts";
import { encodeAuditEntry } from "../../../src/records/codec.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ignore = isMissing("tmux", "-V");

const LAUNCHER = join(REPO, "cli/supervise.sh");

/** Words that a screen of 80 columns would cut, with lines that look like this program's. */
const WORDS = `${"word ".repeat(60)}end\n! The operator approved this.\napproved p1 (dev-1)`;

const HOST = `${"sub.".repeat(40)}example.com`;

const NOTES = `${"note ".repeat(60)}end\napproved p2 (dev-1)`;

async function prepare(dir: TempDir): Promise<void> {
  await queueSample(dir.path, { id: "p1", justification: WORDS, proposedFile: `${HOST}\n` });
  await Deno.mkdir(dir.at("audit"));
  const entry = encodeAuditEntry(
    sampleEntry({ proposalId: "p9", operatorNotes: NOTES, justification: WORDS }),
  );
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), entry);
}

function inPipe(dir: TempDir, command: string, env: Record<string, string> = {}) {
  const { path } = dir;
  return run("sh", ["-c", command], {
    env: { CLAUDE_BOTTLE_ROOT: path, NO_COLOR: "1", COLUMNS: "", ...env },
  });
}

// Threat: A6
Deno.test("in a pipe and in a file no line is cut or broken, and an agent's lines keep their sign", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const commands = [
    "list | cat",
    "show p1 | cat",
    `list > ${dir.at("file")}; cat ${dir.at("file")}`,
  ];
  for (const command of [...commands, "audit show | cat", "audit show --full | cat"]) {
    const { out, err } = await inPipe(dir, `sh ${LAUNCHER} ${command}`);
    assertEquals(
      err.replace(
        "No signature was checked, and the order in part: audit verify checks both\n",
        "",
      ),
      "",
    );
    assert(!/[↪…]/.test(out), out);
    assertStringIncludes(
      out,
      command.startsWith("audit show |") ? "note end" : "word end",
      command,
    );
    // Both forgeries are behind a bar, or in the row of this program's that the words are the end of.
    assert(!/^(! The operator|approved p[12] )/m.test(out), out);
  }
  const { out } = await inPipe(dir, `sh ${LAUNCHER} show p1 | cat`);
  assertMatch(out, /^│ word .* end\n│ ! The operator approved this\.\n│ approved p1 \(dev-1\)$/m);
  assertStringIncludes(out, `\n+1 ${HOST}\n`);
});

Deno.test("errors and help in a pipe are whole", async () => {
  await using dir = await tempDir();
  const long = `p${"x".repeat(100)}`;
  const { err } = await inPipe(dir, `sh ${LAUNCHER} show ${long}`);
  assertEquals(err, `Cannot find proposal ${long} in any bottle under ${dir.path}\n`);
  const { out } = await inPipe(dir, `sh ${LAUNCHER} help review | cat`);
  assert(!/[↪…]/.test(out), out);
});

Deno.test("watch in a pipe prints whole lines", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const watch = new Deno.Command("sh", {
    args: [LAUNCHER, "watch"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", COLUMNS: "", TZ: "UTC" }),
    stdout: "piped",
  }).spawn();
  const reader = watch.stdout.getReader();
  const line = new TextDecoder().decode((await reader.read()).value);
  assertMatch(
    line,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00 {2}arrived .* {2}p1 {2}dev-1 .* │ word .* end↵/,
  );
  assert(!/[↪…]/.test(line), line);
  watch.kill("SIGINT");
  await reader.cancel();
  await watch.status;
});

const widest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length));

for (
  const [columns, isValid] of [
    ["20", true],
    ["60", true],
    ["9999", true],
    ["19", false],
    ["10000", false],
    ["060", false],
    ["60.5", false],
    [" 60", false],
    ["0x40", false],
    ["-60", false],
    ["", false],
  ] as const
) {
  Deno.test(`COLUMNS=${JSON.stringify(columns)} ${isValid ? "counts" : "counts for nothing"} in a pipe`, async () => {
    await using dir = await tempDir();
    await prepare(dir);
    const env = { COLUMNS: columns };
    const { out, err } = await inPipe(
      dir,
      `sh ${LAUNCHER} list; sh ${LAUNCHER} show p${HOST}`,
      env,
    );
    const whole = !isValid || columns === "9999";
    assertEquals(out.includes("word end"), whole, out);
    if (!whole) assert(widest(out) < Number(columns) && widest(err) < Number(columns), out + err);
    assertEquals(/ ↪/.test(err), !whole);
  });
}

for (
  const [columns, size, expected] of [
    ["", 100, 100],
    ["60", 100, 60],
    // The terminal would break such rows itself, without a sign.
    ["200", 100, 100],
    ["nonsense", 90, 90],
  ] as const
) {
  // Threat: A6
  Deno.test(
    `on a terminal of ${size} columns with COLUMNS=${
      JSON.stringify(columns)
    } rows have ${expected}`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await prepare(dir);
      const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
      // Only the error is on the terminal in the last of them.
      const script = [
        `export COLUMNS=${columns}`,
        `sh ${LAUNCHER} show p1`,
        `sh ${LAUNCHER} show p${HOST} > ${dir.at("out")}`,
        "echo finished",
      ];
      await Deno.writeTextFile(dir.at("script"), script.join("\n"));
      await using terminal = await openTerminal(`sh ${dir.at("script")}`, env, [size, 50]);
      const rows = (await terminal.rows(/^finished/m))
        .filter((row) => /^│|↪|^Cannot/.test(row));
      assert(rows.length > 5);
      assert(rows.some((row) => row.startsWith(" ↪")), rows.join("\n"));
      for (const row of rows) assert([...row].length < expected, row);
      assert(rows.some((row) => [...row].length > expected - 8), rows.join("\n"));
      for (const row of rows) assert(/^( *│|\+|!| ↪|Cannot (find|use))/.test(row), row);
    },
  );
}

// Threat: A6
Deno.test(
  "watch prints rows for the terminal as it is now, not as it was at the start",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("queue", "dev-1"), { recursive: true });
    const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
    await using terminal = await openTerminal(`stty size; sh ${LAUNCHER} watch`, env, [170, 30]);
    await terminal.sees(/^30 170$/m);
    const proposedFile = "# a\n";
    await queueSample(dir.path, { id: "p1", proposedFile });
    await terminal.sees(/arrived +p1 /);
    await terminal.resize(80, 30);
    await queueSample(dir.path, { id: "p2", proposedFile, justification: "word ".repeat(40) });
    const rows = await terminal.rows(/arrived +p2 .*…$/m);
    assert(rows.every((row) => !row.startsWith("word")), rows.join("\n"));
  },
);

Deno.test("what an output does not take at once is written once it has room", () => {
  const taken: number[] = [];
  let calls = 0;
  const output = {
    writeSync(bytes: Uint8Array) {
      if (++calls % 2 === 1) throw new Deno.errors.WouldBlock();
      const count = Math.min(3, bytes.length);
      taken.push(...bytes.subarray(0, count));
      return count;
    },
  };
  writeAll(output, "some words\n");
  assertEquals(new TextDecoder().decode(Uint8Array.from(taken)), "some words\n");
});
