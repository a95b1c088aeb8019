import { formatHead, readAnswer } from "../../internal_mod.ts";
import {
  AlreadyDecidedError,
  archiveProposal,
  compareConfigFiles,
  decide,
  type DecideRequest,
  describeReach,
  findDecision,
  listPendingProposals,
  marksFor,
  ProposalNotFoundError,
  queueDirForSlug,
  readAuditEntries,
  readResponse,
  renderDiff,
  sha256Hex,
  type Tool,
  UnsafeFileError,
  type Verdict,
  verifyAuditLog,
  writeAuditEntry,
  writeProposal,
  writeResponse,
} from "../../mod.ts";
import { type QueuedProposal, queueSample, saidBy } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

function request(
  dir: TempDir,
  queued: QueuedProposal,
  change: Partial<DecideRequest> = {},
): DecideRequest {
  return {
    root: dir.path,
    bottleSlug: queued.proposal.bottleSlug,
    proposalId: queued.proposal.id,
    proposalSha256: queued.proposalSha256,
    verdict: { status: "approved" },
    notes: "fine",
    operator: "ada@host",
    ...change,
  };
}

async function putInForce(dir: TempDir, file: string, content: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", file), content);
}

const log = (dir: TempDir, component = "pipelock") =>
  readAuditEntries(component, "dev-1", { root: dir.path });

const FILES: Readonly<Record<Tool, readonly [string, string, string, string]>> = {
  "cred-proxy-block": [
    "cred-proxy",
    "routes.json",
    '{"routes": []}\n',
    '{"routes": [{"path": "/gh/", "upstream": "https://api.github.com"}]}\n',
  ],
  "pipelock-block": ["pipelock", "allowlist", "a.example\n", "a.example\nb.example\n"],
  "capability-block": ["rebuild", "Dockerfile", "FROM debian:12\n", "FROM debian:12\nRUN true\n"],
};

for (const [tool, [component, file, before, after]] of Object.entries(FILES)) {
  for (const status of ["approved", "modified", "rejected"] as const) {
    Deno.test(`decide() records and answers: ${tool}, ${status}`, async () => {
      await using dir = await tempDir();
      await putInForce(dir, file, before);
      const queued = await queueSample(dir.path, { tool: tool as Tool, proposedFile: after });
      const finalFile = `${after}\n`;
      const verdict: Verdict = status === "modified" ? { status, finalFile } : { status };
      const decision = await decide(request(dir, queued, { verdict, notes: "so be it" }));

      const told = { approved: after, modified: finalFile, rejected: null }[status];
      const { auditHead, ...answer } = await readResponse(queued.queueDir, queued.proposal.id);
      assertEquals(answer, {
        proposalId: queued.proposal.id,
        status,
        notes: "so be it",
        finalFile: told,
        ...(told !== null && { effect: "file" }),
      });
      const [entry, ...others] = await log(dir, component);
      assertEquals(others, []);
      const comparison = compareConfigFiles(tool as Tool, before, told ?? after);
      assertEquals({ ...saidBy(entry!), timestamp: "" }, {
        timestamp: "",
        bottleSlug: "dev-1",
        component,
        operatorAction: status,
        operatorNotes: "so be it",
        justification: queued.proposal.justification,
        diff: renderDiff(before, told ?? after, { label: file }),
        operator: "ada@host",
        proposalId: queued.proposal.id,
        proposalSha256: queued.proposalSha256,
        finalSha256: told === null ? "" : sha256Hex(told),
        marks: marksFor(tool as Tool, before, told ?? after),
        reach: comparison.reach,
        reachSummary: describeReach(comparison, "dev-1"),
        policySha256: "",
        ...(told !== null && {
          applied: "the file alone: nothing reloads it",
          effect: "file",
          beforeSha256: sha256Hex(before),
        }),
      });
      assertEquals(decision.auditLog, dir.at("audit", `${component}-dev-1.log`));
      assertEquals([auditHead?.log, formatHead(auditHead!)], [
        `${component}-dev-1`,
        decision.auditHead,
      ]);
      assertEquals(await listPendingProposals(queued.queueDir), []);
      assertEquals([...Deno.readDirSync(dir.at("private", "staging", "dev-1"))], []);
      assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
      const inForce = await Deno.readTextFile(dir.at("current-config", "dev-1", file));
      assertEquals(inForce, told ?? before);
    });
  }
}

const [HARMLESS, WILD] = ["a.example\n", "a.example\n*.b.example\n"];

// Threat: A10
Deno.test.each<[string, Verdict, string | undefined, string]>([
  ["an approval", { status: "approved" }, undefined, "nobody did"],
  ["another bottle's slug", { status: "approved" }, "dev-2", '"dev-2" is not its bottle'],
  ["an empty slug", { status: "approved" }, "", '"" is not its bottle'],
  [
    "a modification",
    { status: "modified", finalFile: `${WILD}c.example\n` },
    undefined,
    "nobody did",
  ],
])("decide() refuses what has a high mark without the bottle's slug: %s", async (...args) => {
  const [, verdict, confirmedSlug, why] = args;
  await using dir = await tempDir();
  await putInForce(dir, "allowlist", HARMLESS);
  const queued = await queueSample(dir.path, { proposedFile: WILD });
  const currentSha256 = sha256Hex(HARMLESS);
  const confirmed = confirmedSlug === undefined ? {} : { confirmedSlug, currentSha256 };
  const error = await refused(
    () => decide(request(dir, queued, { verdict, ...confirmed })),
    "unconfirmed",
    `${queued.proposal.id}: it has marks that somebody must confirm (high wildcard-host on line 2) and ${why}; `,
  );
  assertEquals(error.marks.map(({ rule }) => rule), ["wildcard-host"]);
  assertEquals((await listPendingProposals(queued.queueDir)).length, 1);
  assertEquals(await log(dir), []);
});

// Threat: A10
Deno.test("decide() wants the bottle's slug for what has a high mark, and for nothing else", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "allowlist", HARMLESS);
  const queued = await queueSample(dir.path, { proposedFile: WILD });
  // Of which file in force were the marks that somebody looked at?
  const [confirmedSlug, currentSha256] = ["dev-1", sha256Hex(HARMLESS)];
  await assertRejects(() => decide(request(dir, queued, { confirmedSlug })), TypeError);
  await decide(request(dir, queued, { confirmedSlug, currentSha256 }));

  // What counts is what would be let in.
  for (
    const verdict of [{ status: "modified", finalFile: "c.example\n" }, {
      status: "rejected",
    }] as const
  ) {
    const next = await queueSample(dir.path, { id: verdict.status, proposedFile: WILD });
    await decide(request(dir, next, { verdict }));
  }
  assertEquals((await log(dir)).map(({ operatorAction }) => operatorAction), [
    "approved",
    "modified",
    "rejected",
  ]);
});

// Threat: C1
Deno.test("decide() lets one of many operators win, and tells the others who and what", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const verdicts: Verdict[] = [
    { status: "approved" },
    { status: "rejected" },
    { status: "modified", finalFile: "other.example\n" },
  ];
  const attempts = Array.from({ length: 12 }, (_, n) =>
    decide(request(dir, queued, {
      verdict: verdicts[n % 3]!,
      operator: `operator${n}@host`,
    })).then(
      ({ status }) => ({ won: `${status} operator${n}@host` }),
      (error: unknown) => {
        assert(error instanceof AlreadyDecidedError);
        return { lostTo: `${error.status} ${error.operator}` };
      },
    ));
  const outcomes = await Promise.all(attempts);
  const winners = outcomes.filter((outcome) => "won" in outcome);
  assertEquals(winners.length, 1);
  for (const outcome of outcomes) {
    if ("lostTo" in outcome) assertEquals(outcome.lostTo, winners[0]!.won);
  }
  const [entry, ...others] = await log(dir);
  assertEquals(others, []);
  const response = await readResponse(queued.queueDir, queued.proposal.id);
  assertEquals(entry!.operatorAction, response.status);
});

Deno.test("decide() refuses bytes that are not those that were shown", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await writeProposal(queued.queueDir, { ...queued.proposal, justification: "Trust me." });
  const error = await refused(() => decide(request(dir, queued)), "changed");
  assertEquals(error.shownSha256, queued.proposalSha256);
  assertEquals(await log(dir), []);
  assertEquals((await listPendingProposals(queued.queueDir)).length, 1);
});

Deno.test.each<Verdict>([{ status: "approved" }, { status: "modified", finalFile: "x.example\n" }])(
  "decide() refuses a stale proposal, unless told otherwise: $status",
  async (verdict) => {
    await using dir = await tempDir();
    await putInForce(dir, "allowlist", "changed.example\n");
    const queued = await queueSample(dir.path, { currentFileHash: sha256Hex("before.example\n") });
    const error = await refused(() => decide(request(dir, queued, { verdict })), "stale");
    assertEquals(error.inForceSha256, sha256Hex("changed.example\n"));
    await decide(request(dir, queued, { verdict, allowStale: true }));
    assertEquals((await log(dir)).length, 1);
  },
);

Deno.test("decide() rejects a stale proposal without a word, and accepts one that is not stale", async () => {
  await using dir = await tempDir();
  const stale = await queueSample(dir.path, { currentFileHash: sha256Hex("gone") });
  await refused(() => decide(request(dir, stale)), "stale", "no such file");
  await decide(request(dir, stale, { verdict: { status: "rejected" } }));
  await putInForce(dir, "allowlist", "a.example\n");
  const fresh = await queueSample(dir.path, { currentFileHash: sha256Hex("a.example\n") });
  await decide(request(dir, fresh));
});

// Threat: A9
Deno.test("decide() refuses a final file that breaks its rules, the proposed one too", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { proposedFile: "HTTP://x\n" });
  await refused(() => decide(request(dir, queued)), "invalid_file", "allowlist: line 1");
  const verdict = { status: "modified", finalFile: "10.0.0.1\n" } as const;
  await refused(() => decide(request(dir, queued, { verdict })), "invalid_file");
  assertEquals(await log(dir), []);
  await decide(request(dir, queued, { verdict: { status: "rejected" } }));
});

Deno.test("decide() needs notes to reject, and takes none to approve", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const verdict = { status: "rejected" } as const;
  const silent = request(dir, queued, { verdict, notes: " \n" });
  await refused(() => decide(silent), "notes_missing", "a rejection needs notes");
  await decide(request(dir, queued, { notes: "" }));
});

Deno.test("decide() finds no proposal that is not there, and says where it looked", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const error = await assertRejects(
    () => decide(request(dir, queued, { proposalId: "p404" })),
    ProposalNotFoundError,
  );
  assertStringIncludes(error.message, queueDirForSlug("dev-1", { root: dir.path }));
});

// Threat: B9
Deno.test("decide() does not decide again what was archived, or recorded and taken away", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued));
  await archiveProposal(queued.queueDir, queued.proposal.id);
  await assertRejects(() => decide(request(dir, queued)), AlreadyDecidedError, "by ada@host");

  // Whoever owns the sidecar deletes the answer and asks the same question again.
  await Deno.remove(dir.at("queue", "dev-1", "processed"), { recursive: true });
  await writeProposal(queued.queueDir, queued.proposal);
  await assertRejects(() => decide(request(dir, queued)), AlreadyDecidedError, "approved, by ada");
  assertEquals((await log(dir)).length, 1);
});

// Threat: L5
Deno.test("decide() takes an unsigned line that names a proposal for the decision on it", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const line = {
    timestamp: "2026-11-22T10:49:36+00:00",
    bottle_slug: "dev-1",
    component: "pipelock",
    operator_action: "rejected",
    operator_notes: "",
    justification: "",
    diff: "",
    proposal_id: queued.proposal.id,
  };
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), `${JSON.stringify(line)}\n`);
  const error = await assertRejects(() => decide(request(dir, queued)), AlreadyDecidedError);
  assertEquals([error.status, error.operator], ["rejected", undefined]);
  assertEquals((await log(dir)).length, 1);
  const { ok, foreign, uncovered } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals([ok, foreign, uncovered], [true, 1, 1]);
});

Deno.test("findDecision() takes no line for a decision that names the proposal elsewhere than in its own field", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const fields = '"timestamp":"","bottle_slug":"dev-1","component":"pipelock",' +
    '"operator_action":"rejected","operator_notes":"","justification":"","diff":""';
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  for (const more of ['"x":{"proposal_id":"p1"}', '"proposal_id":"p1","proposal_id":"p2"']) {
    await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), `{${fields},${more}}\n`);
    assertEquals(findDecision(ref), undefined, more);
  }
  assertEquals(findDecision({ ...ref, proposalId: "p2" })?.proposalId, "p2");
});

Deno.test("decide() does not decide again because of an unsigned line that undoes the decision", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued));
  const path = dir.at("audit", "pipelock-dev-1.log");
  const { seq: _, prev: __, sig: ___, ...line } = JSON.parse(await Deno.readTextFile(path));
  const undoing = JSON.stringify({ ...line, operator_action: "superseded" });
  await Deno.writeTextFile(path, `${undoing}\n`, { append: true });
  await Deno.remove(queued.path.replace(".proposal.", ".response."));
  await assertRejects(() => decide(request(dir, queued)), AlreadyDecidedError, "already approved");
});

// Threat: B9
Deno.test("decide() does not decide again because a signed line of another component's log undoes a decision", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued));
  // Its places in its own log are behind that of the decision in the other one.
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  for (const operatorAction of ["approved", "superseded"]) {
    await writeAuditEntry({ ...entry!, component: "rebuild", operatorAction }, { root: dir.path });
  }
  await Deno.remove(queued.path.replace(".proposal.", ".response."));
  await assertRejects(() => decide(request(dir, queued)), AlreadyDecidedError, "already approved");
});

// Threat: B3
Deno.test("decide() follows no link in the place of a proposal or a queue", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await Deno.rename(queued.path, dir.at("elsewhere"));
  await Deno.symlink(dir.at("elsewhere"), queued.path);
  await assertRejects(() => decide(request(dir, queued)), UnsafeFileError, "it is a link");
  await Deno.rename(queued.queueDir, dir.at("moved"));
  await Deno.symlink(dir.at("moved"), queued.queueDir);
  await assertRejects(() => decide(request(dir, queued)), UnsafeFileError, "it is a link");
});

const notRoot = Deno.uid() !== 0;

if (notRoot) console.error("skipped: only root can decide for a sidecar of another user");

Deno.test(
  "decide() as root gives the answer to the owner of the queue",
  { ignore: notRoot },
  async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path);
    await Deno.chown(queued.queueDir, 1993, 1993);
    await decide(request(dir, queued));
    const answer = await Deno.stat(queued.path.replace(".proposal.", ".response."));
    assertEquals([answer.uid, answer.gid, answer.mode! & 0o777], [1993, 1993, 0o600]);
  },
);

// Threat: B7
Deno.test("decide() refuses an approval if the file in force is not the one that was shown", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "allowlist", "a.example\n");
  const queued = await queueSample(dir.path);
  const currentSha256 = sha256Hex("a.example\nbad.example\n");
  const shown = request(dir, queued, { currentSha256, allowStale: true });
  const error = await refused(() => decide(shown), "stale", "the file that was shown");
  assertEquals(error.seenBy, "operator");
  await decide(request(dir, queued, { currentSha256: sha256Hex("a.example\n") }));
});

// Threat: B3
Deno.test("decide() and readAnswer() follow no link in the place of the archive", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const { id: proposalId } = queued.proposal;
  await Deno.mkdir(dir.at("elsewhere"));
  const planted = { proposalId, status: "rejected", notes: "", finalFile: null } as const;
  await writeResponse(dir.at("elsewhere"), planted);
  await Deno.symlink(dir.at("elsewhere"), dir.at("queue", "dev-1", "processed"));
  assertEquals(await readAnswer(queued.queueDir, proposalId), undefined);
  assertEquals((await decide(request(dir, queued))).status, "approved");
});
