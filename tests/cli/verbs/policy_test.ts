import type { Verdict } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { decideSample, entriesOf } from "../../support/policy.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";

const RULES = [
  {
    name: "builds",
    tool: "pipelock-block",
    hosts_within: ["*.builds.example"],
    marks_at_most: "medium",
    then: "approve",
  },
  {
    name: "no-pastes",
    tool: "pipelock-block",
    hosts_within: ["*.pastes.example"],
    then: "reject",
    notes: "No pastes.",
  },
];

const policyOf = (rules: readonly object[]) => JSON.stringify({ version: 1, rules });

const HOSTS = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => `${name}.example`);

const APPROVED: Verdict = { status: "approved" };

/** A line that another program wrote. */
const FOREIGN = {
  timestamp: "2026-11-26T10:00:00+00:00",
  component: "pipelock",
  operator_action: "approved",
  operator_notes: "",
  justification: "",
  diff: "",
  proposal_sha256: "0".repeat(64),
};

/** A root with an allowlist that every approval changes. */
async function historyOf(dir: TempDir) {
  const path = dir.at("current-config", "dev-1", "allowlist");
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  let inForce = HOSTS.map((host) => `${host}\n`).join("");
  await Deno.writeTextFile(path, inForce);
  /** Puts a host into the middle, and has a person decide. */
  const decided = async (id: string, host: string, verdict: Verdict) => {
    const proposedFile = inForce.replace("d.example\n", `d.example\n${host}`);
    const queued = await queueSample(dir.path, { id, proposedFile });
    await decideSample(dir, queued, verdict);
    if (verdict.status === "rejected") return queued;
    inForce = "finalFile" in verdict ? verdict.finalFile : proposedFile;
    await Deno.writeTextFile(path, inForce);
    return queued;
  };
  await decided("p1", "x.builds.example\n", APPROVED);
  await decided("p2", "y.builds.example\n", { status: "rejected" });
  await decided("p3", "z.pastes.example\n", {
    status: "modified",
    finalFile: inForce.replace("a.example\n", "").trimEnd(),
  });
  await decided("p4", "w.other.example\n", APPROVED);
  const gone = await decided("p5", "v.builds.example\n", APPROVED);
  await Deno.remove(gone.path);
  const changed = await decided("p6", "u.builds.example\n", APPROVED);
  const record = JSON.parse(await Deno.readTextFile(changed.path));
  await Deno.writeTextFile(changed.path, JSON.stringify({ ...record, proposed_file: inForce }));
  const proposedFile = inForce.replace("d.example\n", "d.example\nt.builds.example\n");
  await queueSample(dir.path, { id: "p7", proposedFile });
}

// Threat: L14
Deno.test("policy test says what rules would do, and where people decided otherwise", async () => {
  await using dir = await tempDir();
  await historyOf(dir);
  await Deno.writeTextFile(dir.at("policy.json"), policyOf(RULES));
  const [{ diff = "", proposalSha256 = "" } = {}] = await entriesOf(dir);
  const moved = { diff: diff.replace("@@ -2,6 +2,7 @@", "@@ -1,6 +1,7 @@"), proposal_id: "p1" };
  assertNotEquals(moved.diff, diff);
  const planted = [
    { ...FOREIGN, bottle_slug: "../dev-1", proposal_id: "../p1" },
    { ...FOREIGN, bottle_slug: "dev-1", proposal_sha256: proposalSha256, ...moved },
  ].map((line) => `${JSON.stringify(line)}\n`);
  const log = dir.at("audit", "pipelock-dev-1.log");
  await Deno.writeTextFile(log, planted.join(""), { append: true });
  const before = await entriesOf(dir);
  const asked = await supervise(dir.path, ["policy", "test", "--json"]);
  assertEquals([asked.code, asked.err], [0, ""]);
  const said = JSON.parse(asked.out);
  assertEquals(said.rules, [
    { name: "builds", then: "approve", pending: 1, recorded: 2, otherwise: 1 },
    { name: "no-pastes", then: "reject", pending: 0, recorded: 1, otherwise: 1 },
  ]);
  assertEquals(said.pending, [{
    bottle_slug: "dev-1",
    id: "p7",
    outcome: "approve",
    rules: ["builds"],
    why: "covered by builds",
  }]);
  type Row = Record<"id" | "status" | "outcome" | "otherwise", unknown>;
  assertEquals(
    said.recorded.map(({ id, status, outcome, otherwise }: Row) => [
      id,
      status,
      outcome,
      otherwise,
    ]),
    [
      ["p1", "approved", "approve", false],
      ["p2", "rejected", "approve", true],
      ["p3", "modified", "reject", true],
      ["p4", "approved", "ask", false],
    ],
  );
  assertEquals(said.not_replayed, 4);
  assertEquals(await entriesOf(dir), before);
});

Deno.test("policy test says where a person approved for a time what a rule approves for good", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1", proposedFile: "x.builds.example\n" });
  await decideSample(dir, queued, APPROVED, { grant: { forMs: 60_000 } });
  for (
    const [rule, otherwise] of [[RULES[0], true], [{ ...RULES[0], for: "2h" }, false]] as const
  ) {
    await Deno.writeTextFile(dir.at("policy.json"), policyOf([rule!]));
    const { recorded } = JSON.parse((await supervise(dir.path, ["policy", "test", "--json"])).out);
    assertEquals([recorded[0].outcome, recorded[0].otherwise], ["approve", otherwise]);
  }
});

Deno.test("policy test says it in words, also of a policy that is not in force", async () => {
  await using dir = await tempDir();
  await historyOf(dir);
  const input = policyOf(RULES.slice(0, 1));
  const { code, out, err } = await supervise(dir.path, ["policy", "test", "--file", "-"], {
    input,
  });
  assertEquals([code, err], [0, ""]);
  const [first, ...rows] = out.split("\n");
  assertEquals(first, "standard input can be used: 1 rule, 0 hosts below the floor");
  assertEquals(rows.slice(0, 2), [
    "PENDING  RECORDED  OTHERWISE  THEN     RULE",
    "      1         2          1  approve  builds",
  ]);
  assertStringIncludes(out, "\nPending:\np7  dev-1  would approve: covered by builds\n");
  assertStringIncludes(
    out,
    "  p2  dev-1  rejected by ada@host  would approve: covered by \n ↪builds\n",
  );
  assertStringIncludes(
    out,
    "6 recorded decisions: 1 as the rules say, 1 otherwise, 2 left to a person.\n2 not replayed: ",
  );
  assertStringIncludes(
    (await supervise(dir.path, ["policy", "test"])).out,
    "There is no policy.json: the built-in floor holds alone.\n",
  );
});

Deno.test("policy test refuses a policy that cannot be used, and says where it is wrong", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("policy.json"), policyOf([{ ...RULES[0], name: "A" }]));
  const { code, out, err } = await supervise(dir.path, ["policy", "test"]);
  assertEquals([code, out], [1, ""]);
  assertStringIncludes(err, "Cannot use policy.json: $.rules[0].name");
});

// Threat: B5
Deno.test("policy test says which queues it could not look into", async () => {
  await using dir = await tempDir();
  await historyOf(dir);
  await Deno.writeTextFile(dir.at("policy.json"), policyOf(RULES));
  await Deno.writeTextFile(dir.at("queue", "dev-2"), "");
  const said = await supervise(dir.path, ["policy", "test"]);
  assertEquals([said.code, said.err], [1, "! unreadable: dev-2/.: it is not a directory\n"]);
  const { code, out } = await supervise(dir.path, ["policy", "test", "--json"]);
  const { unreadable, unlisted } = JSON.parse(out);
  assertEquals([code, unlisted, unreadable[0].bottle_slug], [1, [], "dev-2"]);
});
