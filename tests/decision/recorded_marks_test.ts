import {
  type AuditEntry,
  decide,
  type DecideRequest,
  inspectProposal,
  marksFor,
  readAuditEntries,
  verifyAuditLog,
  writeAuditEntry,
  writeResponse,
} from "../../mod.ts";
import { MAX_MARKS } from "../../read_mod.ts";
import { sampleEntry } from "../support/audit.ts";
import { python, PYTHON_MISSING } from "../support/python.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

const WILDCARD = "*.example.com\n";

/** Decides what is in the queue as `p1`, as an operator who saw it. */
async function decideIt(dir: TempDir, more: Partial<DecideRequest>): Promise<AuditEntry> {
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  const { proposalSha256, currentSha256 } = await inspectProposal(ref);
  const said = { verdict: { status: "approved" }, notes: "n", operator: "ada@host" } as const;
  await decide({ ...ref, proposalSha256, currentSha256, ...said, ...more });
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  return entry!;
}

// Threat: L10
Deno.test("decide() records the marks of what it decides, and what the operator confirmed", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILDCARD });
  const { marks, confirmed, ifUnmarked } = await decideIt(dir, { confirmedSlug: "dev-1" });
  assertEquals(marks, marksFor("pipelock-block", null, WILDCARD));
  assertEquals(marks?.map(({ rule }) => rule), ["wildcard-host"]);
  assertEquals([confirmed, ifUnmarked], [["high-marks"], undefined]);

  const { path, found } = await logOf(dir);
  assertEquals([found.ok, found.signatures], [true, 1]);
  // The signature covers both.
  const text = await Deno.readTextFile(path);
  for (const [from, to] of [['"severity":"high"', '"severity":"low"'], ["high-marks", "stale"]]) {
    await Deno.writeTextFile(path, text.replace(from!, to!));
    assertEquals((await logOf(dir)).found.firstError, "line 1: its signature does not fit");
  }
});

async function logOf(dir: TempDir) {
  const found = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  return { path: dir.at("audit", "pipelock-dev-1.log"), found };
}

Deno.test("decide() records the marks of the operator's version, not of the agent's", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILDCARD });
  const finalFile = "xn--nxasmq6b.example\n";
  const verdict = { status: "modified", finalFile } as const;
  const { marks, confirmed } = await decideIt(dir, { verdict, confirmedSlug: "dev-1" });
  assertEquals(marks, marksFor("pipelock-block", null, finalFile));
  assertEquals([marks?.[0]?.rule, confirmed], ["punycode-host", ["high-marks"]]);
});

Deno.test("decide() records the marks of what was rejected, and no confirmation of what nobody asked", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILDCARD });
  const verdict = { status: "rejected" } as const;
  const entry = await decideIt(dir, { verdict, confirmedSlug: "dev-1", allowStale: true });
  assertEquals(entry.marks?.map(({ rule }) => rule), ["wildcard-host"]);
  assertEquals("confirmed" in entry, false);
});

Deno.test("decide() records each confirmation that it needed, and that no person had to look", async () => {
  await using dir = await tempDir();
  const currentFileHash = "0".repeat(64);
  const { queueDir } = await queueSample(dir.path, { id: "p1", currentFileHash });
  const planted = { proposalId: "p1", status: "approved", notes: "", finalFile: "x" } as const;
  await writeResponse(queueDir, planted);
  const { confirmed } = await decideIt(dir, { allowStale: true, overrideUnrecorded: true });
  assertEquals(confirmed, ["stale", "unrecorded-response"]);

  await using other = await tempDir();
  await queueSample(other.path, { id: "p1", proposedFile: "# a\n" });
  const { marks, ifUnmarked, ...more } = await decideIt(other, { ifUnmarked: true });
  assertEquals([marks, ifUnmarked, "confirmed" in more], [[], true, false]);
});

Deno.test("decide() keeps the most severe marks, a count of the others, and the beginning of a long one", async () => {
  await using dir = await tempDir();
  const label = "a".repeat(60);
  const hosts = Array.from({ length: 80 }, (_, n) => `*.h${n}.${label}.${label}.${label}.com\n`);
  await queueSample(dir.path, { id: "p1", proposedFile: `${hosts.join("")}` });
  const { marks } = await decideIt(dir, { confirmedSlug: "dev-1" });
  assertEquals(marks?.length, MAX_MARKS + 1);
  assertEquals(marks?.at(-1)?.message, "30 more marks are not shown");
  const { message } = marks![0]!;
  assertEquals([message.length, message.endsWith("...")], [403, true]);
});

Deno.test("an entry with marks or confirmations of another kind has none", async () => {
  await using dir = await tempDir();
  const [mark] = marksFor("pipelock-block", null, WILDCARD);
  const path = await writeAuditEntry(sampleEntry({ marks: [mark!] }), { root: dir.path });
  const line = await Deno.readTextFile(path);
  const read = async (from: string, to: string) => {
    await Deno.writeTextFile(path, line.replace(from, to));
    return (await readAuditEntries("pipelock", "dev-1", { root: dir.path }))[0];
  };
  assertEquals((await read("", ""))?.marks, [mark!]);
  for (
    const [from, to] of [
      ['"severity":"high"', '"severity":"none"'],
      ['"side":"new"', '"side":"newer"'],
      ['"line":1', '"line":-1'],
      ['"line":1', '"line":"1"'],
      ['"rule":"wildcard-host",', ""],
      ['"marks":[', `"marks":[${"0,".repeat(100)}`],
      ['"marks":[', '"marks":"x","more":['],
    ] as const
  ) {
    assert(line.includes(from), from);
    const entry = await read(from, to);
    assertEquals([entry?.proposalId, entry?.marks], ["p1", undefined], to);
  }
  const entry = await read('"marks":', '"confirmed":["all"],"if_unmarked":"yes","marks":');
  assertEquals([entry?.confirmed, entry?.ifUnmarked], [undefined, undefined]);
});

Deno.test("writeAuditEntry() refuses marks of another kind", async () => {
  await using dir = await tempDir();
  // deno-lint-ignore no-explicit-any
  const entry = sampleEntry({ marks: [{ severity: "high" }] as any });
  await assertRejects(() => writeAuditEntry(entry, { root: dir.path }), TypeError, '"marks"');
});

Deno.test("a Python reader passes over the marks, and reads the original's seven fields", {
  ignore: PYTHON_MISSING,
}, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: WILDCARD });
  const entry = await decideIt(dir, { confirmedSlug: "dev-1" });
  // As the Python original's read_audit_entries() does.
  const program = `
import json, sys
FIELDS = ("timestamp", "bottle_slug", "component", "operator_action", "operator_notes",
          "justification", "diff")
for line in open(sys.argv[1]):
    raw = json.loads(line.strip())
    assert isinstance(raw, dict) and all(isinstance(raw.get(name), str) for name in FIELDS)
    print(json.dumps({name: raw[name] for name in FIELDS}))
`;
  const { code, out, err } = await python(program, [(await logOf(dir)).path]);
  assertEquals([code, err], [0, ""]);
  assertEquals(JSON.parse(out), {
    timestamp: entry.timestamp,
    bottle_slug: "dev-1",
    component: "pipelock",
    operator_action: "approved",
    operator_notes: "n",
    justification: entry.justification,
    diff: entry.diff,
  });
});
