import type { Comparison, Mark, ReachItem, ReachKind, Tool } from "../../mod.ts";
import { compareConfigFiles } from "../../src/config/compare.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { PolicyError } from "../../src/policy/read.ts";
import { type Rule, type RuledChange, ruleFor } from "../../src/policy/rules.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";

const rulesOf = (...rules: readonly object[]) =>
  parsePolicy(JSON.stringify({ version: 1, groups: { web: ["dev-2", "dev-3"] }, rules })).rules;

const HOSTS = {
  name: "hosts",
  tool: "pipelock-block",
  hosts_within: ["*.npmjs.org", "a.example"],
  then: "approve",
};

const item = (kind: ReachKind, value: string): ReachItem => ({ kind, value, line: 1 });

const mark = (severity: Mark["severity"]): Mark => ({
  severity,
  rule: "x",
  message: "",
  side: "new",
  line: 1,
});

/** A change that adds some items, each with a low mark. */
function change(added: readonly ReachItem[], more: Partial<RuledChange> = {}): RuledChange {
  return {
    tool: "pipelock-block",
    bottleSlug: "dev-1",
    obstacles: [],
    reach: added.length > 0 ? "new-reach" : "no-new-reach",
    isWhole: true,
    added,
    removed: [],
    marks: added.map(() => mark("low")),
    ...more,
  };
}

const hosts = (...values: readonly string[]) => values.map((value) => item("host", value));

const outcome = (rules: readonly Rule[], asked: RuledChange) => ruleFor(rules, asked).outcome;

// Threat: L14
Deno.test("ruleFor() approves what approving rules cover whole, and asks about everything else", () => {
  const rules = rulesOf(HOSTS, { ...HOSTS, name: "more", hosts_within: ["b.example"] });
  const says = (...values: readonly string[]) => outcome(rules, change(hosts(...values)));
  assertEquals(says("registry.npmjs.org"), "approve");
  assertEquals(says("npmjs.org", "*.x.npmjs.org", "a.example"), "approve");
  assertEquals(says("a.example", "b.example"), "approve");
  assertEquals(ruleFor(rules, change(hosts("a.example", "b.example"))).needed, rules);
  assertEquals(says("evilnpmjs.org"), "ask");
  assertEquals(says("*.a.example"), "ask");
  assertEquals(says("*.org"), "ask");
  assertEquals(says("a.example", "c.example"), "ask");
  assertEquals(says(), "approve");
  const good = hosts("a.example");
  assertEquals(outcome([], change([])), "ask");
  assertEquals(outcome(rules, change(good, { reach: "unknown" })), "ask");
  assertEquals(outcome(rules, change(good, { obstacles: ["it is stale"] })), "ask");
  assertEquals(outcome(rules, change(good, { marks: [mark("low"), mark("medium")] })), "ask");
  assertEquals(outcome(rules, change(good, { tool: "cred-proxy-block" })), "ask");
  assertEquals(outcome(rules, change([item("route", "a.example")])), "ask");
});

Deno.test("ruleFor() takes the worst mark that a rule allows, and never a high one", () => {
  const [low, none, medium] = ["low", "none", "medium"].map((marks_at_most) =>
    rulesOf({ ...HOSTS, marks_at_most })
  );
  const marked = (severity: Mark["severity"]) =>
    change(hosts("a.example"), { marks: [mark(severity)] });
  assertEquals([none, low, medium].map((rules) => outcome(rules!, marked("low"))), [
    "ask",
    "approve",
    "approve",
  ]);
  assertEquals([low, medium].map((rules) => outcome(rules!, marked("medium"))), ["ask", "approve"]);
  assertEquals([low, medium].map((rules) => outcome(rules!, marked("high"))), ["ask", "ask"]);
});

// Threat: L14
Deno.test("ruleFor() rejects for one rejecting rule, and asks for one that asks, wherever it is", () => {
  const reject = {
    name: "no",
    tool: "pipelock-block",
    hosts_within: ["x.npmjs.org"],
    then: "reject",
    notes: "No.",
  };
  const ask = { name: "who", tool: "pipelock-block", bottles: ["dev-9"], then: "ask" };
  for (const rules of [rulesOf(HOSTS, reject, ask), rulesOf(ask, reject, HOSTS)]) {
    assertEquals(outcome(rules, change(hosts("x.npmjs.org", "a.example"))), "reject");
    // A wildcard that covers a rejected host lets it in.
    assertEquals(outcome(rules, change(hosts("*.npmjs.org"))), "reject");
    assertEquals(outcome(rules, change(hosts("y.npmjs.org"))), "approve");
    assertEquals(outcome(rules, change(hosts("a.example"), { bottleSlug: "dev-9" })), "ask");
    const unknown = { reach: "unknown", obstacles: ["it is stale"] } as const;
    assertEquals(outcome(rules, change(hosts("x.npmjs.org"), unknown)), "reject");
  }
});

Deno.test("ruleFor() keeps to bottles, groups, hours and counts", () => {
  const rules = rulesOf({
    ...HOSTS,
    bottles: ["dev-1", "group:web"],
    count_per_day: 2,
    hours: { from: "08:00", to: "18:00", days: ["mon", "fri"], zone: "Europe/Berlin" },
  });
  const says = (more: Partial<RuledChange>) => outcome(rules, change(hosts("a.example"), more));
  assertEquals(
    ["dev-1", "dev-2", "dev-3", "dev-4"].map((bottleSlug) => says({ bottleSlug })),
    ["approve", "approve", "approve", "ask"],
  );
  assertEquals([false, true].map((spent) => says({ isSpent: () => spent })), ["approve", "ask"]);
  // Friday, 27 November 2026: in winter Berlin is an hour ahead.
  const at = (time: string) => says({ at: new Date(`2026-11-${time}:00Z`) });
  assertEquals(["27T06:59", "27T07:00", "27T16:59", "27T17:00", "26T12:00"].map(at), [
    "ask",
    "approve",
    "approve",
    "ask",
    "ask",
  ]);
});

Deno.test("ruleFor() covers upstreams by origin, and packages by name", () => {
  const says = (tool: Tool, list: object, ...added: readonly ReachItem[]) =>
    outcome(rulesOf({ name: "x", tool, then: "approve", ...list }), change(added, { tool }));
  const upstreams = (value: string, kind: ReachKind = "upstream") =>
    says(
      "cred-proxy-block",
      { upstreams_within: ["https://*.example.com", "https://b.example:8443"] },
      item(kind, value),
    );
  const yes = ["https://a.example.com", "https://example.com:443/x", "https://b.example:8443"];
  assertEquals(yes.map((value) => upstreams(value)), yes.map(() => "approve"));
  const no = [
    "http://a.example.com",
    "https://a.example.com:444",
    "https://b.example",
    "https://c",
  ];
  assertEquals(no.map((value) => upstreams(value)), no.map(() => "ask"));
  assertEquals(upstreams("/x/ to https://a.example.com/y", "route"), "approve");
  assertEquals(
    upstreams("/x/ to https://a.example.com with token_env A as bearer", "route"),
    "ask",
  );
  assertEquals(upstreams("token_env A to https://a.example.com", "token"), "ask");
  const packages = (value: string) =>
    says(
      "capability-block",
      { packages_within: ["npm:left-pad", "deb:jq@1:1.7-2", "npm:@team/*", "go:a.example/b/*"] },
      item("package", value),
    );
  const good = [
    "npm:left-pad",
    "npm:left-pad@1.3.0",
    "npm:left-pad@^1.3 || 2.x",
    "deb:jq@1:1.7-2",
    "npm:@team/a@1",
    "go:a.example/b/c@v1.0.0",
  ];
  assertEquals(good.map(packages), good.map(() => "approve"));
  const bad = [
    "npm:left-pad-2",
    "deb:jq",
    "deb:jq@1:1.8-2",
    "npm:Left-Pad",
    // What is behind the name is another package, or a source.
    "npm:left-pad@npm:evil@1.0.0",
    "npm:left-pad@evil/repo",
    "npm:left-pad@/tmp/evil.tgz",
    "npm:left-pad@file:evil",
    "npm:left-pad@",
    "go:a.example/b/../../evil/x@v1.0.0",
    "npm:@team/..",
    "npm:@team/",
    "npm:@teams/a",
    "pip:left-pad",
  ];
  assertEquals(bad.map(packages), bad.map(() => "ask"));
});

const BASE = "FROM debian:13\nRUN apt-get update\n";

/** What rules say to a Dockerfile that replaces another one. */
function ruled(rules: readonly Rule[], before: string, after: string): string {
  const tool = "capability-block";
  const compared = compareConfigFiles(tool, before, after);
  return outcome(rules, { ...compared, tool, bottleSlug: "dev-1", obstacles: [] });
}

const packageRules = (banned: string) =>
  rulesOf(
    {
      name: "bad",
      tool: "capability-block",
      packages_within: [banned],
      then: "reject",
      notes: "No.",
    },
    {
      name: "ok",
      tool: "capability-block",
      packages_within: ["npm:left-pad", "npm:event-stream", "deb:gcc", "pip:evil-pkg"],
      then: "approve",
    },
  );

// Threat: L14
Deno.test.each([
  ["npm:event-stream@3.3.6", "npm install event-stream@3.3.6"],
  ["npm:event-stream@3.3.6", "npm install -g event-stream@3.3.6"],
  ["npm:event-stream", "npm install left-pad@npm:event-stream@3.3.6"],
  ["npm:event-stream", "npm install event-stream@npm:left-pad@1.0.0"],
  ["npm:event-stream", "npm install event-stream@evil/repo"],
  ["npm:event-stream", "npm install 'event-stream@^3'"],
  ["deb:gcc", "apt-get install -y gcc=4:14"],
  ["deb:gcc", "apt-get install -y gcc=4:14 && make"],
  ["deb:gcc@4:14", "apt-get install -y gcc=4:14 && make"],
  ["pip:evil_pkg", "pip install 'Evil.Pkg[x]>=2'"],
  ["pip:evil_pkg", "pip install evil-pkg@./evil"],
  ["pip:hf_transfer", "pip install hf_transfer"],
])("a rule that rejects %s sees RUN %s", (banned, command) => {
  const was = BASE + "RUN npm install event-stream@3.3.5 && pip install evil-pkg==1.0 && true\n";
  for (const before of [BASE, was]) {
    const after = `${before}RUN ${command}\n`;
    assertEquals(ruled(packageRules(banned), before, after), "reject");
    // What the file in force names is not the change's doing.
    assertEquals(ruled(packageRules(banned), after, `${after}# x\n`), "approve");
  }
});

Deno.test("a rule takes names that differ for their manager for two packages", () => {
  const says = (banned: string, command: string) =>
    ruled(packageRules(banned), BASE, `${BASE}RUN ${command}\n`);
  assertEquals(says("npm:jsonstream", "npm install JSONStream@1.0.0"), "ask");
  assertEquals(says("npm:JSONStream", "npm install JSONStream@1.0.0"), "reject");
  assertEquals(says("npm:event-stream", "npm install Left-Pad@1.0.0"), "ask");
  assertEquals(says("npm:event-stream", "pip install EVIL__pkg==1.0"), "approve");
});

const PACKAGES = { tool: "capability-block", hosts_within: undefined };

// Threat: L13
Deno.test.each<[string, object, string]>([
  ["a package of no kind", { ...PACKAGES, packages_within: ["apt:jq"] }, 'of the kind "apt"'],
  ["a version of many", { ...PACKAGES, packages_within: ["npm:a*@1"] }, "is no package"],
  ["no version", { ...PACKAGES, packages_within: ["npm:a@"] }, '"npm:a@" is no package'],
  ["an alias", { ...PACKAGES, packages_within: ["npm:a@npm:b"] }, "is no package"],
  ["a way up", { ...PACKAGES, packages_within: ["go:a.example/../b"] }, "is no package"],
  ["all of a kind", { ...PACKAGES, packages_within: ["npm:*"] }, "is no package"],
  [
    "an address that is written otherwise",
    {
      tool: "cred-proxy-block",
      hosts_within: undefined,
      upstreams_within: ["https://[0::1]"],
    },
    "is no origin",
  ],
  [
    "a rejection of nothing",
    { then: "reject", notes: "No.", hosts_within: [] },
    "$.rules[0].hosts_within: with reject an empty list means nothing",
  ],
  ["an unknown key", { host: [] }, "$.rules[0].host: there is no such key"],
  ["no outcome", { then: undefined }, "$.rules[0]: the key then is missing"],
  ["an odd outcome", { then: "allow" }, "$.rules[0].then: expected one of approve, reject, ask"],
  ["an odd name", { name: "A b" }, "$.rules[0].name: expected a name"],
  ["another tool's list", { packages_within: [] }, "$.rules[0].packages_within: it means nothing"],
  ["high marks", { marks_at_most: "high" }, "$.rules[0].marks_at_most: expected one of none"],
  ["a rejection without notes", { then: "reject" }, "$.rules[0]: the key notes is missing"],
  ["a group that is not there", { bottles: ["group:x"] }, 'there is no group "x"'],
  ["an odd slug", { bottles: ["../x"] }, '$.rules[0].bottles[0]: "../x" is no name of a bottle'],
  ["a count of nothing", { count_per_day: 0 }, "$.rules[0].count_per_day: expected a whole number"],
  ["an odd duration", { for: "1w" }, "$.rules[0].for: expected 90m, 12h or 7d"],
  [
    "a night",
    { hours: { from: "22:00", to: "06:00" } },
    "$.rules[0].hours.to: expected a time after",
  ],
  ["an odd zone", { hours: { from: "08:00", to: "09:00", zone: "X/Y" } }, '"X/Y" is no time zone'],
  ["a limit on asking", { then: "ask", for: "1d" }, "$.rules[0].for: it means nothing with ask"],
  [
    "an example with another outcome",
    { examples: [{ after: "b.example\n", outcome: "approve" }] },
    "$.rules[0].examples[0]: this example has the outcome ask, not approve",
  ],
  [
    "an example below the floor",
    { examples: [{ after: "localhost\n", outcome: "approve" }] },
    "below the floor",
  ],
])("parsePolicy() refuses all of a policy with %s", (_what, more, reason) => {
  assertThrows(() => rulesOf({ ...HOSTS, ...more }), PolicyError, reason);
});

Deno.test("parsePolicy() takes examples that hold, and no two rules with one name", () => {
  const examples = [
    { before: "a.example\n", after: "a.example\n", outcome: "approve" },
    { before: null, after: "c.example\n", outcome: "ask", bottle: "dev-1" },
  ];
  assertThrows(() => rulesOf({ ...HOSTS, examples }), PolicyError, "examples[1].before: expected");
  assertEquals(rulesOf({ ...HOSTS, examples: examples.slice(0, 1) }).length, 1);
  assertThrows(() => rulesOf(HOSTS, HOSTS), PolicyError, "another rule with the name hosts");
});

/** An independent reading: the labels of a host from the end. */
function allows(pattern: string, host: string): boolean {
  const [wanted, labels] = [pattern, host].map((name) => name.split(".").reverse());
  const isWild = wanted!.at(-1) === "*";
  if (!isWild) return pattern === host;
  return wanted!.slice(0, -1).every((label, n) => labels![n] === label);
}

const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join("."));

const pattern = fc.tuple(fc.boolean(), name).map(([wild, host]) => wild ? `*.${host}` : host);

const ruleFrom = fc.record({
  hostsWithin: fc.array(pattern, { maxLength: 3 }),
  outcome: fc.constantFrom("approve", "approve", "approve", "approve", "reject", "ask"),
  marksAtMost: fc.constantFrom("none", "low", "low", "medium", "medium"),
  bottles: fc.option(fc.subarray(["dev-1", "dev-2"]), { nil: undefined }),
});

/** All hosts of up to four labels: what a pattern covers is judged by each. */
const HOSTS_THERE = ["a", "b", "c"].flatMap((x) => [
  x,
  ...["a", "b", "c"].flatMap((y) => [
    `${y}.${x}`,
    ...["a", "b", "c"].flatMap((z) => [
      `${z}.${y}.${x}`,
      ...["a", "b", "c"].map((w) => `${w}.${z}.${y}.${x}`),
    ]),
  ]),
]);

// Threat: L14
Deno.test("ruleFor() approves no host that is outside the approving rules, in any order of any rules", () => {
  let approved = 0;
  holds(
    fc.property(
      fc.array(ruleFrom, { maxLength: 4 }),
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Mark["severity"]>("low", "low", "low", "medium", "high"),
      fc.constantFrom<Comparison["reach"]>("new-reach", "new-reach", "new-reach", "unknown"),
      (drafts, added, severity, reach) => {
        const rules = drafts.map((draft, n) => ({
          name: `r${n}`,
          tool: "pipelock-block",
          notes: "",
          ...draft,
        })) as Rule[];
        const asked = change(hosts(...added), { marks: [mark(severity)], reach });
        const said = outcome(rules, asked);
        // Order and duplicates change nothing.
        assertEquals(outcome(rules.toReversed(), asked), said);
        assertEquals(outcome([...rules, ...rules], asked), said);
        if (said !== "approve") return;
        approved++;
        const rank = { none: 0, low: 1, medium: 2, high: 3 };
        const mine = drafts.filter(({ bottles }) => bottles?.includes("dev-1") ?? true);
        const approving = mine.filter(({ outcome, marksAtMost }) =>
          outcome === "approve" && rank[severity] <= rank[marksAtMost as "low"]
        );
        const others = mine.filter(({ outcome }) => outcome !== "approve");
        assertEquals([reach, approving.length > 0], ["new-reach", true]);
        for (const host of HOSTS_THERE) {
          if (!added.some((pattern) => allows(pattern, host))) continue;
          const within = (rule: { hostsWithin: string[] }) =>
            rule.hostsWithin.some((pattern) => allows(pattern, host));
          assertEquals([host, approving.some(within)], [host, true]);
          assertEquals([host, others.some(within)], [host, false]);
        }
      },
    ),
    10_000,
  );
  assert(approved > 0);
});
