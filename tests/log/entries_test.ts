import {
  type AuditEntry,
  auditLogPath,
  type BrokenLine,
  readAuditEntries,
  writeAuditEntry,
} from "../../mod.ts";
import { withLockedLog } from "../../src/disk/lock.ts";
import { readLatestEntries } from "../../src/log/decisions.ts";
import { saidBy } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const entry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  timestamp: "2026-11-22T10:49:36.924Z",
  bottleSlug: "dev-1",
  component: "pipelock",
  operatorAction: "approved",
  operatorNotes: "fine",
  justification: "because\nof \u202e this",
  diff: "--- a\n+++ b\n",
  ...change,
});

const read = (root: string) => readAuditEntries("pipelock", "dev-1", { root });

Deno.test("writeAuditEntry() appends one line of ASCII to a file of mode 0600", async () => {
  await using dir = await tempDir();
  const full = entry({
    operator: "ada@host",
    proposalId: "p1",
    proposalSha256: "00",
    finalSha256: "",
  });
  const path = await writeAuditEntry(entry(), { root: dir.path });
  await writeAuditEntry(full, { root: dir.path });
  assertEquals(path, dir.at("audit", "pipelock-dev-1.log"));
  assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
  const text = await Deno.readTextFile(path);
  assertEquals(text.split("\n").length, 3);
  assert(/^[\n -~]*$/.test(text));
  assertEquals((await read(dir.path)).map(saidBy), [entry(), full]);
});

Deno.test("writeAuditEntry() keeps what concurrent writers write, whole", async () => {
  await using dir = await tempDir();
  const justification = "x".repeat(100_000);
  await Promise.all(
    Array.from(
      { length: 40 },
      (_, n) =>
        writeAuditEntry(entry({ operatorNotes: String(n), justification }), { root: dir.path }),
    ),
  );
  const notes = (await read(dir.path)).map(({ operatorNotes }) => Number(operatorNotes));
  assertEquals(notes.sort((a, b) => a - b), Array.from({ length: 40 }, (_, n) => n));
});

Deno.test("withLockedLog() writes to no file that lost the log's name while its lock was waited for", async () => {
  await using dir = await tempDir();
  const [path, other] = [dir.at("log"), dir.at("other")];
  for (const replaced of [false, true]) {
    await Deno.writeTextFile(path, "old");
    const holder = await Deno.open(path, { read: true });
    await holder.lock(true);
    // Opens the log and tries its lock before it returns.
    const appending = withLockedLog(path, false, (log) => log.append(new Uint8Array([0x21])));
    await Deno.rename(path, other);
    if (replaced) await Deno.writeTextFile(path, "new");
    holder.close();
    if (replaced) await appending;
    else await assertRejects(() => appending, Deno.errors.NotFound);
    assertEquals(await Deno.readTextFile(other), "old");
    if (replaced) assertEquals(await Deno.readTextFile(path), "new!");
  }
});

// Threat: C4
Deno.test("withLockedLog() cuts the log back to what it was when a write fails", async () => {
  await using dir = await tempDir();
  const path = dir.at("log");
  await withLockedLog(path, true, (log) => log.append(new TextEncoder().encode("sound\n")));
  const torn = new Proxy(new Uint8Array(10), {
    get: (target, key) => key === "subarray" ? () => "no bytes" : Reflect.get(target, key),
  });
  await assertRejects(() => withLockedLog(path, false, (log) => log.append(torn)), Error);
  assertEquals(await Deno.readTextFile(path), "sound\n");
});

Deno.test("readAuditEntries() passes over broken lines, and says which and why", async () => {
  await using dir = await tempDir();
  const path = auditLogPath("pipelock", "dev-1", { root: dir.path });
  await Deno.mkdir(dir.at("audit"));
  const sound = JSON.stringify({
    timestamp: "t",
    bottle_slug: "dev-1",
    component: "pipelock",
    operator_action: "operator-edit",
    operator_notes: "",
    justification: "",
    diff: "",
    seq: 7,
  });
  const lines = [sound, "", "  ", "nonsense", "[]", '{"timestamp": 1}', '"\xff"', `${sound}\r`];
  await Deno.writeFile(path, Uint8Array.from(lines.join("\n"), (c) => c.charCodeAt(0)));
  const broken: BrokenLine[] = [];
  const entries = await readAuditEntries("pipelock", "dev-1", {
    root: dir.path,
    onBroken: (line) => broken.push(line),
  });
  assertEquals(entries.length, 2);
  assertEquals(broken.map(({ line }) => line), [4, 5, 6, 7]);
  assertEquals(broken.map(({ reason }) => reason), [
    "it is not JSON",
    "the top level must be a JSON object",
    'field "timestamp": missing, or not a string',
    "it is not UTF-8",
  ]);
});

Deno.test("writeAuditEntry() refuses a field of the wrong kind, and writes nothing", async () => {
  await using dir = await tempDir();
  const wrong = entry({ diff: 7 as unknown as string });
  const error = await assertRejects(() => writeAuditEntry(wrong, { root: dir.path }), TypeError);
  assertStringIncludes(error.message, 'field "diff"');
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("readLatestEntries() reads whole lines back to that in which the last megabyte begins", async () => {
  await using dir = await tempDir();
  const latest = (options = {}) => readLatestEntries("pipelock", "dev-1", dir.path, options);
  assertEquals(latest(), { entries: [], isCut: false });
  const justification = "x".repeat(100_000);
  for (let n = 0; n < 15; n++) {
    await writeAuditEntry(entry({ operatorNotes: `${n}`, justification }), { root: dir.path });
  }
  const all = await read(dir.path);
  assertEquals(latest(), { entries: all.slice(-11), isCut: true });
  assertEquals(latest({ maxBytes: 2_000_000 }), { entries: all, isCut: false });
  // A line longer than a megabyte hides neither itself nor those before it from who reads more.
  await writeAuditEntry(entry({ diff: "x".repeat(1_100_000) }), { root: dir.path });
  assertEquals([latest().entries.length, latest().isCut], [1, true]);
  assertEquals(latest({ maxBytes: 3_000_000 }).entries.length, 16);
});

Deno.test("readLatestEntries() reads back to the first entry from before a time", async () => {
  await using dir = await tempDir();
  const write = async (...timestamps: readonly string[]) => {
    for (const timestamp of timestamps) {
      await writeAuditEntry(entry({ timestamp }), { root: dir.path });
    }
  };
  const sinceMs = Date.parse("2026-01-02T00:00:00Z");
  const latest = () => {
    const { entries, isCut } = readLatestEntries("pipelock", "dev-1", dir.path, { sinceMs });
    return [entries.map(({ timestamp }) => timestamp), isCut];
  };
  const day = "2026-01-02T00:00:00Z";
  await write("2026-01-01T00:00:00Z");
  assertEquals(latest(), [[], false]);
  await write(day, day, "at some time");
  assertEquals(latest(), [[day, day, "at some time"], false]);
});
