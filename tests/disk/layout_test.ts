import {
  archiveProposal,
  auditLogPath,
  InvalidNameError,
  queueDirForSlug,
  readProposal,
  readResponse,
  waitForResponse,
  writeAuditEntry,
  writeProposal,
  writeResponse,
} from "../../mod.ts";
import { ownEntry } from "../../src/disk/read_own.ts";
import { sampleProposal } from "../support/records.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";

const BAD_IDS = [
  "",
  ".",
  "..",
  "../x",
  "a/b",
  "-a",
  "_a",
  "a.b",
  "a b",
  "a\0b",
  "é",
  "a\n",
  "x".repeat(300),
  "x".repeat(129),
];

const BAD_SLUGS = [...BAD_IDS.filter((id) => id !== "a.b"), "A", "a..b", ".a", "x".repeat(64)];

for (const id of BAD_IDS) {
  // Threat: A1
  Deno.test(`every function refuses ${JSON.stringify(id.slice(0, 12))} as an id, and writes nothing`, async () => {
    await using dir = await tempDir();
    const queueDir = dir.at("queue");
    const response = { proposalId: id, status: "rejected", notes: "", finalFile: null } as const;
    const attempts = [
      () => writeProposal(queueDir, sampleProposal({ id })),
      () => readProposal(queueDir, id),
      () => writeResponse(queueDir, response),
      () => readResponse(queueDir, id),
      () => waitForResponse(queueDir, id, { timeoutMs: 1 }),
      () => archiveProposal(queueDir, id),
    ];
    for (const attempt of attempts) {
      const error = await assertRejects(attempt, InvalidNameError);
      assertEquals(error.value, id);
      assertStringIncludes(error.message, "as a proposal id: expected 1 to 128");
    }
    assertEquals([...Deno.readDirSync(dir.path)], []);
  });
}

for (const slug of BAD_SLUGS) {
  Deno.test(`every function refuses ${JSON.stringify(slug.slice(0, 12))} as a slug, and writes nothing`, async () => {
    await using dir = await tempDir();
    assertThrows(() => queueDirForSlug(slug, { root: dir.path }), InvalidNameError);
    assertThrows(() => auditLogPath("pipelock", slug, { root: dir.path }), InvalidNameError);
    const entry = {
      timestamp: "",
      bottleSlug: slug,
      component: "pipelock",
      operatorAction: "",
      operatorNotes: "",
      justification: "",
      diff: "",
    };
    await assertRejects(() => writeAuditEntry(entry, { root: dir.path }), InvalidNameError);
    assertEquals([...Deno.readDirSync(dir.path)], []);
  });
}

Deno.test("queueDirForSlug() accepts every character a slug may have", () => {
  const slug = `a${"b-_.9".repeat(12)}`;
  assertEquals(queueDirForSlug(slug, { root: "/r" }), `/r/queue/${slug}`);
  assertThrows(() => auditLogPath("../x", "a", { root: "/r" }), InvalidNameError);
});

/** In a process of its own, whose variables no other test reads. */
async function rootWith(variables: Record<string, string>): Promise<string> {
  const program = `
    import { claudeBottleRoot } from "${REPO}mod.ts";
    for (const name of ["CLAUDE_BOTTLE_ROOT", "HOME"]) Deno.env.delete(name);
    for (const [name, value] of Object.entries(JSON.parse(Deno.args[0]))) Deno.env.set(name, value);
    try { console.log(claudeBottleRoot()); } catch (error) { console.log(error.message); }`;
  const args = ["eval", "--quiet", `--config=${REPO}deno.json`, program, JSON.stringify(variables)];
  return (await run(Deno.execPath(), args)).out.trimEnd();
}

Deno.test.each([
  [{ CLAUDE_BOTTLE_ROOT: "/somewhere", HOME: "/home/a" }, "/somewhere"],
  [{ CLAUDE_BOTTLE_ROOT: "", HOME: "/home/a" }, "/home/a/.claude-bottle"],
  [{ HOME: "/home/a" }, "/home/a/.claude-bottle"],
  [{}, "Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME"],
])("claudeBottleRoot() prefers CLAUDE_BOTTLE_ROOT to HOME: %o", async (variables, expected) => {
  assertEquals(await rootWith(variables), expected);
});

Deno.test("ownEntry() passes over what is too deep to be named", () => {
  assertEquals(ownEntry(`/tmp/${"a/".repeat(5000)}`), undefined);
});
