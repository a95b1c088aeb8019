import { type Applier, decideByRule, sha256Hex, type Verdict } from "../../mod.ts";
import { checkPolicy } from "../../cli/doctor/policy.ts";
import { readPolicy } from "../../src/host/policy_file.ts";
import { readStandingRules, removeStanding } from "../../src/host/standing_file.ts";
import { decideSample, entriesOf } from "../support/policy.ts";
import { queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";

const IN_FORCE = "a.example\n";

const ROUTE = { path: "/x/", upstream: "https://x.example" };

const DOCKERFILE = "FROM node:22\n";

const DAY_MS = 86_400_000;

const APPROVED: Verdict = { status: "approved" };

const POLICY = { version: 1, groups: { web: ["dev-1", "dev-2"] }, decisions_per_hour: 100 };

async function putBack(dir: TempDir): Promise<void> {
  for (const slug of ["dev-1", "dev-2", "dev-3"]) {
    const at = (file: string) => dir.at("current-config", slug, file);
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(at("allowlist"), IN_FORCE);
    await Deno.writeTextFile(at("routes.json"), JSON.stringify({ routes: [ROUTE] }));
    await Deno.writeTextFile(at("Dockerfile"), DOCKERFILE);
  }
}

async function rootWith(policy: object | null = POLICY): Promise<TempDir> {
  const dir = await tempDir();
  await putBack(dir);
  if (policy !== null) await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify(policy));
  return dir;
}

type Sample = NonNullable<Parameters<typeof queueSample>[1]>;

const withHosts = (...hosts: readonly string[]): Sample => ({
  tool: "pipelock-block",
  proposedFile: IN_FORCE + hosts.map((host) => `${host}\n`).join(""),
});

const withSteps = (...steps: readonly string[]): Sample => ({
  tool: "capability-block",
  proposedFile: DOCKERFILE + steps.map((step) => `${step}\n`).join(""),
});

/** Approves a change so that it stands. */
async function stand(
  dir: TempDir,
  sample: Sample,
  more: Parameters<typeof decideSample>[3] = {},
) {
  const queued = await queueSample(dir.path, sample);
  return await decideSample(dir, queued, APPROVED, { standing: { forMs: DAY_MS }, ...more });
}

/** Has the rules decide a change of the first file. */
async function ask(dir: TempDir, sample: Sample, now?: Date) {
  await putBack(dir);
  return await askNow(dir, sample, now);
}

/** Has the rules decide a change of the file in force. */
async function askNow(dir: TempDir, sample: Sample, now = new Date()) {
  const { proposalId } = await queueSample(dir.path, sample);
  const { bottleSlug = "dev-1" } = sample;
  return await decideByRule({ root: dir.path, bottleSlug, proposalId }, { now });
}

const outcome = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).outcome;

// Threat: L15
Deno.test("a standing decision approves that change, and a part of it, in its bottle, until it ends", async () => {
  await using dir = await rootWith();
  assertEquals(await outcome(dir, withHosts("b.example")), "ask");
  const made = await stand(dir, withHosts("b.example", "c.example"), { notes: "For the tests." });
  const { name = "", until = "", bottles } = made.standing ?? {};
  assertMatch(name, /^standing-[0-9a-f]{8}$/);
  assertEquals(bottles, ["dev-1"]);

  const { decision, rule } = await ask(dir, withHosts("b.example", "c.example"));
  assertEquals([decision?.status, decision?.notes, rule], ["approved", "For the tests.", name]);
  assertEquals(await outcome(dir, withHosts("c.example")), "approve");
  for (const host of ["d.example", "*.b.example", "x.b.example"]) {
    assertEquals(await outcome(dir, withHosts("b.example", host)), "ask", host);
  }
  // Nothing was to go, and a change that adds nothing is another one.
  assertEquals(await outcome(dir, { proposedFile: "b.example\n" }), "ask");
  assertEquals(await outcome(dir, { proposedFile: `${IN_FORCE}# same\n` }), "ask");
  assertEquals(await outcome(dir, { ...withHosts("b.example"), bottleSlug: "dev-2" }), "ask");
  const end = Date.parse(until);
  assertEquals(await outcome(dir, withHosts("b.example"), new Date(end - 1)), "approve");
  assertEquals(await outcome(dir, withHosts("b.example"), new Date(end)), "ask");

  const [entry, ...others] = await entriesOf(dir);
  const bytes = await Deno.readFile(dir.at("standing.json"));
  assertEquals(entry?.standing, made.standing);
  assertEquals(others.map(({ rules, standing }) => [rules, standing]), [
    [[name], undefined],
    [[name], undefined],
    [[name], undefined],
  ]);
  for (const { standingSha256 } of [entry!, ...others]) {
    assertEquals(standingSha256, sha256Hex(bytes));
  }
  assertEquals(await Deno.readFile(dir.at("private", "policies", sha256Hex(bytes))), bytes);
  assertEquals(Deno.statSync(dir.at("standing.json")).mode! & 0o777, 0o600);
});

// Threat: L15
Deno.test("a standing decision for a group holds in its bottles, as policy.json has them now", async () => {
  await using dir = await rootWith();
  const group = { standing: { forMs: DAY_MS, group: "web" } };
  const made = await stand(dir, withHosts("b.example"), group);
  assertEquals(made.standing?.bottles, ["group:web"]);
  const inBottle = (bottleSlug: string) => outcome(dir, { ...withHosts("b.example"), bottleSlug });
  assertEquals([await inBottle("dev-2"), await inBottle("dev-3")], ["approve", "ask"]);
  await Deno.writeTextFile(
    dir.at("policy.json"),
    JSON.stringify({ ...POLICY, groups: { web: ["dev-1", "dev-3"] } }),
  );
  assertEquals([await inBottle("dev-2"), await inBottle("dev-3")], ["ask", "approve"]);
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1 }));
  assertStringIncludes(readPolicy(dir.path).problem!, 'there is no group "web"');
  // Even then it can be ended.
  assert(await removeStanding(dir.path, made.standing!.name));
  assertEquals(readPolicy(dir.path).problem, undefined);
});

// Threat: L15
Deno.test("high marks that a person confirmed stand, and no other ones", async () => {
  await using dir = await rootWith();
  const current = { currentSha256: sha256Hex(IN_FORCE), confirmedSlug: "dev-1" };
  await refused(() => stand(dir, withHosts("*.other.net")), "unconfirmed");
  await stand(dir, withHosts("*.other.net"), current);
  assertEquals(await outcome(dir, withHosts("*.other.net")), "approve");
  const [byPerson, byRule] = await entriesOf(dir);
  assertEquals([byPerson?.confirmed, byRule?.confirmed], [["high-marks"], undefined]);
  // Where the owner is in force, less is marked.
  await stand(dir, withHosts("c.other.org"));
  const path = dir.at("current-config", "dev-1", "allowlist");
  await Deno.writeTextFile(path, "d.other.org\n");
  const asked = async (proposedFile: string) => (await askNow(dir, { proposedFile })).outcome;
  assertEquals(await asked("d.other.org\nc.other.org\n"), "approve");
  // The same host, with a mark that nobody saw: it resembles one in force.
  await Deno.writeTextFile(path, "0ther.net\n");
  assertEquals(await asked("0ther.net\n*.other.net\n"), "ask");
});

// Threat: L15
Deno.test("routes and packages stand as they were approved, and no other instruction does", async () => {
  await using dir = await rootWith();
  const routes = (...more: readonly object[]): Sample => ({
    tool: "cred-proxy-block",
    proposedFile: JSON.stringify({ routes: [ROUTE, ...more] }),
  });
  const other = { path: "/y/", upstream: "https://y.example" };
  await stand(dir, routes(other));
  assertEquals(await outcome(dir, routes(other)), "approve");
  assertEquals(await outcome(dir, routes({ ...other, path: "/z/" })), "ask");
  assertEquals(await outcome(dir, routes({ ...other, upstream: "https://z.example" })), "ask");

  await stand(dir, withSteps("RUN npm install -g left-pad@1.3.0 right-pad@1.0.0"));
  assertEquals(await outcome(dir, withSteps("RUN npm install -g right-pad@1.0.0")), "approve");
  for (
    const step of [
      "RUN npm install -g left-pad@1.3.1",
      "RUN npm install -g right-pad@1.0.0 && make",
    ]
  ) {
    assertEquals(await outcome(dir, withSteps(step)), "ask", step);
  }
  const commands = () => stand(dir, withSteps("RUN make check"));
  await refused(commands, "not_standing", "what those do is not proven");
});

Deno.test("what cannot stand is refused while nothing is decided", async () => {
  await using dir = await rootWith();
  const cannot = async (sample: Sample, says: string, group?: string) => {
    const standing = { forMs: DAY_MS, ...(group && { group }) };
    const { clearedBy } = await refused(
      () => stand(dir, sample, { standing }),
      "not_standing",
      says,
    );
    assertEquals(clearedBy.how, "nothing");
  };
  await cannot({ proposedFile: `${IN_FORCE}# same\n` }, "it adds nothing");
  await cannot(withSteps('RUN eval "$(cat x)" $$'), "could not be worked out");
  await cannot(withHosts("b.example"), "policy.json has no group", "nobody");
  await cannot({ ...withHosts("b.example"), bottleSlug: "dev-3" }, "dev-3 is not in", "web");
  const many = Array.from({ length: 60 }, (_, n) => `h${n}.example`);
  await cannot(withHosts(...many), "it has more than 50 marks");
  const queued = await queueSample(dir.path, withHosts("b.example"));
  for (
    const [verdict, standing] of [
      [APPROVED, { forMs: 91 * DAY_MS }],
      [APPROVED, { forMs: 0 }],
      [APPROVED, {} as { forMs: number }],
      [{ status: "rejected" } as Verdict, { forMs: DAY_MS }],
    ] as const
  ) {
    await assertRejects(() => decideSample(dir, queued, verdict, { standing }), TypeError);
  }
  assertEquals(await entriesOf(dir), []);
  assertEquals(readStandingRules(dir.path), []);
});

// Threat: L15
Deno.test("no standing decision reaches below the floor, or past the rules' limits", async () => {
  await using dir = await rootWith({ ...POLICY, decisions_per_hour: 1 });
  await stand(dir, withHosts("b.example"));
  const floor = { ...POLICY, decisions_per_hour: 1, floor: { hosts: ["b.example"] } };
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify(floor));
  assertEquals(await outcome(dir, withHosts("b.example")), "ask");
  const reject = { name: "no", tool: "pipelock-block", then: "reject", notes: "No." };
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ ...POLICY, rules: [reject] }));
  assertEquals(await outcome(dir, withHosts("b.example")), "reject");
  await Deno.writeTextFile(
    dir.at("policy.json"),
    JSON.stringify({ ...POLICY, decisions_per_hour: 1 }),
  );
  assertEquals(await outcome(dir, withHosts("b.example")), "approve");
  assertStringIncludes((await ask(dir, withHosts("b.example"))).why, "in the last hour");
});

// Threat: L15
Deno.test("a standing decision that operators reverted three times is stopped, whatever else is made to stand", async () => {
  await using dir = await rootWith();
  await stand(dir, withHosts("b.example"));
  const path = dir.at("current-config", "dev-1", "allowlist");
  for (let n = 0; n < 3; n++) {
    assertEquals(await outcome(dir, withHosts("b.example")), "approve");
    await Deno.writeTextFile(path, `${IN_FORCE}b.example\n`);
    const back = await queueSample(dir.path, { proposedFile: IN_FORCE });
    await decideSample(dir, back, APPROVED);
    await Deno.writeTextFile(path, IN_FORCE);
  }
  await stand(dir, withHosts("c.example"));
  const { outcome: said, why } = await ask(dir, withHosts("b.example"));
  assertEquals(said, "ask");
  assertStringIncludes(why, "is stopped, because operators reverted 3 of its decisions; remove it");
});

// Threat: L15
Deno.test("a standing.json that others can write, or that is wrong, approves nothing", async () => {
  await using dir = await rootWith();
  const made = await stand(dir, withHosts("b.example"));
  const path = dir.at("standing.json");
  const text = await Deno.readTextFile(path);
  const problem = () => readPolicy(dir.path).problem ?? "none";
  await Deno.chmod(path, 0o620);
  assertStringIncludes(problem(), `others can write ${path}`);
  await Deno.chmod(path, 0o600);
  assertEquals(problem(), "none");
  const { version, rules: [rule] } = JSON.parse(text);
  const from = Date.parse(rule.from);
  const wrong: readonly (readonly [rules: readonly object[], says: string])[] = [
    [[{ ...rule, then: "approve" }], "$.rules[0].then: there is no such key"],
    [[rule, rule], `there is another rule with the name ${rule.name}`],
    [[{ ...rule, added: [{ kind: "hosts", value: "x" }] }], "$.rules[0].added[0].kind"],
    [[{ ...rule, to: new Date(from + 91 * DAY_MS).toISOString() }], "by at most 90 days"],
    [[{ ...rule, to: rule.from }], "expected a time after from"],
    [[{ ...rule, to: "never" }], "$.rules[0].to"],
    [[{ ...rule, to: undefined }], "the key to is missing"],
    [[{ ...rule, bottles: undefined }], "the key bottles is missing"],
  ];
  for (const [rules, says] of wrong) {
    await Deno.writeTextFile(path, JSON.stringify({ version, rules }));
    assertStringIncludes(problem(), says);
    assertStringIncludes(problem(), "standing.json beside it: ");
  }
  const queued = await queueSample(dir.path, withHosts("c.example"));
  await refused(() => decideSample(dir, queued, APPROVED), "policy_unusable", "standing.json");
  await Deno.writeTextFile(path, text);
  const named = { ...POLICY, rules: [{ name: rule.name, tool: rule.tool, then: "ask" }] };
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify(named));
  assertStringIncludes(problem(), "there is another rule with the name");
  assertEquals(made.standing?.name, rule.name);
});

// Threat: L15
Deno.test("doctor finds a rule that somebody ended, and one that was never written", async () => {
  await using dir = await rootWith(null);
  const findings = () => checkPolicy({ root: dir.path, supervise: "supervise" });
  const says = () => findings().map(({ state, says }) => `${state} ${says}`);
  const { name } = (await stand(dir, withHosts("b.example"))).standing!;
  const path = dir.at("standing.json");
  const text = await Deno.readTextFile(path);
  const holds = "ok standing.json holds: 0 rules, 1 standing decision, 0 hosts below the floor";
  assertEquals(says(), [holds]);
  assert(await removeStanding(dir.path, name));
  assertEquals(await removeStanding(dir.path, name), false);
  assertStringIncludes(says().at(-1)!, "warn standing.json is not as the last decision");
  const copy = dir.at("private", "policies", sha256Hex(text));
  assertEquals(await Deno.readTextFile(copy), text);
  assertEquals(findings().at(-1)?.todo, `diff ${copy} ${path}`);
  assertEquals(await outcome(dir, withHosts("b.example")), "ask");

  const before = await Deno.readTextFile(path);
  await stand(dir, withHosts("c.example"));
  assertEquals(says(), [holds]);
  await Deno.writeTextFile(path, before);
  assertStringIncludes(says().at(-1)!, "or one could not be written");
});

Deno.test("what has ended leaves the file with the next standing decision", async () => {
  await using dir = await rootWith(null);
  await stand(dir, withHosts("b.example"));
  const path = dir.at("standing.json");
  const { version, rules: [rule] } = JSON.parse(await Deno.readTextFile(path));
  const [from, to] = [20, 19].map((days) => new Date(Date.now() - days * DAY_MS).toISOString());
  await Deno.writeTextFile(path, JSON.stringify({ version, rules: [{ ...rule, from, to }] }));
  assertEquals(await outcome(dir, withHosts("b.example")), "ask");
  const made = await stand(dir, withHosts("c.example"));
  assertEquals(readStandingRules(dir.path).map(({ rule }) => rule.name), [made.standing?.name]);
});

Deno.test("what stands in another bottle stops no decision that is checked meanwhile; a rule that it needs does", async () => {
  await using dir = await rootWith();
  /** Has something happen while a change is checked. */
  const meanwhile = (happens: () => Promise<unknown>): Applier => ({
    check: async () => void await happens(),
    apply: () => Promise.resolve("probed"),
    restore: () => Promise.resolve("probed"),
  });
  const standElsewhere = () => stand(dir, { ...withHosts("z.example"), bottleSlug: "dev-2" });
  const queued = await queueSample(dir.path, withHosts("p.example"));
  const { status } = await decideSample(dir, queued, APPROVED, {
    applier: meanwhile(standElsewhere),
  });
  assertEquals(status, "approved");

  await putBack(dir);
  const { standing } = await stand(dir, withHosts("b.example"));
  const byRule = async (applier: Applier) => {
    await putBack(dir);
    const { proposalId } = await queueSample(dir.path, withHosts("b.example"));
    return await decideByRule({ root: dir.path, bottleSlug: "dev-1", proposalId, applier });
  };
  assertEquals((await byRule(meanwhile(standElsewhere))).outcome, "approve");
  await assertRejects(
    () => byRule(meanwhile(() => removeStanding(dir.path, standing!.name))),
    Error,
    "the policy changed just now",
  );
});
