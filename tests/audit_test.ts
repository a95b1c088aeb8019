import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type AuditEntry,
  auditLogPath,
  type BrokenLine,
  readAuditEntries,
  verifyAuditLog,
  writeAuditEntry,
} from "../mod.ts";
import { appendLine } from "../src/durable.ts";
import { tempDir } from "./support/temp.ts";

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
  assertEquals(await read(dir.path), [entry(), full]);
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

Deno.test("writeAuditEntry() ends a torn last line before its own, and loses neither", async () => {
  await using dir = await tempDir();
  await writeAuditEntry(entry(), { root: dir.path });
  const path = auditLogPath("pipelock", "dev-1", dir.path);
  await Deno.writeTextFile(path, '{"timestamp": "2026', { append: true });
  await writeAuditEntry(entry({ operatorNotes: "after" }), { root: dir.path });
  const broken: BrokenLine[] = [];
  const entries = await readAuditEntries("pipelock", "dev-1", {
    root: dir.path,
    onBroken: (line) => broken.push(line),
  });
  assertEquals(entries.map(({ operatorNotes }) => operatorNotes), ["fine", "after"]);
  assertEquals(broken, [{ line: 2, reason: "it is not JSON" }]);
});

Deno.test("appendLine() cuts the log back to what it was when the write fails", async () => {
  await using dir = await tempDir();
  const path = dir.at("log");
  await appendLine(path, new TextEncoder().encode("sound\n"));
  const torn = new Proxy(new Uint8Array(10), {
    get: (target, key) => key === "subarray" ? () => "no bytes" : Reflect.get(target, key),
  });
  await assertRejects(() => appendLine(path, torn), Error);
  assertEquals(await Deno.readTextFile(path), "sound\n");
});

Deno.test("readAuditEntries() passes over broken lines, and says which and why", async () => {
  await using dir = await tempDir();
  const path = auditLogPath("pipelock", "dev-1", dir.path);
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

Deno.test("verifyAuditLog() counts foreign lines, and fails for broken ones and another bottle's", async () => {
  await using dir = await tempDir();
  const root = dir.path;
  const empty = await verifyAuditLog("pipelock", "dev-1", { root });
  assertEquals([empty.ok, empty.lines], [true, 0]);

  await writeAuditEntry(entry(), { root });
  await writeAuditEntry(entry({ operator: "ada@host" }), { root });
  const sound = await verifyAuditLog("pipelock", "dev-1", { root });
  assertEquals([sound.ok, sound.lines, sound.foreign], [true, 2, 1]);

  await writeAuditEntry(entry({ bottleSlug: "dev-2" }), { root });
  const other = await Deno.readFile(auditLogPath("pipelock", "dev-2", root));
  await Deno.writeFile(auditLogPath("pipelock", "dev-1", root), other, { append: true });
  const mixed = await verifyAuditLog("pipelock", "dev-1", { root });
  assertEquals(mixed.ok, false);
  assertEquals(mixed.broken, [{ line: 3, reason: 'it is an entry of "pipelock-dev-2"' }]);
});

Deno.test("writeAuditEntry() refuses a field of the wrong kind, and writes nothing", async () => {
  await using dir = await tempDir();
  const wrong = entry({ diff: 7 as unknown as string });
  const error = await assertRejects(() => writeAuditEntry(wrong, { root: dir.path }), TypeError);
  assertStringIncludes(error.message, 'field "diff"');
  assertEquals([...Deno.readDirSync(dir.path)], []);
});
