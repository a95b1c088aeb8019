import { entryLine, shortSlugs } from "../../../cli/render/entry.ts";
import { makeStyle } from "../../../cli/render/style.ts";
import { type AuditEntry, writeAuditEntry } from "../../../mod.ts";
import { FOREIGN_LINE, makeLog, sampleEntry } from "../../support/audit.ts";
import { supervise } from "../../support/command_line.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Writes entries; each has its id as its notes unless it says others. */
async function record(dir: TempDir, entries: Readonly<Record<string, Partial<AuditEntry>>>) {
  for (const [proposalId, change] of Object.entries(entries)) {
    const entry = sampleEntry({ proposalId, operatorNotes: proposalId, ...change });
    await writeAuditEntry(entry, { root: dir.path });
  }
}

/** A line that was made up, or cut off at the end, looks like any other. */
const UNCHECKED = "No signature was checked, and the order in part: audit verify checks both\n";

/** The ids of the entries that are printed, from the top. */
async function idsIn(dir: TempDir, ...args: string[]): Promise<string[]> {
  const { code, out, err } = await supervise(dir.path, ["audit", "show", ...args]);
  if (out.startsWith("Nothing")) {
    assertEquals([code, err], [0, ""]);
    return [];
  }
  assertEquals([code, err], [0, UNCHECKED]);
  return Array.from(out.matchAll(/^\S+ \S+ {2}\S+ +(\S+)/gm), ([, id]) => id!);
}

const time = (hour: number) => `2026-11-22T${String(hour).padStart(2, "0")}:00:00.000Z`;

const ENTRIES: Readonly<Record<string, Partial<AuditEntry>>> = {
  one: { timestamp: time(1), operatorAction: "approved" },
  two: { timestamp: time(2), operatorAction: "rejected", operator: "bob@host" },
  three: { timestamp: time(3), component: "rebuild", operatorName: "Grace" },
  four: { timestamp: time(4), bottleSlug: "dev-2", operatorAction: "modified" },
  five: {
    timestamp: time(5),
    diff:
      "--- api.old (current)\n+++ b\n@@ -1,2 +1,2 @@\n same.example\n-Gone.example\n+new.example\n",
  },
};

Deno.test.each(
  [
    ["", ["five", "four", "three", "two", "one"]],
    ["--since 2026-11-22T03:00:00Z", ["five", "four", "three"]],
    ["--until 2026-11-22T03:00:00Z", ["two", "one"]],
    ["--since 2026-11-22T02:00:00Z --until 2026-11-22T04:00:00Z", ["three", "two"]],
    ["--since 3d", []],
    ["--operator bob@host", ["two"]],
    ["--operator Grace", ["three"]],
    ["--operator bob", []],
    ["--action rejected", ["two"]],
    ["--tool capability-block", ["three"]],
    ["--tool pipelock-block", ["five", "four", "two", "one"]],
    ["--component rebuild", ["three"]],
    ["--bottle dev-2", ["four"]],
    ["--host gone.EXAMPLE", ["five"]],
    ["--host new.ex", ["five"]],
    // Neither a line that stays nor a header changes.
    ["--host same.example", []],
    ["--host api.old", []],
    ["t", ["three", "two"]],
    ["three", ["three"]],
    ["t --action rejected", ["two"]],
  ] as const,
)(
  "audit show %s prints the right entries, the newest first, a line for each",
  async (line, ids) => {
    await using dir = await tempDir();
    await record(dir, ENTRIES);
    const args = line.split(" ").filter((word) => word !== "");
    assertEquals(await idsIn(dir, ...args), [...ids]);
    const { out } = await supervise(dir.path, ["audit", "show", ...args]);
    assertEquals(out.split("\n").length - 1, Math.max(1, ids.length));
    if (ids.length === 0) assertEquals(out, "Nothing that is recorded matches.\n");
    const json = await supervise(dir.path, ["audit", "show", "--json", ...args]);
    const { version, entries } = JSON.parse(json.out);
    // For a script the order is what it was: the oldest first.
    const found = entries.map((entry: { operator_notes: string }) => entry.operator_notes);
    assertEquals([version, found], [1, [...ids].reverse()]);
  },
);

Deno.test("audit show says what it cannot use, and which id is in no log", async () => {
  await using dir = await tempDir();
  assertEquals((await supervise(dir.path, ["audit", "show"])).out, "Nothing is recorded.\n");
  assertEquals(
    (await supervise(dir.path, ["audit", "show", "--json"])).out,
    '{"version":1,"entries":[]}\n',
  );
  await record(dir, ENTRIES);
  for (
    const [line, exit, says] of [
      ["nine", 3, "nine"],
      ["one two", 2, "expected one ID at most"],
      ["../one", 2, ""],
      ["--since yesterday", 2, "Cannot use yesterday as --since: expected 90s"],
      ["--until soon", 2, "Cannot use soon as --until: expected 90s"],
      ["--action allowed", 2, "expected one of approved, modified, rejected, operator-edit, super"],
      ["--tool pipelock", 2, "Cannot use pipelock as --tool: expected one of cred-proxy-block"],
      ["--host=", 2, "Cannot use --host without a value"],
    ] as const
  ) {
    const { code, out, err } = await supervise(dir.path, ["audit", "show", ...line.split(" ")]);
    assertEquals([code, out], [exit, ""], line);
    assertStringIncludes(err, says);
  }
});

Deno.test("audit show has in its line time, action, id, marks, bottle, log, operator and notes", async () => {
  await using dir = await tempDir();
  const mark = { severity: "high", rule: "wildcard-host", message: "m", side: "new", line: 1 };
  await record(dir, {
    "6da1cafe-0000-4000-8000-000000000000": {
      marks: [mark as never],
      operatorNotes: "\n",
      operator: "a@b",
    },
    "p7": { marks: [], operatorNotes: "", operator: "a@b" },
  });
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), FOREIGN_LINE, { append: true });
  const { out } = await supervise(dir.path, ["audit", "show"]);
  const clock = /^2026-11-2\d \d\d:\d\d {2}/gm;
  assertEquals(out.match(clock)?.length, 3);
  assertEquals(out.replaceAll(clock, "").split("\n"), [
    "approved  not signed            ?           dev-1  pipelock…",
    "approved  p7                    dev-1  pipelock    a@b",
    "approved  6da1cafe  1 high      dev-1  pipelock    a@b",
    "",
  ]);
});

Deno.test("audit show says once for each log, behind the entries, what it passed over", async () => {
  await using dir = await tempDir();
  await record(dir, ENTRIES);
  const log = dir.at("audit", "pipelock-dev-1.log");
  await Deno.writeTextFile(log, "{\nnonsense\n", { append: true });
  const { code, err } = await supervise(dir.path, ["audit", "show"]);
  assertEquals(code, 0);
  assertEquals(
    err,
    `${UNCHECKED}! pipelock-dev-1.log: passed over 2 broken lines; run supervise audit verify\n`,
  );
});

Deno.test("one log that cannot be read keeps audit show, show ID and audit export from no other log", async () => {
  await using dir = await tempDir();
  const id = "6da1cafe-0000-4000-8000-000000000000";
  await record(dir, { [id]: {} });
  await Deno.mkdir(dir.at("audit", "pipelock-dev-2.log"));
  const log = "pipelock-dev-2.log";
  const cannot = `Cannot read ${dir.at("audit", log)}: it is a directory`;

  const all = await supervise(dir.path, ["audit", "show"]);
  assertEquals([all.code, all.out.includes("6da1cafe")], [1, true], all.err);
  assertStringIncludes(all.err, `! ${log} is not shown: ${cannot}\n`);
  const json = await supervise(dir.path, ["audit", "show", "--json"]);
  assertEquals([json.code, JSON.parse(json.out).entries.length], [1, 1], json.err);
  const one = await supervise(dir.path, ["audit", "show", id]);
  assertEquals([one.code, one.out.includes("6da1cafe")], [1, true], one.err);
  const shown = await supervise(dir.path, ["show", "6da1"]);
  assertEquals([shown.code, shown.out.includes(id)], [0, true], shown.err);
  // It may be in the log that cannot be read.
  const other = await supervise(dir.path, ["audit", "show", "7777"]);
  assertEquals([other.code, other.out], [1, ""]);
  assertStringIncludes(other.err, cannot);

  const exported = await supervise(dir.path, ["audit", "export"]);
  assertEquals(exported.code, 1);
  assertStringIncludes(exported.err, "! pipelock-dev-2 is not in the archive: it cannot be read");
  await Deno.writeFile(dir.at("archive"), exported.bytes);
  const verified = await supervise(dir.path, ["audit", "verify", "--archive", dir.at("archive")]);
  assertStringIncludes(verified.out, "pipelock-dev-1");
});

Deno.test("audit show --full prints what the line for an entry leaves out", async () => {
  await using dir = await tempDir();
  await record(dir, { one: { ifUnmarked: true, marks: [], repair: "ignored" } });
  const { out } = await supervise(dir.path, ["audit", "show", "--full"]);
  for (
    const row of [
      "approved  2026-11-22T10:49:36.924Z  pipelock  dev-1",
      "  it had no marks",
      "  approved without a look, by --if-unmarked: no new reach, no mark",
      "  │ The tests read a public gist.",
      "  │ +api.github.com",
    ]
  ) assert(out.split("\n").includes(row), out);
  assertMatch(out, /^ {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d, (\d+ [smhd]|\?) ago$/m);
});

Deno.test("a line of audit show tells two bottles apart from 50 columns on, and shows a name that fits as it is", () => {
  const slugs = ["an-application-with-a-long-name-1", "an-application-with-a-long-name-2", "dev-1"];
  const lineOf = (bottleSlug: string, columns: number) =>
    entryLine(
      sampleEntry({ bottleSlug, proposalId: "7c720051-aaaa", operatorKey: "SHA256:x" }),
      shortSlugs(slugs, columns),
      columns,
      makeStyle(false),
    );
  for (const columns of [50, 60, 71, 72, 80]) {
    const [one, two, short] = slugs.map((slug) => lineOf(slug, columns));
    assertMatch(one!, / {2}\S*…\S*1\b/);
    assertMatch(two!, / {2}\S*…\S*2\b/);
    assertMatch(short!, / {2}dev-1\b/);
    for (const line of [one!, two!]) {
      assert(line.length < columns && line.includes("7c720051"), line);
    }
  }
  for (const slug of slugs) assertStringIncludes(lineOf(slug, Infinity), `  ${slug}  `);
});

Deno.test("at 44 columns a line of audit show says that it is not signed, whatever it says of an operator", () => {
  const entry = sampleEntry({ proposalId: "p1", operator: "o".repeat(100) });
  assertMatch(
    entryLine(entry, shortSlugs(["dev-1"], 44), 44, makeStyle(false)),
    /^\S+ \S+ {2}\w+ {2}not signed/,
  );
});

// Threat: L1
Deno.test.each(
  [
    ["is there twice at the end", (lines) => [...lines, lines.at(-1)!], 1],
    ["was moved", ([first, ...lines]) => [...lines, first!], 1],
    ["was taken out", (lines) => lines.toSpliced(1, 1), 1],
    ["was changed", (lines) => lines.with(1, lines[1]!.replace("two", "owt")), 1],
    ["is as it was written", (lines) => lines, 0],
    ["is foreign, after the others", (lines) => [...lines, `${FOREIGN_LINE}\n`], 0],
  ] as [string, (lines: readonly string[]) => readonly string[], number][],
)(
  "audit show says what does not follow its neighbour, where a line %s",
  async (_, change, count) => {
    await using dir = await tempDir();
    const log = await makeLog(dir.path, ["one", "two", "three", "four"]);
    await log.put(change(await log.lines()).join(""));
    const says =
      "! pipelock-dev-1.log: 1 line does not follow its neighbour in the chain; run supervise audit verify\n";
    for (const flags of [[], ["--full"], ["--json"]]) {
      const { code, err } = await supervise(dir.path, ["audit", "show", ...flags]);
      const expected = (flags[0] === "--json" ? "" : UNCHECKED) + (count === 0 ? "" : says);
      assertEquals([code, err.replaceAll(/\n ↪/g, "")], [0, expected]);
    }
  },
);

Deno.test("audit show reads a time without a zone as it prints times: in local time", async () => {
  await using dir = await tempDir();
  await writeAuditEntry(sampleEntry({ timestamp: time(5) }), { root: dir.path });
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", TZ: "Asia/Tokyo" };
  const show = async (...flags: string[]) => {
    const args = [join(REPO, "cli/supervise.sh"), "audit", "show", ...flags];
    return (await run("sh", args, { env })).out.slice(0, 16);
  };
  assertEquals(await show(), "2026-11-22 14:00");
  const found = [
    "2026-11-22 14:00",
    "2026-11-22T14:00:00",
    "2026-11-22T05:00:00.0Z",
    "2026-11-22 14:00:00 +09:00",
  ];
  for (const since of found) assertEquals(await show("--since", since), "2026-11-22 14:00", since);
  for (const since of ["2026-11-22 14:01", "2026-11-22T05:00:00.1Z"]) {
    assertEquals(await show("--since", since), "Nothing that is ", since);
  }
});

Deno.test("audit show of a whole UUID shows no entry of an id that only begins with it", async () => {
  await using dir = await tempDir();
  const id = "0b6f4e0e-4b5e-4c39-9d51-5a2c3d4e5f60";
  await record(dir, { [id]: {}, [`${id}-approved`]: {} });
  const notes = async (word: string) =>
    JSON.parse((await supervise(dir.path, ["audit", "show", word, "--json"])).out).entries.length;
  assertEquals([await notes(id), await notes(id.slice(0, 35))], [1, 2]);
});
