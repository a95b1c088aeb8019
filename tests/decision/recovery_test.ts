import { finishInterrupted, readAnswer } from "../../internal_mod.ts";
import { decide, readAuditEntries } from "../../mod.ts";
import { actBetween } from "../support/between.ts";
import { callsOf } from "../support/calls.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ignore = isMissing("strace", "-V");

const INTENT = "private/intents/dev-1.json";

const LOG = "audit/pipelock-dev-1.log";

/** A program that approves a proposal, and prints how it was refused, if it was. */
const approving = (dir: TempDir, { proposalId, proposalSha256 }: QueuedProposal) => `
  import { decide } from "REPOmod.ts";
  try {
    await decide({
      root: "${dir.path}", bottleSlug: "dev-1", proposalId: "${proposalId}",
      proposalSha256: "${proposalSha256}", verdict: { status: "approved" }, notes: "fine",
      operator: "ada@host",
    });
    console.log("approved");
  } catch (error) {
    console.log(error.code);
  }`;

/** Approves a proposal, then puts its intent back, as if the process had died before that was gone. */
async function crashed(dir: TempDir): Promise<QueuedProposal & { readonly response: string }> {
  const queued = await queueSample(dir.path, { id: "p1" });
  const { proposalId, proposalSha256 } = queued;
  await decide({
    ...{ root: dir.path, bottleSlug: "dev-1", proposalId, proposalSha256 },
    ...{ verdict: { status: "approved" }, notes: "fine", operator: "ada@host" },
  });
  const response = queued.path.replace(".proposal.", ".response.");
  const intent = {
    version: 1,
    bottle_slug: "dev-1",
    proposal_id: proposalId,
    component: "pipelock",
    log_size: 0,
    line: await Deno.readTextFile(dir.at(LOG)),
    response: await Deno.readTextFile(response),
  };
  await Deno.writeTextFile(dir.at(INTENT), JSON.stringify(intent));
  return { ...queued, response };
}

const actions = async (dir: TempDir) =>
  (await readAuditEntries("pipelock", "dev-1", { root: dir.path }))
    .map(({ operatorAction }) => operatorAction);

const outcomes = async (dir: TempDir) => {
  const { finished, failed } = await finishInterrupted(dir.path);
  assertEquals(failed, []);
  return finished.map(({ outcome }) => outcome);
};

const finishing = (dir: TempDir) => `
  import { finishInterrupted } from "REPOinternal_mod.ts";
  const { finished, failed } = await finishInterrupted("${dir.path}");
  if (finished.length !== 1 || failed.length !== 0) Deno.exit(1);`;

/** Asserts that the calls are among those of a program, in this order. */
function assertInOrder(calls: readonly string[], expected: readonly string[]): void {
  let from = 0;
  for (const call of expected) {
    const at = calls.indexOf(call, from);
    assert(at >= 0, `${call} is not behind ${calls.slice(0, from).at(-1)}: ${calls.join(", ")}`);
    from = at + 1;
  }
}

// Threat: C3
Deno.test(
  "finishInterrupted() has the line on the disk before it answers, and the answer before it forgets",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const { response } = await crashed(dir);
    await Deno.remove(response);
    const calls = await callsOf(dir, dir.path, finishing(dir));
    const staged = calls.find((call) => /^link private\/staging\//.test(call));
    // A process that was killed may have written the line and not synced it: the kernel shows it all the
    // same, and a power cut takes it.
    assertInOrder(calls, [
      ...[`fdatasync ${LOG}`, "fsync audit"],
      ...[staged!, "fsync queue/dev-1"],
      ...[`unlink ${INTENT}`, "fsync private/intents"],
    ]);
  },
);

// Threat: C3
Deno.test(
  "finishInterrupted() has the name of an answer on the disk that it finds, before it forgets",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await crashed(dir);
    const calls = await callsOf(dir, dir.path, finishing(dir));
    assertInOrder(calls, [
      ...[`fdatasync ${LOG}`, "fsync audit", "fsync queue/dev-1"],
      ...[`unlink ${INTENT}`, "fsync private/intents"],
    ]);
  },
);

// Threat: C2
Deno.test("decide() keeps its intent until the answer is there", { ignore }, async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  const kept = dir.at("kept");
  const out = await actBetween(dir, approving(dir, queued), dir.at(LOG), {
    call: "fdatasync",
    n: 1,
    act: () => Deno.rename(queued.queueDir, kept),
  });
  assertEquals(out, "recorded\n");
  assert(Deno.statSync(dir.at(INTENT)).isFile);
  await Deno.rename(kept, queued.queueDir);
  assertEquals(await outcomes(dir), ["completed"]);
  assertEquals((await readAnswer(queued.queueDir, "p1"))?.status, "approved");
});

// Threat: C1
Deno.test(
  "decide() says that it is not the answer, if another program answers between its line and that",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path, { id: "p1" });
    const path = queued.path.replace(".proposal.", ".response.");
    const theirs = { proposal_id: "p1", status: "rejected", notes: "no", final_file: null };
    const out = await actBetween(dir, approving(dir, queued), dir.at(LOG), {
      call: "fdatasync",
      n: 1,
      act: () => Deno.writeTextFile(path, JSON.stringify(theirs)),
    });
    assertEquals(out, "answered_without_record\n");
    assertEquals((await readAnswer(queued.queueDir, "p1"))?.status, "rejected");
    assertEquals(await actions(dir), ["approved", "superseded"]);
  },
);

Deno.test("finishInterrupted() takes no response for its own that only has the length of it", async () => {
  await using dir = await tempDir();
  const { response } = await crashed(dir);
  const own = await Deno.readTextFile(response);
  await Deno.writeTextFile(response, own.replace('"fine"', '"evil"'));
  assertEquals(await outcomes(dir), ["superseded"]);
  assertEquals(await actions(dir), ["approved", "superseded"]);
});

// Threat: L5
Deno.test("finishInterrupted() answers although an unsigned line says that the decision was superseded", async () => {
  await using dir = await tempDir();
  const { response } = await crashed(dir);
  await Deno.remove(response);
  const { seq: _, prev: __, sig: ___, ...line } = JSON.parse(await Deno.readTextFile(dir.at(LOG)));
  const undoing = JSON.stringify({ ...line, operator_action: "superseded" });
  await Deno.writeTextFile(dir.at(LOG), `${undoing}\n`, { append: true });
  assertEquals(await outcomes(dir), ["completed"]);
  assert(Deno.statSync(response).isFile);
});

Deno.test("finishInterrupted() passes over what is no intent of a bottle's, and says nothing of it", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true });
  for (const name of ["No Slug.json", "dev-1.json.bak", ".dev-1.json.new.tmp", "..json"]) {
    await Deno.writeTextFile(dir.at("private", "intents", name), "{}");
  }
  assertEquals(await finishInterrupted(dir.path), { finished: [], failed: [] });
});

Deno.test.each<[string, (intent: Record<string, string>) => Record<string, string>]>([
  ["is another bottle's", () => ({ bottle_slug: "dev-2" })],
  [
    "answers another proposal",
    ({ response }) => ({ response: response!.replace('"p1"', '"p2"') }),
  ],
  [
    "answers otherwise than it records",
    ({ response }) => ({ response: response!.replace('"approved"', '"rejected"') }),
  ],
])("finishInterrupted() answers nothing by an intent that %s", async (_, change) => {
  await using dir = await tempDir();
  const { response, queueDir } = await crashed(dir);
  await Deno.remove(response);
  const intent = JSON.parse(await Deno.readTextFile(dir.at(INTENT)));
  await Deno.writeTextFile(dir.at(INTENT), JSON.stringify({ ...intent, ...change(intent) }));
  const { finished, failed } = await finishInterrupted(dir.path);
  assertEquals([finished, failed.length], [[], 1]);
  assertStringIncludes(failed[0]!.error.message, "it is not an intent; move it away");
  const names = [...Deno.readDirSync(queueDir)].map(({ name }) => name).sort();
  assertEquals(names, ["current.allowlist", "p1.proposal.json"]);
});

Deno.test("the next command clears what a crash left where responses are prepared", async () => {
  await using dir = await tempDir();
  await crashed(dir);
  await Deno.writeTextFile(dir.at("private", "staging", "dev-1", ".left.tmp"), "{");
  assertEquals(await outcomes(dir), ["completed"]);
  assertEquals([...Deno.readDirSync(dir.at("private", "staging", "dev-1"))], []);
});
