import {
  type AuditEntry,
  AuditLogChangedError,
  auditLogPath,
  decide,
  findDecision,
  inspectProposal,
  writeAuditEntry,
} from "../../mod.ts";
import { decidedAmong, ensureSigningKey } from "../../internal_mod.ts";
import { sealLine } from "../../src/log/chain.ts";
import { AUDIT_COMPONENTS } from "../../src/records/proposal.ts";
import { keyOf, makeRecordList } from "../../src/log/index_file.ts";
import { openSigningKey } from "../../src/log/key.ts";
import { readLine } from "../../src/log/lines.ts";
import { signatureOf } from "../../src/log/signature.ts";
import { encodeAuditEntry } from "../../src/records/codec.ts";
import { FOREIGN_LINE, sampleEntry } from "../support/audit.ts";
import { actBetween } from "../support/between.ts";
import { holds } from "../support/properties.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run, supervise } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";

const logPath = (dir: TempDir, component = "pipelock") =>
  auditLogPath(component, "dev-1", { root: dir.path });

const indexPath = (dir: TempDir) => dir.at("private", "index", "pipelock-dev-1");

/** More than what is read of a log without an index. */
const FILLER = FOREIGN_LINE.replace('"diff": ""', `"diff": "${"+x\\n".repeat(30_000)}"`);

const add = (dir: TempDir, text: string) =>
  Deno.writeTextFile(logPath(dir), text, { append: true });

/** A root with a log that is long enough for an index. */
async function longLog(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("audit"), { recursive: true });
  await add(dir, FILLER);
}

const record = (dir: TempDir, change: Partial<AuditEntry>) =>
  writeAuditEntry(sampleEntry(change), { root: dir.path });

const decided = (dir: TempDir, id: string) =>
  findDecision({ root: dir.path, bottleSlug: "dev-1", proposalId: id })?.operatorAction;

const foreignLine = (id: string, action = "rejected") =>
  FOREIGN_LINE.replace('"approved"', `"${action}"`).replace("}\n", `, "proposal_id": "${id}"}\n`);

/** What the logs say, by reading and parsing every line of them. */
function scan(dir: TempDir, ids: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const component of AUDIT_COMPONENTS) {
    const places: Record<string, number> = {};
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(logPath(dir, component));
    } catch {
      continue;
    }
    for (let start = 0, end; (end = bytes.indexOf(0x0a, start) + 1) !== 0; start = end) {
      const line = bytes.subarray(start, end);
      const { entry, link } = readLine(line, "a log");
      const id = entry?.proposalId;
      if (id === undefined || !ids.includes(id)) continue;
      if (entry!.operatorAction === "superseded") {
        const signature = signatureOf(
          { entry: entry!, link, component, bytes: line },
          "dev-1",
          dir.path,
        );
        if (signature === "good" && link!.seq > (places[id] ?? Infinity)) delete found[id];
      } else if (["approved", "modified", "rejected"].includes(entry!.operatorAction)) {
        if (found[id] !== undefined) continue;
        found[id] = `${entry!.operatorAction}: ${entry!.operatorNotes}`;
        places[id] = link?.seq ?? Infinity;
      }
    }
  }
  return found;
}

function lookUp(dir: TempDir, ids: readonly string[]): Record<string, string> {
  const entries = decidedAmong(new Set(ids), "dev-1", dir.path);
  return Object.fromEntries(
    [...entries].map(([id, entry]) => [id, `${entry.operatorAction}: ${entry.operatorNotes}`]),
  );
}

const IDS = ["p1", "p2", "p3", "p4", "x-5"];

const id = fc.constantFrom(...IDS);

const action = fc.constantFrom("approved", "modified", "rejected", "superseded", "operator-edit");

const fields = (id: string, action: string) => ({
  ...{ timestamp: "", bottle_slug: "dev-1", component: "pipelock", operator_action: action },
  ...{ operator_notes: "foreign", justification: "", diff: "", proposal_id: id },
});

/** A line of another writer, in any spelling that JSON has for it. */
const spelled = fc.tuple(id, action, fc.constantFrom(0, 1, 2, 3, 4, 5)).map(([id, action, how]) => {
  const plain = JSON.stringify(fields(id, action));
  const escaped = (text: string) =>
    text.replace(/./g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [
    plain,
    plain.replaceAll('":"', '" \t: "'),
    plain.replace('"proposal_id"', `"${escaped("proposal_id")}"`),
    plain.replace(`"${id}"`, `"${escaped(id)}"`),
    plain.replace('"proposal_id"', '"proposal_id":"other","proposal_id"'),
    plain.replace('"proposal_id"', '"x":{"proposal_id":"p1"},"proposal_id"'),
  ][how]! + "\n";
});

/** Something that happens to the log, or to its index. */
type Step = (dir: TempDir) => Promise<void>;

const change = (how: (bytes: Uint8Array) => Uint8Array, path = logPath): Step => async (dir) => {
  const bytes = await Deno.readFile(path(dir)).catch(() => undefined);
  if (bytes !== undefined) await Deno.writeFile(path(dir), how(bytes));
};

let kept: Uint8Array | undefined;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(id, action, fc.constantFrom("pipelock", "pipelock", "rebuild"), fc.nat(9))
      .map(([proposalId, operatorAction, component, n]): Step => async (dir) => {
        const notes = { operatorNotes: `chained ${n}` };
        try {
          await record(dir, { proposalId, operatorAction, component, ...notes });
        } catch (error) {
          if (!(error instanceof AuditLogChangedError)) throw error;
          // The way out that the message names.
          await Deno.remove(dir.at("private", "heads"), { recursive: true });
          await record(dir, { proposalId, operatorAction, component, ...notes });
        }
      }),
  },
  { weight: 3, arbitrary: spelled.map((line): Step => (dir) => add(dir, line)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\n", "{half", "no entry\n", '{"timestamp":""}\n', FILLER)
      .map((text): Step => (dir) => add(dir, text)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      // In place, as long as before, and naming another proposal.
      change((bytes) =>
        new TextEncoder().encode(
          new TextDecoder().decode(bytes).replaceAll('"p1"', '"p4"').replaceAll('"p2"', '"p1"'),
        )
      ),
      // The last line is gone.
      change((bytes) => bytes.subarray(0, bytes.lastIndexOf(0x0a, -2) + 1)),
      // The first line comes again, in a file of its own.
      async (dir) => {
        const bytes = await Deno.readFile(logPath(dir));
        await Deno.writeFile(dir.at("new"), bytes.subarray(bytes.indexOf(0x0a) + 1));
        await Deno.writeTextFile(dir.at("new"), FILLER, { append: true });
        await Deno.rename(dir.at("new"), logPath(dir));
      },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      // In what the head states, in its authentication, in the records.
      fc.tuple(fc.oneof(fc.nat(100), fc.integer({ min: 475, max: 560 })), fc.nat(254))
        .map(([at, by]) =>
          change((bytes) => {
            if (at < bytes.length) bytes[at] = (bytes[at]! + by + 1) % 256;
            return bytes;
          }, indexPath)
        ),
      fc.double({ min: 0, max: 1, noNaN: true }).map((share) =>
        change((bytes) => bytes.subarray(0, Math.floor(share * bytes.length)), indexPath)
      ),
      fc.constantFrom<Step>(
        async (dir) => {
          kept = await Deno.readFile(indexPath(dir)).catch(() => undefined);
        },
        async (dir) => {
          if (kept !== undefined) await Deno.writeFile(indexPath(dir), kept);
        },
      ),
    ),
  },
);

// Threat: L9
Deno.test("decidedAmong() finds by the index what a scan of every line finds, whatever happens to log and index", async () => {
  await holds(
    fc.asyncProperty(
      fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 14 }),
      async (steps) => {
        await using dir = await tempDir();
        kept = undefined;
        await longLog(dir);
        for (const [step, looksAfter] of [...steps, [async () => {}, true] as const]) {
          await step(dir);
          if (looksAfter) assertEquals(lookUp(dir, IDS), scan(dir, IDS));
        }
      },
    ),
    80,
  );
});

// Threat: B9
Deno.test("findDecision() finds a decision in any spelling that JSON has for it", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const spellings = [
    '"proposal_id": "p1"',
    '"proposal_id"\t:\t"\\u0070\\u0031"',
    '"\\u0070roposal_id":"p1"',
  ];
  for (const long of [false, true]) {
    for (const spelling of spellings) {
      const line = foreignLine("p1").replace('"proposal_id": "p1"', spelling);
      await Deno.writeTextFile(logPath(dir), long ? FILLER + line : line);
      assertEquals(decided(dir, "p1"), "rejected", `${long} ${spelling}`);
    }
  }
});

/** A log of many decisions, as this tool writes them, without their syncs. */
async function manyDecisions(dir: TempDir, count: number): Promise<void> {
  const { privateKey } = await openSigningKey(dir.path);
  const head = { seq: 0, hash: "0".repeat(64) };
  const lines = Array.from({ length: count }, (_, n) => {
    const entry = encodeAuditEntry(sampleEntry({ proposalId: `many-${n}` }));
    return new TextDecoder().decode(sealLine("pipelock-dev-1", entry, head, privateKey));
  });
  await Deno.mkdir(dir.at("audit"), { recursive: true });
  await Deno.writeTextFile(logPath(dir), lines.join(""));
}

/** How many bytes this process has read from files since it started. */
/** What this thread has read: other tests run in others. */
function bytesRead(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/io").match(/^rchar: (\d+)$/m)![1]);
}

const ignore = Deno.build.os !== "linux";

Deno.test("findDecision() reads a few pages of a long log's index, and the lines that it names", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await manyDecisions(dir, 20_000);
  const { size } = await Deno.stat(logPath(dir));
  assert(size > 10_000_000);
  assertEquals(decided(dir, "many-7"), "approved");
  const { ino } = await Deno.stat(indexPath(dir));
  const before = bytesRead();
  for (const n of [0, 7, 9_999, 19_999]) assertEquals(decided(dir, `many-${n}`), "approved");
  assertEquals(decided(dir, "p1"), undefined);
  assert(bytesRead() - before < 200_000);
  assertEquals((await Deno.stat(indexPath(dir))).ino, ino);

  // An append by this tool brings the index along.
  await Deno.remove(dir.at("private", "heads"), { recursive: true }).catch(() => {});
  await record(dir, { proposalId: "p1" });
  const after = bytesRead();
  assertEquals(decided(dir, "p1"), "approved");
  assert(bytesRead() - after < 100_000);
});

// Threat: L9
Deno.test("findDecision() takes no index that was made without the key, or for another log, or is an old one", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await ensureSigningKey(dir.path);
  await add(dir, foreignLine("p1"));
  assertEquals(decided(dir, "p1"), "rejected");
  const head = new TextDecoder().decode((await Deno.readFile(indexPath(dir))).subarray(0, 512));
  const [, covered, , , stamp = ""] = head.split(" ");
  const about = { covered: Number(covered), stamp };
  const log = "pipelock-dev-1";
  const empty = (key: Uint8Array) => makeRecordList().encode(about, { log, key });
  const forged = empty(new Uint8Array(32));
  await Deno.writeFile(indexPath(dir), forged);
  assertEquals(decided(dir, "p1"), "rejected");
  assertNotEquals(await Deno.readFile(indexPath(dir)), forged);

  // With the key it would be believed: that is what the key is for.
  const pem = await Deno.readFile(dir.at("private", "audit-signing-key.pem"));
  const key = createHash("sha256").update("audit-index-v1\n").update(pem).digest();
  await Deno.writeFile(indexPath(dir), empty(key));
  assertEquals(decided(dir, "p1"), undefined);

  // But not where it names a line that is about something else.
  const wrong = makeRecordList();
  wrong.add(keyOf("p1"), 0);
  await Deno.writeFile(indexPath(dir), wrong.encode(about, { log, key }));
  assertEquals(decided(dir, "p1"), "rejected");

  // Nor one for a log with another name.
  const elsewhere = makeRecordList().encode(about, {
    log: "rebuild-dev-1",
    key,
  });
  await Deno.writeFile(indexPath(dir), elsewhere);
  assertEquals(decided(dir, "p1"), "rejected");

  const old = await Deno.readFile(indexPath(dir));
  await record(dir, { proposalId: "p2" });
  await add(dir, foreignLine("p3"));
  await Deno.writeFile(indexPath(dir), old);
  assertEquals([decided(dir, "p2"), decided(dir, "p3")], ["approved", "rejected"]);
});

// Threat: C4
Deno.test("findDecision() reads the log where the index cannot be read or written, or the log is locked", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await add(dir, foreignLine("p1"));
  await Deno.mkdir(dir.at("private"));
  await Deno.writeTextFile(dir.at("private", "index"), "in the way");
  assertEquals([decided(dir, "p1"), decided(dir, "p2")], ["rejected", undefined]);
  await record(dir, { proposalId: "p2" });
  assertEquals(decided(dir, "p2"), "approved");

  await Deno.remove(dir.at("private", "index"));
  await Deno.mkdir(indexPath(dir), { recursive: true });
  assertEquals([decided(dir, "p1"), decided(dir, "p3")], ["rejected", undefined]);
  await Deno.remove(indexPath(dir));

  using holder = await Deno.open(logPath(dir));
  await holder.lock(true);
  assertEquals([decided(dir, "p1"), decided(dir, "p3")], ["rejected", undefined]);
  assertEquals([...Deno.readDirSync(dir.at("private", "index"))], []);
  await holder.unlock();
  assertEquals(decided(dir, "p2"), "approved");
  assert(Deno.statSync(indexPath(dir)).isFile);
});

Deno.test("findDecision() needs no more than to read the logs, and asks nobody for more", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await record(dir, { proposalId: "p1" });
  // Whether this line is signed shows the key alone, so for this program it undoes nothing.
  await record(dir, { proposalId: "p1", operatorAction: "superseded" });
  const program = `
    import { findDecision } from "${REPO}mod.ts";
    const ref = { root: Deno.args[0], bottleSlug: "dev-1" };
    console.log(findDecision({ ...ref, proposalId: "p1" })?.operatorAction);
    console.log(findDecision({ ...ref, proposalId: "p2" })?.operatorAction);`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  for (const [granted, says] of [[dir.at("audit"), "approved"], [dir.path, "undefined"]]) {
    const { out, err } = await run("deno", [
      ...["run", `--config=${REPO}deno.json`, `--allow-read=${granted}`],
      ...[dir.at("program.ts"), dir.path],
    ]);
    assertEquals([out, err], [`${says}\nundefined\n`, ""]);
  }
  await assertRejects(() => Deno.stat(indexPath(dir)), Deno.errors.NotFound);
});

Deno.test("doctor makes no index, and list does", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await queueSample(dir.path, { id: "p1" });
  await Deno.writeTextFile(dir.at("queue", "dev-1", "p2.response.json"), "{}");
  await record(dir, { proposalId: "p3" });
  const { out } = await supervise(dir.path, ["doctor", "--json"]);
  assertStringIncludes(out, "p2");
  await assertRejects(() => Deno.stat(indexPath(dir)), Deno.errors.NotFound);
  const { err } = await supervise(dir.path, ["list"]);
  assertStringIncludes(err, "answered without a record: dev-1/p2");
  assert(Deno.statSync(indexPath(dir)).isFile);
});

// Threat: C4
Deno.test("a decision is recorded and answered though the index cannot be brought along", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  const queued = await queueSample(dir.path, { id: "p1" });
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  await inspectProposal(ref);
  // In its place there is a directory by now, which nothing can be written to or renamed over.
  await Deno.remove(indexPath(dir));
  await Deno.mkdir(dir.at("private", "index", "pipelock-dev-1", "full"), { recursive: true });
  const { proposalSha256 } = queued;
  const verdict = { status: "rejected" } as const;
  await decide({ ...ref, proposalSha256, verdict, notes: "no", operator: "ada@host" });
  assertEquals(decided(dir, "p1"), "rejected");
  assert(Deno.statSync(indexPath(dir)).isDirectory);
});

Deno.test("findDecision() replaces no index of the log as another process made it meanwhile", {
  ignore: isMissing("strace", "-V"),
}, async () => {
  await using dir = await tempDir();
  await longLog(dir);
  const code = `
    import { findDecision } from "REPOmod.ts";
    const ref = { root: "${dir.path}", bottleSlug: "dev-1", proposalId: "p1" };
    console.log(findDecision(ref)?.operatorAction);`;
  let made = new Uint8Array();
  const out = await actBetween(dir, code, logPath(dir), {
    call: "openat",
    n: 1,
    async act() {
      await add(dir, foreignLine("p1"));
      assertEquals(decided(dir, "p1"), "rejected");
      made = await Deno.readFile(indexPath(dir));
    },
  });
  assertEquals(out, "undefined\n");
  assertEquals(await Deno.readFile(indexPath(dir)), made);
});

// Threat: L9
Deno.test("an append brings along no index that did not fit the log before", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await add(dir, foreignLine("p1"));
  await record(dir, { proposalId: "p2" });
  assertEquals([decided(dir, "p1"), decided(dir, "p9")], ["rejected", undefined]);
  const text = await Deno.readTextFile(logPath(dir));
  await Deno.writeTextFile(logPath(dir), text.replace('"p1"', '"p9"'));
  await record(dir, { proposalId: "p3" });
  assertEquals([decided(dir, "p9"), decided(dir, "p1")], ["rejected", undefined]);
});

Deno.test("an index is made longer once its log has grown, and keeps what it had", async () => {
  await using dir = await tempDir();
  await longLog(dir);
  await record(dir, { proposalId: "p1" });
  assertEquals(decided(dir, "p1"), "approved");
  const coveredBytes = async () => {
    const bytes = await Deno.readFile(indexPath(dir));
    return Number(new TextDecoder().decode(bytes.subarray(0, 512)).split(" ")[1]);
  };
  const before = await coveredBytes();
  await record(dir, { proposalId: "p2" });
  assertEquals(decided(dir, "p2"), "approved");
  assertEquals(await coveredBytes(), before);
  await record(dir, { proposalId: "p3", diff: "x".repeat(70_000) });
  assertEquals(decided(dir, "p2"), "approved");
  assertEquals(await coveredBytes(), (await Deno.stat(logPath(dir))).size);
  assertEquals(lookUp(dir, ["p1", "p2", "p3"]), scan(dir, ["p1", "p2", "p3"]));
});

Deno.test("keyOf() spreads ids over 24 bits", () => {
  const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID());
  const keys = new Set(ids.map(keyOf));
  assert([...keys].every((key) => Number.isInteger(key) && key >= 0 && key < 2 ** 24));
  // By chance about twelve of them meet another one's.
  assert(keys.size > ids.length - 60);
});
