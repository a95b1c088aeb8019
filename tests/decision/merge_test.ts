import {
  decide,
  decideByRule,
  inspectProposal,
  obstaclesTo,
  type Proposal,
  readAuditEntries,
  readResponse,
  sha256Hex,
  type Verdict,
} from "../../mod.ts";
import { keepFilesInForce } from "../../internal_mod.ts";
import { readPolicy } from "../../src/host/policy_file.ts";
import { marksOfPending } from "../../src/decision/overview.ts";
import { replayDecisions } from "../../src/decision/replay.ts";
import { queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import {
  DOCKERFILE,
  put,
  rootWith,
  routes,
  TWO_CHANGES,
  type TwoChanges,
} from "../support/two_changes.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const inspect = (dir: TempDir, proposalId: string) =>
  inspectProposal({ root: dir.path, bottleSlug: "dev-1", proposalId });

/** Decides what is there now, as somebody who looked at it. */
async function decideNow(
  dir: TempDir,
  proposalId: string,
  { verdict = { status: "approved" }, notes = "", confirmedSlug = "dev-1" }: {
    verdict?: Verdict;
    notes?: string;
    confirmedSlug?: string;
  } = {},
) {
  const shown = await inspect(dir, proposalId);
  await decide({ ...shown, root: dir.path, verdict, notes, operator: "ada@host", confirmedSlug });
  return await readResponse(dir.at("queue", "dev-1"), proposalId);
}

for (const { tool, file, log, base, one, other, both } of TWO_CHANGES) {
  for (const [n, [first, second]] of [[one, other], [other, one]].entries()) {
    // Threat: B7
    Deno.test(`decide() loses none of two proposals from one ${file}, the ${n === 0 ? "older" : "newer"} one approved first`, async () => {
      await using dir = await rootWith(file, base);
      const currentFileHash = sha256Hex(base);
      await queueSample(dir.path, { id: "first", tool, proposedFile: first!, currentFileHash });
      await queueSample(dir.path, { id: "second", tool, proposedFile: second!, currentFileHash });
      const told = await decideNow(dir, "first");
      assertEquals([told.status, told.finalFile], ["approved", first]);
      await put(dir, file, told.finalFile!);

      const shown = await inspect(dir, "second");
      assertEquals([shown.stale, shown.merged, shown.mergeProblem], [true, both[n], undefined]);
      assertStringIncludes(shown.agentDiff!, "(the agent's)");
      const answer = await decideNow(dir, "second", { notes: "Go on." });
      assertEquals([answer.status, answer.finalFile], ["modified", both[n]]);
      const sentence = "This is your change on top of the file in force by now, which is not the " +
        "one you started from.";
      assertEquals(answer.notes, `Go on. ${sentence}`);
      const entry = (await readAuditEntries(log, "dev-1", { root: dir.path })).at(-1)!;
      assertEquals(
        [entry.operatorAction, entry.operatorNotes, entry.finalSha256, entry.mergedFrom],
        ["modified", answer.notes, sha256Hex(both[n]!), currentFileHash],
      );
      assertEquals([entry.diff, entry.confirmed?.includes("stale") ?? false], [shown.diff, false]);
    });
  }
}

const [ALLOWLIST] = TWO_CHANGES as readonly [TwoChanges];

/** A proposal that began with an allowlist that was in force and no longer is. */
async function stale(base: string, now: string, change: Partial<Proposal>): Promise<TempDir> {
  const dir = await rootWith("allowlist", base);
  await put(dir, "allowlist", now);
  await queueSample(dir.path, { id: "p1", currentFileHash: sha256Hex(base), ...change });
  return dir;
}

// Threat: B7
Deno.test("decide() judges what would come into force, and refuses what was not shown", async () => {
  const proposedFile = "a.example\n*.b.example\n";
  await using dir = await stale("a.example\n", "a.example\nc.example\n", { proposedFile });
  const shown = await inspect(dir, "p1");
  assertEquals(shown.added.map(({ value }) => value), ["*.b.example"]);
  assertEquals(shown.removed, []);
  const of = {
    ...shown,
    root: dir.path,
    verdict: { status: "approved" } as const,
    notes: "",
    operator: "ada@host",
  };
  await refused(() => decide(of), "unconfirmed");
  // A caller that knows nothing of this shows and decides the agent's own file.
  const { finalSha256: _, ...old } = { ...of, confirmedSlug: "dev-1" };
  const obstacle = await refused(
    () => decide(old),
    "changed",
    "the file that it would put in force",
  );
  assertEquals(obstacle.clearedBy, { how: "look" });
  await refused(() => decide({ ...old, allowStale: true }), "changed");
  await put(dir, "allowlist", "a.example\nd.example\n");
  await refused(
    () => decide({ ...of, confirmedSlug: "dev-1" }),
    "stale",
    "the file that was shown",
  );
  const answer = await decideNow(dir, "p1");
  assertEquals(answer.finalFile, "*.b.example\na.example\nd.example\n");
});

// Threat: B7
Deno.test("decide() does not make a change in the file in force that was shown as one that cannot be made there", async () => {
  const proposedFile = "a.example\nb.example\n";
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await put(dir, "allowlist", "c.example\n");
  await queueSample(dir.path, {
    id: "p1",
    proposedFile,
    currentFileHash: sha256Hex("a.example\n"),
  });
  const shown = await inspect(dir, "p1");
  assertEquals([shown.merged, shown.mergeProblem], [
    undefined,
    "the file that it started from is not known here",
  ]);
  const request = {
    ...shown,
    root: dir.path,
    verdict: { status: "approved" } as const,
    notes: "",
    operator: "ada@host",
  };
  await refused(
    () => decide(request),
    "stale",
    "cannot be made in it: the file that it started from",
  );
  // It becomes known before the operator, who confirmed the other, decides.
  await put(dir, "allowlist", "a.example\n");
  keepFilesInForce("dev-1", dir.path);
  await put(dir, "allowlist", "c.example\n");
  await refused(() => decide({ ...request, allowStale: true }), "changed");
});

// Threat: B7
Deno.test("what was shown of a Dockerfile is not decided on another one: what a line does depends on all before it", async () => {
  const dockerfile = (...lines: string[]) => ["FROM debian", ...lines, ""].join("\n");
  const [base, moved, more] = [
    dockerfile("RUN useradd agent", "USER agent", "RUN make", "RUN make check"),
    dockerfile("RUN useradd agent", "RUN make", "RUN make check", "USER agent"),
    dockerfile("RUN useradd agent", "USER agent", "RUN make", "RUN ./setup.sh", "RUN make check"),
  ];
  await using dir = await rootWith("Dockerfile", base);
  await queueSample(dir.path, { id: "p1", tool: "capability-block", proposedFile: more });
  const shown = await inspect(dir, "p1");
  await put(dir, "Dockerfile", moved);
  const verdict = { status: "approved" } as const;
  const request = { ...shown, root: dir.path, verdict, notes: "", operator: "ada@host" };
  await refused(() => decide(request), "stale", "the file that was shown");
});

// Threat: B7
Deno.test("an agent that names an old file as the one it started from gets nothing back that was removed since", async () => {
  const old = "a.example\nremoved.example\n";
  for (
    const [proposedFile, merged, added] of [
      [`${old}new.example\n`, "a.example\nnew.example\n", ["new.example"]],
      // It claims to have started without: then it is its own change, and new.
      ["a.example\nremoved.example\n", "a.example\n", []],
    ] as const
  ) {
    await using dir = await stale(old, "a.example\n", { proposedFile });
    const { merged: found, added: items } = await inspect(dir, "p1");
    assertEquals([found, items.map(({ value }) => value)], [merged, [...added]]);
    assertEquals((await decideNow(dir, "p1")).finalFile, merged);
  }
  await using dir = await stale("b.example\n", "a.example\n", {
    proposedFile: "b.example\nremoved.example\n",
  });
  const { merged, added, marks } = await inspect(dir, "p1");
  assertEquals(merged, "a.example\nremoved.example\n");
  assertEquals([added.map(({ value }) => value), marks[0]?.severity], [
    ["removed.example"],
    "medium",
  ]);
});

Deno.test("a host that is there by now leaves nothing to add, and an approval answers with the file in force", async () => {
  const now = "a.example\nx.example\nb.example\n";
  await using dir = await stale("a.example\n", now, { proposedFile: "a.example\nb.example\n" });
  const { merged, diff, reach, marks } = await inspect(dir, "p1");
  assertEquals([merged, diff, reach, marks], [now, "", "no-new-reach", []]);
  const answer = await decideNow(dir, "p1");
  assertEquals([answer.status, answer.finalFile], ["modified", now]);
});

Deno.test("a change that gives the agent's own file is approved, with no word of another", async () => {
  const proposedFile = "a.example\nb.example\n";
  await using dir = await stale("a.example\n", proposedFile, { proposedFile });
  const answer = await decideNow(dir, "p1");
  assertEquals([answer.status, answer.finalFile, answer.notes], ["approved", proposedFile, ""]);
});

Deno.test("a rejection records what the agent sent", async () => {
  await using dir = await stale("a.example\n", "c.example\n", {
    proposedFile: "a.example\nb.example\n",
  });
  await decideNow(dir, "p1", { verdict: { status: "rejected" }, notes: "No." });
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entry!.diff.split("\n").slice(3, -1), ["-c.example", "+a.example", "+b.example"]);
  assertEquals(entry!.mergedFrom, undefined);
  assert(entry!.reachSummary!.includes("a.example and b.example"), entry!.reachSummary);
});

// Threat: B7
Deno.test("an operator's version that drops what came into force since has to be confirmed, another one not", async () => {
  const proposedFile = "a.example\nb.example\n";
  await using dir = await stale("a.example\n", "a.example\nc.example\n", { proposedFile });
  const shown = await inspect(dir, "p1");
  const obstaclesOf = (finalFile?: string) =>
    obstaclesTo(shown, {
      verdict: { status: "modified", ...(finalFile !== undefined && { finalFile }) },
    })
      .map(({ code }) => code);
  assertEquals(obstaclesOf(), []);
  assertEquals(obstaclesOf("a.example\nc.example\nb.example\n"), []);
  assertEquals(obstaclesOf("c.example\n# mine\nb.example\n"), []);
  assertEquals(obstaclesOf("a.example\nb.example\n"), ["stale"]);
  const verdict = { status: "modified", finalFile: "a.example\nb.example\n" } as const;
  const request = { ...shown, root: dir.path, verdict, notes: "", operator: "ada@host" };
  await refused(() => decide(request), "stale", "does not keep all that changed in it since");
  await decide({ ...request, allowStale: true });
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entry!.confirmed, ["stale"]);
});

/** The routes of which one has a role that only one may have. */
const withRole = (name: string, role: string) =>
  routes("m", "c").replace(`"/${name}/"`, `"/${name}/","role":"npm-registry","x":"${role}"`);

const DOES_NOT_MERGE: readonly (readonly [
  what: string,
  now: string | Uint8Array,
  change: Partial<Proposal>,
  why: string,
])[] = [
  [
    "both changed one line",
    DOCKERFILE.replace("curl", "curl jq"),
    { tool: "capability-block", proposedFile: DOCKERFILE.replace("curl", "curl git") },
    "line 3 of the file that it started from, or one beside it, changed in the file in force",
  ],
  [
    "both changed neighbouring lines",
    DOCKERFILE.replace("debian:13", "debian:12"),
    { tool: "capability-block", proposedFile: DOCKERFILE.replace("# tools", "# our tools") },
    "line 1 of the file that it",
  ],
  [
    "bytes that are not UTF-8",
    new TextEncoder().encode(`${DOCKERFILE}# é\n`).with(-3, 0xff),
    { tool: "capability-block", proposedFile: `# top\n${DOCKERFILE}` },
    "a file is not UTF-8",
  ],
  [
    "a result that is invalid",
    withRole("m", "a"),
    { tool: "cred-proxy-block", proposedFile: withRole("c", "b") },
    "a file is invalid ($.routes[1].role: ",
  ],
  [
    "a route that both changed",
    routes("m", "c").replace("https://c.", "https://c2."),
    {
      tool: "cred-proxy-block",
      proposedFile: routes("m", "c").replace("https://c.", "https://c3."),
    },
    'the route "/c/" changed in the file in force too',
  ],
  [
    "keys of the whole file",
    routes("m", "c").replace("{\n", '{\n  "a": 1,\n'),
    { tool: "cred-proxy-block", proposedFile: routes("m", "c").replace("{\n", '{\n  "b": 1,\n') },
    "it changes keys of the whole file",
  ],
];

for (const [what, now, change, why] of DOES_NOT_MERGE) {
  Deno.test(`decide() refuses a stale proposal that does not merge, and says why: ${what}`, async () => {
    const { tool } = change;
    const { file, base } = TWO_CHANGES.find((each) => each.tool === tool)!;
    await using dir = await rootWith(file, base);
    await Deno.writeFile(
      dir.at("current-config", "dev-1", file),
      typeof now === "string" ? new TextEncoder().encode(now) : now,
    );
    await queueSample(dir.path, { id: "p1", ...change, currentFileHash: sha256Hex(base) });
    const shown = await inspect(dir, "p1");
    assertEquals(shown.merged, undefined);
    assertStringIncludes(shown.mergeProblem!, why);
    await refused(() => decideNow(dir, "p1"), "stale", why);
    // As before, it can be confirmed: the agent's whole file replaces the other one.
    const verdict = { status: "approved" } as const;
    await decide({
      ...shown,
      root: dir.path,
      verdict,
      notes: "",
      operator: "ada@host",
      allowStale: true,
      confirmedSlug: "dev-1",
    });
    const answer = await readResponse(dir.at("queue", "dev-1"), "p1");
    assertEquals([answer.status, answer.finalFile], ["approved", change.proposedFile]);
  });
}

Deno.test("no change is made in a file that is gone, and none for a proposal that is invalid", async () => {
  await using dir = await stale("a.example\n", "c.example\n", {
    proposedFile: "a.example\na.example\n",
  });
  assertStringIncludes((await inspect(dir, "p1")).mergeProblem!, "a file is invalid (line 2");
  await Deno.remove(dir.at("current-config", "dev-1", "allowlist"));
  assertEquals((await inspect(dir, "p1")).mergeProblem, "no such file is in force");
});

Deno.test("marksOfPending() has the marks of what would come into force", async () => {
  const proposedFile = "a.example\nb.example\n";
  await using dir = await stale("a.example\n", "a.example\nb.example\nc.example\n", {
    proposedFile,
  });
  const entry = await inspect(dir, "p1");
  assertEquals(marksOfPending([entry], dir.path).get(entry), []);
});

// Threat: L14
Deno.test("a rule decides on what would come into force", async () => {
  const { base } = ALLOWLIST;
  const proposedFile = `${base}x.example\n`;
  await using dir = await stale(base, "kept.example\nc.example\n", { proposedFile });
  const rule = {
    name: "x",
    tool: "pipelock-block",
    bottles: ["dev-1"],
    hosts_within: ["x.example"],
    marks_at_most: "medium",
    then: "approve",
  };
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify({ version: 1, rules: [rule] }), {
    mode: 0o600,
  });
  const { outcome, why, decision } = await decideByRule({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
  });
  assertEquals([outcome, why, decision?.status], ["approve", "covered by x", "modified"]);
  const { finalFile } = await readResponse(dir.at("queue", "dev-1"), "p1");
  assertEquals(finalFile, "kept.example\nc.example\nx.example\n");
  // A replay works the same file out again.
  const logs = [{ component: "pipelock", slug: "dev-1" }];
  const [replayed] = [...replayDecisions(logs, readPolicy(dir.path), dir.path)];
  assertEquals([replayed?.ruling?.outcome, replayed?.isApproval], ["approve", true]);
});
