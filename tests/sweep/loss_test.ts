import { entryOf } from "./append_program.ts";
import type { Disk, Fields } from "./disk.ts";
import type { Decision } from "./invariants.ts";
import { linesFound, problemsOfLoss } from "./loss.ts";
import type { Receipt } from "./power_program.ts";
import { assertEquals } from "@std/assert";

function diskWith(lines: readonly Fields[], proposals: readonly Fields[] = []): Disk {
  return {
    proposals: new Map(proposals.map((proposal) => [String(proposal.id), proposal])),
    answers: [],
    lines,
    torn: [],
    intents: [],
    changes: [],
    inForce: new Map(),
    standing: [],
    leftovers: [],
    leftoversOfSidecar: [],
    broken: [],
    others: [],
  };
}

Deno.test("linesFound() leaves out a line that is lost, cut, or mixed with another", () => {
  const lineOf = (n: number, justification: string): Fields => (
    { operator_notes: `ada ${n}`, justification }
  );
  const disk = diskWith([lineOf(1, "aaaa"), lineOf(2, "aaa"), lineOf(3, "aabb")]);
  const receipts = [0, 1, 2, 3].map((n) => ({ name: "ada", n, bytes: 4 }));
  assertEquals(linesFound(disk, receipts).map(({ n }) => n), [1]);
  assertEquals(entryOf("ada", 1, 4).justification, "aaaa");
});

const DECISION: Decision = { id: "p1", status: "rejected", notes: "no", finalFile: null };

Deno.test("problemsOfLoss() names every proposal, decision and line that is lost", () => {
  const receipts: readonly Receipt[] = [
    { kind: "proposal", id: "p1", file: "a\n" },
    { kind: "proposal", id: "p2", file: "b\n" },
    { kind: "proposal", id: "p3", file: "c\n" },
    { kind: "decision", decision: DECISION },
    { kind: "line", notes: "line 1" },
    { kind: "line", notes: "line 2" },
    { kind: "unsynced", text: "1\n" },
  ];
  const disk = diskWith([{ operator_notes: "line 1" }], [
    { id: "p1", proposed_file: "a\n" },
    { id: "p2", proposed_file: "another\n" },
  ]);
  assertEquals(problemsOfLoss(disk, receipts), [
    "the acknowledged proposal p2 is not there",
    "the acknowledged proposal p3 is not there",
    "acknowledged: 0 decisions on p1 are recorded",
    "acknowledged: p1 has 0 answers",
    'the acknowledged line "line 2" is not there',
  ]);
});
