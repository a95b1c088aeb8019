import { readOverview, readProposal, UnsafeFileError } from "../../mod.ts";
import { findProposals } from "../../src/queue/find.ts";
import { queueSample } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { asUser, ranAlone } from "../support/user.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

// Threat: B2
Deno.test("readProposal() reads no proposal that has a second name", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await Deno.link(queued.path, dir.at("second"));
  await assertRejects(() => readProposal(queued.queueDir, "p1"), UnsafeFileError, "it has 2 names");
  const { pending, unreadable } = readOverview({ root: dir.path });
  assertEquals([pending.length, unreadable.map(({ file }) => file)], [0, ["p1.proposal.json"]]);
});

// Threat: B5
Deno.test("readOverview() reads 10,000 responses of a bottle, and counts the others", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  for (let n = 0; n < 10_003; n++) {
    const id = `r${n}`;
    const response = { proposal_id: id, status: "rejected", notes: "", final_file: null };
    Deno.writeTextFileSync(`${queueDir}/${id}.response.json`, JSON.stringify(response));
  }
  const { pending, unreadable } = readOverview({ root: dir.path });
  assertEquals(pending.map(({ proposalId }) => proposalId), ["p1"]);
  const reason = "3 more responses were not read: somebody floods this queue";
  assert(unreadable.some((one) => one.reason === reason), JSON.stringify(unreadable));
});

// Threat: B5
Deno.test("readOverview() lists the other bottles where one queue may not be read", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2", bottleSlug: "web.2" });
  await asUser(dir.path, async () => {
    await Deno.chmod(queueDir, 0o000);
    const { pending, unreadable } = readOverview({ root: dir.path });
    await Deno.chmod(queueDir, 0o700);
    assertEquals(pending.map(({ proposalId }) => proposalId), ["p2"]);
    assertEquals(unreadable.map(({ bottleSlug, file }) => [bottleSlug, file]), [["dev-1", "."]]);
  });
});

Deno.test("findProposals() finds a whole id alone, though others begin with it", async () => {
  await using dir = await tempDir();
  for (const id of ["p1", "p12"]) await queueSample(dir.path, { id });
  const found = (prefix: string) =>
    findProposals(prefix, { root: dir.path }).map(({ proposalId }) => proposalId).sort();
  assertEquals(found("p1"), ["p1"]);
  assertEquals(found("p"), ["p1", "p12"]);
});

// Threat: B5
Deno.test("readOverview() lists what is pending where a log or all of them may not be read, and says so", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  const response = { proposal_id: "r1", status: "rejected", notes: "", final_file: null };
  await Deno.writeTextFile(`${queueDir}/r1.response.json`, JSON.stringify(response));
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), "{}\n");
  await asUser(dir.path, async () => {
    for (const path of [dir.at("audit", "pipelock-dev-1.log"), dir.at("audit")]) {
      await Deno.chmod(path, 0o000);
      const { pending, unreadable } = readOverview({ root: dir.path });
      assertEquals(pending.map(({ proposalId }) => proposalId), ["p1"]);
      assertEquals(unreadable.map(({ file }) => file), ["."]);
      assert(unreadable[0]!.reason.startsWith("its logs cannot be read: "), unreadable[0]!.reason);
      await Deno.chmod(path, 0o700);
    }
  });
});
