import { inspectProposal, obstaclesTo, sha256Hex, type Verdict } from "../../mod.ts";
import { checkPolicy } from "../../cli/doctor/policy.ts";
import { readPolicy } from "../../src/host/policy_file.ts";
import { decideSample, entriesOf } from "../support/policy.ts";
import { queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const POLICY = JSON.stringify({ version: 1, floor: { hosts: ["*.corp.example"] } });

const write = (dir: TempDir, policy: string) => Deno.writeTextFile(dir.at("policy.json"), policy);

async function putInForce(dir: TempDir, file: string, content: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", file), content);
}

const APPROVED: Verdict = { status: "approved" };

// Threat: A15
Deno.test("decide() approves nothing below the built-in floor, whatever is confirmed, and rejects it", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "allowlist", "a.example\n");
  for (const host of ["metadata.google.internal", "localhost", "*.internal", "*.localhost"]) {
    const queued = await queueSample(dir.path, { proposedFile: `a.example\n${host}\n` });
    const confirmed = {
      confirmedSlug: "dev-1",
      currentSha256: sha256Hex("a.example\n"),
      allowStale: true,
    };
    const decided = decideSample(dir, queued, APPROVED, confirmed);
    const { clearedBy, breaches } = await refused(() => decided, "below_floor", host);
    assertEquals([clearedBy.how, breaches.map(({ value }) => value)], ["edit", [host]]);
    await decideSample(dir, queued, { status: "rejected" });
  }
  const actions = (await entriesOf(dir)).map(({ operatorAction }) => operatorAction);
  assertEquals(actions, ["rejected", "rejected", "rejected", "rejected"]);
});

// Threat: A15
Deno.test("decide() takes no version of the operator's that is below the floor, and takes another one", async () => {
  await using dir = await tempDir();
  await write(dir, POLICY);
  const queued = await queueSample(dir.path, { proposedFile: "a.corp.example\n" });
  const answer = (finalFile: string) =>
    decideSample(dir, queued, { status: "modified", finalFile });
  await refused(
    () => answer("b.corp.example\n"),
    "below_floor",
    "policy.json names *.corp.example",
  );
  assertEquals((await answer("a.example\n")).status, "modified");
});

Deno.test("what is in force below the floor stands in no one's way", async () => {
  await using dir = await tempDir();
  const inForce = '{"routes": [{"path": "/x/", "upstream": "http://localhost:11434"}]}';
  await putInForce(dir, "routes.json", inForce);
  const proposedFile = inForce.replace(
    "[{",
    '[{"path": "/y/", "upstream": "https://y.example"}, {',
  );
  const queued = await queueSample(dir.path, { tool: "cred-proxy-block", proposedFile });
  assertEquals((await decideSample(dir, queued, APPROVED)).status, "approved");
});

// Threat: L13
Deno.test("a policy that cannot be used approves nothing, and stops no rejection", async () => {
  await using dir = await tempDir();
  await write(dir, '{"version": 1, "flor": {}}');
  const queued = await queueSample(dir.path, { proposedFile: "a.example\n" });
  const says = "policy.json cannot be used ($.flor: there is no such key";
  await refused(() => decideSample(dir, queued, APPROVED), "policy_unusable", says);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: queued.proposal.id };
  const [obstacle] = obstaclesTo(await inspectProposal(ref), { verdict: { status: "modified" } });
  assertEquals([obstacle?.code, obstacle?.clearedBy.how], ["policy_unusable", "nothing"]);
  assertEquals((await decideSample(dir, queued, { status: "rejected" })).status, "rejected");
});

// Threat: L13
Deno.test("a policy that others can write is refused, with the way out", async () => {
  await using dir = await tempDir();
  await write(dir, POLICY);
  const problem = () => readPolicy(dir.path).problem ?? "";
  assertEquals(problem(), "");
  for (const mode of [0o620, 0o602]) {
    await Deno.chmod(dir.at("policy.json"), mode);
    assertStringIncludes(problem(), "run chmod go-w on it");
    await Deno.chmod(dir.at("policy.json"), 0o644);
    await Deno.chmod(dir.path, mode | 0o100);
    assertStringIncludes(problem(), `others can write ${dir.path} (mode`);
    await Deno.chmod(dir.path, 0o700);
  }
  assertEquals(problem(), "");
  await Deno.truncate(dir.at("policy.json"), 1024 * 1024 + 1);
  assertStringIncludes(problem(), "has more than 1048576 bytes");
  await Deno.writeFile(dir.at("policy.json"), new Uint8Array([0xff]));
  assertEquals(problem(), "it is not UTF-8");
  await Deno.remove(dir.at("policy.json"));
  await Deno.mkdir(dir.at("policy.json"));
  assertStringIncludes(problem(), "policy.json");
});

// Threat: L13
Deno.test("each decision names the policy it was made under; a change of it is noticed, with what it was", async () => {
  await using dir = await tempDir();
  const decideOne = async () =>
    await decideSample(
      dir,
      await queueSample(dir.path, { proposedFile: "a.example\n" }),
      { status: "rejected" },
    );
  const findings = () =>
    checkPolicy({ root: dir.path, supervise: "supervise" }).map(({ state, says }) =>
      `${state} ${says}`
    );
  const none = "ok there is no policy.json: the built-in floor holds alone";
  assertEquals(findings(), [none]);
  await decideOne();
  assertEquals(findings(), [none]);

  await write(dir, POLICY);
  const hash = sha256Hex(POLICY);
  const holds = `ok policy.json ${hash.slice(0, 12)} holds: 0 rules, 1 host below the floor`;
  assertEquals(findings()[0], holds);
  assertStringIncludes(findings()[1]!, "which was made under no policy.json");
  await decideOne();
  assertEquals(findings(), [holds]);

  await write(dir, '{"version": 1}');
  assertStringIncludes(findings()[1]!, `the one with sha256 ${hash.slice(0, 12)}`);
  const copy = dir.at("private", "policies", hash);
  assertEquals(await Deno.readTextFile(copy), POLICY);
  assertEquals(
    checkPolicy({ root: dir.path, supervise: "supervise" }).at(-1)?.todo,
    `diff ${copy} ${dir.at("policy.json")}`,
  );
  await write(dir, "{");
  await decideOne();
  assertStringIncludes(findings()[0]!, "bad policy.json cannot be used, so nothing is approved");
  assertEquals((await entriesOf(dir)).map(({ policySha256 }) => policySha256), [
    "",
    hash,
    sha256Hex("{"),
  ]);
});
