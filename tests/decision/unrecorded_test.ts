import {
  AlreadyDecidedError,
  decide,
  type DecideRequest,
  findDecision,
  inspectProposal,
  readAuditEntries,
  readOverview,
  readResponse,
  sha256Hex,
  verifyAuditLog,
  watchEvents,
  writeResponse,
} from "../../mod.ts";
import { archivedUnrecorded } from "../../internal_mod.ts";
import { actBetween } from "../support/between.ts";
import { supervise } from "../support/command_line.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { REPO, run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const ignore = isMissing("strace", "-V");

function request(dir: TempDir, queued: QueuedProposal, more: Partial<DecideRequest> = {}) {
  return {
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: queued.proposal.id,
    proposalSha256: queued.proposalSha256,
    verdict: { status: "rejected" },
    notes: "no",
    operator: "ada@host",
    ...more,
  } satisfies DecideRequest;
}

const responseOf = ({ path }: QueuedProposal) => path.replace(".proposal.", ".response.");

const entries = (dir: TempDir) => readAuditEntries("pipelock", "dev-1", { root: dir.path });

function answer(path: string): Promise<unknown> {
  const proposalId = path.match(/([^/]*)\.response/)![1]!;
  const response = { proposalId, status: "approved", notes: "yes", finalFile: "x" } as const;
  return writeResponse(path.slice(0, path.lastIndexOf("/")), response);
}

/** What an attacker, or a tool that keeps no record, leaves in an answer's place. */
const PLANTED: Readonly<
  Record<string, { readonly plant: (path: string) => Promise<unknown>; readonly says: string }>
> = {
  "a whole answer": { plant: answer, says: "approved" },
  "an answer that is being published, under two names": {
    plant: async (path) => {
      await answer(path);
      await Deno.link(path, `${path}.tmp`);
    },
    says: "approved",
  },
  "half an answer": {
    plant: (path) => Deno.writeTextFile(path, "{"),
    says: "it is not a response",
  },
  "a link": { plant: (path) => Deno.symlink("/etc/hostname", path), says: "it is a link" },
  "a directory": {
    plant: (path) => Deno.mkdir(`${path}/x`, { recursive: true }),
    says: "directory",
  },
  "a FIFO": {
    plant: (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
    says: "it is not a regular file",
  },
};

for (const [what, { plant, says }] of Object.entries(PLANTED)) {
  // Threat: B8
  Deno.test(`decide() takes ${what} that was planted for no decision, unless overridden`, async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path);
    const { id } = queued.proposal;
    await plant(responseOf(queued));
    const sha256 = says === "approved" ? sha256Hex(await Deno.readFile(responseOf(queued))) : "";

    const error = await refused(() => decide(request(dir, queued)), "answered_without_record");
    assertStringIncludes(error.message, "answered without a record");
    assertStringIncludes(error.says, says);
    assertEquals(await entries(dir), []);

    const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: id };
    assertStringIncludes((await inspectProposal(ref)).unrecordedResponse!.says, says);

    await decide(request(dir, queued, { overrideUnrecorded: true }));
    const [entry, ...others] = await entries(dir);
    assertEquals([entry?.operatorAction, others], ["rejected", []]);
    assertStringIncludes(entry!.unrecordedResponse!, says);
    if (sha256 !== "") assertStringIncludes(entry!.unrecordedResponse!, sha256);
    assertEquals((await readResponse(queued.queueDir, id)).status, "rejected");
    // What was in the place, and a copy of what could be read, under the hash that the log has.
    const copy = dir.at("private", "foreign", "dev-1", `${id}.response.json.${sha256}`);
    const kept = [...Deno.readDirSync(dir.at("private", "foreign", "dev-1"))];
    assertEquals(kept.length, entry!.unrecordedResponse!.includes("sha256") ? 2 : 1);
    assert(kept.every(({ name }) => name.startsWith(`${id}.response.json.`)));
    if (sha256 !== "") assertEquals(sha256Hex(await Deno.readFile(copy)), sha256);
    assert((await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).ok);
    await assertRejects(
      () => decide(request(dir, queued)),
      AlreadyDecidedError,
      "rejected, by ada",
    );
  });
}

Deno.test("decide() moves a planted answer away that says the same, and states the log's head in its own", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const planted = { proposalId: queued.proposal.id, notes: "no", finalFile: null } as const;
  await writeResponse(queued.queueDir, { ...planted, status: "rejected" });
  const before = await Deno.readTextFile(responseOf(queued));
  const { auditHead } = await decide(request(dir, queued, { overrideUnrecorded: true }));
  const { audit_head } = JSON.parse(await Deno.readTextFile(responseOf(queued)));
  assertEquals(audit_head, auditHead);
  const kept = Array.from(
    Deno.readDirSync(dir.at("private", "foreign", "dev-1")),
    ({ name }) => Deno.readTextFileSync(dir.at("private", "foreign", "dev-1", name)),
  );
  assertEquals(kept, [before, before]);
});

Deno.test("decide() overrides nothing where nothing was planted, and then says nothing of it", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued, { overrideUnrecorded: true }));
  assertEquals((await entries(dir)).map(({ unrecordedResponse }) => unrecordedResponse), [
    undefined,
  ]);
});

Deno.test("decide() does not take a planted answer for its own when it is already decided", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued));
  await Deno.remove(responseOf(queued));
  await PLANTED["a whole answer"]!.plant(responseOf(queued));
  const error = await assertRejects(
    () => decide(request(dir, queued, { overrideUnrecorded: true })),
    AlreadyDecidedError,
  );
  assertEquals([error.status, error.operator], ["rejected", "ada@host"]);
});

Deno.test("an archived answer that no record backs is named as such", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await PLANTED["a whole answer"]!.plant(responseOf(queued));
  await Deno.mkdir(`${queued.queueDir}/processed`);
  for (const path of [queued.path, responseOf(queued)]) {
    await Deno.rename(path, path.replace("dev-1/", "dev-1/processed/"));
  }
  await refused(() => decide(request(dir, queued)), "answered_without_record", "approved");
});

/** Approves the proposal and overrides what is in the response's place. */
const APPROVE = (dir: TempDir, { proposal }: QueuedProposal) => `
  import { decide, inspectProposal } from "REPOmod.ts";
  const shown = await inspectProposal(
    { root: "${dir.path}", bottleSlug: "dev-1", proposalId: "${proposal.id}" },
  );
  await decide({
    ...shown, root: "${dir.path}", verdict: { status: "approved" }, notes: "",
    operator: "ada@host", confirmedSlug: "dev-1", overrideUnrecorded: true,
  });`;

const foreign = (dir: TempDir) => dir.at("private", "foreign", "dev-1");

// Threat: B2, B3, B8
Deno.test(
  "decide() changes and opens nothing by a name in the archive, other than to read the response",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path);
    await PLANTED["a whole answer"]!.plant(responseOf(queued));
    const archive = `${queued.queueDir}/processed`;
    await Deno.mkdir(archive);
    const archived = responseOf(queued).replace("dev-1/", "dev-1/processed/");
    await Deno.rename(responseOf(queued), archived);
    const before = await Deno.readTextFile(archived);
    const [program, trace] = [dir.at("approve.ts"), dir.at("trace")];
    await Deno.writeTextFile(program, APPROVE(dir, queued).replaceAll("REPO", REPO));
    const { code, err } = await run("strace", [
      ...["-f", "-qq", "-o", trace, "-e", "trace=%file"],
      ...[Deno.execPath(), "run", "-A", "--quiet", `--config=${REPO}deno.json`, program],
    ]);
    assertEquals(code, 0, err);
    const calls = (await Deno.readTextFile(trace)).split("\n")
      .filter((line) => line.includes(archive) && !/ (?:statx|l?stat|newfstatat)\(/.test(line));
    const reads = calls.filter((line) =>
      line.includes(`"${archived}", O_RDONLY|O_NONBLOCK|O_NOFOLLOW`)
    );
    assert(reads.length > 0);
    assertEquals(calls, reads);
    // It stays where it is, and the log has the hash of the copy.
    const sha256 = sha256Hex(before);
    assertEquals(await Deno.readTextFile(archived), before);
    const copy = `${foreign(dir)}/${queued.proposal.id}.response.json.${sha256}`;
    assertEquals(await Deno.readTextFile(copy), before);
    const [entry] = await entries(dir);
    assertEquals(entry?.unrecordedResponse, `approved, sha256 ${sha256}`);
    assertEquals((await readResponse(queued.queueDir, queued.proposal.id)).finalFile !== "x", true);
  },
);

// Threat: B8
Deno.test(
  "decide() has a copy of an overridden response, though it is removed while that is recorded",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path);
    await PLANTED["a whole answer"]!.plant(responseOf(queued));
    const sha256 = sha256Hex(await Deno.readFile(responseOf(queued)));
    await actBetween(
      dir,
      APPROVE(dir, queued),
      dir.at("private", "intents", ".dev-1.json.new.tmp"),
      {
        call: "rename",
        n: 1,
        act: () => Deno.remove(responseOf(queued)),
      },
    );
    const [entry] = await entries(dir);
    assertEquals(entry?.unrecordedResponse, `approved, sha256 ${sha256}`);
    const [kept] = [...Deno.readDirSync(foreign(dir))];
    assertEquals(sha256Hex(await Deno.readFile(`${foreign(dir)}/${kept!.name}`)), sha256);
    assertEquals((await readResponse(queued.queueDir, queued.proposal.id)).status, "approved");
  },
);

// Threat: B8
Deno.test("supervise refuses a planted answer with exit code 4, and overrides it when told to", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await PLANTED["a whole answer"]!.plant(responseOf(queued));
  const shown = await supervise(dir.path, ["show", "p1"]);
  assertStringIncludes(shown.out, "! It is answered without a record: approved.");
  const approved = await supervise(dir.path, ["approve", "p1", "--json"]);
  assertEquals(approved.code, 4);
  assertEquals(JSON.parse(approved.out).error.code, "answered_without_record");
  assertStringIncludes(approved.err, "with --override-unrecorded");
  const overridden = await supervise(dir.path, ["approve", "p1", "--override-foreign"]);
  assertEquals(overridden.code, 0, overridden.err);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  assertEquals(findDecision(ref)?.unrecordedResponse?.startsWith("approved, sha256 "), true);
});

// Threat: B8
Deno.test("list and readOverview() show each answer that no record backs, and no other", async () => {
  await using dir = await tempDir();
  const decided = await queueSample(dir.path, { id: "p1" });
  await decide(request(dir, decided));
  for (const [n, { plant }] of Object.values(PLANTED).entries()) {
    await plant(responseOf(await queueSample(dir.path, { id: `planted${n}` })));
  }
  await PLANTED["a whole answer"]!.plant(dir.at("queue", "dev-1", "orphan.response.json"));
  const { unrecordedResponses, pending } = readOverview({ root: dir.path });
  const says = Object.values(PLANTED).map(({ says }) => says);
  assertEquals(pending, []);
  assertEquals(unrecordedResponses.map(({ proposalId }) => proposalId), [
    "orphan",
    ...says.map((_, n) => `planted${n}`),
  ]);
  for (const [n, { says: said }] of unrecordedResponses.slice(1).entries()) {
    assertStringIncludes(said, says[n]!);
  }
  const plain = await supervise(dir.path, ["list"]);
  assertStringIncludes(plain.err, '! answered without a record: dev-1/id "planted0": approved\n');
  const json = JSON.parse((await supervise(dir.path, ["list", "--json"])).out);
  assertEquals(json.foreign_answers[0], { bottle_slug: "dev-1", id: "orphan", says: "approved" });
});

Deno.test("watchEvents() tells a planted answer as unrecorded, and as decided once it is", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const seen: string[] = [];
  for await (const { event } of watchEvents({ root: dir.path })) {
    seen.push(event);
    if (event === "arrived") await PLANTED["a whole answer"]!.plant(responseOf(queued));
    else if (event === "unrecorded") {
      await decide(request(dir, queued, { overrideUnrecorded: true }));
    } else break;
  }
  assertEquals(seen, ["arrived", "unrecorded", "decided"]);
  const { pending, unrecordedResponses } = readOverview({ root: dir.path });
  assertEquals([pending, unrecordedResponses], [[], []]);
});

Deno.test("a planted answer that is replaced is told again, as what it says now", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  const says: string[] = [];
  for await (const event of watchEvents({ root: dir.path })) {
    if (event.event === "arrived" && says.length === 0) await answer(responseOf(queued));
    if (event.event !== "unrecorded") continue;
    says.push(event.says);
    if (says.length === 2) break;
    const text = (await Deno.readTextFile(responseOf(queued))).replace('"approved"', '"modified"');
    await Deno.writeTextFile(`${responseOf(queued)}.new`, text);
    await Deno.rename(`${responseOf(queued)}.new`, responseOf(queued));
    // The name is the same: only a look at its queue finds it.
    await queueSample(dir.path, { id: "another" });
  }
  assertEquals(says, ["approved", "modified"]);
});

Deno.test("a hundred answers without a record are named, and the others counted, however large they are", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  for (let n = 0; n < 103; n++) {
    const path = dir.at("queue", "dev-1", `planted${n}.response.json`);
    await Deno.writeTextFile(path, "{");
    await Deno.truncate(path, 8 * 1024 * 1024 - 1);
  }
  const { unrecordedResponses, pending, unreadable } = readOverview({ root: dir.path });
  assertEquals([unrecordedResponses.length, pending.length], [100, 1]);
  assert(unrecordedResponses.every(({ says }) => says.includes("more than the 131072 allowed")));
  const reasons = unreadable.filter(({ file }) => file === ".").map(({ reason }) => reason);
  assert(reasons.includes("3 more responses have no record"), reasons.join());
});

// Threat: B8
Deno.test("archivedUnrecorded() gives the archived responses that no record backs, the newest first", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await decide(request(dir, queued));
  const archive = `${queued.queueDir}/processed`;
  await Deno.mkdir(archive);
  await Deno.rename(responseOf(queued), responseOf(queued).replace("dev-1/", "dev-1/processed/"));
  await Deno.writeTextFile(`${archive}/no id.response.json`, "{}");
  const find = () => archivedUnrecorded(queued.queueDir, "dev-1", dir.path);
  assertEquals(find(), []);
  let second = 0;
  const secondOf = (path: string) => Math.floor(Deno.lstatSync(path).ctime!.getTime() / 1000);
  for (const id of ["z1", "a2", "z3", "z1"]) {
    const path = `${archive}/${id}.response.json`;
    await Deno.writeTextFile(path, "{}");
    // Until the clock of the file system shows another second. No time that a file's owner sets counts.
    do await Deno.utime(path, 1, 1); while (secondOf(path) === second);
    second = secondOf(path);
  }
  assertEquals(find().map(({ proposalId }) => proposalId), ["z1", "z3", "a2"]);
  assertEquals(find()[0]!.path, `${archive}/z1.response.json`);
  // Of a flood each is counted, and of none the time is looked at.
  for (let n = 0; n < 20_000; n++) Deno.writeTextFileSync(`${archive}/f${n}.response.json`, "");
  const flood = find();
  assertEquals(flood.length, 20_003);
  assertEquals(flood.some(({ changed }) => changed > 0), false);
  const { out } = await supervise(dir.path, ["doctor"]);
  assertStringIncludes(out, "20003 archived responses are unrecorded: dev-1/");
});
