import {
  type Applier,
  ApplyError,
  decideByRule,
  InvalidNameError,
  listGrants,
  NotAppliedError,
  readOverview,
  readResponse,
  sha256Hex,
  type Verdict,
  writeAuditEntry,
} from "../../mod.ts";
import { decideSample, entriesOf } from "../support/policy.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const IN_FORCE = "a.example\n";

const KEEP = {
  name: "keep",
  tool: "pipelock-block",
  bottles: ["dev-1"],
  marks_at_most: "none",
  then: "approve",
  notes: "Nothing new.",
};

const NO = { name: "no", tool: "pipelock-block", bottles: ["dev-2"], then: "reject", notes: "No." };

/** A root with an allowlist in force for each bottle, and a policy. */
async function rootWith(policy: object): Promise<TempDir> {
  const dir = await tempDir();
  for (const slug of ["dev-1", "dev-2"]) {
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", slug, "allowlist"), IN_FORCE);
  }
  await write(dir, policy);
  return dir;
}

const write = (dir: TempDir, policy: object) =>
  Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1, ...policy }));

/** Queues a proposal, and has the rules decide it. */
async function ask(
  dir: TempDir,
  bottleSlug: string,
  proposedFile = IN_FORCE,
  options: Parameters<typeof decideByRule>[1] = {},
) {
  const queued = await queueSample(dir.path, { bottleSlug, proposedFile });
  const { proposalId } = queued;
  const said = await decideByRule({ root: dir.path, bottleSlug, proposalId }, options);
  return { queued, ...said };
}

// Threat: L14
Deno.test("decideByRule() decides through decide(), under the rule's name and the policy's hash", async () => {
  const within = { hosts_within: ["b.example"], marks_at_most: "medium" };
  await using dir = await rootWith({ rules: [{ ...KEEP, ...within, for: "7d" }, NO] });
  const file = `${IN_FORCE}b.example\n`;
  const { queued, outcome, decision, rule, until } = await ask(dir, "dev-1", file);
  assertEquals([outcome, rule, decision?.status], ["approve", "keep", "approved"]);
  const [entry] = await entriesOf(dir);
  const [granted] = listGrants({ root: dir.path }).grants;
  assertEquals([granted?.until, granted?.operator], [until, "rule:keep"]);
  assertEquals(Date.parse(until!) - Date.parse(granted!.since), 7 * 86_400_000);
  assertEquals(
    [entry?.operator, entry?.rules, entry?.until, entry?.policySha256],
    ["rule:keep", ["keep"], until, sha256Hex(await Deno.readFile(dir.at("policy.json")))],
  );
  const response = await readResponse(queued.queueDir, queued.proposalId);
  assertEquals(response.until, until);
  assertEquals(
    response.notes,
    `Nothing new. In force until ${
      until!.slice(0, 16).replace("T", " ")
    } UTC; then it is taken back.`,
  );
  const rejected = await ask(dir, "dev-2", "b.example\n");
  assertEquals([rejected.outcome, rejected.decision?.notes], ["reject", "No."]);
  assertEquals((await entriesOf(dir, "dev-2"))[0]?.until, undefined);
});

Deno.test("a rule's approval that adds nothing is for good, though the rule says for how long", async () => {
  await using dir = await rootWith({ rules: [{ ...KEEP, for: "7d" }] });
  const { decision, until } = await ask(dir, "dev-1");
  assertEquals([decision?.status, decision?.notes, until], ["approved", "Nothing new.", undefined]);
  assertEquals(listGrants({ root: dir.path }).grants, []);
});

// Threat: L14
Deno.test("decideByRule() leaves to a person what no rule covers, what has an obstacle, and all without rules", async () => {
  await using dir = await rootWith({ rules: [KEEP] });
  const asked = async (proposedFile: string) => {
    const { outcome, why, decision } = await ask(dir, "dev-1", proposedFile);
    assertEquals([outcome, decision], ["ask", undefined]);
    return why;
  };
  await asked("a.example\nb.example\n");
  assertStringIncludes(await asked("localhost\n"), "it would add what no approval lets in");
  assertStringIncludes(await asked("HTTP://x\n"), "invalid allowlist");
  const stale = await queueSample(dir.path, {
    proposedFile: IN_FORCE,
    currentFileHash: sha256Hex("old"),
  });
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: stale.proposalId };
  assertStringIncludes((await decideByRule(ref)).why, "is not the one the agent started from");
  await write(dir, {});
  await asked(IN_FORCE);
  await write(dir, { rules: [{}] });
  assertStringIncludes(await asked(IN_FORCE), "policy.json cannot be used ($.rules[0]");
  assertEquals(await entriesOf(dir), []);
});

Deno.test("decideByRule() writes nothing in a dry run", async () => {
  await using dir = await rootWith({ rules: [KEEP] });
  const { outcome, rule, decision } = await ask(dir, "dev-1", IN_FORCE, { dryRun: true });
  assertEquals([outcome, rule, decision], ["approve", "keep", undefined]);
  assertEquals(readOverview({ root: dir.path }).pending.length, 1);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    "current-config",
    "policy.json",
    "queue",
  ]);
});

// Threat: L14
Deno.test("rules approve no more often than the policy says, in an hour and in a day, and reject always", async () => {
  await using dir = await rootWith({
    rules: [{ ...KEEP, count_per_day: 3 }, NO],
    decisions_per_hour: 2,
  });
  const at = (hours: number) => ({ now: new Date(Date.now() + hours * 3_600_000) });
  const outcome = async (slug: string, hours = 0) =>
    (await ask(dir, slug, IN_FORCE, at(hours))).outcome;
  assertEquals([await outcome("dev-1"), await outcome("dev-1")], ["approve", "approve"]);
  const { why, againAt = "" } = await ask(dir, "dev-1");
  assertStringIncludes(why, "in the last hour rules approved as often as they may: 2 times");
  const [first] = await entriesOf(dir);
  assertEquals(Date.parse(againAt) - Date.parse(first!.timestamp), 3_600_000);
  assertEquals([await outcome("dev-2"), await outcome("dev-2")], ["reject", "reject"]);
  assertEquals(await outcome("dev-1", 2), "approve");
  const spent = await ask(dir, "dev-1", IN_FORCE, at(23));
  assertEquals(
    [spent.outcome, Date.parse(spent.againAt ?? "") - Date.parse(first!.timestamp)],
    ["ask", 86_400_000],
  );
  assertEquals(await outcome("dev-1", 25), "approve");
});

// Threat: L14
Deno.test("what a rule approves and does not take effect counts as an approval: it was in force for a moment", async () => {
  await using dir = await rootWith({
    rules: [{
      ...KEEP,
      marks_at_most: "medium",
      hosts_within: ["*.b.example"],
      count_per_day: 1,
    }],
  });
  const applier: Applier = {
    check: () => Promise.resolve(),
    apply: () => Promise.reject(new ApplyError("probe", "is not allowed")),
    restore: () => Promise.resolve("as before"),
  };
  const queued = await queueSample(dir.path, { proposedFile: `${IN_FORCE}x.b.example\n` });
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: queued.proposalId, applier };
  await assertRejects(() => decideByRule(ref), NotAppliedError);
  const again = await decideByRule(ref);
  assertEquals([again.outcome, again.againAt === undefined], ["ask", false], again.why);
  const [entry] = await entriesOf(dir);
  assertEquals([entry?.operatorAction, entry?.rules], ["apply-failed", ["keep"]]);
});

// Threat: B5, L14
Deno.test("one bottle uses up nothing of what rules may approve for another one", async () => {
  const { bottles: _, ...anywhere } = KEEP;
  for (const limits of [{ decisions_per_hour: 4 }, { decisions_per_hour: 99, count_per_day: 4 }]) {
    const { decisions_per_hour, ...perDay } = limits;
    await using dir = await rootWith({ rules: [{ ...anywhere, ...perDay }], decisions_per_hour });
    await queueSample(dir.path, { bottleSlug: "dev-2", proposedFile: "b.example\n" });
    const outcomes = async (slug: string) => {
      const found = [];
      for (let n = 0; n < 3; n++) found.push((await ask(dir, slug)).outcome);
      return found;
    };
    assertEquals(await outcomes("dev-1"), ["approve", "approve", "ask"]);
    assertEquals(await outcomes("dev-2"), ["approve", "approve", "ask"]);
  }
});

// Threat: B5, L14
Deno.test("a log that cannot be read stops the rules that need it, and no other ones", async () => {
  const { bottles: _, ...anywhere } = KEEP;
  const two = { ...KEEP, name: "two", bottles: ["dev-2"] };
  await using dir = await rootWith({ rules: [two], decisions_per_hour: 3 });
  await ask(dir, "dev-1", "b.example\n");
  await Deno.mkdir(dir.at("audit", "pipelock-dev-1.log"), { recursive: true });
  const outcome = async () => (await ask(dir, "dev-2")).outcome;
  // Of three in an hour one is counted for dev-1, whatever that had.
  assertEquals(await outcome(), "approve");
  await write(dir, { rules: [two], decisions_per_hour: 1 });
  assertEquals(await outcome(), "ask");
  await write(dir, { rules: [anywhere] });
  const { why, againAt } = await ask(dir, "dev-2");
  assertStringIncludes(why, "the log pipelock-dev-1 cannot be read");
  assertEquals(againAt !== undefined, true);
});

// Threat: L14
Deno.test("a rule three of whose decisions operators reverted is stopped until the policy changes", async () => {
  const policy = { rules: [NO], decisions_per_hour: 100 };
  await using dir = await rootWith(policy);
  const APPROVED: Verdict = { status: "approved" };
  for (const host of ["b", "c", "d"]) {
    const proposedFile = `${IN_FORCE}${host}.example\n`;
    assertEquals((await ask(dir, "dev-2", proposedFile)).outcome, "reject");
    const again = await queueSample(dir.path, { bottleSlug: "dev-2", proposedFile });
    await decideSample(dir, again, APPROVED);
  }
  const { outcome, why } = await ask(dir, "dev-2", `${IN_FORCE}e.example\n`);
  assertEquals(outcome, "ask");
  assertStringIncludes(
    why,
    "the rule no is stopped, because operators reverted 3 of its decisions",
  );
  await write(dir, { ...policy, decisions_per_hour: 99 });
  assertEquals((await ask(dir, "dev-2", `${IN_FORCE}e.example\n`)).outcome, "reject");
});

// Threat: L14
Deno.test("nobody else uses the name of a rule", async () => {
  await using dir = await rootWith({ rules: [KEEP] });
  const queued = await queueSample(dir.path, { proposedFile: IN_FORCE });
  for (const change of [{ operator: "rule:keep" }, { operatorName: " Rule:keep" }]) {
    const decided = () => decideSample(dir, queued, { status: "rejected" }, change);
    const { message } = await assertRejects(decided, InvalidNameError);
    assertMatch(message, /a name that does not begin with "rule:"/);
    const entry = {
      timestamp: "2026-11-26T10:00:00Z",
      bottleSlug: "dev-1",
      component: "pipelock",
      operatorAction: "operator-edit",
      operatorNotes: "",
      justification: "",
      diff: "",
      ...change,
    };
    await assertRejects(() => writeAuditEntry(entry, { root: dir.path }), InvalidNameError);
  }
  assertEquals(await entriesOf(dir), []);
});

// Threat: L14
Deno.test("a rule lets in the hosts that it names, and no change with another one", async () => {
  const hosts = {
    name: "hosts",
    tool: "pipelock-block",
    hosts_within: ["*.npmjs.org", "metadata.google.internal"],
    then: "approve",
  };
  await using dir = await rootWith({ rules: [hosts] });
  const asked = async (...added: readonly string[]) =>
    (await ask(dir, "dev-1", IN_FORCE + added.map((host) => `${host}\n`).join(""))).outcome;
  assertEquals(await asked("registry.npmjs.org"), "approve");
  assertEquals(await asked("registry.npmjs.org", "b.example"), "ask");
  assertEquals(await asked("evil-npmjs.org"), "ask");
  assertEquals(await asked("*.npmjs.org"), "ask");
  // No rule reaches below the floor.
  assertEquals(await asked("metadata.google.internal"), "ask");
  assertEquals((await entriesOf(dir)).map(({ rules }) => rules), [["hosts"]]);
});
