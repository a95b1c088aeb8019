import { VERB_NAMES, type VerbName } from "../../cli/command/flags.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run, supervise } from "../support/run.ts";
import { canMount, mountTmpfs } from "../support/small_disk.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

/** What each verb is run with so that it prints something; the others are in `NOT_RUN`. */
const RUNS: Readonly<Partial<Record<VerbName, readonly string[]>>> = {
  "list": ["", "--json"],
  "show": ["p2", "p2 --json", "p1", "p1 --json", "p1 --final", "p1 --final --json"],
  "reject": ["p3 --notes no", "p4 --notes no --json"],
  "watch": ["", "--json"],
  "policy test": ["", "--json"],
  "policy suggest": ["", "--json"],
  "policy standing": ["", "--json"],
  "apply init": ["squid", "squid --json"],
  "apply resolve": ["--bottle dev-1", "--bottle dev-1 --json"],
  "versions": [
    "allowlist --bottle dev-1",
    "allowlist --bottle dev-1 --json",
    "allowlist --bottle dev-1 --show 1",
  ],
  "drift": ["", "--json"],
  "grants": ["", "--json"],
  "revoke": ["--all --bottle dev-1", "--all --bottle dev-1 --json"],
  "expire": ["--json"],
  "freeze": ["--bottle dev-1 --end", "--bottle dev-1 --end --json"],
  "audit show": ["", "--full", "--json"],
  "audit verify": ["", "--json"],
  "audit export": [""],
  "audit head": ["", "--json"],
  "bottle add": ["dev-2", "dev-2 --json"],
  "bottle list": ["", "--json"],
  "doctor": ["", "--json"],
  "completions": ["bash"],
  "launcher": [""],
  "help": ["show"],
};

/** Verbs that print by the same calls as `reject` and `bottle add`, or on a terminal alone. */
const NOT_RUN: readonly VerbName[] = [
  "apply check",
  "approve",
  "modify",
  "edit",
  "rollback",
  "review",
  "notify",
  "bottle up",
  "bottle down",
  "bottle status",
  "bottle remove",
];

/** A root with a decision, and three proposals that wait. */
async function prepare(dir: TempDir): Promise<void> {
  await queueSample(dir.path, { id: "p1", proposedFile: "# a\n" });
  for (const id of ["p2", "p3", "p4"]) await queueSample(dir.path, { id });
  assertEquals((await supervise(dir.path, ["approve", "p1", "--if-unmarked"])).code, 0);
}

async function runInto(file: string, dir: TempDir, words: string): Promise<string> {
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
  const command = `sh '${join(REPO, "cli/supervise.sh")}' ${words} > '${file}'`;
  const { code, err } = await run("sh", ["-c", command], { env });
  assertEquals(code, 1, `${words}: ${err}`);
  // What else is said, such as the key that signed an archive, is said before the end.
  assertMatch(err, /(?:^|\n)Cannot print all of it: No space left on device.*\n$/, words);
  assert(!/Cannot go on|Uncaught| at /.test(err), `${words}: ${err}`);
  return err;
}

Deno.test("every verb says that its output is full, ends with 1, and adds no JSON to it", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  assertEquals([...Object.keys(RUNS), ...NOT_RUN].sort(), [...VERB_NAMES].sort());
  for (const [verb, runs] of Object.entries(RUNS)) {
    for (const words of runs) await runInto("/dev/full", dir, `${verb} ${words}`);
  }
  // What could not be shown does not count as shown.
  assertEquals((await supervise(dir.path, ["approve", "p2"])).code, 6);
});

Deno.test(
  "JSON that a disk has no room for ends where the room ends",
  { ignore: !canMount },
  async () => {
    await using dir = await tempDir();
    await prepare(dir);
    const text = `${"x".repeat(12_000)} end`;
    for (const id of ["p5", "p6", "p7"]) await queueSample(dir.path, { id, justification: text });
    await Deno.mkdir(dir.at("small"));
    await using _ = await mountTmpfs(dir.at("small"), "size=16k");
    const out = dir.at("small", "out");
    for (const words of ["list --json", "show p5 --json", "audit show --json", "watch --json"]) {
      if (words.startsWith("audit")) {
        await supervise(dir.path, ["reject", "p5", "--notes", text]);
        await supervise(dir.path, ["reject", "p6", "--notes", text]);
      }
      await runInto(out, dir, words);
      assertEquals((await Deno.readTextFile(out)).includes('"error"'), false, words);
    }
  },
);
