import {
  decide,
  type DecideRequest,
  inspectProposal,
  listPendingProposals,
  MalformedRecordError,
  readAuditEntries,
  sha256Hex,
  UnsafeFileError,
} from "../../mod.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const approve = (dir: TempDir, queued: QueuedProposal, change: Partial<DecideRequest> = {}) =>
  decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: queued.proposalId,
    proposalSha256: queued.proposalSha256,
    verdict: { status: "approved" },
    notes: "",
    operator: "ada@host",
    ...change,
  });

const recorded = async (dir: TempDir) =>
  (await readAuditEntries("pipelock", "dev-1", { root: dir.path })).length;

// Threat: B7
Deno.test.each<[string, (sha256: string) => string]>([
  ["no hash", () => ""],
  ["the beginning of its hash", (sha256) => sha256.slice(0, 63)],
  ["its hash and more", (sha256) => `${sha256}0`],
  ["its hash in capitals", (sha256) => `A${sha256.slice(1).toUpperCase()}`],
])("decide() decides nothing that is named by %s", async (_, change) => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const proposalSha256 = change(queued.proposalSha256);
  for (const status of ["approved", "rejected"] as const) {
    const attempt = () =>
      approve(dir, queued, { proposalSha256, verdict: { status }, notes: "No." });
    const error = await refused(attempt, "changed");
    assertEquals(error.shownSha256, proposalSha256);
  }
  assertEquals(await recorded(dir), 0);
  assertEquals((await listPendingProposals(queued.queueDir)).length, 1);
});

// Threat: B7
Deno.test.each<[string, string, string | undefined]>([
  ["went since", sha256Hex("a.example\n"), undefined],
  ["has a hash that begins alike", sha256Hex("a.example\n").slice(0, 63), "a.example\n"],
])("decide() approves nothing if the file in force %s", async (_, currentSha256, inForce) => {
  await using dir = await tempDir();
  if (inForce !== undefined) {
    await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), inForce);
  }
  const queued = await queueSample(dir.path);
  const error = await refused(() => approve(dir, queued, { currentSha256 }), "stale");
  assertEquals([error.seenBy, error.seenSha256], ["operator", currentSha256]);
  assertEquals(await recorded(dir), 0);
});

// Threat: B3
Deno.test("inspectProposal() and decide() read nothing through a link in the place of a queue", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await Deno.rename(queued.queueDir, dir.at("moved"));
  await Deno.symlink(dir.at("moved"), queued.queueDir);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: queued.proposalId };
  await assertRejects(() => inspectProposal(ref), UnsafeFileError, "where a directory belongs");
  await assertRejects(() => approve(dir, queued), UnsafeFileError, "where a directory belongs");
});

Deno.test("decide() decides no proposal that has a second name", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await Deno.link(queued.path, dir.at("second"));
  await assertRejects(() => approve(dir, queued), UnsafeFileError, "it has 2 names");
});

// Threat: A2
Deno.test("decide() decides no proposal in a bottle's queue that says it is another bottle's", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const text = (await Deno.readTextFile(queued.path)).replace('"dev-1"', '"dev-2"');
  await Deno.writeTextFile(queued.path, text);
  const attempt = () => approve(dir, queued, { proposalSha256: sha256Hex(text) });
  const error = await assertRejects(attempt, MalformedRecordError);
  assertStringIncludes(error.message, "is not the bottle whose queue this is");
  assertEquals(await recorded(dir), 0);
});
