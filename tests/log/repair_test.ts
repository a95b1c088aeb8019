import { ensureSigningKey, verifyAuditArchive } from "../../internal_mod.ts";
import { exportAuditLogs } from "../../internal_mod.ts";
import { findDecision, readAuditEntries, verifyAuditLog, writeAuditEntry } from "../../mod.ts";
import { advance, linesOf, sealLine } from "../../src/log/chain.ts";
import { openSigningKey } from "../../src/log/key.ts";
import { encodeAuditEntry } from "../../src/records/codec.ts";
import { EMPTY_HEAD } from "../../src/records/head.ts";
import { FOREIGN_LINE, makeLog, sampleEntry } from "../support/audit.ts";
import { actBetween } from "../support/between.ts";
import { callsOf } from "../support/calls.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";

const ignore = isMissing("strace", "-V");

const LOG = "audit/pipelock-dev-1.log";

const HEAD = "private/heads/pipelock-dev-1";

const append = (dir: TempDir, notes = "more") =>
  writeAuditEntry(sampleEntry({ operatorNotes: notes }), { root: dir.path });

const entries = (dir: TempDir) => readAuditEntries("pipelock", "dev-1", { root: dir.path });

const appending = (dir: TempDir) => `
  import { writeAuditEntry } from "REPOmod.ts";
  await writeAuditEntry(${JSON.stringify(sampleEntry())}, { root: "${dir.path}" });`;

/** The calls from one on, without the first writes of a staging file. */
const from = (calls: readonly string[], first: string) => calls.slice(calls.indexOf(first));

// Threat: C3
Deno.test("writeAuditEntry() keeps a torn line, and says so on the disk, before it cuts it off", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  await log.add("half");
  const calls = await callsOf(dir, dir.path, appending(dir));
  assertEquals(from(calls, "rename audit/.pipelock-dev-1.log.torn-1.new.tmp"), [
    "rename audit/.pipelock-dev-1.log.torn-1.new.tmp",
    "fsync audit",
    `write ${HEAD}`,
    `fdatasync ${HEAD}`,
    `ftruncate ${LOG}`,
    `fdatasync ${LOG}`,
    `write ${LOG}`,
    `fdatasync ${LOG}`,
    `write ${HEAD}`,
  ]);
});

// Threat: C3
Deno.test("writeAuditEntry() has the name of a log on the disk before it remembers the log", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  // By the original, which syncs nothing.
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at(LOG), FOREIGN_LINE);
  await ensureSigningKey(dir.path);
  const calls = await callsOf(dir, dir.path, appending(dir));
  const named = calls.indexOf("fsync audit");
  const remembered = calls.indexOf("rename private/heads/.pipelock-dev-1.new.tmp");
  assertEquals([named >= 0, named < remembered], [true, true], calls.join(", "));
});

Deno.test.each([
  ["has a malformed hash", (said: string) => said.replace(/ [0-9a-f]{64} /, " 00 ")],
  ["ends before it starts", (said: string) => said.replace(/ (\d+) (\d+) *\n$/, " $2 $1\n")],
  ["has no offsets", (said: string) => said.replace(/ \d+ \d+ *\n$/, "\n")],
])("a record of the last line that %s is damaged, and nothing is appended", async (_, spoil) => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one", "two"]);
  const said = await Deno.readTextFile(dir.at(HEAD));
  assertEquals(spoil(said) === said, false);
  await Deno.writeTextFile(dir.at(HEAD), spoil(said));
  await assertRejects(() => append(dir), Error, "it is not a head");
  const { ok, firstError } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals(ok, false);
  assertStringIncludes(firstError, "it is not a head; move it away");
});

Deno.test("writeAuditEntry() makes no key and no log for an entry that it cannot write", async () => {
  await using dir = await tempDir();
  const wrong = sampleEntry({ operatorNotes: 1 as unknown as string });
  await assertRejects(() => writeAuditEntry(wrong, { root: dir.path }), TypeError, "Cannot write");
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("a line states what was torn since the line before it, and nothing older", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  for (const torn of ["first", "second"]) {
    await log.add(torn);
    await append(dir, torn);
  }
  const repairs = (await entries(dir)).map(({ repair }) => repair);
  assertEquals(repairs, [
    undefined,
    "5 bytes of a torn line are kept in pipelock-dev-1.log.torn-1",
    "6 bytes of a torn line are kept in pipelock-dev-1.log.torn-2",
  ]);
});

// Threat: L1
Deno.test("verifyAuditLog() tells a broken line that the chained line behind it does not explain", async () => {
  await using dir = await tempDir();
  const { privateKey, fingerprint } = await openSigningKey(dir.path);
  const broken = new TextEncoder().encode("{broken\n");
  const said = encodeAuditEntry(sampleEntry({ operatorKey: fingerprint }));
  const sealed = sealLine("pipelock-dev-1", said, advance(EMPTY_HEAD, broken), privateKey);
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeFile(dir.at(LOG), new Uint8Array([...broken, ...sealed]));
  const { ok, firstError, chained } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals([ok, chained, firstError], [false, 1, "line 1: it is not JSON"]);
});

Deno.test("verifyAuditLog() counts the lines that no chained line covers, and no others", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  const uncovered = async () =>
    (await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).uncovered;
  await log.add(FOREIGN_LINE.repeat(3));
  assertEquals(await uncovered(), 3);
  await append(dir);
  assertEquals(await uncovered(), 0);
  await log.add(FOREIGN_LINE);
  assertEquals(await uncovered(), 1);
});

Deno.test("verifyAuditArchive() tells a log that an anchor names and the archive lacks", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  const archive = await exportAuditLogs([{ component: "pipelock", slug: "dev-1" }], {
    root: dir.path,
  });
  const { publicKey: publicKeys } = await ensureSigningKey(dir.path);
  const anchors = [{ log: "rebuild-dev-1", seq: 1, hash: "0".repeat(64), source: "kept" }];
  const { logs } = verifyAuditArchive(archive, { file: "it", publicKeys, anchors });
  assertEquals(logs.map(({ file, ok }) => [file, ok]), [
    ["pipelock-dev-1.log", true],
    ["rebuild-dev-1.log", false],
  ]);
});

// Threat: L7
Deno.test("verifyAuditLog() takes no public key of another kind than Ed25519", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  const { publicKey: own } = await ensureSigningKey(dir.path);
  for (
    const { publicKey } of [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ]
  ) {
    const publicKeys = own + publicKey.export({ type: "spki", format: "pem" });
    const verifying = () => verifyAuditLog("pipelock", "dev-1", { root: dir.path, publicKeys });
    await assertRejects(verifying, TypeError, "a key in it is not an Ed25519 key");
  }
  const without = () =>
    verifyAuditLog("pipelock", "dev-1", { root: dir.path, publicKeys: "no key" });
  await assertRejects(without, TypeError, "it has no PEM block");
});

// Threat: L7
Deno.test(
  "a process that waited for another to make the key uses that one",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await using elsewhere = await tempDir();
    await ensureSigningKey(elsewhere.path);
    const lock = dir.at("private", "audit-signing-key.lock");
    await Deno.mkdir(dir.at("private"), { mode: 0o700 });
    using held = Deno.openSync(lock, { write: true, create: true });
    held.lockSync(true);
    const key = "private/audit-signing-key.pem";
    await actBetween(dir, appending(dir), lock, {
      call: "flock",
      n: 1,
      async act() {
        await Deno.copyFile(elsewhere.at(key), dir.at(key));
        held.unlockSync();
      },
    });
    assertEquals(await Deno.readTextFile(dir.at(key)), await Deno.readTextFile(elsewhere.at(key)));
    assertEquals((await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).ok, true);
  },
);

Deno.test("linesOf() gives the same lines wherever the chunks end", () => {
  const text = new TextEncoder().encode("one\n\nthree is longer\nhalf");
  const decode = (lines: Iterable<Uint8Array>) =>
    Array.from(lines, (line) => new TextDecoder().decode(line));
  const whole = decode(linesOf([text]));
  assertEquals(whole, ["one\n", "\n", "three is longer\n", "half"]);
  for (let size = 1; size < text.length; size++) {
    const chunks = Array.from(
      { length: Math.ceil(text.length / size) },
      (_, n) => text.subarray(n * size, (n + 1) * size),
    );
    assertEquals(decode(linesOf(chunks)), whole, `chunks of ${size}`);
  }
});

Deno.test("an entry without a signature states no key, no repair and no place in the chain", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const claims = '"operator_key": "SHA256:mine", "repair": "nothing", ';
  await Deno.writeTextFile(dir.at(LOG), FOREIGN_LINE.replace("{", `{${claims}`));
  const [entry] = await entries(dir);
  assertEquals([entry?.operatorKey, entry?.repair, entry?.operatorNotes], [
    undefined,
    undefined,
    "by hand",
  ]);
});

Deno.test("findDecision() gives the first of two decisions, and takes no other action for one", async () => {
  await using dir = await tempDir();
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  const record = (operatorAction: string, operatorNotes: string) =>
    writeAuditEntry(sampleEntry({ operatorAction, operatorNotes }), { root: dir.path });
  for (const action of ["operator-edit", "approved ", "noticed", ""]) {
    await record(action, "none");
    assertEquals(findDecision(ref), undefined, action);
  }
  await record("rejected", "first");
  await record("approved", "second");
  assertEquals(findDecision(ref)?.operatorNotes, "first");
});

Deno.test("findDecision() finds a decision whatever byte of the index's records is changed", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at(LOG), FOREIGN_LINE.repeat(600));
  for (const n of [0, 1, 2]) {
    await writeAuditEntry(sampleEntry({ proposalId: `p${n}` }), { root: dir.path });
  }
  const found = () => findDecision({ root: dir.path, bottleSlug: "dev-1", proposalId: "p1" });
  assertEquals(found()?.operatorAction, "approved");
  const index = dir.at("private", "index", "pipelock-dev-1");
  const sound = await Deno.readFile(index);
  for (let at = 512; at < 512 + 24; at++) {
    await Deno.writeFile(index, sound.with(at, sound[at]! ^ 0x40));
    assertEquals(found()?.operatorAction, "approved", `byte ${at}`);
  }
});

Deno.test("findDecision() finds a decision though two pages of the index are swapped", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  // Two pages, both full.
  const line = (n: number) => FOREIGN_LINE.replace("}\n", `, "proposal_id": "p${n}"}\n`);
  await Deno.writeTextFile(dir.at(LOG), Array.from({ length: 1020 }, (_, n) => line(n)).join(""));
  const found = (n: number) =>
    findDecision({ root: dir.path, bottleSlug: "dev-1", proposalId: `p${n}` });
  assertEquals(found(0)?.operatorAction, "approved");
  const index = dir.at("private", "index", "pipelock-dev-1");
  const sound = await Deno.readFile(index);
  assertEquals(sound.length, 512 + 2 * 4096);
  const swapped = new Uint8Array(sound);
  swapped.set(sound.subarray(512 + 4096), 512);
  swapped.set(sound.subarray(512, 512 + 4096), 512 + 4096);
  for (let n = 0; n < 20; n++) {
    await Deno.writeFile(index, swapped);
    assertEquals(found(n)?.operatorAction, "approved", `p${n}`);
  }
});
