/**
 * What a program was told is done, and is not there.
 *
 * @module
 */

import { entryOf, type Receipt as Line } from "./append_program.ts";
import type { Disk } from "./disk.ts";
import { problemsOfDecision } from "./invariants.ts";
import type { Receipt } from "./power_program.ts";

/**
 * Looks for everything that was acknowledged before a power cut.
 *
 * @param disk The root, after it.
 * @param receipts What was acknowledged.
 * @returns What is not there, or not as it was.
 */
export function problemsOfLoss(disk: Disk, receipts: readonly Receipt[]): string[] {
  const notes = new Set(disk.lines.map((line) => line.operator_notes));
  return receipts.flatMap((receipt) => {
    switch (receipt.kind) {
      case "proposal":
        return disk.proposals.get(receipt.id)?.proposed_file === receipt.file
          ? []
          : [`the acknowledged proposal ${receipt.id} is not there`];
      case "decision":
        return problemsOfDecision(disk, receipt.decision).map((problem) =>
          `acknowledged: ${problem}`
        );
      case "line":
        return notes.has(receipt.notes)
          ? []
          : [`the acknowledged line "${receipt.notes}" is not there`];
      case "unsynced":
        return [];
    }
  });
}

/**
 * Looks for every line that was acknowledged to a writer.
 *
 * @param disk The root.
 * @param lines What was acknowledged.
 * @returns Those that are there, whole, with all that was written into them.
 */
export function linesFound(disk: Disk, lines: readonly Line[]): readonly Line[] {
  const there = new Map(disk.lines.map((line) => [line.operator_notes, line]));
  return lines.filter(({ name, n, bytes }) => {
    const { operatorNotes, justification } = entryOf(name, n, bytes);
    return there.get(operatorNotes)?.justification === justification;
  });
}
