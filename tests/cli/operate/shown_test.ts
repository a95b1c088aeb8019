import { readResponse, sha256Hex } from "../../../mod.ts";
import { main } from "../../../cli/main.ts";
import { showAll, supervise } from "../../support/command_line.ts";
import { type QueuedProposal, queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { treeOf } from "../../support/tree.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const MODIFY = ["modify", "p1", "--file", "-"];

const INPUT = { input: "modified.example\n" };

async function putInForce(dir: TempDir, content: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), content);
}

/** Runs a verb that must be refused with exit code 5, and leave everything as it is but the lock. */
async function refused(dir: TempDir, args: readonly string[]): Promise<string> {
  const before = treeOf(dir.path, ["private/locks"]);
  const { code, out, err } = await supervise(dir.path, [...args, "--json"], INPUT);
  assertEquals([code, treeOf(dir.path, ["private/locks"])], [5, before]);
  const { error } = JSON.parse(out);
  assertEquals(err, `${error.message}\n`);
  return error.code;
}

/** A proposal `p1` that was shown, and the lock in place. */
async function shown(dir: TempDir, currentFileHash = ""): Promise<QueuedProposal> {
  const queued = await queueSample(dir.path, { id: "p1", currentFileHash });
  const { proposalSha256: p2 } = await queueSample(dir.path, { id: "p2" });
  assertEquals((await supervise(dir.path, ["approve", "p2", "--sha256", p2])).code, 0);
  assertEquals((await supervise(dir.path, ["show", "p1"])).code, 0);
  return queued;
}

for (
  const [what, change] of [
    ["other words", { justification: "Trust me." }],
    ["another file", { proposedFile: "evil.example\n" }],
    ["another tool", { tool: "capability-block", proposedFile: "FROM debian:13\n" }],
    ["nothing but another time", { arrivalTimestamp: "2026-01-01T00:00:00Z" }],
  ] as const
) {
  // Threat: B6
  Deno.test(`approve, modify and reject do nothing, exit 5, when what was shown has ${what} now`, async () => {
    await using dir = await tempDir();
    const { proposal } = await shown(dir);
    await queueSample(dir.path, { ...proposal, ...change });
    for (const args of [["approve", "p1"], MODIFY, ["reject", "p1", "--notes", "no"]]) {
      assertEquals(await refused(dir, args), "changed");
    }
    // Looked at again, it can be decided.
    await supervise(dir.path, ["show", "p1"]);
    assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
  });
}

Deno.test("approve takes no --sha256 of fewer than 32 digits, and none that is no hash", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  for (const sha256 of [8, 31].map((digits) => proposalSha256.slice(0, digits)).concat("x")) {
    const { code, err } = await supervise(dir.path, ["approve", "p1", "--sha256", sha256]);
    assertEquals([code, err.includes("expected 32 to 64 lower-case hex digits")], [2, true], err);
  }
});

Deno.test("approve --sha256 with a beginning that two proposals share means the one that was shown", async () => {
  await using dir = await tempDir();
  const { proposal } = await shown(dir);
  const { proposalSha256 } = await queueSample(dir.path, {
    ...proposal,
    justification: "Trust me.",
  });
  // As if it had been made to begin like the one that was shown.
  const begins = ["--sha256", proposalSha256.slice(0, 32)];
  assertEquals(await refused(dir, ["approve", "p1", ...begins]), "changed");
  const { code } = await supervise(dir.path, ["approve", "p1", "--sha256", proposalSha256]);
  assertEquals(code, 0);
});

// Threat: B6
Deno.test("approve does nothing, exit 5, when a byte changed that changes no field", async () => {
  await using dir = await tempDir();
  const { path } = await shown(dir);
  await Deno.writeTextFile(path, " ", { append: true });
  assertEquals(await refused(dir, ["approve", "p1"]), "changed");
});

// Threat: B7
Deno.test("approve and modify do nothing, exit 5, when the agent started from another file", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "new.example\n");
  const { queueDir } = await shown(dir, sha256Hex("old.example\n"));
  assertEquals(await refused(dir, ["approve", "p1"]), "stale");
  assertEquals(await refused(dir, MODIFY), "stale");
  const { code } = await supervise(dir.path, [...MODIFY, "--allow-stale"], INPUT);
  assertEquals([code, (await readResponse(queueDir, "p1")).status], [0, "modified"]);
});

// Threat: B7
Deno.test("approve does nothing, exit 5, when the file in force is not the one shown, stale or not", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "old.example\n");
  await shown(dir, sha256Hex("new.example\n"));
  await putInForce(dir, "new.example\n");
  assertEquals(await refused(dir, ["approve", "p1"]), "stale");
  assertEquals(await refused(dir, ["approve", "p1", "--allow-stale"]), "stale");
  assertEquals(await refused(dir, [...MODIFY, "--allow-stale"]), "stale");
  await supervise(dir.path, ["show", "p1"]);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
});

Deno.test("approve says what to do when what was shown cannot be told any more", async () => {
  await using dir = await tempDir();
  await shown(dir);
  await Deno.truncate(dir.at("private", "shown", "dev-1", "p1"), 40);
  const { code, err } = await supervise(dir.path, ["approve", "p1"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "it does not say what was shown; look at the proposal again");
  await supervise(dir.path, ["show", "p1"]);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
});

Deno.test("reject needs no file in force to be the one it was", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "old.example\n");
  await shown(dir, sha256Hex("older.example\n"));
  await putInForce(dir, "new.example\n");
  const { code } = await supervise(dir.path, ["reject", "p1", "--notes", "no"]);
  assertEquals(code, 0);
});

/** What becomes of the proposal that was shown before another one takes its beginning of an id. */
const GONE:
  readonly (readonly [how: string, go: (dir: TempDir, path: string) => Promise<unknown>])[] = [
    ["was withdrawn", (_, path) => Deno.remove(path)],
    [
      "was decided by somebody else",
      (dir) => supervise(dir.path, ["reject", "7c72aaaa-1", "--notes", "no"]),
    ],
  ];

for (const [how, go] of GONE) {
  for (const other of ["dev-1", "dev-2"]) {
    // Threat: B6, C6
    Deno.test(`a beginning of an id that was shown means no other proposal of ${other}, after it ${how}`, async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p0" });
      await showAll(dir.path, "p0");
      assertEquals((await supervise(dir.path, ["approve", "p0"])).code, 0);
      const { path } = await queueSample(dir.path, { id: "7c72aaaa-1" });
      assertEquals((await supervise(dir.path, ["show", "7c72"])).code, 0);
      await go(dir, path);
      await queueSample(dir.path, { id: "7c72bbbb-2", bottleSlug: other });
      await Deno.mkdir(dir.at("private", "locks"), { recursive: true });
      for (
        const args of [
          ["approve", "7c72"],
          ["approve", "7c72", "--bottle", other],
          ["approve", "7c", "--if-unmarked"],
          ["modify", "7c72", "--file", "-"],
          ["reject", "7c72", "--notes", "no"],
        ]
      ) {
        const code = await refused(dir, args);
        assertEquals(code, "changed", args.join(" "));
      }
      await queueSample(dir.path, { id: "p9", bottleSlug: other });
      await showAll(dir.path, "p9");
      const several = await supervise(dir.path, ["approve", "7c72", "p9"]);
      const inForce = "in force: the file alone: nothing reloads it\n";
      assertEquals([several.code, several.out], [5, `approved p9 (${other})\n${inForce}`]);
      // Looked at again under the same word, it can be decided.
      assertStringIncludes((await supervise(dir.path, ["show", "7c72"])).out, "7c72bbbb-2");
      assertEquals((await supervise(dir.path, ["approve", "7c72"])).code, 0);
    });
  }
}

// Threat: B6, C6
Deno.test("an id that two bottles have means the one that was shown, unless the bottle is named", async () => {
  await using dir = await tempDir();
  const { path } = await queueSample(dir.path, { id: "p1" });
  assertEquals((await supervise(dir.path, ["show", "p1"])).code, 0);
  await Deno.remove(path);
  await queueSample(dir.path, { id: "p1", bottleSlug: "dev-2" });
  await Deno.mkdir(dir.at("private", "locks"), { recursive: true });
  assertEquals(await refused(dir, ["approve", "p1"]), "changed");
  assertEquals(await refused(dir, ["reject", "p1", "--notes", "no"]), "changed");
  const named = ["p1", "--bottle", "dev-2"];
  assertEquals((await supervise(dir.path, ["approve", ...named])).code, 6);
  assertEquals((await supervise(dir.path, ["show", ...named])).code, 0);
  assertEquals((await supervise(dir.path, ["approve", ...named])).code, 0);
});

// Threat: B6
Deno.test("of two proposals that begin alike the one that was shown last is meant", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "7c72aaaa-1" });
  const { path } = await queueSample(dir.path, { id: "7c72bbbb-2", bottleSlug: "dev-2" });
  for (const id of ["7c72aaaa", "7c72bbbb"]) {
    assertEquals((await supervise(dir.path, ["show", id])).code, 0);
  }
  await Deno.remove(path);
  await Deno.mkdir(dir.at("private", "locks"), { recursive: true });
  assertEquals(await refused(dir, ["approve", "7c72"]), "changed");
  assertEquals((await supervise(dir.path, ["approve", "7c72aaaa"])).code, 0);
});

// Threat: B6
Deno.test("a script approves what was shown, what it names by hash, or what is unmarked, and nothing else", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "api.example.com\n");
  const sha256 = new Map<string, string>();
  for (const id of ["p1", "p2", "p3", "p4", "p5"]) {
    const proposedFile = "api.example.com\n# more\n";
    sha256.set(id, (await queueSample(dir.path, { id, proposedFile })).proposalSha256);
  }
  // What lists a proposal, or tells of it, shows nothing of its file.
  for (const args of [["list"], ["list", "--json"]]) {
    await supervise(dir.path, args);
    const { code, out, err } = await supervise(dir.path, ["approve", "p1", "--json"]);
    assertEquals([code, JSON.parse(out).error.code], [6, "not_shown"]);
    assertStringIncludes(err, "it was never shown here; supervise show p1, then approve it");
  }
  const several = await supervise(dir.path, ["approve", "p1", "p2"]);
  assertEquals([several.code, several.out], [6, ""]);

  await supervise(dir.path, ["show", "p1", "--json"]);
  await supervise(dir.path, ["show", "p2"]);
  for (
    const args of [
      ["p1"],
      ["p2"],
      ["p3", "--sha256", sha256.get("p3")!],
      ["p4", "--if-unmarked"],
    ]
  ) {
    const { code, err } = await supervise(dir.path, ["approve", ...args]);
    assertEquals(code, 0, err);
  }
  const rejected = await supervise(dir.path, ["reject", "p5", "--notes", "no"]);
  assertEquals(rejected.code, 0, rejected.err);
});

// Threat: B6
Deno.test("show into nothing does not count: closed, or a device that drops it", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const launcher = join(REPO, "cli/supervise.sh");
  const options = { env: { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" } };
  for (const into of [">&-", ">/dev/null"]) {
    const { err } = await run("sh", ["-c", `"$0" show p1 ${into}`, launcher], options);
    assertEquals(err, "! not all of it was read, so it does not count as shown\n");
    assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 6);
  }
  await run("sh", ["-c", '"$0" show p1 >"$1"', launcher, dir.at("text")], options);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
});

// Threat: B6
Deno.test("what a terminal does not take was not shown: show notes nothing, approve asks nothing", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  for (const verb of ["show", "approve"]) {
    let err = "";
    const code = await main([verb, "p1"], {
      ...{ outIsTerminal: true, errIsTerminal: true, interactive: true, columns: 80 },
      print: (text) => {
        if (text.includes("+2 api.github.com")) throw new Error("Input/output error");
      },
      write: () => {},
      complain: (text) => void (err += `${text}\n`),
      env: (name) => name === "CLAUDE_BOTTLE_ROOT" ? dir.path : undefined,
    });
    assertEquals(code, 1, verb);
    assertStringIncludes(err, "Cannot print all of it: Input/output error");
    if (verb === "approve") assertStringIncludes(err, "Cannot ask: not all of it could be printed");
    assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 6);
  }
});
