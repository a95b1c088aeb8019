/**
 * A change with a high mark is approved with a word more: the bottle's slug, typed by whoever decides.
 *
 * @module
 */

import { type Inspection, type Mark, marksFor, type Verdict } from "../mod.ts";

/** How many marks an error names. */
const MOST_NAMED = 3;

/** Thrown if a decision would let something in that has a high mark, and nobody confirmed it. */
export class UnconfirmedError extends Error {
  override name = "UnconfirmedError";
}

/**
 * The high marks of what a verdict would let in: of the file that would be answered, which need not be
 * the proposed one.
 *
 * @param inspection The proposal beside the file in force, as they were shown.
 * @param verdict The verdict.
 * @returns The marks; none for a rejection, which lets nothing in.
 */
export function marksToConfirm(inspection: Inspection, verdict: Verdict): readonly Mark[] {
  if (verdict.status === "rejected") return [];
  const { proposal: { tool }, currentFile, marks } = inspection;
  const final = verdict.status === "approved"
    ? marks
    : marksFor(tool, currentFile, verdict.finalFile);
  return final.filter(({ severity }) => severity === "high");
}

/**
 * Refuses a decision that wants a word more and did not get it.
 *
 * @param inspection The proposal beside the file in force, as they were shown.
 * @param verdict The verdict.
 * @param slug What was typed as the bottle's slug, if anything was.
 * @throws {UnconfirmedError} If there is a high mark, and that is not the bottle's slug.
 */
export function refuseUnconfirmed(
  inspection: Inspection,
  verdict: Verdict,
  slug: string | undefined,
): void {
  const { bottleSlug, id } = inspection.proposal;
  const marks = marksToConfirm(inspection, verdict);
  if (marks.length === 0 || slug === bottleSlug) return;
  const named = marks.slice(0, MOST_NAMED)
    .map(({ rule, side, line }) => `${rule} on ${side === "old" ? "old " : ""}line ${line}`);
  const more = marks.length > MOST_NAMED ? `, and ${marks.length - MOST_NAMED} more` : "";
  const what = slug === undefined
    ? "nobody confirmed them"
    : `${JSON.stringify(slug)} is not its bottle`;
  throw new UnconfirmedError(
    `Cannot answer proposal ${id}: it has high marks (${named.join(", ")}${more}) and ${what}; ` +
      `look at them, then confirm with the bottle's slug, --confirm ${bottleSlug}`,
  );
}
