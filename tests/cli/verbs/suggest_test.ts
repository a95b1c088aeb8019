import {
  decideByRule,
  type DecideRequest,
  revokeGrant,
  sha256Hex,
  type Tool,
  type Verdict,
} from "../../../mod.ts";
import { readPolicy } from "../../../src/host/policy_file.ts";
import { supervise } from "../../support/command_line.ts";
import { decideSample, entriesOf } from "../../support/policy.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const IN_FORCE: Readonly<Record<Tool, readonly [file: string, text: string]>> = {
  "pipelock-block": ["allowlist", "a.example\n"],
  "cred-proxy-block": ["routes.json", '{"routes": [\n]}\n'],
  "capability-block": ["Dockerfile", "FROM node:22\n"],
};

const APPROVED: Verdict = { status: "approved" };

const REJECTED: Verdict = { status: "rejected" };

async function prepared(): Promise<TempDir> {
  const dir = await tempDir();
  for (const slug of ["dev-1", "dev-2"]) await putBack(dir, slug);
  return dir;
}

async function putBack(dir: TempDir, slug: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
  for (const [file, text] of Object.values(IN_FORCE)) {
    await Deno.writeTextFile(dir.at("current-config", slug, file), text);
  }
}

/** Has a person decide a change of a bottle's file. */
async function decided(
  dir: TempDir,
  tool: Tool,
  lines: string,
  verdict = APPROVED,
  bottleSlug = "dev-1",
  more: Partial<DecideRequest> = {},
) {
  const [, before] = IN_FORCE[tool];
  // Each is a change of the first file.
  await putBack(dir, bottleSlug);
  const proposedFile = tool === "cred-proxy-block"
    ? before.replace("[\n", `[\n${lines}\n`)
    : `${before}${lines}\n`;
  const queued = await queueSample(dir.path, { tool, proposedFile, bottleSlug });
  const confirmed = { confirmedSlug: bottleSlug, currentSha256: sha256Hex(before), ...more };
  await decideSample(dir, queued, verdict, confirmed);
  return queued;
}

/** What is suggested: the whole of it, and each rule without its example. */
async function suggested(dir: TempDir) {
  const { code, out, err } = await supervise(dir.path, ["policy", "suggest", "--json"]);
  assertEquals([code, err], [0, ""]);
  const all = JSON.parse(out);
  type Rule = Record<"examples", readonly object[]> & Record<string, unknown>;
  const rules: readonly Rule[] = all.suggestions.map(({ rule }: { rule: Rule }) => rule);
  const bare = rules.map(({ examples, ...rule }) => {
    assertEquals(examples.length, 1);
    return rule;
  });
  return { all, rules, bare };
}

const HOSTS = "pipelock-block" as const;

// Threat: L16
Deno.test("policy suggest drafts rules from repeated approvals, which hold, and saves what it says", async () => {
  await using dir = await prepared();
  for (const [name, slug] of [["a", "dev-1"], ["b", "dev-1"], ["c", "dev-2"]] as const) {
    await decided(dir, HOSTS, `${name}.builds.example`, APPROVED, slug);
  }
  for (const host of ["x.two.example", "x.two.example", "y.two.example", "once.example"]) {
    await decided(dir, HOSTS, host);
  }
  const route = (name: string) =>
    `{"path": "/${name}/", "upstream": "https://${name}.api.example:8443/v1"}`;
  for (const name of ["a", "b", "c"]) await decided(dir, "cred-proxy-block", route(name));
  for (const name of ["x", "y", "z"]) {
    await decided(dir, "capability-block", `RUN npm install -g @team/${name}@1.0.0`);
  }
  await decided(dir, "capability-block", "RUN npm install -g left-pad@1.3.0 right-pad@1.0.0");
  await decided(dir, "capability-block", "RUN npm install -g left-pad@1.3.0 right-pad@1.0.0");
  // No rule can cover these.
  for (let n = 0; n < 3; n++) {
    await decided(dir, HOSTS, "*.wild.net");
    await decided(dir, "capability-block", "RUN make check");
  }
  const before = await entriesOf(dir);

  const { all, rules, bare } = await suggested(dir);
  const of = (tool: Tool, name: string, list: object, marks_at_most: string) => ({
    name: `suggested-${name}`,
    tool,
    bottles: ["dev-1"],
    ...list,
    marks_at_most,
    then: "approve",
  });
  assertEquals(bare, [
    of("capability-block", "npm-team", { packages_within: ["npm:@team/*"] }, "low"),
    of(
      "capability-block",
      "npm-left-pad-1-3-0-and-more",
      { packages_within: ["npm:left-pad@1.3.0", "npm:right-pad@1.0.0"] },
      "low",
    ),
    of(
      "cred-proxy-block",
      "api-example-8443",
      { upstreams_within: ["https://*.api.example:8443"] },
      "medium",
    ),
    {
      ...of(HOSTS, "builds-example", { hosts_within: ["*.builds.example"] }, "medium"),
      bottles: ["dev-1", "dev-2"],
    },
    of(HOSTS, "x-two-example", { hosts_within: ["x.two.example"] }, "medium"),
  ]);
  type Saved = Record<"saved" | "otherwise" | "bottles", unknown>;
  assertEquals(
    all.suggestions.map(({ saved, otherwise, bottles }: Saved) => [saved, otherwise, bottles]),
    [
      [3, 0, ["dev-1"]],
      [2, 0, ["dev-1"]],
      [3, 0, ["dev-1"]],
      [3, 0, ["dev-1", "dev-2"]],
      [2, 0, ["dev-1"]],
    ],
  );
  assertEquals([all.saved, all.decided, all.not_replayed], [13, 21, 0]);
  assertEquals(await entriesOf(dir), before);

  // Put into policy.json as they are, they do what was said, and nothing more is suggested.
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1, rules }));
  assertEquals(readPolicy(dir.path).problem, undefined);
  const tested = JSON.parse((await supervise(dir.path, ["policy", "test", "--json"])).out);
  type Counted = Record<"recorded" | "otherwise", number>;
  assertEquals(
    tested.rules.map(({ recorded, otherwise }: Counted) => [recorded, otherwise]),
    [[3, 0], [2, 0], [3, 0], [3, 0], [2, 0]],
  );
  assertEquals((await suggested(dir)).bare, []);
});

// Threat: L16
Deno.test("policy suggest drafts nothing that people ever rejected or changed, even if it is gone", async () => {
  await using dir = await prepared();
  const approved = async (...hosts: readonly string[]) => {
    for (const host of hosts) await decided(dir, HOSTS, host);
  };
  await approved("a.one.example", "b.one.example", "c.one.example", "a.one.example");
  await approved("a.two.example", "b.two.example", "c.two.example", "a.two.example");
  await approved("a.six.example", "b.six.example", "c.six.example", "a.six.example");
  await approved("q.example", "q.example");
  assertEquals((await suggested(dir)).bare.map(({ name }) => name), [
    "suggested-one-example",
    "suggested-two-example",
    "suggested-six-example",
    "suggested-q-example",
  ]);
  await decided(dir, HOSTS, "d.one.example", REJECTED, "dev-2");
  await decided(dir, HOSTS, "*.two.example", { status: "modified", finalFile: "b.example\n" });
  const gone = await decided(dir, HOSTS, "z.example\nd.six.example", REJECTED);
  await Deno.remove(gone.path);
  await decided(dir, HOSTS, "q.example\nr.example", REJECTED);
  const { all, bare } = await suggested(dir);
  // A wildcard that was changed let each of them in.
  assertEquals(bare.map(({ hosts_within }) => hosts_within), [["a.one.example"], [
    "a.six.example",
  ]]);
  assertEquals(all.not_replayed, 1);
});

Deno.test("policy suggest counts no decision of a rule, and says in words what it found", async () => {
  await using dir = await prepared();
  assertStringIncludes(
    (await supervise(dir.path, ["policy", "suggest"])).out,
    "There is nothing to suggest, after 0 decisions of people.\n",
  );
  for (const name of ["a", "b", "a"]) await decided(dir, HOSTS, `${name}.builds.example`);
  const { out } = await supervise(dir.path, ["policy", "suggest"]);
  assertStringIncludes(out, "Saves 2 decisions, in dev-1; decides none otherwise:\n{\n");
  assertStringIncludes(out, "All together save 2 of 3 decisions of people.");
  // What a rule approves is no person's decision, and needs no draft.
  const rule = { name: "x", tool: HOSTS, hosts_within: ["*.other.example"], then: "approve" };
  const rules = [{ ...rule, marks_at_most: "medium" }];
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1, rules }));
  for (const name of ["a", "b", "c"]) {
    const proposedFile = `a.example\n${name}.other.example\n`;
    await putBack(dir, "dev-1");
    const { proposalId } = await queueSample(dir.path, { proposedFile });
    await decideByRule({ root: dir.path, bottleSlug: "dev-1", proposalId });
  }
  await Deno.remove(dir.at("policy.json"));
  const { all, bare } = await suggested(dir);
  assertEquals([all.decided, bare.map(({ name }) => name)], [3, ["suggested-a-builds-example"]]);
  await Deno.writeTextFile(dir.at("policy.json"), "{");
  const { code, err } = await supervise(dir.path, ["policy", "suggest"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "Cannot use policy.json: ");
});

Deno.test("what was approved for a time is no approval for good: no rule is drafted that would be one", async () => {
  await using dir = await prepared();
  for (const name of ["a", "b", "c"]) await decided(dir, HOSTS, `${name}.good.example`);
  for (const host of ["a.lent.example", "b.lent.example", "c.lent.example"]) {
    const { id: proposalId } = (await decided(dir, HOSTS, host, APPROVED, "dev-1", {
      grant: { forMs: 60_000 },
    })).proposal;
    await revokeGrant({ root: dir.path, bottleSlug: "dev-1", proposalId, operator: "ada@host" });
  }
  const { bare } = await suggested(dir);
  assertEquals(bare.map(({ name }) => name), ["suggested-good-example"]);
});
