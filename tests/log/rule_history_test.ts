import type { AuditEntry } from "../../mod.ts";
import { readRuleHistory } from "../../src/log/rule_history.ts";
import { encodeAuditEntry } from "../../src/records/codec.ts";
import { sampleEntry } from "../support/audit.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

const diffOf = (...lines: readonly string[]) =>
  ["--- a", "+++ b", "@@ -1 +1 @@", ...lines, ""].join("\n");

/** What a rule decided. */
const byRule = (change: Partial<AuditEntry>): AuditEntry =>
  sampleEntry({
    timestamp: new Date().toISOString(),
    operator: "rule:r",
    rules: ["r"],
    policySha256: "now",
    ...change,
  });

const APPROVED = byRule({ diff: diffOf("+a.example") });

const REJECTED = byRule({ operatorAction: "rejected", diff: diffOf("+b.example") });

const byPerson = (...lines: readonly string[]) =>
  sampleEntry({ timestamp: new Date().toISOString(), diff: diffOf(...lines) });

async function add(dir: TempDir, ...entries: readonly AuditEntry[]): Promise<void> {
  await Deno.mkdir(dir.at("audit"), { recursive: true });
  const text = entries.map((entry) => `${encodeAuditEntry(entry)}\n`).join("");
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), text, { append: true });
}

async function read({ path }: TempDir) {
  const { approvals, reverted } = await readRuleHistory(path, "now");
  return { approvals: approvals.length, reverted: reverted.get("r") ?? 0 };
}

// Threat: L14
Deno.test("readRuleHistory() finds line by line what it finds in the whole log at once", async () => {
  await using dir = await tempDir();
  const entries = [
    byPerson("-a.example", "+b.example"),
    byRule({ diff: diffOf("+a.example"), timestamp: "2026-11-01T10:00:00Z" }),
    byRule({
      diff: diffOf("+old.example"),
      policySha256: "before",
      timestamp: new Date(Date.now() - 7_200_000).toISOString(),
    }),
    byPerson("-old.example"),
    APPROVED,
    REJECTED,
    byPerson("-other.example"),
    APPROVED,
    byPerson("-a.example"),
    byPerson("-a.example"),
    REJECTED,
    byPerson("+b.example"),
    APPROVED,
  ];
  for (const [n, entry] of entries.entries()) {
    await add(dir, entry);
    await using whole = await tempDir();
    await add(whole, ...entries.slice(0, n + 1));
    assertEquals(await read(dir), await read(whole), `after ${n + 1} entries`);
  }
  assertEquals(await read(dir), { approvals: 4, reverted: 4 });
});

Deno.test("readRuleHistory() reads a log that was replaced, and one whose last line was torn", async () => {
  await using dir = await tempDir();
  await add(dir, APPROVED, APPROVED);
  assertEquals((await read(dir)).approvals, 2);
  const log = dir.at("audit", "pipelock-dev-1.log");
  const line = `${encodeAuditEntry(APPROVED)}\n`;
  await Deno.writeTextFile(log, line.slice(0, 40), { append: true });
  assertEquals((await read(dir)).approvals, 2);
  await Deno.writeTextFile(log, line.slice(40), { append: true });
  assertEquals((await read(dir)).approvals, 3);
  await Deno.writeTextFile(`${log}.new`, line);
  await Deno.rename(`${log}.new`, log);
  assertEquals((await read(dir)).approvals, 1);
});

/** What this thread has read: other tests run in others. */
const bytesRead = () =>
  Number(Deno.readTextFileSync("/proc/thread-self/io").match(/^rchar: (\d+)$/m)![1]);

Deno.test("readRuleHistory() reads of a long log what is new since the last time", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using dir = await tempDir();
  const long = byRule({ operatorAction: "rejected", diff: diffOf(`+${"a".repeat(8_000_000)}`) });
  await add(dir, long, APPROVED);
  await read(dir);
  await add(dir, APPROVED);
  const before = bytesRead();
  assertEquals((await read(dir)).approvals, 2);
  assert(bytesRead() - before < 100_000);
});

// Threat: L14
Deno.test("readRuleHistory() finds the revert of a decision whose lines are too many to remember", async () => {
  await using dir = await tempDir();
  const many = byRule({ operatorAction: "rejected", diff: diffOf("+c\n".repeat(250_000)) });
  await add(dir, APPROVED, many);
  assertEquals((await read(dir)).reverted, 0);
  await add(dir, byPerson("-a.example"));
  assertEquals((await read(dir)).reverted, 1);
});
