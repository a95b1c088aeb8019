import { finishInterrupted, freeze, readAnswer, readNotProven } from "../../internal_mod.ts";
import {
  type Applier,
  ApplyError,
  archiveProposal,
  type ConfigChange,
  decide,
  editFile,
  type EditRequest,
  inspectEdit,
  inspectProposal,
  NotAppliedError,
  readAuditEntries,
  resolveNotProven,
  sha256Hex,
  SuperviseError,
  verifyAuditLog,
  waitForResponse,
} from "../../mod.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { REPO, run } from "../support/run.ts";
import { canMount, mountTmpfs } from "../support/small_disk.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const BEFORE = "api.example.com\n";
const AFTER = "api.example.com\napi.github.com\n";

const inForce = (dir: TempDir) => dir.at("current-config", "dev-1", "allowlist");
const intentPath = (dir: TempDir) => dir.at("private", "intents", "dev-1.json");

async function queued(dir: TempDir): Promise<QueuedProposal> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(inForce(dir), BEFORE);
  return await queueSample(dir.path, { id: "p1", proposedFile: AFTER });
}

const approve = (dir: TempDir, { proposalSha256 }: QueuedProposal, applier?: Applier) =>
  decide({
    ...{ root: dir.path, bottleSlug: "dev-1", proposalId: "p1", proposalSha256, applier },
    ...{ verdict: { status: "approved" }, notes: "fine", operator: "ada@host" },
  });

const log = async (dir: TempDir) => await readAuditEntries("pipelock", "dev-1", { root: dir.path });

const actions = async (dir: TempDir) => (await log(dir)).map((entry) => entry.operatorAction);

/** An enforcer that reads its list from a file of its own when it is told to. */
function enforcer(
  dir: TempDir,
  fails: Partial<Record<keyof Applier, () => Promise<unknown>>> = {},
) {
  const path = dir.at("enforced");
  Deno.writeTextFileSync(path, BEFORE);
  const calls: string[] = [];
  const undone: (string | null)[] = [];
  const take = async (call: "apply" | "restore", { before, after, path: file }: ConfigChange) => {
    calls.push(call);
    if (call === "restore") undone.push(before);
    // It gets what is in the file in force.
    assertEquals(await Deno.readTextFile(file).catch(() => null), after);
    await fails[call]?.();
    await Deno.writeTextFile(path, after ?? "");
    return `read ${(after ?? "").split("\n").length - 1} hosts`;
  };
  const applier: Applier = {
    async check(change) {
      calls.push("check");
      assertEquals(await Deno.readTextFile(change.path), change.before);
      await fails.check?.();
    },
    apply: (change) => take("apply", change),
    restore: (change) => take("restore", change),
    ...(fails.afterAnswer && {
      async afterAnswer() {
        calls.push("afterAnswer");
        assert(Deno.statSync(dir.at("queue", "dev-1", "processed", "p1.response.json")).isFile);
        // If the process dies now, the next one says so.
        assert(Deno.statSync(intentPath(dir)).isFile);
        await fails.afterAnswer?.();
      },
    }),
  };
  return { applier, calls, undone, read: () => Deno.readTextFileSync(path) };
}

/** Takes up the answer, as a sidecar does whose call waits for it. */
async function takeUp(queueDir: string): Promise<void> {
  await waitForResponse(queueDir, "p1");
  await archiveProposal(queueDir, "p1");
}

const failing = (stage: ApplyError["stage"], reason: string) => () =>
  Promise.reject(new ApplyError(stage, reason, { exitCode: 1, output: "syntax error\n" }));

// Threat: C11
Deno.test("an approval puts the file into force, has it take effect, records that, then answers", async () => {
  await using dir = await tempDir();
  const { applier, calls, read } = enforcer(dir);
  const decision = await approve(dir, await queued(dir), applier);
  assertEquals(calls, ["check", "apply"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [AFTER, AFTER]);
  assertEquals([decision.applied, decision.warning], ["read 2 hosts", undefined]);
  const [entry] = await log(dir);
  assertEquals([entry?.operatorAction, entry?.applied], ["approved", "read 2 hosts"]);
  const answer = await readAnswer(dir.at("queue", "dev-1"), "p1");
  assertEquals([entry?.effect, answer?.effect], ["probed", "probed"]);
  assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
  // The agent asks for the next change from what is in force now, and both versions are kept.
  assertEquals(await Deno.readTextFile(dir.at("queue", "dev-1", "current.allowlist")), AFTER);
  for (const text of [BEFORE, AFTER]) {
    const kept = dir.at("private", "known", "dev-1", sha256Hex(text));
    assertEquals(await Deno.readTextFile(kept), text);
  }
});

Deno.test("a file that the applier does not make take effect is recorded as the file alone", async () => {
  await using dir = await tempDir();
  const { applier, calls, read } = enforcer(dir);
  const asked: string[] = [];
  const enforces = (...args: string[]) => asked.push(args.join()) === 0;
  const decision = await approve(dir, await queued(dir), { ...applier, enforces });
  assertEquals([...new Set(asked)], ["dev-1,pipelock-block"]);
  assertEquals([calls, read()], [[], BEFORE]);
  assertEquals(decision.applied, "the file alone: nothing reloads it");
  assertEquals((await log(dir))[0]?.applied, decision.applied);
  // One that was to be enforced, and that this applier knows no more.
  await Deno.writeTextFile(
    intentPath(dir),
    JSON.stringify({
      ...{ version: 1, bottle_slug: "dev-1", proposal_id: "", component: "pipelock" },
      ...{ log_size: 0, line: "", response: "" },
      change: {
        ...{ tool: "pipelock-block", enforced: true },
        ...{ before_sha256: sha256Hex(BEFORE), after_sha256: sha256Hex(AFTER) },
      },
    }),
  );
  await Deno.writeTextFile(intentPath(dir).replace(/json$/, "before"), BEFORE);
  await Deno.writeTextFile(intentPath(dir).replace(/json$/, "after"), AFTER);
  const [taken] = (await finishInterrupted(dir.path, { applier: { ...applier, enforces } }))
    .finished;
  assertStringIncludes(taken!.notProven!, "has no applier that could take it back");
  assertEquals([await Deno.readTextFile(inForce(dir)), calls], [BEFORE, []]);
  const resolve = { bottleSlug: "dev-1", root: dir.path, notes: "", operator: "ada@host" };
  const resolved = await resolveNotProven({ ...resolve, applier: { ...applier, enforces } });
  assertStringIncludes(resolved!.says, "by the operator's word");
});

// Threat: C11
Deno.test("a change that the check refuses changes nothing; the log says so, and the proposal stays pending", async () => {
  await using dir = await tempDir();
  const { applier, calls, read } = enforcer(dir, { check: failing("check", "a bad list") });
  const proposal = await queued(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
  assertEquals([error.code, error.cause.stage], ["apply_failed", "check"]);
  assertStringIncludes(error.message, "check: a bad list; exit 1; output sha256 ");
  assertStringIncludes(error.message, "the file in force was not changed. Nothing was decided");
  assertEquals(calls, ["check"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertEquals(await actions(dir), ["apply-failed"]);
  assertStringIncludes((await log(dir))[0]!.operatorNotes, "check: a bad list");
  assertEquals(await readAnswer(proposal.queueDir, "p1"), undefined);
  // The next try is another decision.
  await approve(dir, proposal, enforcer(dir).applier);
  assertEquals(await actions(dir), ["apply-failed", "approved"]);
});

// Threat: C11
Deno.test("a file in force that changes while an applier checks the next one is not overwritten", async () => {
  await using dir = await tempDir();
  const takenAway = () => Deno.writeTextFile(inForce(dir), "");
  const { applier, calls } = enforcer(dir, { check: takenAway });
  const proposal = await queued(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), SuperviseError);
  assertEquals([error.code, calls], ["stale", ["check"]], error.message);
  assertEquals([await Deno.readTextFile(inForce(dir)), await actions(dir)], ["", []]);
  await assertRejects(() => Deno.stat(intentPath(dir)), Deno.errors.NotFound);
});

// Threat: A15, C11
Deno.test("what stops a change while an applier checks it, stops it: a policy, or a freeze", async () => {
  const until = new Date(Date.now() + 60_000).toISOString();
  for (
    const [code, stop] of [
      ["stale", (dir: TempDir) => {
        const policy = { version: 1, rules: [], floor: { hosts: ["api.github.com"] } };
        Deno.writeTextFileSync(dir.at("policy.json"), JSON.stringify(policy));
      }],
      ["frozen", (dir: TempDir) => freeze(dir.path, "dev-1", until)],
    ] as const
  ) {
    await using dir = await tempDir();
    const { applier, calls } = enforcer(dir, { check: () => Promise.resolve(stop(dir)) });
    const proposal = await queued(dir);
    const error = await assertRejects(() => approve(dir, proposal, applier), SuperviseError);
    assertEquals([error.code, calls, await actions(dir)], [code, ["check"], []], error.message);
    assertEquals(await Deno.readTextFile(inForce(dir)), BEFORE);
  }
});

// Threat: B8, C11
Deno.test("a response that is planted while a change takes effect stops it before anything is recorded", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  const planted = { proposal_id: "p1", status: "rejected", notes: "no", final_file: null };
  const { applier, read } = enforcer(dir, {
    apply: () =>
      Deno.writeTextFile(
        dir.at("queue", "dev-1", "p1.response.json"),
        JSON.stringify(planted),
      ),
  });
  const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
  assertStringIncludes(error.message, "it is answered without a record (rejected, ");
  assertStringIncludes(error.message, "the file before is in force again");
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertEquals(await actions(dir), ["apply-failed"]);
});

// Threat: A8
Deno.test("what an applier says of a failure is bounded, in the error, the log and the state", async () => {
  await using dir = await tempDir();
  const says = () => Promise.reject(new ApplyError("render", `no ${"x".repeat(400_000)}`));
  const { applier } = enforcer(dir, { apply: says, restore: says });
  const error = await assertRejects(async () => approve(dir, await queued(dir), applier), Error);
  const [entry] = await log(dir);
  const { reason } = readNotProven(dir.path, "dev-1")!;
  for (const text of [error.message, entry!.operatorNotes, reason]) {
    assert(text.includes("render: no xxx") && text.length < 1200, text.slice(0, 1200));
  }
});

// Threat: C11
Deno.test("a change that does not take effect is taken back, in the file and in the enforcer", async () => {
  await using dir = await tempDir();
  const { applier, calls, read } = enforcer(dir, { apply: failing("probe", "still denied") });
  const proposal = await queued(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
  assertEquals(error.code, "apply_failed");
  assertStringIncludes(error.message, "the file before is in force again");
  assertEquals(calls, ["check", "apply", "restore"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertEquals(await actions(dir), ["apply-failed"]);
  assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
  assertEquals(await readAnswer(proposal.queueDir, "p1"), undefined);
});

// Threat: C11
Deno.test("if the enforcer is not proven to have the file before, nothing more is applied", async () => {
  await using dir = await tempDir();
  const { applier } = enforcer(dir, {
    apply: failing("reload", "gone"),
    restore: failing("start", "does not start"),
  });
  const proposal = await queued(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
  assertEquals(error.code, "enforcer_not_proven");
  assertStringIncludes(error.message, "start: does not start");
  assertEquals(await Deno.readTextFile(inForce(dir)), BEFORE);
  assertEquals(await actions(dir), ["apply-failed"]);
  const again = () => approve(dir, proposal, enforcer(dir).applier);
  const obstacle = await refused(again, "enforcer_not_proven", "resolve that first");
  assertStringIncludes(obstacle.reason, "does not start");
  // A rejection changes no file.
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  const shown = await inspectProposal(ref);
  assertStringIncludes(shown.notProven!.reason, "does not start");
  await decide({
    ...ref,
    ...{ proposalSha256: shown.proposalSha256, verdict: { status: "rejected" } },
    ...{ notes: "not now", operator: "ada@host" },
  });
});

Deno.test("what follows the answer is done once the sidecar has taken it up; a failure is said, and the decision stands", async () => {
  for (const failure of [undefined, "cannot end the bottle"]) {
    await using dir = await tempDir();
    const afterAnswer = failure === undefined
      ? () => Promise.resolve()
      : failing("after_answer", failure);
    const { applier, calls } = enforcer(dir, { afterAnswer });
    const proposal = await queued(dir);
    const [{ warning }] = await Promise.all([
      approve(dir, proposal, applier),
      takeUp(proposal.queueDir),
    ]);
    assertEquals(calls, ["check", "apply", "afterAnswer"]);
    assertEquals(warning?.includes(`after_answer: ${failure}`), failure && true);
    assertEquals((await log(dir)).map((entry) => [entry.operatorAction, entry.effect]), [
      ["approved", "restarts"],
    ]);
    assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
  }
});

Deno.test("what follows is done after an operator's edit too, which nobody waits for", async () => {
  await using dir = await tempDir();
  await queued(dir);
  const place = { root: dir.path, bottleSlug: "dev-1", tool: "pipelock-block" } as const;
  const { currentSha256 } = inspectEdit(place, AFTER);
  const { applier } = enforcer(dir);
  const done = await editFile({
    ...place,
    ...{ file: AFTER, currentSha256, notes: "", operator: "ada@host" },
    applier: { ...applier, afterAnswer: failing("after_answer", "no such bottle") },
  });
  assertStringIncludes(done.warning!, "after_answer: no such bottle");
  assertEquals((await log(dir)).map(({ effect }) => effect), ["restarts"]);
});

// Threat: C11
Deno.test("whatever an applier throws, the change is taken back, and the log says why", async () => {
  await using dir = await tempDir();
  const { applier, read } = enforcer(dir, {
    apply: () => Promise.reject(new RangeError("no room")),
  });
  const proposal = await queued(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
  assertEquals([error.code, error.cause.stage], ["apply_failed", "reload"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertStringIncludes((await log(dir))[0]!.operatorNotes, "no room");
});

Deno.test("the next decision clears what a crash left of the bytes before and after a change", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true, mode: 0o700 });
  for (
    const name of ["dev-1.before", "dev-1.after", ".dev-1.before.new.tmp", ".dev-1.after.new.tmp"]
  ) {
    await Deno.writeTextFile(dir.at("private", "intents", name), "half");
  }
  // It changes no file, and so makes none of these anew.
  await decide({
    ...{ root: dir.path, bottleSlug: "dev-1", proposalId: "p1" },
    ...{ proposalSha256: proposal.proposalSha256, verdict: { status: "rejected" } },
    ...{ notes: "no", operator: "ada@host" },
  });
  assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
});

/** Approves in a process of its own that dies in a call of its applier. */
async function dieIn(
  call: "check" | "apply" | "afterAnswer",
  dir: TempDir,
  { proposalSha256 }: QueuedProposal,
) {
  const program = `
    import { archiveProposal, decide, waitForResponse } from "${REPO}mod.ts";
    const queueDir = "${dir.path}/queue/dev-1";
    void waitForResponse(queueDir, "p1").then(() => archiveProposal(queueDir, "p1"));
    const applier = {
      check: async () => {}, apply: async () => "done", restore: async () => "done",
      ${call}: () => Deno.exit(9),
    };
    await decide({
      root: "${dir.path}", bottleSlug: "dev-1", proposalId: "p1", applier,
      proposalSha256: "${proposalSha256}", verdict: { status: "approved" }, notes: "fine",
      operator: "ada@host",
    });`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const { code, err } = await run("deno", [
    ...["run", "--no-prompt", `--config=${REPO}deno.json`],
    ...[`--allow-read=${dir.path}`, `--allow-write=${dir.path}`, dir.at("program.ts")],
  ]);
  assertEquals([code, err], [9, ""]);
}

// Threat: C11
Deno.test("a process that dies while a change takes effect leaves it to be taken back", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  const { applier, calls, read } = enforcer(dir);
  await dieIn("apply", dir, proposal);
  assertEquals(await Deno.readTextFile(inForce(dir)), AFTER);
  assertEquals(await finishInterrupted(dir.path, { applier }), {
    finished: [{ bottleSlug: "dev-1", proposalId: "p1", outcome: "dropped" }],
    failed: [],
  });
  assertEquals(calls, ["restore"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertEquals([...Deno.readDirSync(dir.at("private", "intents"))], []);
  assertEquals(await readAnswer(proposal.queueDir, "p1"), undefined);
});

// Threat: C11
Deno.test("a change that died is taken back without its applier, and then the enforcer is not proven", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  await dieIn("apply", dir, proposal);
  const { finished: [finished] } = await finishInterrupted(dir.path);
  assertStringIncludes(finished!.notProven!, "no applier");
  assertEquals(await Deno.readTextFile(inForce(dir)), BEFORE);
  await refused(() => approve(dir, proposal), "enforcer_not_proven");
});

Deno.test("a process that dies before the file changes, or after the answer, leaves nothing to take back", async () => {
  for (const call of ["check", "afterAnswer"] as const) {
    await using dir = await tempDir();
    const proposal = await queued(dir);
    await dieIn(call, dir, proposal);
    const isDone = call === "afterAnswer";
    const { applier, calls } = enforcer(dir);
    const { finished, failed } = await finishInterrupted(dir.path, { applier });
    // Whether the bottle was restarted nobody knows, and to do it again could end what runs by now.
    assertEquals(
      [finished.map(({ outcome }) => outcome), failed, calls],
      [isDone ? ["cut-short"] : [], [], []],
    );
    assertEquals(await Deno.readTextFile(inForce(dir)), isDone ? AFTER : BEFORE);
    assertEquals(
      (await readAnswer(proposal.queueDir, "p1"))?.status,
      isDone ? "approved" : undefined,
    );
  }
});

// Threat: C11
Deno.test("an applier is told what must be gone, each time a change is taken back or resolved", async () => {
  await using dir = await tempDir();
  await dieIn("apply", dir, await queued(dir));
  // As a process leaves it that dies while it takes the change back.
  await Deno.writeTextFile(inForce(dir), BEFORE);
  const failed = enforcer(dir, { restore: failing("start", "does not start") });
  await finishInterrupted(dir.path, { applier: failed.applier });
  const { applier, undone } = enforcer(dir);
  const request = { root: dir.path, bottleSlug: "dev-1", notes: "", operator: "ada@host", applier };
  await resolveNotProven(request);
  assertEquals([failed.undone, undone], [[AFTER], [AFTER]]);
});

// Threat: C11
Deno.test("what another program puts in force while a change takes effect stays, and the log says so", async () => {
  for (const fails of [true, false]) {
    await using dir = await tempDir();
    const third = "by-hand.example.com\n";
    const { applier, read, undone } = enforcer(dir, {
      apply: async () => {
        await Deno.writeTextFile(inForce(dir), third);
        if (fails) throw new ApplyError("reload", "is stuck");
      },
    });
    const proposal = await queued(dir);
    const error = await assertRejects(() => approve(dir, proposal, applier), NotAppliedError);
    assertEquals(error.code, "apply_failed");
    assertStringIncludes(
      error.message,
      "the file that another program put in its place is in force",
    );
    assertEquals([await Deno.readTextFile(inForce(dir)), read(), undone], [third, third, [AFTER]]);
    assertEquals(await actions(dir), ["apply-failed"]);
    assertEquals(await readAnswer(proposal.queueDir, "p1"), undefined);
  }
});

// Threat: C11
Deno.test("a third file that somebody put into force meanwhile stays, when a change is taken back", async () => {
  await using dir = await tempDir();
  await dieIn("apply", dir, await queued(dir));
  await Deno.writeTextFile(inForce(dir), "by-hand.example.com\n");
  const { applier, read } = enforcer(dir);
  await finishInterrupted(dir.path, { applier });
  const files = [await Deno.readTextFile(inForce(dir)), read()];
  assertEquals(files, ["by-hand.example.com\n", "by-hand.example.com\n"]);
});

Deno.test("a change whose file before is damaged is not taken back, and the error says where it must be", async () => {
  await using dir = await tempDir();
  await dieIn("apply", dir, await queued(dir));
  const before = intentPath(dir).replace(/json$/, "before");
  await Deno.writeTextFile(before, "evil.example\n");
  const { finished, failed } = await finishInterrupted(dir.path);
  assertEquals(finished, []);
  assertStringIncludes(failed[0]!.error.message, `${before} does not have the file from before it`);
  assertEquals(await Deno.readTextFile(inForce(dir)), AFTER);
});

Deno.test("a file in force that changes while it is decided is looked at again", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queued(dir);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  const { currentSha256 } = await inspectProposal(ref);
  await Deno.writeTextFile(inForce(dir), "other.example.com\n");
  await refused(() =>
    decide({
      ...{ ...ref, proposalSha256, currentSha256, verdict: { status: "approved" } },
      ...{ notes: "", operator: "ada@host" },
    }), "stale");
  assertEquals(await Deno.readTextFile(inForce(dir)), "other.example.com\n");
});

// Threat: C11
Deno.test("an approval of what is in force already has it take effect: an enforcer may have another file", async () => {
  await using dir = await tempDir();
  const { applier, calls, read } = enforcer(dir);
  const proposal = await queued(dir);
  await Deno.writeTextFile(inForce(dir), AFTER);
  const decision = await approve(dir, proposal, applier);
  assertEquals([decision.applied, read()], ["read 2 hosts", AFTER]);
  assertEquals(calls, ["check", "apply"]);
});

// Threat: C4, C11
Deno.test("a full disk does not keep a change in force that could not be recorded", {
  ignore: !canMount,
}, async () => {
  await using dir = await tempDir();
  await using _ = await mountTmpfs(dir.path, "size=1m");
  const proposal = await queued(dir);
  const fill = async () => {
    using file = await Deno.open(dir.at("queue", "fill"), { create: true, write: true });
    const block = new Uint8Array(4096);
    await assertRejects(async () => {
      while (true) await file.write(block);
    });
  };
  const { applier, read } = enforcer(dir, {
    apply: fill,
    restore: () => Deno.remove(dir.at("queue", "fill")),
  });
  await assertRejects(() => approve(dir, proposal, applier));
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [BEFORE, BEFORE]);
  assertEquals((await actions(dir)).filter((action) => action === "approved"), []);
});

// Threat: C11
Deno.test("a link in place of a file in force is not replaced: what it leads to would rule nothing", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  await Deno.rename(inForce(dir), dir.at("elsewhere"));
  await Deno.symlink(dir.at("elsewhere"), inForce(dir));
  const { applier, calls } = enforcer(dir);
  const error = await assertRejects(() => approve(dir, proposal, applier), SuperviseError);
  assertEquals([error.code, calls, await actions(dir)], ["unsafe_file", [], []]);
  assertStringIncludes(error.message, "it is a link; put the file itself there");
  assertEquals(await Deno.readTextFile(dir.at("elsewhere")), BEFORE);
});

Deno.test("the file in force keeps its mode; a new one can be read by the agent", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  await Deno.chmod(inForce(dir), 0o640);
  await approve(dir, proposal);
  assertEquals(Deno.statSync(inForce(dir)).mode! & 0o777, 0o640);
  await Deno.remove(dir.at("current-config"), { recursive: true });
  const other = await queueSample(dir.path, { id: "p2", proposedFile: AFTER });
  await decide({
    ...{
      root: dir.path,
      bottleSlug: "dev-1",
      proposalId: "p2",
      proposalSha256: other.proposalSha256,
    },
    ...{ verdict: { status: "approved" }, notes: "", operator: "ada@host" },
  });
  assertEquals(Deno.statSync(inForce(dir)).mode! & 0o777, 0o644);
  // As `bottle add` makes it.
  assertEquals(Deno.statSync(dir.at("current-config", "dev-1")).mode! & 0o777, 0o755);
});

const edit = (dir: TempDir, file: string, more: Partial<EditRequest> = {}) => {
  const place = { root: dir.path, bottleSlug: "dev-1", tool: "pipelock-block" } as const;
  const { currentSha256 } = inspectEdit(place, file);
  return editFile({
    ...place,
    file,
    currentSha256,
    notes: "by hand",
    operator: "ada@host",
    ...more,
  });
};

Deno.test("an operator's edit is put in force, takes effect and is recorded as one", async () => {
  await using dir = await tempDir();
  await queued(dir);
  const { applier, calls, read } = enforcer(dir);
  const { applied, auditHead } = await edit(dir, AFTER, { applier });
  assertEquals([calls[0], calls[1], applied], ["check", "apply", "read 2 hosts"]);
  assertEquals([await Deno.readTextFile(inForce(dir)), read()], [AFTER, AFTER]);
  const [entry] = await log(dir);
  assertEquals([entry?.operatorAction, entry?.operatorNotes], ["operator-edit", "by hand"]);
  assertEquals([entry?.finalSha256, entry?.reach], [sha256Hex(AFTER), "new-reach"]);
  assertStringIncludes(entry!.diff, "+api.github.com");
  assertEquals(auditHead.startsWith("1:"), true);
  assert((await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).ok);
});

Deno.test("an edit is refused that is invalid, marked and not confirmed, in force, or of another file by now", async () => {
  await using dir = await tempDir();
  await queued(dir);
  const refusedAs = async (code: string, run: () => Promise<unknown>) => {
    const error = await assertRejects(run, SuperviseError);
    assertEquals(error.code, code);
    assertEquals(await Deno.readTextFile(inForce(dir)), BEFORE);
  };
  await refusedAs("invalid_file", () => edit(dir, "no host\n"));
  await refusedAs("unconfirmed", () => edit(dir, `${BEFORE}*.evil.example\n`));
  await refusedAs("changed", () => edit(dir, BEFORE));
  await refusedAs("stale", () => edit(dir, AFTER, { currentSha256: sha256Hex("other") }));
  freeze(dir.path, "dev-1", new Date(Date.now() + 60_000).toISOString());
  await refusedAs("frozen", () => edit(dir, AFTER));
  freeze(dir.path, "dev-1", new Date(Date.now() - 1).toISOString());
  await edit(dir, `${BEFORE}*.evil.example\n`, { confirmedSlug: "dev-1" });
});

Deno.test("an edit that died before its line is taken back; with its line it stands", async () => {
  await using dir = await tempDir();
  await queued(dir);
  await edit(dir, AFTER);
  const [line] = (await Deno.readTextFile(dir.at("audit", "pipelock-dev-1.log"))).split("\n");
  const intent = {
    ...{ version: 1, bottle_slug: "dev-1", proposal_id: "", component: "pipelock", log_size: 0 },
    change: {
      ...{ tool: "pipelock-block", enforced: false },
      ...{ before_sha256: sha256Hex(BEFORE), after_sha256: sha256Hex(AFTER) },
    },
    response: "",
  };
  const outcomes = async (line: string) => {
    await Deno.writeTextFile(intentPath(dir), JSON.stringify({ ...intent, line }));
    await Deno.writeTextFile(intentPath(dir).replace(/json$/, "before"), BEFORE);
    return (await finishInterrupted(dir.path)).finished.map(({ outcome }) => outcome);
  };
  assertEquals(await outcomes(`${line}\n`), ["completed"]);
  assertEquals(await Deno.readTextFile(inForce(dir)), AFTER);
  assertEquals(await outcomes(""), ["dropped"]);
  assertEquals(await Deno.readTextFile(inForce(dir)), BEFORE);
});

// Threat: C11
Deno.test("what was not proven is applied again once the file in force took effect, and the log says so", async () => {
  await using dir = await tempDir();
  const proposal = await queued(dir);
  await dieIn("apply", dir, proposal);
  await finishInterrupted(dir.path);
  const request = { root: dir.path, bottleSlug: "dev-1", notes: "", operator: "ada@host" };
  const broken = enforcer(dir, { restore: failing("start", "does not start") });
  const resolve = () => resolveNotProven({ ...request, applier: broken.applier });
  assertEquals((await assertRejects(resolve, NotAppliedError)).code, "enforcer_not_proven");
  await refused(() => approve(dir, proposal), "enforcer_not_proven");
  const { applier, read } = enforcer(dir);
  const { says } = (await resolveNotProven({ ...request, applier }))!;
  assertEquals([says, read()], ["read 1 hosts", BEFORE]);
  assertEquals(await resolveNotProven({ ...request, applier }), undefined);
  await approve(dir, proposal, applier);
  assertEquals(await actions(dir), ["apply-resolved", "approved"]);
});
