import { sha256Hex } from "../../../mod.ts";
import { ensureSigningKey } from "../../../internal_mod.ts";
import { operatorAccount } from "../../../cli/command/context.ts";
import { CLIENT_KINDS } from "../../support/clients.ts";
import { startWatch, supervise } from "../../support/command_line.ts";
import { queueOf } from "../../support/operator.ts";
import { entriesOf } from "../../support/policy.ts";
import { queueSample } from "../../support/records.ts";
import { startSidecar } from "../../support/sidecar.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const POLICY = JSON.stringify({
  version: 1,
  rules: [
    { name: "no-hosts", tool: "pipelock-block", then: "reject", notes: "Ask for a route instead." },
    { name: "same", tool: "cred-proxy-block", marks_at_most: "none", for: "1d", then: "approve" },
  ],
});

const ROUTES = '{"routes": []}\n';

async function prepare(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "routes.json"), ROUTES);
  await Deno.writeTextFile(dir.at("policy.json"), POLICY);
  await ensureSigningKey(dir.path);
}

// Threat: L14
Deno.test("watch --decide answers an agent's call by a rule, and says which one", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await CLIENT_KINDS[0]!.connect(sidecar.url);
  const watch = startWatch(dir.path, ["--decide", "--json"]);
  const next = async () => JSON.parse(await watch.next());
  const call = (tool: string, proposed_file: string) =>
    client.call(tool, { proposed_file, justification: "Because." });

  const rejected = call("pipelock-block", "b.example\n");
  assertEquals((await next()).event, "arrived");
  const { id: _, ...ruled } = await next();
  assertEquals(ruled, {
    version: 1,
    event: "ruled",
    bottle_slug: "dev-1",
    outcome: "reject",
    rule: "no-hosts",
    why: "rule no-hosts rejects it",
    until: null,
    dry_run: false,
  });
  assertStringIncludes((await rejected).text, "Ask for a route instead.");
  assertEquals((await next()).operator, "rule:no-hosts");

  const approved = call("cred-proxy-block", ROUTES);
  assertEquals((await next()).event, "arrived");
  const { outcome, rule, until } = await next();
  assertEquals([outcome, rule], ["approve", "same"]);
  // It adds nothing that could end.
  assertEquals([until, (await approved).text.includes("In force until")], [null, false]);
  assertEquals((await next()).event, "decided");
  assertEquals(await watch.end(), 0);

  const [entry] = await entriesOf(dir);
  assertEquals([entry?.rules, entry?.policySha256], [["no-hosts"], sha256Hex(POLICY)]);
  const { out } = await supervise(dir.path, ["audit", "show", "--full"]);
  assertStringIncludes(out, "decided by rules: same");
});

Deno.test("watch --decide leaves to a person what no rule decides, and --dry-run everything", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const watch = startWatch(dir.path, ["--decide", "--dry-run"]);
  await queueSample(dir.path, { id: "p1", proposedFile: "b.example\n" });
  assertStringIncludes(await watch.next(), "arrived");
  assertStringIncludes(await watch.next(), "p1  dev-1  would reject: rule");
  assertEquals(await watch.end(), 0);

  await Deno.remove(dir.at("policy.json"));
  const again = startWatch(dir.path, ["--decide"]);
  assertStringIncludes(await again.next(), "arrived");
  assertStringIncludes(await again.next(), "p1  dev-1  ask: ");
  assertEquals(await again.end(), 0);
  assertEquals(await entriesOf(dir), []);
  const wrong = await supervise(dir.path, ["watch", "--dry-run"]);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertStringIncludes(wrong.err, "Cannot use --dry-run without --decide");
});

// Threat: L14
Deno.test("watch --decide installs packages and opens upstreams that rules name, and no other ones", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "Dockerfile"), "FROM node:22\n");
  const rules = [
    {
      name: "packages",
      tool: "capability-block",
      packages_within: ["npm:@team/*", "npm:left-pad"],
    },
    {
      name: "upstreams",
      tool: "cred-proxy-block",
      upstreams_within: ["https://*.api.example"],
      marks_at_most: "medium",
    },
  ].map((rule) => ({ ...rule, then: "approve" }));
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1, rules }));
  const watch = startWatch(dir.path, ["--decide", "--json"]);
  const ruled = async (tool: "capability-block" | "cred-proxy-block", proposedFile: string) => {
    await queueSample(dir.path, { tool, proposedFile });
    assertEquals(JSON.parse(await watch.next()).event, "arrived");
    const { outcome, rule, why } = JSON.parse(await watch.next());
    if (outcome !== "ask") assertEquals(JSON.parse(await watch.next()).event, "decided");
    return outcome === "ask" ? why : rule;
  };
  const dockerfile = (step: string) => ruled("capability-block", `FROM node:22\n${step}\n`);
  assertEquals(await dockerfile("RUN npm install -g @team/x@1.0.0 left-pad"), "packages");
  assertStringIncludes(
    await dockerfile("RUN npm install -g @team/x@1.0.0 left-pad evil"),
    "npm:evil",
  );
  assertStringIncludes(
    await dockerfile("RUN npm install -g left-pad && make"),
    "it changes instructions",
  );
  const route = (upstream: string, more: object = {}) =>
    ruled("cred-proxy-block", JSON.stringify({ routes: [{ path: "/x/", upstream, ...more }] }));
  assertEquals(await route("https://a.api.example/v1"), "upstreams");
  assertStringIncludes(await route("https://a.api.example.evil.net"), "evil.net");
  const token = { auth_scheme: "bearer", token_env: "A" };
  assertStringIncludes(await route("https://a.api.example", token), "token_env A");
  assertEquals(await watch.end(), 0);
});

// Threat: B5, B12
Deno.test("watch --decide tells and decides what arrives in one bottle before all that another one has pending", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  // More of them than there are pauses between two looks at the queues.
  for (let n = 0; n < 80; n++) await queueSample(dir.path, { id: `p${n}`, bottleSlug: "dev-1" });
  await queueSample(dir.path, { id: "q0", bottleSlug: "dev-2" });
  const watch = startWatch(dir.path, ["--decide", "--dry-run", "--json"]);
  const next = async (): Promise<{ event: string; id: string }> => JSON.parse(await watch.next());
  for (let n = 0; n < 81; n++) assertEquals((await next()).event, "arrived");
  assertEquals([(await next()).id[0], (await next()).id[0]], ["p", "q"]);
  await queueSample(dir.path, { id: "q1", bottleSlug: "dev-2" });
  const seen: string[] = [];
  while (seen.at(-1) !== "ruled q1") {
    const { event, id } = await next();
    seen.push(`${event} ${id}`);
  }
  const ruled = seen.filter((line) => line.startsWith("ruled p")).length;
  assertEquals([seen.includes("arrived q1"), ruled < 79], [true, true]);
  assertEquals(await watch.end(), 0);
});

Deno.test("watch --decide ends after the decision that it is in, however much is pending", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  for (let n = 0; n < 40; n++) await queueSample(dir.path, { proposedFile: "b.example\n" });
  const watch = startWatch(dir.path, ["--decide", "--json"]);
  while (JSON.parse(await watch.next()).event !== "ruled");
  assertEquals(await watch.end(), 0);
  assertEquals((await entriesOf(dir)).length < 5, true);
});

// Threat: B5, C4
Deno.test("watch --decide says what keeps the rules from deciding, and goes on for every bottle", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.symlink(dir.at("gone", "lock"), dir.at("private", "rules.lock"));
  await queueSample(dir.path, { id: "p1", proposedFile: "b.example\n" });
  const watch = startWatch(dir.path, ["--decide"]);
  assertStringIncludes(await watch.next(), "arrived");
  assertStringIncludes(await watch.next(), "2> p1: Cannot go on: No such file");
  await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2", proposedFile: "b.example\n" });
  assertStringIncludes(await watch.next(), "arrived");
  assertStringIncludes(await watch.next(), "2> p2: Cannot go on: No such file");
  await Deno.remove(dir.at("private", "rules.lock"));
  await queueSample(dir.path, { id: "p3", bottleSlug: "dev-2", proposedFile: "b.example\n" });
  assertStringIncludes(await watch.next(), "arrived");
  assertStringIncludes(await watch.next(), "p3  dev-2  reject: rule");
  assertStringIncludes(await watch.next(), "rejected");
  assertEquals(await watch.end(), 0);
});

// Threat: L12
Deno.test("watch --decide says the key that its first decision makes, and the log who ran it", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.remove(dir.at("private"), { recursive: true });
  const { id } = (await queueSample(dir.path, { proposedFile: "b.example\n" })).proposal;
  const watch = startWatch(dir.path, ["--decide"]);
  assertStringIncludes(await watch.next(), "arrived");
  assertStringIncludes(await watch.next(), "2> ! created the audit signing key, SHA256:");
  assertStringIncludes(await watch.next(), "ruled");
  assertEquals(await watch.end(), 0);
  const [entry] = await entriesOf(dir);
  assertEquals([entry?.operator, entry?.operatorName], ["rule:no-hosts", operatorAccount()]);
  const { out } = await supervise(dir.path, ["show", id]);
  assertStringIncludes(out, `by rule:no-hosts (${operatorAccount()})`);
});
