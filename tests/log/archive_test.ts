import {
  ensureSigningKey,
  exportAuditLogs,
  formatHead,
  readAuditHead,
  verifyAuditArchive,
} from "../../internal_mod.ts";
import { MalformedRecordError, readResponse } from "../../mod.ts";
import { EMPTY_HEAD } from "../../src/records/head.ts";
import { advance, linesOf, sealArchive, signHead } from "../../src/log/chain.ts";
import { publicKeyPem } from "../../src/log/key.ts";
import { supervise } from "../support/command_line.ts";
import { FOREIGN_LINE, makeLog } from "../support/audit.ts";
import { queueSample } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { generateKeyPairSync } from "node:crypto";

const LOG = "pipelock-dev-1";

/** An archive taken apart: what its first line says of one log, and that log's lines. */
interface Parts {
  readonly head: Record<string, unknown>;
  readonly lines: readonly string[];
}

/** Makes an archive of a log of three lines, changes it, makes its lengths fit, and checks it. */
async function verifyChanged(change: (parts: Parts) => Partial<Parts>, times = 1) {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two", "three"]);
  const { publicKey: publicKeys } = await ensureSigningKey(dir.path);
  const archive = await exportAuditLogs([{ component: "pipelock", slug: "dev-1" }], {
    root: dir.path,
  });
  const first = JSON.parse(new TextDecoder().decode(archive).split("\n", 1)[0]!);
  const parts = { head: first.logs[0], lines: await log.lines() };
  const { head, lines } = { ...parts, ...change(parts) };
  const text = lines.join("");
  const logs = Array(times).fill({ ...head, bytes: text.length });
  const changed = JSON.stringify({ ...first, logs }) + "\n" + text.repeat(times);
  return verifyAuditArchive(new TextEncoder().encode(changed), { file: "it", publicKeys }).logs;
}

const cut = ({ lines }: Parts) => lines.slice(0, 1);

for (
  const [what, change, says] of [
    [
      "a cut log with a head whose signature is spoilt",
      (parts: Parts) => ({ head: { ...parts.head, head_sig: "00" }, lines: cut(parts) }),
      "line 1: no trusted key signed the head that the archive states",
    ],
    [
      "a cut log with a head that is none",
      (parts: Parts) => ({ head: { ...parts.head, head: "none" }, lines: cut(parts) }),
      "line 1: no trusted key signed the head that the archive states",
    ],
    [
      "a foreign line behind what was exported",
      ({ lines }: Parts) => ({ lines: [...lines, FOREIGN_LINE] }),
      "line 4: the head that the archive states is not the log's",
    ],
    [
      "a log without lines that nobody exported",
      ({ head }: Parts) => ({ head: { ...head, log: "rebuild-dev-1" }, lines: [] }),
      "line 0: no trusted key signed the head that the archive states",
    ],
  ] as const
) {
  Deno.test(`verifyAuditArchive() finds ${what}`, async () => {
    const [found] = await verifyChanged(change);
    assertEquals([found?.ok, found?.firstError], [false, says]);
  });
}

Deno.test("verifyAuditArchive() takes a log with exactly the head that was stated for sound", async () => {
  assertEquals((await verifyChanged(() => ({}))).map(({ ok }) => ok), [true]);
});

for (const log of [`../${LOG}`, `x/${LOG}`, `${LOG}\u001b[2K`, `${LOG}  ok`, "", "x".repeat(97)]) {
  Deno.test(`verifyAuditArchive() refuses an archive of a log called ${JSON.stringify(log)}`, async () => {
    const change = ({ head }: Parts) => ({ head: { ...head, log } });
    await assertRejects(() => verifyChanged(change), MalformedRecordError, "it is not an archive");
  });
}

Deno.test("verifyAuditArchive() refuses an archive that has a log twice", async () => {
  const twice = () => verifyChanged(() => ({}), 2);
  await assertRejects(twice, MalformedRecordError, "it has a log twice");
});

const encoder = new TextEncoder();

/** The first line of an archive and the logs behind it, as text of one byte a character. */
interface Archive {
  readonly first: string;
  readonly logs: string;
}

function apart(archive: Uint8Array): Archive {
  const text = new TextDecoder("latin1").decode(archive);
  const lf = text.indexOf("\n");
  return { first: text.slice(0, lf), logs: text.slice(lf + 1) };
}

const together = ({ first, logs }: Archive) => encoder.encode(`${first}\n${logs}`);

const SIGNATURE = /,"sig":"[0-9a-f]{128}"\}$/;

/** Two archives of two logs, the second made after one more decision, and the key. */
async function makeArchives(root: string) {
  await makeLog(root, ["one", "two"]);
  await supervise(root, ["list"]);
  await queueSample(root, { id: "p1" });
  await queueSample(root, { id: "p2", tool: "capability-block", proposedFile: "FROM a:1\n" });
  for (const id of ["p1", "p2"]) await supervise(root, ["show", id]);
  await supervise(root, ["approve", "p1"]);
  const ids = ["pipelock", "rebuild"].map((component) => ({ component, slug: "dev-1" }));
  const before = await exportAuditLogs(ids, { root });
  assertEquals((await supervise(root, ["approve", "p2"])).code, 0);
  const after = await exportAuditLogs(ids, { root });
  const { publicKey } = await ensureSigningKey(root);
  return { before: apart(before), after: apart(after), publicKey };
}

const WHOLE = "no trusted key signed it as it is";

/** What is said of an archive that was changed on its way, though each of its logs is sound by itself. */
const CHANGES: readonly (readonly [
  what: string,
  change: (after: Archive, before: Archive) => Archive,
  says: string,
])[] = [
  [
    "another date",
    ({ first, logs }) => ({ first: first.replace('"made":"2', '"made":"1'), logs }),
    WHOLE,
  ],
  [
    "a log missing",
    ({ first, logs }) => {
      const header = JSON.parse(first);
      const [kept] = header.logs;
      const rest = first.slice(first.search(SIGNATURE));
      const changed = JSON.stringify({ ...header, logs: [kept], sig: undefined }).slice(0, -1) +
        rest;
      return { first: changed, logs: logs.slice(0, kept.bytes) };
    },
    WHOLE,
  ],
  [
    "its logs in another order",
    ({ first, logs }) => {
      const header = JSON.parse(first);
      const [one, two] = header.logs;
      const rest = first.slice(first.search(SIGNATURE));
      const changed = JSON.stringify({ ...header, logs: [two, one], sig: undefined }).slice(0, -1);
      return { first: changed + rest, logs: logs.slice(one.bytes) + logs.slice(0, one.bytes) };
    },
    WHOLE,
  ],
  [
    "the signature of another archive by the same key",
    ({ first, logs }, before) => ({
      first: first.replace(SIGNATURE, before.first.match(SIGNATURE)![0]),
      logs,
    }),
    WHOLE,
  ],
  [
    "the signature in another place",
    ({ first, logs }) => {
      const { sig, ...header } = JSON.parse(first);
      return { first: JSON.stringify({ sig, ...header }), logs };
    },
    "it is not signed as a whole",
  ],
  [
    "no signature",
    ({ first, logs }) => ({ first: first.replace(SIGNATURE, "}"), logs }),
    "it is not signed as a whole",
  ],
  [
    "the signature in other spelling",
    ({ first, logs }) => ({ first: first.replace(',"sig":"', ',"sig": "'), logs }),
    "it is not signed as a whole",
  ],
  [
    "the signature in a line of its own",
    ({ first, logs }) => ({
      first: first.replace(SIGNATURE, "}"),
      logs: `{${first.match(SIGNATURE)![0].slice(1)}\n${logs}`,
    }),
    "",
  ],
  [
    "a signature by another key",
    ({ first, logs }) => ({
      first: first.replace(SIGNATURE, `,"sig":"${"ab".repeat(64)}"}`),
      logs,
    }),
    WHOLE,
  ],
];

for (const [what, change, says] of CHANGES) {
  // Threat: L8
  Deno.test(`an archive with ${what} does not pass, though each log in it is sound`, async () => {
    await using dir = await tempDir();
    const { before, after, publicKey: publicKeys } = await makeArchives(dir.path);
    const verify = (archive: Archive) =>
      verifyAuditArchive(together(archive), { file: "it", publicKeys });
    assertEquals(verify(after).problem, "");
    if (says === "") {
      return void assertThrows(() => verify(change(after, before)), MalformedRecordError);
    }
    const { problem, logs } = verify(change(after, before));
    assertStringIncludes(problem, says);
    assertEquals(logs.every(({ ok }) => ok), true);
    await Deno.writeFile(dir.at("archive"), together(change(after, before)));
    const args = ["audit", "verify", "--archive", dir.at("archive")];
    const { code, out } = await supervise(dir.path, args);
    assertEquals(code, 1);
    assertStringIncludes(out, "FAIL  the archive as a whole");
    const json = JSON.parse((await supervise(dir.path, [...args, "--json"])).out);
    assertEquals([json.ok, json.archive_error], [false, problem]);
  });
}

// Threat: L3, L8
Deno.test("an archive cut back to a head that a response states does not pass", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const second = await queueSample(dir.path, { id: "p2" });
  for (const id of ["p1", "p2"]) await supervise(dir.path, ["show", id]);
  await supervise(dir.path, ["approve", "p1"]);
  const id = { component: "pipelock", slug: "dev-1" };
  const short = apart(await exportAuditLogs([id], { root: dir.path }));
  const { auditHead } = await readResponse(second.queueDir, "p1");
  assertEquals(formatHead(await readAuditHead(id, { root: dir.path })), formatHead(auditHead!));
  await supervise(dir.path, ["show", "p2"]);
  await supervise(dir.path, ["approve", "p2"]);
  const whole = apart(await exportAuditLogs([id], { root: dir.path }));
  const header = JSON.parse(whole.first);
  const [{ log }] = header.logs;
  const logs = [{
    log,
    bytes: short.logs.length,
    head: formatHead(auditHead!),
    head_sig: auditHead!.signature,
  }];
  const first = JSON.stringify({ ...header, logs });
  const { publicKey: publicKeys } = await ensureSigningKey(dir.path);
  for (const cutBack of [first, JSON.stringify({ ...header, logs, sig: undefined })]) {
    const archive = together({ first: cutBack, logs: short.logs });
    const found = verifyAuditArchive(archive, { file: "it", publicKeys });
    assertEquals(found.logs.map(({ ok }) => ok), [true]);
    assert(found.problem.startsWith(cutBack === first ? WHOLE : "it is not signed"), found.problem);
  }
});

/** What somebody without the root's key makes of an archive: cut to its first line, signed with a key of theirs. */
function forge(
  { first, logs }: Archive,
  publicKey: (genuine: string, own: string) => string,
): Archive {
  const { privateKey, publicKey: own } = generateKeyPairSync("ed25519");
  const { sig: _, ...header } = JSON.parse(first);
  const [{ log }] = header.logs;
  const line = logs.slice(0, logs.indexOf("\n") + 1);
  let head = EMPTY_HEAD;
  for (const bytes of linesOf([new TextEncoder().encode(line)])) head = advance(head, bytes);
  const signed = signHead(log, head, privateKey);
  const one = {
    log,
    bytes: line.length,
    head: formatHead(signed),
    head_sig: signed.signature,
  };
  const key = publicKey(header.public_key, publicKeyPem(own));
  const forged = sealArchive(
    JSON.stringify({ ...header, public_key: key, logs: [one] }),
    privateKey,
  );
  return { first: forged, logs: line };
}

// Threat: L8
Deno.test("an archive that was cut back and signed with a key beside the genuine one does not pass", async () => {
  await using dir = await tempDir();
  const { after, publicKey: genuine } = await makeArchives(dir.path);
  const verify = (archive: Archive, publicKeys?: string) =>
    verifyAuditArchive(together(archive), { file: "it", ...(publicKeys && { publicKeys }) });
  for (
    const keys of [
      (genuine: string, own: string) => genuine + own,
      (genuine: string, own: string) => own + genuine,
      (genuine: string, own: string) => `${own}\n\n${genuine}`,
    ]
  ) {
    assertThrows(() => verify(forge(after, keys)), MalformedRecordError, "it is not one key");
  }
  // With a key of its own it passes, and says that key alone.
  const own = verify(forge(after, (_, own) => own));
  assertEquals([own.problem, own.ownKey, own.keys], ["", true, [own.signedBy]]);
  assertEquals(own.logs.map(({ ok, signatures }) => [ok, signatures]), [[false, 0]]);
  // The reader's own keys: one that the reader does not trust signed it, or the one that is said.
  assertEquals(verify(forge(after, (_, own) => own), genuine).signedBy, "");
  const other = publicKeyPem(generateKeyPairSync("ed25519").publicKey);
  const found = verify(after, other + genuine);
  assertEquals([found.problem, found.keys.length], ["", 2]);
  assertEquals(found.signedBy, verify(after).signedBy);
});

// Threat: L8
Deno.test("an archive of more logs than a host has bottles is read again", async () => {
  await using dir = await tempDir();
  const ids = Array.from({ length: 2_500 }, (_, n) => ({ component: "pipelock", slug: `b-${n}` }));
  const archive = await exportAuditLogs(ids, { root: dir.path });
  const { problem, logs } = verifyAuditArchive(archive, { file: "it" });
  assertEquals([problem, logs.length, logs.every(({ ok }) => ok)], ["", 2_500, true]);
});
