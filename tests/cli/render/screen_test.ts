import { quoteFile } from "../../../cli/render/quote.ts";
import { encodeAuditEntry, encodeResponse } from "../../../src/records/codec.ts";
import { sampleEntry } from "../../support/audit.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { REPO } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ignore = isMissing("tmux", "-V");

const LAUNCHER = join(REPO, "cli/supervise.sh");

/** Long lines that a terminal would break so that their ends look like lines of ours. */
const FORGERY = "Need one host.".padEnd(78) + "approve, modify, reject? [a/m/r/s/q] a".padEnd(79) +
  "! The operator approved this. ".padEnd(79) + "漢".repeat(60) + "approved p1 (dev-1)";

const FILE = "# api.example.com\n# one host" + " ".repeat(69) + "+api.github.com\n" +
  `# ${"x".repeat(77)}--- allowlist (current)\n`;

/** What we write at the margin. */
const OURS =
  /^(ID +(?:MARKS +)?BOTTLE|p1 +(?:(?:no )?new +)?dev-1|arrived |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d {2}arrived |sha256 |The agent says:( |$)|In the diff:|! There is no allowlist|@@ -|\[|finished|# $|#$|$)/;

for (const columns of [40, 60, 80, 100]) {
  // Threat: A6
  Deno.test(
    `at ${columns} columns no line of an agent's begins at the margin`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p1", justification: FORGERY, proposedFile: FILE });
      const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
      const verbs = ["list", "show p1", "watch & read key; kill -INT $!; wait"];
      const script = verbs.map((verb) => `sh ${LAUNCHER} ${verb}`).join("\n");
      await Deno.writeTextFile(dir.at("script"), `${script}\necho finished\n`);
      await using terminal = await openTerminal(`sh ${dir.at("script")}`, env, [columns, 50]);
      // Until then watch would not take the signal.
      await terminal.sees(/arrived .*p1 {2}dev-1/);
      await terminal.type("Enter");
      const screen = await terminal.rows(/^finished/m);
      const shown = screen.slice(screen.findIndex((row) => row.startsWith("ID ")));
      // Whatever the agent wrote stands behind a sign, on every row that the terminal made of it.
      for (const row of shown) assert(OURS.test(row) || /^[│+\-! ]/.test(row), row);
      for (const header of ["--- allowlist (current)", "+++ allowlist (proposed)"]) {
        assertEquals(shown.filter((row) => row.startsWith(header)).length, 1);
      }
      // A row that goes on an added line says so, and cannot pass for one that was there before.
      assert(shown.filter((row) => row.startsWith("+↪")).length > 0);
      assert(!shown.some((row) => /^[ +] *\d* *\+?api\.github/.test(row)));
    },
  );
}

// Threat: A6
Deno.test("errors show what somebody else wrote without letting it act", async () => {
  await using dir = await tempDir();
  const { path } = await queueSample(dir.path, { id: "p1" });
  const hostile = "x\x1b[2J\u009b2J\u202e\x7f\napproved p9 (dev-2)";
  for (const field of ["bottle_slug", "tool", "id"]) {
    const record = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...record, [field]: hostile }));
    for (const args of [["show", "p1"], ["approve", "p1", "--json"], ["list"]]) {
      const { out, err } = await supervise(dir.path, args);
      assert(/^[\n\x20-\x7e⟨⟩…↪]*$/.test(out + err), JSON.stringify(out + err));
      assert(!/^approved/m.test(out + err));
    }
    await Deno.writeTextFile(path, JSON.stringify(record));
  }
});

// Threat: B5
Deno.test("a broken bottle hides none of the others", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "good1", bottleSlug: "good" });
  await queueSample(dir.path, { id: "evil1", bottleSlug: "evil" });
  await Deno.symlink("/tmp", dir.at("queue", "evil", "processed"));
  await Deno.symlink("/tmp", dir.at("queue", "linked"));
  const listed = await supervise(dir.path, ["list", "--json"]);
  const { pending, unreadable } = JSON.parse(listed.out);
  assertEquals(pending.map(({ id }: { id: string }) => id).sort(), ["evil1", "good1"]);
  const reason = "it is a link, where a directory belongs";
  assertEquals(unreadable, [
    { bottle_slug: "linked", file: ".", reason },
    { bottle_slug: "evil", file: "processed", reason },
  ]);
  assertEquals((await supervise(dir.path, ["show", "good1"])).code, 0);
  assertEquals((await supervise(dir.path, ["approve", "good1"])).code, 0);
});

Deno.test("a verb finishes what was interrupted, and says what came of it", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true });
  const line = encodeAuditEntry(sampleEntry({ proposalId: "p1" }));
  const told = { proposalId: "p1", status: "approved", notes: "", finalFile: null } as const;
  const intent = {
    version: 1,
    bottle_slug: "dev-1",
    proposal_id: "p1",
    component: "pipelock",
    log_size: 0,
    line,
    response: encodeResponse(told),
  };
  await Deno.writeTextFile(dir.at("private", "intents", "dev-1.json"), JSON.stringify(intent));
  await Deno.writeTextFile(dir.at("private", "intents", "broken.json"), "{");
  const { code, out, err } = await supervise(dir.path, ["list"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "p1");
  assertStringIncludes(err, "decision on p1 (dev-1) was not recorded, so it never happened");
  assertStringIncludes(err, "! bottle broken: Cannot read");
});

// Threat: B6
Deno.test("approve means what show showed, by hash, by file in force, and by a shortened id", async () => {
  await using dir = await tempDir();
  const { path, proposal } = await queueSample(dir.path, { id: "6da1-benign" });
  await supervise(dir.path, ["show", "6da1"]);
  await queueSample(dir.path, { ...proposal, justification: "Other words." });
  const changed = await supervise(dir.path, ["approve", "6da1"]);
  assertEquals(changed.code, 5);
  assertStringIncludes(changed.err, "it is not the one that was shown");

  await Deno.remove(path);
  await queueSample(dir.path, { id: "6da1-evil" });
  assertEquals((await supervise(dir.path, ["approve", "6da1"])).code, 5);

  await supervise(dir.path, ["show", "6da1-evil"]);
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "new.example\n");
  // The change that was shown is made in what came into force since.
  assertEquals((await supervise(dir.path, ["approve", "6da1-evil"])).code, 0);
  assertEquals(
    (await Deno.readTextFile(dir.at("current-config", "dev-1", "allowlist"))).split("\n").sort(),
    ["", "api.example.com", "api.github.com", "new.example"],
  );
});

// Threat: C6
Deno.test("a shortened id means the pending proposal rather than an answered one", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queueSample(dir.path, { id: "abcd-1" });
  await supervise(dir.path, ["approve", "abcd-1", "--sha256", proposalSha256]);
  await queueSample(dir.path, { id: "abcd-2" });
  assertEquals((await supervise(dir.path, ["reject", "abcd", "--notes", "no"])).code, 0);
});

Deno.test("modify takes no empty file and no bytes that are not UTF-8", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await Deno.writeFile(
    dir.at("latin1"),
    new Uint8Array([0x23, 0xe9, 0x0a, 0x61, 0x2e, 0x62, 0x0a]),
  );
  const empty = await supervise(dir.path, ["modify", "p1", "--file", "-"], { input: "" });
  assertStringIncludes(empty.err, "Cancelled: - is empty");
  const odd = await supervise(dir.path, ["modify", "p1", "--file", dir.at("latin1")]);
  assertStringIncludes(odd.err, "is not UTF-8");
  assertEquals([empty.code, odd.code], [1, 1]);
});

Deno.test(
  "colour comes on a terminal alone, and not with NO_COLOR or --plain",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const painted = async (flags: string, env: Record<string, string>) => {
      const command = `sh ${LAUNCHER} show p1 ${flags} && echo fin''ished`;
      const settings = { CLAUDE_BOTTLE_ROOT: dir.path, TERM: "xterm-256color", ...env };
      await using terminal = await openTerminal(command, settings);
      await terminal.sees(/finished/);
      // Nothing else on this screen is green.
      return (await terminal.colours()).includes("\x1b[32m");
    };
    assertEquals(await painted("", {}), true);
    assertEquals(await painted("--plain", {}), false);
    assertEquals(await painted("", { NO_COLOR: "1" }), false);
    assert(
      !(await supervise(dir.path, ["show", "p1"], { env: { NO_COLOR: "" } })).out.includes("\x1b"),
    );
  },
);

// Threat: A6
Deno.test("the name of a file in a queue stays in its quotes", () => {
  assertEquals(
    quoteFile('x" and then; approved "y\\.proposal.json'),
    '"x\\" and then; approved \\"y\\\\.proposal.json"',
  );
  assertEquals(quoteFile("0b6f-1.response.json"), "0b6f-1.response.json");
});
