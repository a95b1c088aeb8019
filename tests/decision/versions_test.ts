import { finishInterrupted, withBottleLock } from "../../internal_mod.ts";
import {
  type Applier,
  ApplyError,
  decide,
  editFile,
  type EditRequest,
  findDrift,
  inspectEdit,
  inspectProposal,
  listVersions,
  NotAppliedError,
  readAuditEntries,
  readVersion,
  sha256Hex,
  SuperviseError,
  writeAuditEntry,
} from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const FIRST = "api.example.com\n";
const BY_HAND = `${FIRST}by-hand.example.com\n`;

const fileOf = (dir: TempDir) => dir.at("current-config", "dev-1", "allowlist");
const placeIn = (dir: TempDir) =>
  ({ root: dir.path, bottleSlug: "dev-1", tool: "pipelock-block" }) as const;

async function prepared(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(fileOf(dir), FIRST);
  return dir;
}

const edit = (dir: TempDir, file: string, more: Partial<EditRequest> = {}) => {
  const place = { ...placeIn(dir), ...more };
  const { currentSha256 } = inspectEdit(place, file);
  return editFile({ ...place, file, currentSha256, notes: "", operator: "ada@host", ...more });
};

const record = async (dir: TempDir, more: Partial<EditRequest> = {}) =>
  await edit(dir, await Deno.readTextFile(fileOf(dir)), { found: true, ...more });

async function approve(dir: TempDir, id: string, proposedFile: string, applier?: Applier) {
  const { proposalSha256 } = await queueSample(dir.path, { id, proposedFile });
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: id };
  const { currentSha256 } = await inspectProposal(ref);
  const verdict = { status: "approved" } as const;
  const said = { verdict, notes: "", operator: "ada@host", proposalSha256, currentSha256 };
  return await decide({ ...ref, ...said, applier });
}

/** Each version: its number, its file, how it came into force, and whether it is in force. */
const listed = (dir: TempDir) =>
  listVersions(placeIn(dir)).map(({ number, sha256, entry, isInForce, isKept }) => {
    const bytes = readVersion(placeIn(dir), sha256);
    assertEquals(bytes !== undefined, isKept);
    const text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    return [number, text, entry && (entry.origin ?? entry.operatorAction), isInForce];
  });

Deno.test("listVersions() has each file that was in force, those without a record too", async () => {
  await using dir = await prepared();
  assertEquals(listed(dir), []);
  await approve(dir, "p1", `${FIRST}a.example.com\n`);
  assertEquals(listed(dir), [
    [2, `${FIRST}a.example.com\n`, "approved", true],
    [1, FIRST, undefined, false],
  ]);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  assertEquals(listed(dir)[0], [2, `${FIRST}a.example.com\n`, "approved", false]);
  await edit(dir, FIRST, { version: 1 });
  assertEquals(listed(dir).slice(0, 2), [[4, FIRST, "version 1", true], [
    3,
    BY_HAND,
    undefined,
    false,
  ]]);
  const [entry] = (await readAuditEntries("pipelock", "dev-1", { root: dir.path })).slice(-1);
  assertEquals([entry?.origin, entry?.beforeSha256], ["version 1", sha256Hex(BY_HAND)]);
  // What no version is: a decision on the file that was recorded last, and other records.
  await approve(dir, "p2", FIRST);
  await writeAuditEntry({ ...entry!, operatorAction: "apply-resolved" }, { root: dir.path });
  assertEquals(listed(dir).length, 4);
  assertEquals(listVersions({ ...placeIn(dir), tool: "capability-block" }), []);
});

// Threat: C11
Deno.test("listVersions() leaves out a decision that did not take effect; a forged line takes out none", async () => {
  await using dir = await prepared();
  await approve(dir, "p1", `${FIRST}a.example.com\n`);
  const [approved] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  // As it is recorded and taken back, if another program's response was there first.
  const { applied: _, beforeSha256: __, ...about } = approved!;
  const superseded = { ...about, operatorAction: "superseded", finalSha256: "" };
  await writeAuditEntry(superseded, { root: dir.path });
  await Deno.writeTextFile(fileOf(dir), FIRST);
  assertEquals([listed(dir), findDrift({ root: dir.path })], [[], []]);
  await approve(dir, "p2", `${FIRST}b.example.com\n`);
  const line = { timestamp: "2026-01-01T00:00:00Z", bottle_slug: "dev-1", component: "pipelock" };
  const says = { operator_action: "superseded", operator_notes: "", justification: "", diff: "" };
  const forged = JSON.stringify({ ...line, ...says, proposal_id: "p2" });
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), `${forged}\n`, { append: true });
  assertEquals(listed(dir)[0], [2, `${FIRST}b.example.com\n`, "approved", true]);
});

// Threat: C11
Deno.test("a decision on a file that was in force already is its record: no drift is left that could undo it", async () => {
  await using dir = await prepared();
  await approve(dir, "p1", `${FIRST}a.example.com\n`);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  assertEquals(findDrift({ root: dir.path }).length, 1);
  await approve(dir, "p2", BY_HAND);
  assertEquals(findDrift({ root: dir.path }), []);
  assertEquals(listed(dir)[0], [3, BY_HAND, "approved", true]);
});

Deno.test("findDrift() names a file in force that is not the recorded one, and no other", async () => {
  await using dir = await prepared();
  await Deno.mkdir(dir.at("queue", "dev-2"), { recursive: true });
  const drift = () =>
    findDrift({ root: dir.path }).map(({ tool, recordedSha256, foundSha256 }) => [
      tool,
      recordedSha256,
      foundSha256,
    ]);
  assertEquals(drift(), []); // Nothing is recorded.
  await edit(dir, `${FIRST}a.example.com\n`);
  assertEquals(drift(), []);
  const recorded = sha256Hex(`${FIRST}a.example.com\n`);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  assertEquals(drift(), [["pipelock-block", recorded, sha256Hex(BY_HAND)]]);
  assertEquals(findDrift({ root: dir.path, bottleSlug: "dev-2" }), []);
  // It is being changed right now.
  await Deno.writeTextFile(dir.at("private", "intents", "dev-1.json"), "{");
  assertEquals(drift(), []);
  await Deno.remove(dir.at("private", "intents", "dev-1.json"));
  await Deno.remove(fileOf(dir));
  assertEquals(drift(), [["pipelock-block", recorded, ""]]);
  await Deno.mkdir(fileOf(dir));
  assertStringIncludes(findDrift({ root: dir.path })[0]!.problem!, "allowlist");
  // The bottle was removed, and its files in force with it; its logs stay.
  await Deno.remove(dir.at("current-config", "dev-1"), { recursive: true });
  assertEquals(drift(), []);
});

// Threat: C11
Deno.test("a file that was found in force is recorded, and takes effect", async () => {
  await using dir = await prepared();
  await edit(dir, `${FIRST}a.example.com\n`);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  const taken: (string | null)[] = [];
  const applier: Applier = {
    async check({ before, after }) {
      taken.push(before, after);
      await Promise.resolve();
    },
    apply: ({ after }) => Promise.resolve(`took ${after?.split("\n").length}`),
    restore: () => Promise.resolve("done"),
  };
  const refused = async (code: string, act: () => Promise<unknown>) =>
    assertEquals((await assertRejects(act, SuperviseError)).code, code);
  await refused("stale", () => edit(dir, FIRST, { found: true }));
  await refused("stale", () => record(dir, { currentSha256: sha256Hex(FIRST) }));
  assertEquals((await record(dir, { applier })).applied, "took 3");
  assertEquals(taken, [`${FIRST}a.example.com\n`, BY_HAND]);
  assertEquals(listed(dir).slice(0, 2), [
    [3, BY_HAND, "found", true],
    [2, `${FIRST}a.example.com\n`, "operator-edit", false],
  ]);
  const [entry] = (await readAuditEntries("pipelock", "dev-1", { root: dir.path })).slice(-1);
  assertStringIncludes(entry!.diff, "+by-hand.example.com");
  assertEquals(entry?.beforeSha256, sha256Hex(`${FIRST}a.example.com\n`));
  await refused("changed", () => record(dir));
  await Deno.writeTextFile(fileOf(dir), "no host\n");
  await refused("invalid_file", () => record(dir));
  assertEquals(await Deno.readTextFile(fileOf(dir)), "no host\n");
});

// Threat: C11
Deno.test("a found file that does not take effect gives way to the recorded one, and its bytes are kept", async () => {
  await using dir = await prepared();
  await edit(dir, `${FIRST}a.example.com\n`);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  const restored: (string | null)[] = [];
  const applier: Applier = {
    check: () => Promise.resolve(),
    apply: () => Promise.reject(new ApplyError("probe", "still denied")),
    restore: ({ after }) => Promise.resolve(`${restored.push(after)}`),
  };
  await assertRejects(() => record(dir, { applier }), NotAppliedError);
  assertEquals(restored, [`${FIRST}a.example.com\n`]);
  assertEquals(await Deno.readTextFile(fileOf(dir)), `${FIRST}a.example.com\n`);
  assert(readVersion(placeIn(dir), sha256Hex(BY_HAND)) !== undefined);
  assertEquals(findDrift({ root: dir.path }), []);
});

// Threat: C11
Deno.test("a process that dies while it records a found file leaves the recorded one to be put back", async () => {
  await using dir = await prepared();
  await edit(dir, `${FIRST}a.example.com\n`);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  const program = `
    import { editFile } from "${REPO}mod.ts";
    await editFile({
      root: "${dir.path}", bottleSlug: "dev-1", tool: "pipelock-block", found: true,
      file: ${JSON.stringify(BY_HAND)}, currentSha256: "${sha256Hex(`${FIRST}a.example.com\n`)}",
      notes: "", operator: "ada@host",
      applier: { check: async () => {}, apply: () => Deno.exit(9), restore: async () => "done" },
    });`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const { code, err } = await run("deno", [
    ...["run", "--no-prompt", `--config=${REPO}deno.json`],
    ...[`--allow-read=${dir.path}`, `--allow-write=${dir.path}`, dir.at("program.ts")],
  ]);
  assertEquals([code, err], [9, ""]);
  assertEquals(findDrift({ root: dir.path }), []); // It is being changed.
  const restored: (string | null)[] = [];
  const applier: Applier = {
    check: () => Promise.resolve(),
    apply: () => Promise.reject(new Error("not called")),
    restore: ({ after }) => Promise.resolve(`${restored.push(after)}`),
  };
  const { finished } = await finishInterrupted(dir.path, { applier });
  assertEquals(finished.map(({ outcome }) => outcome), ["dropped"]);
  assertEquals(restored, [`${FIRST}a.example.com\n`]);
  assertEquals(await Deno.readTextFile(fileOf(dir)), `${FIRST}a.example.com\n`);
  assert(readVersion(placeIn(dir), sha256Hex(BY_HAND)) !== undefined);
  assertEquals(listed(dir).length, 2);
});

/** The texts of the kept files of the bottle, the allowlists first. */
const kept = (dir: TempDir) =>
  [...Deno.readDirSync(dir.at("private", "known", "dev-1"))]
    .map(({ name }) => Deno.readTextFileSync(dir.at("private", "known", "dev-1", name))).sort();

// Threat: C11
Deno.test("as many files are kept as versions.json says, and never fewer than those that matter", async () => {
  await using dir = await prepared();
  const routes = '{"routes": []}\n';
  const place = { ...placeIn(dir), tool: "cred-proxy-block" } as const;
  const said = { currentSha256: "", notes: "", operator: "ada@host" };
  await editFile({ ...place, ...said, file: routes });
  const version = (n: number) => `${FIRST}${n}.example.com\n`;
  const age = async (text: string, seconds: number) =>
    await Deno.utime(dir.at("private", "known", "dev-1", sha256Hex(text)), seconds, seconds);
  await age(routes, 1);
  for (const n of [1, 2, 3, 4]) {
    await edit(dir, version(n));
    await age(version(n), 10 + n);
  }
  await age(FIRST, 5);
  assertEquals(kept(dir), [...[1, 2, 3, 4].map(version), FIRST, routes].sort());
  const drop = async (keep: string) => {
    await Deno.writeTextFile(dir.at("versions.json"), keep);
    await withBottleLock(dir.path, "dev-1", () => {});
  };
  for (const broken of ['{"keep": 0}', '{"keep": "2"}', "{", "[]"]) {
    await drop(broken);
    assertEquals(kept(dir).length, 6, broken);
  }
  await drop('{"keep": 5}');
  assertEquals(kept(dir), [...[1, 2, 3, 4].map(version), routes].sort());
  // The routes in force are the oldest; the allowlist that somebody put there by hand is no record's.
  await Deno.writeTextFile(fileOf(dir), version(1));
  await drop('{"keep": 1}');
  assertEquals(kept(dir), [version(1), version(3), version(4), routes].sort());
  assertEquals(listVersions(placeIn(dir)).map(({ isKept }) => isKept), [
    ...[true, true, false, true, false],
  ]);
  await Deno.remove(dir.at("versions.json"));
});
