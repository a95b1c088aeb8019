import { findDecided, readHistory } from "../../internal_mod.ts";
import { decide, inspectProposal, readAuditEntries, writeAuditEntry } from "../../mod.ts";
import { linesFromEnd, linesOf } from "../../src/log/chain.ts";
import { FOREIGN_LINE, makeLog, sampleEntry } from "../support/audit.ts";
import { holds } from "../support/properties.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** As much as is read at once. */
const CHUNK = 64 * 1024;

Deno.test("linesFromEnd() gives the lines that linesOf() gives, the last one first, for any bytes", async () => {
  const decoder = new TextDecoder("latin1");
  // Around the places where one chunk ends and the next begins, and anywhere.
  const place = fc.oneof(
    fc.tuple(fc.constantFrom(0, 1, 2), fc.integer({ min: -3, max: 3 }))
      .map(([chunks, near]) => chunks * CHUNK + near),
    fc.integer({ min: 0, max: 3 * CHUNK }),
  );
  await holds(
    fc.property(place, fc.array(place, { maxLength: 8 }), (size, fromEnd) => {
      const bytes = new Uint8Array(Math.max(0, size)).fill(0x61);
      for (const at of fromEnd) if (at > 0 && at <= bytes.length) bytes[bytes.length - at] = 0x0a;
      const forwards = Array.from(linesOf([bytes]), (line) => decoder.decode(line));
      const backwards = Array.from(
        linesFromEnd((start, end) => bytes.slice(start, end), bytes.length),
        (line) => decoder.decode(line),
      );
      assertEquals(backwards.reverse(), forwards);
    }),
  );
});

Deno.test("linesFromEnd() reads as much as it gives, and not the whole log", () => {
  const bytes = new TextEncoder().encode(`${"a".repeat(999)}\n`.repeat(10_000));
  let read = 0;
  const lines = linesFromEnd((start, end) => {
    read += end - start;
    return bytes.slice(start, end);
  }, bytes.length);
  for (let n = 0; n < 100; n++) lines.next();
  assert(read <= 100_000 + CHUNK, `${read} bytes were read`);
});

function at(time: string, operatorNotes: string, more: Parameters<typeof sampleEntry>[0] = {}) {
  return sampleEntry({ timestamp: `2026-11-22T${time}Z`, operatorNotes, ...more });
}

const LOGS = [{ component: "pipelock", slug: "dev-1" }, { component: "rebuild", slug: "dev-2" }];

function notesIn(dir: TempDir, newestFirst: boolean): string[] {
  const entries = readHistory(LOGS, { root: dir.path, newestFirst });
  return Array.from(entries, ({ operatorNotes }) => operatorNotes);
}

Deno.test("readHistory() merges logs by time from either end, and keeps the order of each log", async () => {
  await using dir = await tempDir();
  const other = { component: "rebuild", bottleSlug: "dev-2" };
  for (
    const entry of [
      at("10:00:00", "a1"),
      at("10:00:05", "b1", other),
      at("10:00:10", "a2"),
      // The clock was put back: the chain, not the clock, says which came first.
      at("09:00:00", "a3"),
      at("10:00:20.5", "b2", other),
      at("10:00:20.25", "a4"),
    ]
  ) await writeAuditEntry(entry, { root: dir.path });
  assertEquals(notesIn(dir, true), ["b2", "a4", "b1", "a3", "a2", "a1"]);
  assertEquals(notesIn(dir, false), ["a1", "b1", "a2", "a3", "a4", "b2"]);
});

Deno.test("readHistory() passes over broken and blank lines, and reads a last line without an LF", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  await log.add(`nonsense\n\n${FOREIGN_LINE}${FOREIGN_LINE.trimEnd()}`);
  for (const newestFirst of [true, false]) {
    let broken = 0;
    const options = { root: dir.path, newestFirst, onBroken: () => broken++ };
    const notes = Array.from(readHistory(LOGS, options), ({ operatorNotes }) => operatorNotes);
    assertEquals(newestFirst ? notes.reverse() : notes, ["one", "by hand", "by hand"]);
    assertEquals(broken, 1);
  }
});

Deno.test("findDecided() finds decisions alone, by the whole id or its beginning, without the queue", async () => {
  await using dir = await tempDir();
  for (const id of ["abc1", "abc12", "abd"]) {
    const { bottleSlug, proposalId } = await queueSample(dir.path, { id });
    const ref = { root: dir.path, bottleSlug, proposalId };
    const verdict = { status: "approved" } as const;
    await decide({ ...await inspectProposal(ref), ...ref, verdict, notes: "", operator: "a@b" });
  }
  await queueSample(dir.path, { id: "abe" });
  await Deno.remove(dir.at("queue"), { recursive: true });
  const found = (prefix: string) =>
    findDecided(prefix, LOGS, dir.path).map(({ proposalId }) => proposalId);
  assertEquals(found("ab"), ["abd", "abc12", "abc1"]);
  assertEquals(found("abc"), ["abc12", "abc1"]);
  assertEquals(found("abc1"), ["abc1"]);
  assertEquals(found("abe"), []);
  // A line that is no decision, and one that is superseded, are not found by the whole id.
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  await writeAuditEntry({ ...entry!, operatorAction: "superseded" }, { root: dir.path });
  await writeAuditEntry(sampleEntry({ operatorAction: "operator-edit", proposalId: "abz" }), {
    root: dir.path,
  });
  assertEquals([found("abc1"), found("abz")], [["abc12", "abc1"], []]);
});
