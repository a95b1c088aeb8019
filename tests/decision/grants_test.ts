import { findUnfinished, finishInterrupted, readOpenGrants } from "../../internal_mod.ts";
import { freeze } from "../../src/host/apply_state.ts";
import {
  AlreadyDecidedError,
  type Applier,
  ApplyError,
  type ConfigChange,
  decide,
  type DecideRequest,
  editFile,
  endOverdueGrants,
  findDecision,
  freezeFiles,
  inspectEdit,
  inspectProposal,
  listGrants,
  NotAppliedError,
  readAuditEntries,
  readResponse,
  ResponseNotWrittenError,
  revokeGrant,
  sha256Hex,
  SuperviseError,
  verifyAuditLog,
} from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { REPO, run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const BEFORE = "api.example.com\n";
const GRANTED = "api.example.com\napi.github.com\n";
const HOUR_MS = 3_600_000;

const pathOf = (dir: TempDir, file = "allowlist") => dir.at("current-config", "dev-1", file);
const inForce = (dir: TempDir, file?: string) => Deno.readTextFileSync(pathOf(dir, file));
const who = (dir: TempDir) => ({ root: dir.path, bottleSlug: "dev-1", operator: "ada@host" });
const log = async (dir: TempDir) => await readAuditEntries("pipelock", "dev-1", { root: dir.path });
const actions = async (dir: TempDir) => (await log(dir)).map((entry) => entry.operatorAction);
const open = (dir: TempDir, now = new Date()) => listGrants({ root: dir.path, now }).grants;
const later = (hours: number) => new Date(Date.now() + hours * HOUR_MS);

async function root(file: string | null = BEFORE): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  if (file !== null) await Deno.writeTextFile(pathOf(dir), file);
  return dir;
}

/** Approves a file as it is shown; for two hours, unless the request says otherwise. */
async function approve(
  dir: TempDir,
  proposalId: string,
  proposedFile: string,
  more: Partial<DecideRequest> & { readonly from?: string; readonly tool?: "capability-block" } =
    {},
) {
  const { from, tool = "pipelock-block", ...request } = more;
  const currentFileHash = from === undefined ? "" : sha256Hex(from);
  await queueSample(dir.path, { id: proposalId, proposedFile, currentFileHash, tool });
  const shown = await inspectProposal({ ...who(dir), proposalId });
  return await decide({
    ...{
      ...shown,
      ...who(dir),
      verdict: { status: "approved" },
      notes: "",
      confirmedSlug: "dev-1",
    },
    ...{ grant: { forMs: 2 * HOUR_MS }, ...request },
  });
}

const forGood = { grant: undefined } as unknown as Partial<DecideRequest>;

/** An enforcer that takes its time by the clock that is given, and fails when it is told to. */
function enforcer(fails: { apply?: string; restore?: string } = {}) {
  const calls: string[] = [];
  const take = (call: "apply" | "restore") => (change: ConfigChange) => {
    calls.push(`${call} ${change.after}`);
    const reason = fails[call];
    if (reason !== undefined) return Promise.reject(new ApplyError("probe", reason));
    return Promise.resolve("probed");
  };
  const applier: Applier = {
    check: () => Promise.resolve(),
    apply: take("apply"),
    restore: take("restore"),
  };
  return { applier, calls };
}

// Threat: C12
Deno.test("a grant is in force until its time, then the bytes from before it are, and the log has both", async () => {
  await using dir = await root("# ours\r\napi.example.com\n");
  const { applier, calls } = enforcer();
  const decision = await approve(dir, "p1", GRANTED, { applier, notes: "Fine." });
  const [entry] = await log(dir);
  const until = entry!.until!;
  assertEquals([decision.until, entry!.applied], [until, "probed"]);
  const answer = await readResponse(dir.at("queue", "dev-1"), "p1");
  const words = `Fine. In force until ${
    until.slice(0, 16).replace("T", " ")
  } UTC; then it is taken back.`;
  assertEquals([answer.until, answer.notes, entry!.operatorNotes], [until, words, words]);
  const [{ since, lets, ...grant }] = open(dir) as [ReturnType<typeof open>[number]];
  assertEquals(Date.parse(until) - Date.parse(since), 2 * HOUR_MS);
  assertStringIncludes(lets, "api.github.com");
  assertEquals([grant.proposalId, grant.operator, grant.isOverdue], ["p1", "ada@host", false]);
  assertEquals(await endOverdueGrants({ ...who(dir), applier }), { ended: [], failed: [] });
  assertEquals(inForce(dir), GRANTED);

  const { ended, failed } = await endOverdueGrants({ ...who(dir), applier, now: later(3) });
  assertEquals([ended.length, failed.length, ended[0]?.applied], [1, 0, "probed"]);
  assertEquals(inForce(dir), "# ours\r\napi.example.com\n");
  assertEquals(calls, [`apply ${GRANTED}`, "apply # ours\r\napi.example.com\n"]);
  assertEquals([await actions(dir), open(dir)], [["approved", "grant-expired"], []]);
  const end = (await log(dir))[1]!;
  assertEquals([end.grant, end.proposalId, end.operator], ["p1", undefined, "ada@host"]);
  assertStringIncludes(end.diff, "-api.github.com");
  // What ended is still decided.
  assertEquals(findDecision({ ...who(dir), proposalId: "p1" })?.operatorAction, "approved");
  assert((await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).ok);
  assertEquals([...Deno.readDirSync(dir.at("private", "grants"))], []);
});

Deno.test("the clock of a grant counts from the moment at which its applier said so", async () => {
  await using dir = await root();
  let appliedMs = Infinity;
  const { applier } = enforcer();
  const slow: Applier = {
    ...applier,
    apply: async (change) => {
      const says = await applier.apply(change);
      appliedMs = Date.now();
      return says;
    },
  };
  const { until } = await approve(dir, "p1", GRANTED, { applier: slow, grant: { forMs: HOUR_MS } });
  assert(Date.parse(until!) >= appliedMs + HOUR_MS, until);
});

Deno.test("a grant where there was no file leaves none behind", async () => {
  await using dir = await root(null);
  await approve(dir, "p1", GRANTED);
  assertEquals(
    (await revokeGrant({ ...who(dir), proposalId: "p1", notes: "Done." }))?.bottleSlug,
    "dev-1",
  );
  assertEquals([...Deno.readDirSync(dir.at("current-config", "dev-1"))], []);
  const [, end] = await log(dir);
  assertEquals([end?.operatorAction, end?.operatorNotes, end?.finalSha256], [
    "grant-revoked",
    "Done.",
    "",
  ]);
  assertEquals(await revokeGrant({ ...who(dir), proposalId: "p1" }), undefined);
});

// Threat: C12
Deno.test("a proposal is compared with what is in force for good, so that nobody approves a grant unseen", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  // It asks for nothing but what is granted: that is new all the same.
  await queueSample(dir.path, {
    id: "p2",
    proposedFile: GRANTED,
    currentFileHash: sha256Hex(BEFORE),
  });
  const shown = await inspectProposal({ ...who(dir), proposalId: "p2" });
  assertEquals([shown.reach, shown.currentFile, shown.grantedFile], ["new-reach", BEFORE, GRANTED]);
  assertEquals(shown.grants?.map(({ proposalId }) => proposalId), ["p1"]);
  const unseen = { ...shown, ...who(dir), verdict: { status: "approved" }, notes: "" } as const;
  await refused(() => decide({ ...unseen, ifUnmarked: true }), "marked");
  // Approved for good, it stays when the grant ends.
  await decide({ ...unseen, confirmedSlug: "dev-1" });
  assertEquals(inForce(dir), GRANTED);
  const { lets } = open(dir)[0]!;
  assertStringIncludes(lets, "nothing that it cannot do now");
  await endOverdueGrants({ ...who(dir), now: later(3) });
  assertEquals(inForce(dir), GRANTED);
  assertEquals(await actions(dir), ["approved", "approved", "grant-expired"]);
});

// Threat: C12
Deno.test("a file that is put back as it was left keeps its grant, and that ends in what enforces it, too", async () => {
  await using dir = await root();
  const { applier, calls } = enforcer();
  await approve(dir, "p1", GRANTED, { applier });
  await Deno.writeTextFile(pathOf(dir), BEFORE);
  await editFile({
    ...who(dir),
    ...{ tool: "pipelock-block", file: GRANTED, currentSha256: sha256Hex(BEFORE), notes: "" },
    ...{ confirmedSlug: "dev-1", applier },
  });
  assertStringIncludes(open(dir)[0]!.lets, "api.github.com");
  // Nothing reloads what is changed by hand.
  await Deno.writeTextFile(pathOf(dir), BEFORE);
  calls.length = 0;
  const { ended } = await endOverdueGrants({ ...who(dir), applier, now: later(3) });
  assertEquals([ended.length, calls, inForce(dir)], [1, [`apply ${BEFORE}`], BEFORE]);
  const last = (await log(dir)).at(-1)!;
  assertEquals([last.applied, last.finalSha256], ["probed", sha256Hex(BEFORE)]);
});

// Threat: C12
Deno.test("nothing is put in force beside a grant on a Dockerfile, that nobody looked at as a whole", async () => {
  await using dir = await root(null);
  const tool = "capability-block" as const;
  const dockerfile = (...lines: string[]) => ["FROM debian:13", ...lines, ""].join("\n");
  const keep = ["# keep a", "# keep b", "# keep c", "# keep d"];
  const from = dockerfile(...keep, "RUN true");
  await Deno.writeTextFile(pathOf(dir, "Dockerfile"), from);
  await approve(dir, "p1", dockerfile("COPY <<EOF /etc/x", ...keep, "EOF", "RUN true"), { tool });
  const harmless = dockerfile("# keep a", "# keep b", "#includedir /tmp", "# keep d", "RUN true");
  await assertRejects(
    () => approve(dir, "p2", harmless, { tool, from, ...forGood }),
    SuperviseError,
    "a grant on that Dockerfile is open",
  );
  // The change that was granted was looked at.
  const granted = inForce(dir, "Dockerfile");
  await approve(dir, "p3", granted, { tool, from, ...forGood });
  await endOverdueGrants({ ...who(dir), now: later(3) });
  assertEquals([open(dir), inForce(dir, "Dockerfile")], [[], granted]);
});

Deno.test("a host that is granted twice is in force until the later end", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  await approve(dir, "p2", GRANTED, { grant: { forMs: 9 * HOUR_MS } });
  await endOverdueGrants({ ...who(dir), now: later(3) });
  assertEquals([inForce(dir), open(dir).length], [GRANTED, 1]);
  await endOverdueGrants({ ...who(dir), now: later(10) });
  assertEquals([inForce(dir), open(dir).length], [BEFORE, 0]);
});

Deno.test("what an edit takes out of a grant is out of it, and what it leaves in ends with it", async () => {
  await using dir = await root();
  const two = `${GRANTED}cdn.github.com\n`;
  await approve(dir, "p1", two);
  const place = { ...who(dir), tool: "pipelock-block", notes: "" } as const;
  const file = "api.example.com\ncdn.github.com\nours.example.com\n";
  const { currentSha256 } = inspectEdit(place, file);
  await editFile({ ...place, file, currentSha256, confirmedSlug: "dev-1" });
  assertEquals(inForce(dir), file);
  const { lets } = open(dir)[0]!;
  assertEquals([lets.includes("cdn.github.com"), lets.includes("api.github.com")], [true, false]);
  await revokeGrant({ ...who(dir), proposalId: "p1" });
  assertEquals(inForce(dir), "api.example.com\nours.example.com\n");
});

Deno.test("what cannot end is refused while nothing is decided", async () => {
  await using dir = await root();
  await refused(() => approve(dir, "p1", BEFORE), "not_grantable", "nothing that could end");
  for (
    const grant of [{}, { forMs: 0 }, { until: "2020-01-01T00:00:00Z" }, {
      forMs: 1,
      until: later(1).toISOString(),
    }]
  ) {
    await assertRejects(() => approve(dir, "p2", GRANTED, { grant }), TypeError, "grant");
  }
  const verdict = { status: "rejected" } as const;
  await assertRejects(() => approve(dir, "p2", GRANTED, { verdict, notes: "no" }), TypeError);
  assertEquals([await log(dir).catch(() => []), open(dir)], [[], []]);
});

// Threat: C12
Deno.test("an end that does not take effect leaves the grant open, says so, and is tried again an hour later", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  const { applier } = enforcer({ apply: "still allowed" });
  const { failed } = await endOverdueGrants({ ...who(dir), applier, now: later(3) });
  assert(failed[0]?.error instanceof NotAppliedError);
  assertEquals([inForce(dir), await actions(dir)], [GRANTED, ["approved", "apply-failed"]]);
  const [grant] = open(dir, later(3));
  assertEquals(grant?.isOverdue, true);
  assertStringIncludes(grant!.why!, "still allowed");
  // No line for each look.
  assertEquals(await endOverdueGrants({ ...who(dir), now: later(3.5) }), { ended: [], failed: [] });
  const { ended } = await endOverdueGrants({ ...who(dir), now: later(4.1) });
  assertEquals([ended.length, inForce(dir)], [1, BEFORE]);
});

Deno.test("an end that a signal interrupted is tried again at once", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  const interrupted: Applier = {
    ...enforcer().applier,
    apply: () => Promise.reject(new ApplyError("reload", "gone", { isInterrupted: true })),
  };
  const { failed } = await endOverdueGrants({ ...who(dir), applier: interrupted, now: later(3) });
  assertEquals([failed.length, inForce(dir)], [1, GRANTED]);
  assertStringIncludes(open(dir, later(3))[0]!.why!, "gone");
  const { ended } = await endOverdueGrants({ ...who(dir), now: later(3) });
  assertEquals([ended.length, inForce(dir)], [1, BEFORE]);
});

// Threat: C12
Deno.test("nothing ends in a frozen bottle, or while its enforcer is not proven, and both are said", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  freeze(dir.path, "dev-1", later(99).toISOString());
  assertEquals(await endOverdueGrants({ ...who(dir), now: later(3) }), { ended: [], failed: [] });
  assertStringIncludes(open(dir, later(3))[0]!.why!, "its files are frozen until");
  const frozen = await assertRejects(
    () => revokeGrant({ ...who(dir), proposalId: "p1" }),
    SuperviseError,
  );
  assertEquals(frozen.code, "frozen");
  freeze(dir.path, "dev-1", undefined);
  const { applier } = enforcer({ apply: "gone", restore: "does not start" });
  const unproven = await assertRejects(
    () => revokeGrant({ ...who(dir), proposalId: "p1", applier }),
    SuperviseError,
  );
  assertEquals(unproven.code, "enforcer_not_proven");
  assertEquals(await endOverdueGrants({ ...who(dir), now: later(9) }), { ended: [], failed: [] });
  assertStringIncludes(open(dir, later(9))[0]!.why!, "it is not known which file its enforcer has");
  assertEquals(inForce(dir), GRANTED);
});

const DOCKERFILE = 'FROM scratch\nENV A=1\nCMD ["/a"]\n';

Deno.test("a grant that cannot be taken out of a file that was changed by hand is flagged, and ends by word", async () => {
  await using dir = await root();
  Deno.writeTextFileSync(pathOf(dir, "Dockerfile"), DOCKERFILE);
  const asked = DOCKERFILE.replace("ENV A=1", "ENV A=2");
  await approve(dir, "p1", asked, { tool: "capability-block" });
  Deno.writeTextFileSync(pathOf(dir, "Dockerfile"), DOCKERFILE.replace("ENV A=1", "ENV A=3"));
  const { failed } = await endOverdueGrants({ ...who(dir), now: later(3) });
  assertStringIncludes(failed[0]!.error.message, "was changed by hand");
  assertStringIncludes(open(dir, later(3))[0]!.why!, "was changed by hand");
  const by = (confirmedSlug: string) =>
    revokeGrant({ ...who(dir), proposalId: "p1", confirmedSlug });
  await assertRejects(
    () => by("dev-2"),
    SuperviseError,
    "confirm dev-1 to end it with that file as it is, then edit that",
  );
  // It counts for nothing where it is not needed.
  await by("dev-1");
  assertEquals(inForce(dir, "Dockerfile"), DOCKERFILE.replace("ENV A=1", "ENV A=3"));
  assertEquals(open(dir), []);
});

Deno.test("a grant whose end the applier refuses is dropped by word, and the file stays as it is", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  const { applier } = enforcer({ apply: "still allowed" });
  const by = (confirmedSlug?: string) =>
    revokeGrant({ ...who(dir), proposalId: "p1", applier, confirmedSlug });
  await assertRejects(() => by(), NotAppliedError, "still allowed");
  assertEquals(open(dir).length, 1);
  const ended = await by("dev-1");
  assertStringIncludes(ended!.warning!, "stays as it is, with what was granted: ");
  assertEquals([inForce(dir), open(dir)], [GRANTED, []]);
  assertEquals(await actions(dir), [
    "approved",
    "apply-failed",
    "apply-failed",
    "grant-revoked",
  ]);
});

Deno.test("a decision that does not go with an open grant is refused, and says which way is out", async () => {
  await using dir = await root();
  Deno.writeTextFileSync(pathOf(dir, "Dockerfile"), DOCKERFILE);
  const tool = "capability-block";
  await approve(dir, "p1", DOCKERFILE.replace("ENV A=1", "ENV A=2"), { tool });
  const other = DOCKERFILE.replace("ENV A=1", "ENV A=3");
  const error = await assertRejects(
    () => approve(dir, "p2", other, { tool, ...forGood }),
    SuperviseError,
    "revoke those first",
  );
  assertEquals(error.code, "stale");
  await revokeGrant({ ...who(dir), proposalId: "p1" });
  assertEquals(inForce(dir, "Dockerfile"), DOCKERFILE);
});

Deno.test("a record of grants that is damaged ends nothing, hides no other, and stops decisions on its file", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  await Deno.writeTextFile(dir.at("private", "grants", "web.2.pipelock-block.json"), "{");
  const { grants, unreadable } = readOpenGrants({ root: dir.path });
  assertEquals([grants.length, unreadable.length], [1, 1]);
  await endOverdueGrants({ ...who(dir), now: later(3) });
  assertEquals(inForce(dir), BEFORE);
});

/** Ends a grant in a process of its own that dies where its applier does, or when the record is written. */
async function dieIn(dir: TempDir, call: "check" | "apply" | "grant") {
  const program = `
    import { endOverdueGrants, decide, inspectProposal } from "${REPO}mod.ts";
    const applier = {
      check: async () => {}, apply: async () => "done", restore: async () => "done",
      ${call === "grant" ? "apply" : call}: () => Deno.exit(9),
    };
    const who = { root: "${dir.path}", bottleSlug: "dev-1", operator: "ada@host", applier };
    if (${call === "grant"}) {
      const shown = await inspectProposal({ ...who, proposalId: "p1" });
      await decide({ ...shown, ...who, verdict: { status: "approved" }, notes: "",
        confirmedSlug: "dev-1", grant: { forMs: 1000 } });
    } else await endOverdueGrants({ ...who, now: new Date(Date.now() + ${3 * HOUR_MS}) });`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const { code, err } = await run("deno", [
    ...["run", "--no-prompt", `--config=${REPO}deno.json`],
    ...[`--allow-read=${dir.path}`, `--allow-write=${dir.path}`, dir.at("program.ts")],
  ]);
  assertEquals([code, err], [9, ""]);
}

// Threat: C12
Deno.test("a process that dies while it grants, or ends a grant, leaves record, file and log in agreement", async () => {
  for (const call of ["check", "apply"] as const) {
    await using dir = await root();
    await approve(dir, "p1", GRANTED);
    await dieIn(dir, call);
    await finishInterrupted(dir.path, enforcer());
    assertEquals([inForce(dir), open(dir).length, await actions(dir)], [GRANTED, 1, ["approved"]]);
    await endOverdueGrants({ ...who(dir), now: later(3) });
    assertEquals([inForce(dir), open(dir).length], [BEFORE, 0]);
  }
  await using dir = await root();
  await queueSample(dir.path, { id: "p1", proposedFile: GRANTED });
  await dieIn(dir, "grant");
  await finishInterrupted(dir.path, enforcer());
  assertEquals([inForce(dir), open(dir).length], [BEFORE, 0]);
});

// Threat: C12
Deno.test("an end that is recorded is completed by the next run, whatever of it a crash left undone", async () => {
  await using dir = await root();
  await approve(dir, "p1", GRANTED);
  const record = dir.at("private", "grants", "dev-1.pipelock-block.json");
  // The directory cannot be written: the line is there, and the record stays.
  const kept = await Deno.readTextFile(record);
  await endOverdueGrants({ ...who(dir), now: later(3) });
  const line = (await Deno.readTextFile(dir.at("audit", "pipelock-dev-1.log"))).split("\n")[1]!;
  await Deno.writeTextFile(record, kept);
  const intent = {
    version: 1,
    bottle_slug: "dev-1",
    proposal_id: "",
    component: "pipelock",
    change: null,
    log_size: 0,
    line: `${line}\n`,
    response: "",
    granted: { tool: "pipelock-block", record: "", before: kept },
  };
  await Deno.writeTextFile(dir.at("private", "intents", "dev-1.json"), JSON.stringify(intent));
  const { finished } = await finishInterrupted(dir.path);
  assertEquals(finished.map(({ outcome }) => outcome), ["completed"]);
  assertEquals([open(dir), findUnfinished(dir.path).intents], [[], []]);
});

/** An enforcer that takes the queue away while it applies, as its owner can, and puts it back. */
function closing(dir: TempDir) {
  const [queue, away] = [dir.at("queue", "dev-1"), dir.at("away")];
  const applier: Applier = {
    ...enforcer().applier,
    apply: async () => {
      await Deno.rename(queue, away);
      return "probed";
    },
  };
  return { applier, reopen: () => Deno.rename(away, queue) };
}

// Threat: C12
Deno.test("a queue that is closed while a grant is put into force keeps nobody from taking it back", async () => {
  const edit = async (dir: TempDir) => {
    const place = { ...who(dir), tool: "pipelock-block" } as const;
    const { currentSha256 } = inspectEdit(place, BEFORE);
    await editFile({ ...place, file: BEFORE, currentSha256, notes: "" });
  };
  const ends: readonly [string, (dir: TempDir) => Promise<unknown>][] = [
    ["grant-expired", (dir) => endOverdueGrants({ ...who(dir), now: later(3) })],
    ["grant-revoked", (dir) => revokeGrant({ ...who(dir), proposalId: "p1" })],
    ["operator-edit", edit],
  ];
  for (const [action, end] of ends) {
    await using dir = await root();
    const { applier, reopen } = closing(dir);
    await assertRejects(() => approve(dir, "p1", GRANTED, { applier }), ResponseNotWrittenError);
    assertEquals(open(dir).map(({ proposalId }) => proposalId), ["p1"]);
    // Before it is taken back: what is frozen stays as it is, and keeps the response that is to come.
    await freezeFiles({ ...who(dir), until: later(1), notes: "" });
    await freezeFiles({ ...who(dir), notes: "" });
    await end(dir);
    assertEquals(inForce(dir), BEFORE);
    assertEquals(await actions(dir), ["approved", "frozen", "freeze-ended", action]);
    // The response is lost as if its owner had removed it: to decide again writes it.
    await reopen();
    const again = () =>
      decide({
        ...who(dir),
        proposalId: "p1",
        verdict: { status: "approved" },
        notes: "",
        proposalSha256: "",
      });
    await assertRejects(again, AlreadyDecidedError, "is written again");
    assertEquals((await readResponse(dir.at("queue", "dev-1"), "p1")).status, "approved");
  }
});

// Threat: C12
Deno.test("a grant that was superseded leaves the record of the others as it was", async () => {
  for (const isInterrupted of [false, true]) {
    await using dir = await root();
    await approve(dir, "p1", GRANTED);
    const record = dir.at("private", "grants", "dev-1.pipelock-block.json");
    const before = await Deno.readTextFile(record);
    const closed = closing(dir);
    const take = () => Deno.writeTextFileSync(dir.at("queue", "dev-1", "p2.response.json"), "{}");
    const applier: Applier = {
      ...(isInterrupted ? closed : enforcer()).applier,
      // The last that is called before the decision is recorded.
      effectOf: () => {
        if (!isInterrupted) take();
        return "probed";
      },
    };
    const both = `${GRANTED}b.example\n`;
    const second = () => approve(dir, "p2", both, { applier });
    const refusal = await assertRejects(second);
    if (isInterrupted) {
      assert(refusal instanceof ResponseNotWrittenError);
      assertEquals([open(dir).length, inForce(dir)], [2, both]);
      await closed.reopen();
      take();
      const { finished } = await finishInterrupted(dir.path, enforcer());
      assertEquals(finished.map(({ outcome }) => outcome), ["superseded"]);
    }
    assertEquals([await Deno.readTextFile(record), inForce(dir)], [before, GRANTED]);
    assertEquals(await actions(dir), ["approved", "approved", "superseded"]);
  }
});
