import { hintsOfPending, openHintView, readOverview } from "../../read_mod.ts";
import { decide, sha256Hex, writeAuditEntry } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";

const IN_FORCE = "api.example.com\n";

async function inForce(dir: TempDir, file = IN_FORCE): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), file);
}

async function reject(dir: TempDir, id: string, proposedFile: string): Promise<void> {
  const { proposalSha256 } = await queueSample(dir.path, { id, proposedFile });
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: id,
    proposalSha256,
    verdict: { status: "rejected" },
    notes: "No.",
    operator: "ada@host",
  });
}

function hints(dir: TempDir, nowMs = Date.now()) {
  const { pending } = readOverview({ root: dir.path });
  const found = hintsOfPending(pending, dir.path, nowMs);
  return Object.fromEntries(pending.map((entry) => [entry.proposal.id, found.get(entry)!]));
}

for (
  const [what, rejected, asked, expected] of [
    ["the same file", "*.example.net\n", "*.example.net\n", true],
    ["the same lines in another order", "b.example\na.example\n", "a.example\nb.example\n", true],
    ["the same lines, with blanks and brackets", "a.example\n", "\n  a.example\n}\n", true],
    ["the same host and a comment", "a.example\n", "# please\na.example\n", false],
    ["a part of what was rejected", "a.example\nb.example\n", "b.example\n", false],
    ["something else", "a.example\n", "b.example\n", undefined],
    ["one line of three", "a.example\n", "a.example\nb.example\nc.example\n", undefined],
  ] as const
) {
  const says = expected === undefined ? "nothing" : expected ? "the same" : "nearly the same";
  Deno.test(`hintsOfPending() says ${says} was rejected before: ${what}`, async () => {
    await using dir = await tempDir();
    await inForce(dir);
    await reject(dir, "old", IN_FORCE + rejected);
    await queueSample(dir.path, { id: "p1", proposedFile: IN_FORCE + asked });
    await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2", proposedFile: IN_FORCE + asked });
    const { p1, p2 } = hints(dir);
    assertEquals([p1?.decided, p1?.rejected, p1?.rejectedBefore?.exact], [1, 1, expected]);
    // What another bottle was refused says nothing.
    assertEquals(p2, { stale: false, decided: 0, rejected: 0 });
  });
}

Deno.test("hintsOfPending() names the last of several rejections, and none that is a day old", async () => {
  await using dir = await tempDir();
  const day = 24 * 3_600_000;
  const nowMs = Date.parse("2026-06-02T12:00:00Z");
  const rejection = {
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorNotes: "No.",
    justification: "",
    diff: "--- a\n+++ b\n@@ -0,0 +1 @@\n+a.example\n",
  };
  const at = (ms: number) => new Date(nowMs - ms).toISOString();
  const log = async (ms: number, operatorAction: string) =>
    await writeAuditEntry({ ...rejection, timestamp: at(ms), operatorAction }, { root: dir.path });
  await log(day, "rejected");
  await queueSample(dir.path, { id: "p1", proposedFile: "a.example\n" });
  assertEquals(hints(dir, nowMs).p1, { stale: false, decided: 0, rejected: 0 });
  await log(day - 1, "rejected");
  await log(60_000, "rejected");
  await log(50_000, "approved");
  await log(40_000, "operator-edit"); // No decision on a proposal.
  assertEquals(hints(dir, nowMs).p1, {
    stale: false,
    decided: 3,
    rejected: 2,
    rejectedBefore: { timestamp: at(60_000), exact: true },
  });
});

Deno.test("hintsOfPending() calls a proposal stale as inspectProposal() does", async () => {
  await using dir = await tempDir();
  await inForce(dir);
  const hashes = { p1: sha256Hex(IN_FORCE), p2: sha256Hex("other"), p3: "" };
  for (const [id, currentFileHash] of Object.entries(hashes)) {
    await queueSample(dir.path, { id, currentFileHash });
  }
  const stale = () => Object.values(hints(dir)).map(({ stale }) => stale);
  assertEquals(stale(), [false, true, false]);
  await inForce(dir, "other");
  assertEquals(stale(), [true, false, false]);
});

Deno.test("hintsOfPending() says nothing of a log or a file that cannot be read", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1", "allowlist"), { recursive: true });
  await Deno.mkdir(dir.at("audit", "pipelock-dev-1.log"), { recursive: true });
  await queueSample(dir.path, { id: "p1", currentFileHash: "0".repeat(64) });
  assertEquals(hints(dir).p1, { stale: false, decided: 0, rejected: 0, isPartial: true });
});

// Threat: A5
Deno.test("hintsOfPending() knows what was decided before a large file was rejected", async () => {
  await using dir = await tempDir();
  await inForce(dir);
  const asked = IN_FORCE + "*.example.net\n";
  for (const id of ["old1", "old2", "old3"]) await reject(dir, id, asked);
  await reject(dir, "large", `# ${"x".repeat(54)}\n`.repeat(18_000));
  await queueSample(dir.path, { id: "p1", proposedFile: asked });
  const { p1 } = hints(dir);
  assertEquals([p1?.decided, p1?.rejected, p1?.rejectedBefore?.exact], [4, 4, true]);
  assertEquals(p1?.isPartial, undefined);
});

// Threat: A5
Deno.test("hintsOfPending() says what is not known: of more rejections, and of a longer log, than it compares", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "a.example\n" });
  const log = async (line: string) =>
    await writeAuditEntry({
      ...{ bottleSlug: "dev-1", component: "pipelock", operatorNotes: "No.", justification: "" },
      timestamp: new Date().toISOString(),
      operatorAction: "rejected",
      diff: `--- a\n+++ b\n@@ -0,0 +1 @@\n+${line}\n`,
    }, { root: dir.path });
  await log("a.example");
  for (let n = 0; n < 19; n++) await log(`b${n}.example`);
  assertEquals(hints(dir).p1?.rejectedBefore?.exact, true);
  await log("b19.example");
  const said = { stale: false, decided: 21, rejected: 21 };
  assertEquals(hints(dir).p1, { ...said, isPartial: true });
  // Behind these lines the others are not looked at.
  for (let n = 0; n < 2; n++) await log("x".repeat(5_000_000));
  assertEquals(hints(dir).p1, { stale: false, decided: 2, rejected: 2, isPartial: true });
  // In a day nothing is left that is not known.
  assertEquals(hints(dir, Date.now() + 25 * 3_600_000).p1?.isPartial, undefined);
});

// Threat: A5, B12
Deno.test("hintsOfPending() compares small files though a bottle's large ones are too many", async () => {
  await using dir = await tempDir();
  const asked = IN_FORCE + "*.example.net\n";
  await inForce(dir);
  await reject(dir, "old", asked);
  for (const id of ["p1", "p2"]) {
    await queueSample(dir.path, { id, proposedFile: `#${"x".repeat(1_048_574)}\n` });
  }
  await queueSample(dir.path, { id: "p3", proposedFile: asked });
  const { pending } = readOverview({ root: dir.path });
  const view = openHintView(dir.path, Date.now());
  const said = { stale: false, decided: 1, rejected: 1 };
  const [p1, p2, p3] = pending.map(view);
  assertEquals([p1, p2], [said, { ...said, isPartial: true }]);
  assertEquals(p3?.rejectedBefore?.exact, true);
});

// Threat: B12
Deno.test("hintsOfPending() compares so much of a bottle in one look, and goes on in the next", async () => {
  await using dir = await tempDir();
  await inForce(dir);
  const large = Array.from({ length: 50_000 }, (_, n) => `# line ${n}\n`).join("");
  await reject(dir, "old", IN_FORCE + large);
  for (const id of ["p1", "p2", "p3"]) {
    await queueSample(dir.path, { id, proposedFile: IN_FORCE + large });
  }
  const { pending } = readOverview({ root: dir.path });
  const look = () => {
    const found = hintsOfPending(pending, dir.path, Date.now());
    return pending.map((entry) => {
      const { rejectedBefore, isPartial } = found.get(entry)!;
      return isPartial ? "not compared" : rejectedBefore?.exact;
    });
  };
  assertEquals(look(), [true, "not compared", "not compared"]);
  assertEquals(look(), [true, true, "not compared"]);
  assertEquals(look(), [true, true, true]);
});
