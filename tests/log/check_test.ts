import { ensureSigningKey, parseAnchors, readAuditHead } from "../../internal_mod.ts";
import { type Anchor, decide, verifyAuditLog } from "../../mod.ts";
import { MAX_QUEUE_FILE_BYTES } from "../../src/disk/read_untrusted.ts";
import { anchorsInResponses } from "../../src/log/anchors.ts";
import { FOREIGN_LINE, makeLog, type SampleLog, verifySample } from "../support/audit.ts";
import { queueSample } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";

const NOTES = ["one", "two", "three", "four", "five"];

const PIPELOCK = { component: "pipelock", slug: "dev-1" };

async function headOf(log: SampleLog): Promise<Anchor> {
  return { ...await readAuditHead(PIPELOCK, { root: log.root }), source: "kept" };
}

const swap = <T>(values: T[], a: number, b: number) => {
  [values[a], values[b]] = [values[b]!, values[a]!];
};

/** What somebody without the key does to a log, and what is said of it. */
const FOUND: Readonly<
  Record<string, { readonly change: (lines: string[]) => void; readonly says: string }>
> = {
  "an edit in the middle": {
    change: (lines) => lines[2] = lines[2]!.replace("three", "threw"),
    says: "line 3: its signature does not fit",
  },
  "a deleted line in the middle": {
    change: (lines) => lines.splice(2, 1),
    says: "line 3: it was written as line 4",
  },
  "two lines in another order": {
    change: (lines) => swap(lines, 1, 2),
    says: "line 2: it was written as line 3",
  },
  "a duplicated line in the middle": {
    change: (lines) => lines.splice(2, 0, lines[2]!),
    says: "line 4: it was written as line 3",
  },
  "a foreign line inserted in the middle": {
    change: (lines) => lines.splice(2, 0, FOREIGN_LINE),
    says: "line 4: it was written as line 3",
  },
  "a blank line inserted in the middle": {
    change: (lines) => lines.splice(2, 0, "\n"),
    says: "line 4: it was written as line 3",
  },
  "a line in the middle, reformatted": {
    change: (lines) => lines[2] = lines[2]!.replace('{"timestamp":', '{"timestamp": '),
    says: "line 3: its signature does not fit",
  },
  "a line in the middle, written anew by another program": {
    change: (lines) => lines[2] = JSON.stringify({ ...JSON.parse(lines[2]!), x: 1 }) + "\n",
    says: "line 3: its seq, prev and sig are not in the form in which they are written",
  },
  "a line in the middle that lost its chain": {
    change: (lines) => lines[2] = lines[2]!.replace(/,"seq":.*/, "}"),
    says: "line 4: a line before it is not what it was",
  },
  "an edit of the last line": {
    change: (lines) => lines[4] = lines[4]!.replace("five", "nine"),
    says: "line 5: its signature does not fit",
  },
  "an edit of the last line's signature": {
    change: (lines) => lines[4] = lines[4]!.replace(/.(?="\}\n$)/, (c) => c === "0" ? "1" : "0"),
    says: "line 5: its signature does not fit",
  },
  "the last line, torn": {
    change: (lines) => lines[4] = lines[4]!.slice(0, -1),
    says: "bytes of a torn line",
  },
  "text appended that is no entry": {
    change: (lines) => lines.push("what?\n"),
    says: "line 6: it is not JSON",
  },
  "a foreign line of another bottle appended": {
    change: (lines) => lines.push(FOREIGN_LINE.replace("dev-1", "dev-2")),
    says: 'line 6: it is an entry of "pipelock-dev-2"',
  },
};

for (const [what, { change, says }] of Object.entries(FOUND)) {
  // Threat: L1
  Deno.test(`verifyAuditLog() finds ${what}`, async () => {
    await using dir = await tempDir();
    const log = await makeLog(dir.path, NOTES);
    assertEquals((await verifySample(log)).firstError, "");
    const lines = await log.lines();
    change(lines);
    await log.put(lines.join(""));
    const { ok, firstError } = await verifySample(log);
    assertEquals(ok, false);
    assertStringIncludes(firstError, says);
  });
}

// Threat: L5
Deno.test("verifyAuditLog() counts a foreign line that was appended, and says that nothing covers it", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES);
  await log.add(FOREIGN_LINE);
  const { ok, lines, chained, foreign, uncovered } = await verifySample(log);
  assertEquals({ ok, lines, chained, foreign, uncovered }, {
    ok: true,
    lines: 6,
    chained: 5,
    foreign: 1,
    uncovered: 1,
  });
});

Deno.test("verifyAuditLog() tells a hundred of any number of broken lines", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES.slice(0, 1));
  await log.add("?\n".repeat(200_000) + FOREIGN_LINE);
  const found = await verifySample(log, { chainOnly: true });
  assertEquals([found.torn, found.foreign, found.firstError], [
    200_000,
    1,
    "line 2: it is not JSON",
  ]);
  assertEquals(found.broken.map(({ line }) => line), Array.from({ length: 100 }, (_, n) => n + 2));
});

// Threat: L6
Deno.test("verifyAuditLog() finds another bottle's log in the place of this one's", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES);
  const other = await makeLog(dir.path, NOTES, "dev-2");
  await log.put(await Deno.readFile(other.path));
  const { ok, firstError, signatures } = await verifySample(log);
  assertEquals([ok, signatures], [false, 0]);
  assertEquals(firstError, 'line 1: it is an entry of "pipelock-dev-2"');
  // Also if the names in its lines are made to fit.
  await log.put((await Deno.readTextFile(other.path)).replaceAll("dev-2", "dev-1"));
  assertEquals((await verifySample(log)).firstError, "line 1: its signature does not fit");
});

// Threat: L2
Deno.test("verifyAuditLog() finds a log that was rewritten, chain and all, without the key", async () => {
  await using dir = await tempDir();
  await using forger = await tempDir();
  const log = await makeLog(dir.path, NOTES);
  const forged = await makeLog(forger.path, ["one", "two", "something else"]);
  await log.put(await Deno.readFile(forged.path));
  const { ok, chained, signatures, firstError } = await verifySample(log);
  assertEquals([ok, chained, signatures], [false, 3, 0]);
  assertStringIncludes(firstError, "line 1: its key is not trusted here");
  // Nor does it help to name the right key.
  const [own, theirs] = await Promise.all(
    [dir, forger].map(async ({ path }) => (await ensureSigningKey(path)).fingerprint),
  );
  await log.put((await Deno.readTextFile(log.path)).replaceAll(theirs!, own!));
  assertEquals((await verifySample(log)).firstError, "line 1: its signature does not fit");
  // Their own key, trusted, is what would make it pass.
  await log.put(await Deno.readFile(forged.path));
  const { publicKey } = await ensureSigningKey(forger.path);
  assert((await verifySample(log, { publicKeys: publicKey })).ok);
});

/** What only an anchor shows. */
const CUTS: Readonly<Record<string, (lines: string[], old: string) => string>> = {
  "a cut tail": (lines) => lines.slice(0, 3).join(""),
  "a rollback to an old copy": (_, old) => old,
  "truncation to nothing": () => "",
  "a cut tail with a foreign line in its place": (lines) =>
    lines.slice(0, 4).join("") + FOREIGN_LINE,
  "a last line that lost its chain": (lines) =>
    [...lines.slice(0, 4), lines[4]!.replace(/,"seq":.*/, "}")].join(""),
};

for (const [what, cut] of Object.entries(CUTS)) {
  // Threat: L3
  Deno.test(`verifyAuditLog() finds ${what} with an anchor, and not without`, async () => {
    await using dir = await tempDir();
    const old = await Deno.readTextFile((await makeLog(dir.path, NOTES.slice(0, 2))).path);
    const log = await makeLog(dir.path, NOTES.slice(2));
    const anchor = await headOf(log);
    assertEquals(anchor.seq, 5);
    await log.put(cut(await log.lines(), old));
    assertEquals((await verifySample(log)).ok, true);
    const { ok, firstError } = await verifySample(log, { anchors: [anchor] });
    assertEquals(ok, false);
    assert(/are gone, by kept|are not those that kept states/.test(firstError), firstError);
  });
}

Deno.test("verifyAuditLog() takes an anchor of an earlier time, and one of another log, for sound", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES.slice(0, 3));
  const early = await headOf(log);
  await makeLog(dir.path, NOTES.slice(3));
  const other = { ...early, log: "pipelock-dev-2", hash: "00".repeat(32) };
  assertEquals((await verifySample(log, { anchors: [early, other] })).ok, true);
  const wrong = { ...early, hash: "00".repeat(32) };
  const { firstError } = await verifySample(log, { anchors: [wrong] });
  assertEquals(firstError, "line 3: the lines up to here are not those that kept states");
});

// Threat: L3
Deno.test("verifyAuditLog() finds a cut tail by the head that this root wrote last", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES);
  await log.put((await log.lines()).slice(0, 3).join(""));
  const { firstError } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  const memory = dir.at("private", "heads", "pipelock-dev-1");
  assertEquals(firstError, `line 4: lines 4 to 5 are gone, by ${memory}`);
});

// Threat: L3
Deno.test("verifyAuditLog() finds a cut tail by the signed heads in the answers, and takes no forged one", async () => {
  await using dir = await tempDir();
  const responses: string[] = [];
  for (let n = 0; n < 2; n++) {
    const { proposal, proposalSha256, path } = await queueSample(dir.path);
    const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: proposal.id };
    const verdict = { status: "approved" } as const;
    await decide({ ...ref, proposalSha256, verdict, notes: "", operator: "ada@host" });
    responses.push(path.replace(".proposal.", ".response."));
  }
  const log = await makeLog(dir.path, []);
  const whole = await log.lines();
  await log.put(whole[0]!);
  const { ok, firstError } = await verifySample(log);
  assertEquals([ok, firstError], [false, `line 2: lines 2 to 2 are gone, by ${responses[1]}`]);

  // The sidecar archives it; that is no way to hide it.
  const processed = dir.at("queue", "dev-1", "processed");
  await Deno.mkdir(processed);
  await Deno.rename(responses[1]!, responses[1]!.replace("dev-1/", "dev-1/processed/"));
  assertEquals((await verifySample(log)).ok, false);

  // A head that whoever owns the sidecar makes up says nothing.
  await Deno.remove(processed, { recursive: true });
  const told = JSON.parse(await Deno.readTextFile(responses[0]!));
  for (
    const forged of [
      { ...told, audit_head: `9:${"0".repeat(64)}` },
      { ...told, audit_head: `1:${"0".repeat(64)}` },
      { ...told, audit_head: `9:${"0".repeat(64)}`, audit_head_sig: "00".repeat(64) },
      { ...told, audit_head: `9:${"0".repeat(64)}`, audit_head_sig: "nonsense" },
      { ...told, audit_head: 7 },
    ]
  ) {
    await Deno.writeTextFile(responses[0]!, JSON.stringify(forged));
    assertEquals((await verifySample(log)).firstError, "");
  }
});

// Threat: L3
Deno.test("verifyAuditLog() reads 128 MiB of the answers in each queue, those that changed last, and says so", async () => {
  await using dir = await tempDir();
  const queueDir = dir.at("queue", "dev-1");
  await Deno.mkdir(queueDir, { recursive: true });
  // Holes of the size that may be read, which cost their owner nothing.
  const plant = (name: string, bytes = MAX_QUEUE_FILE_BYTES) => {
    using file = Deno.openSync(`${queueDir}/${name}.response.json`, { write: true, create: true });
    file.truncateSync(bytes);
  };
  for (let n = 0; n < 40; n++) plant(`old${n}`);
  plant("too-large", MAX_QUEUE_FILE_BYTES + 1);
  const { proposal, proposalSha256 } = await queueSample(dir.path);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: proposal.id };
  const verdict = { status: "approved" } as const;
  await decide({ ...ref, proposalSha256, verdict, notes: "", operator: "ada@host" });
  const stated = () => {
    const { anchors, unread } = anchorsInResponses(dir.path, "dev-1");
    return [anchors.map(({ seq }) => seq), unread];
  };
  const reason = `${queueDir} has more than 50000 responses, or more than 128 MiB of them; ` +
    "move old ones elsewhere";
  assertEquals(stated(), [[1], reason]);
  for (let n = 0; n < 16; n++) plant(`new${n}`);
  assertEquals(stated(), [[], reason]);
  const { ok, firstError } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals(ok, false);
  assertStringIncludes(firstError, reason);

  // What floods the queue hides no head in the queue of a removed bottle of that name.
  const removed = dir.at("private", "removed", "dev-1");
  await Deno.mkdir(removed, { recursive: true });
  await Deno.rename(queueDir, `${removed}/dev-1.1`);
  for (let n = 0; n < 40; n++) await Deno.remove(`${removed}/dev-1.1/old${n}.response.json`);
  for (let n = 0; n < 16; n++) await Deno.remove(`${removed}/dev-1.1/new${n}.response.json`);
  await Deno.mkdir(queueDir);
  for (let n = 0; n < 17; n++) plant(`new${n}`);
  assertEquals(stated(), [[1], reason]);
});

Deno.test("verifyAuditLog() says so if there is no key to check signatures with", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, NOTES);
  await Deno.remove(dir.at("private"), { recursive: true });
  const { ok, firstError } = await verifySample(log);
  assertEquals(ok, false);
  assertStringIncludes(firstError, "there is no public key to check its signature with");
  const chained = await verifySample(log, { chainOnly: true });
  assertEquals([chained.ok, chained.signatures], [true, 0]);
});

Deno.test("verifyAuditLog() takes a log that does not exist for sound and empty", async () => {
  await using dir = await tempDir();
  const { ok, lines, head } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals([ok, lines, head], [true, 0, `0:${"0".repeat(64)}`]);
});

Deno.test("parseAnchors() reads what audit head prints", () => {
  const hash = "ab".repeat(32);
  const text = `# a comment\n\npipelock-dev-1 12:${hash}\nrebuild-dev-1\t0:${hash}\r\n`;
  assertEquals(parseAnchors(text, "kept"), [
    { log: "pipelock-dev-1", seq: 12, hash, source: "kept, line 3" },
    { log: "rebuild-dev-1", seq: 0, hash, source: "kept, line 4" },
  ]);
});

Deno.test.each([
  ["pipelock-dev-1"],
  [`pipelock-dev-1 x:${"ab".repeat(32)}`],
  [`pipelock-dev-1 1:${"ab".repeat(32)}0`],
])("parseAnchors() names the line that says %s", (bad) => {
  assertThrows(
    () => parseAnchors(`# fine\n${bad}\n`, "kept"),
    Error,
    "Cannot read kept, line 2: expected LOG SEQ:HASH",
  );
});
