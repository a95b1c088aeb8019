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

Deno.test("readLatestEntries() reads whole lines of the last megabyte, and nothing before", async () => {
  await using dir = await tempDir();
  assertEquals(readLatestEntries("pipelock", "dev-1", dir.path), []);
  const justification = "x".repeat(100_000);
  for (let n = 0; n < 15; n++) {
    await writeAuditEntry(entry({ operatorNotes: `${n}`, justification }), { root: dir.path });
  }
  const all = await read(dir.path);
  const latest = readLatestEntries("pipelock", "dev-1", dir.path);
  assertEquals(latest, all.slice(-10));
});

Deno.test("readLatestEntries() reads less if that reaches back far enough, and never less than that", async () => {
  await using dir = await tempDir();
  const justification = "x".repeat(10_000);
  const write = async (count: number, timestamp: string) => {
    for (let n = 0; n < count; n++) {
      await writeAuditEntry(entry({ timestamp, justification }), { root: dir.path });
    }
  };
  const since = Date.parse("2026-01-02T00:00:00Z");
  const latest = () => readLatestEntries("pipelock", "dev-1", dir.path, since).length;
  await write(3, "2026-01-01T00:00:00Z");
  assertEquals(latest(), 3);
  await write(17, "2026-01-01T00:00:00Z");
  assertEquals(latest(), 6);
  await write(5, "2026-01-02T00:00:00Z");
  assertEquals(latest(), 6);
  await write(1, "2026-01-02T00:00:00Z");
  assertEquals(latest(), 26);
  await write(1, "at some time");
  assertEquals(latest(), 27);
});
