import { versionBlocks } from "../../cli/render/version.ts";
import { makeStyle } from "../../cli/render/style.ts";
import { renderBlocks } from "../../cli/render/wrap.ts";
import { hintsOfPending } from "../../read_mod.ts";
import { decide, inspectProposal, ObstacleError, readAuditEntries } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

/** Larger than any valid file, and with millions of lines. */
const FILE = `api.example.com\n${"\n".repeat(2_000_000)}`;

async function inspect(dir: TempDir, proposedFile: string, id = "p1") {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "old.example\n");
  const { bottleSlug, proposalId } = await queueSample(dir.path, { id, proposedFile });
  return await inspectProposal({ root: dir.path, bottleSlug, proposalId });
}

// Threat: A8
Deno.test("inspectProposal() gives the beginning of a file that is too large in place of its diff", async () => {
  await using dir = await tempDir();
  const { diff, problems, marks } = await inspect(dir, FILE);
  const [before, after, hunk, ...rows] = diff.split("\n");
  assertEquals(before, "--- allowlist (not compared)");
  assertEquals(after, "+++ allowlist (the beginning: too large for a diff)");
  assertEquals(hunk, `@@ -0,0 +1,${rows.length - 1} @@`);
  assertEquals(rows.slice(0, 3), ["+api.example.com", "+", "+"]);
  assert(diff.length < 16_384);
  assertStringIncludes(problems[0]!.message, "more than 1048576 bytes");
  assertEquals(marks.map(({ rule }) => rule), ["invalid-file"]);
});

Deno.test("inspectProposal() cuts the beginning of a file that is too large between lines and characters", async () => {
  for (const [unit, end] of [["123456789\n", "+123456789"], ["\u{1f600}", "\u{1f600}"]] as const) {
    await using dir = await tempDir();
    const { diff } = await inspect(dir, `a${unit.repeat(1_200_000 / unit.length)}`);
    assert(diff.isWellFormed());
    assertEquals(diff.replace(/\n\\ No newline.*/, "").trimEnd().endsWith(end), true);
  }
});

Deno.test("a proposal that is too large can be rejected, and not approved", async () => {
  await using dir = await tempDir();
  const { proposalSha256, bottleSlug, proposalId } = await inspect(dir, FILE);
  const asked = { root: dir.path, bottleSlug, proposalId, proposalSha256, operator: "ada@host" };
  await assertRejects(
    () => decide({ ...asked, verdict: { status: "approved" }, notes: "" }),
    ObstacleError,
    "more than 1048576 bytes",
  );
  await decide({ ...asked, verdict: { status: "rejected" }, notes: "No." });
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assert(entry!.diff.length < 16_384);

  // It is asked for again: its lines are not compared with those that were rejected.
  const again = await inspect(dir, FILE, "p2");
  const { rejectedBefore } = hintsOfPending([again], dir.path, Date.now()).get(again)!;
  assertEquals(rejectedBefore, undefined);
});

Deno.test("an operator's version is not compared with a file that is too large", async () => {
  await using dir = await tempDir();
  const blocks = versionBlocks(await inspect(dir, FILE), "new.example\n");
  const rows = renderBlocks(blocks, 80, makeStyle(false));
  assert(rows.includes("What the agent proposed is too large for a diff."), rows.join("\n"));
  assert(rows.length < 20);
});
