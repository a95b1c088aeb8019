/**
 * What operators have answered before, to be offered again.
 *
 * @module
 */

import {
  type AuditEntry,
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  instantOf,
  type PendingProposal,
  readAuditEntries,
  STATUS_REJECTED,
} from "../../mod.ts";

/**
 * The notes with which a bottle's proposals of one tool were rejected, the latest first.
 *
 * Needs `--allow-read` for the root.
 *
 * @param entry A proposal of that bottle and tool.
 * @param root The root.
 * @returns The notes; none if the log cannot be read.
 */
export async function pastNotes(
  { proposal: { tool, bottleSlug } }: PendingProposal,
  root: string,
): Promise<readonly string[]> {
  const component = COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD;
  let entries: readonly AuditEntry[];
  try {
    entries = await readAuditEntries(component, bottleSlug, { root });
  } catch {
    // Whatever is wrong with the log, doctor and audit verify say it; here only notes are missing.
    return [];
  }
  return entries
    .filter(({ operatorAction }) => operatorAction === STATUS_REJECTED)
    .toSorted((a, b) => instantOf(b.timestamp) - instantOf(a.timestamp))
    .map(({ operatorNotes }) => operatorNotes)
    .filter((notes) => notes.trim() !== "");
}
