/**
 * Carries what an operator saw over onto the file that is in force by now: a decision is on a change.
 *
 * @module
 */

import { compareAfter } from "../config/compare.ts";
import { mergeChange } from "../config/merge.ts";
import { knownFile } from "../host/config_files.ts";
import type { Mark } from "../records/mark.ts";
import type { DecisionDraft } from "../records/obstacle.ts";
import { TEXT_OF_NO_FILE } from "../records/proposal.ts";
import type { Comparison, ReachItem } from "../records/reach.ts";
import { sha256Hex } from "../text/hash.ts";
import { assessProposal } from "./assess.ts";
import { diffAgainst, type Inspection } from "./inspect.ts";

/** What an operator saw of a proposal. */
export type Shown = Pick<
  DecisionDraft,
  "verdict" | "proposalSha256" | "currentSha256" | "finalSha256"
>;

/**
 * The look that an operator would have now, if the file in force moved since they looked and the change that
 * they saw merges onto it: with no item in it, and no mark above low, that they did not see. `undefined` if they have
 * to look again: it does not merge, it would let in something else, a copy is missing, or they decide on a version of
 * their own.
 */
function carryShown(
  root: string,
  inspection: Inspection,
  shown: Shown,
): Inspection | undefined {
  const { proposal, currentFile, currentSha256 } = inspection;
  const { bottleSlug, tool } = proposal;
  const { verdict, finalSha256, currentSha256: seen = currentSha256 } = shown;
  if (seen === currentSha256 || verdict.status !== "approved" || currentFile === null) {
    return undefined;
  }
  const then = seen === "" ? null : knownFile(bottleSlug, seen, root);
  if (then === undefined || (then !== null && sha256Hex(then) !== seen)) return undefined;
  const before = assessProposal(proposal, { currentFile: then, currentSha256: seen }, root);
  if (before.finalSha256 !== (finalSha256 ?? sha256Hex(proposal.proposedFile))) return undefined;
  const wanted = before.merged ?? proposal.proposedFile;
  const result = wanted === currentFile
    ? { merged: wanted }
    : mergeChange(tool, then ?? TEXT_OF_NO_FILE[tool], currentFile, wanted);
  if (!("merged" in result)) return undefined;
  const { merged } = result;
  // If the agent says what it started from, that is what its change is, whatever an operator compared it with.
  const isFromShown = proposal.currentFileHash === "";
  if (!isFromShown && sha256Hex(merged) !== inspection.finalSha256) return undefined;
  const now = merged === currentFile ? NOTHING : compareAfter(() => [], tool, currentFile, merged);
  if (!isWithin(now, before)) return undefined;
  const carried = { ...inspection, ...now, merged, finalSha256: sha256Hex(merged), problems: [] };
  return { ...carried, diff: diffAgainst(inspection, merged) };
}

/** The look and the draft of a decision, carried over if the file in force moved, else as they are. */
export function carryDraft<D extends Shown>(
  root: string,
  inspection: Inspection,
  draft: D,
): { readonly inspection: Inspection; readonly draft: D } {
  const carried = carryShown(root, inspection, draft);
  if (carried === undefined) return { inspection, draft };
  const { currentSha256, finalSha256 } = carried;
  return { inspection: carried, draft: { ...draft, currentSha256, finalSha256 } };
}

const NOTHING: Comparison = {
  reach: "no-new-reach",
  isWhole: true,
  added: [],
  removed: [],
  marks: [],
};

/** Whether one comparison has no item, and no mark above low, that the other has not, and is no less sure. */
function isWithin(now: Comparison, then: Comparison): boolean {
  const [marks, items] = [new Set(then.marks.map(markKey)), new Set(then.added.map(itemKey))];
  const gone = new Set(then.removed.map(itemKey));
  return now.reach !== "unknown" && then.reach !== "unknown" &&
    // What an instruction does depends on all before it: of a file that is not known whole, no list says that.
    now.isWhole && then.isWhole &&
    // With the file its marks become milder; a new item has a low one at least, and each was seen.
    now.marks.every((mark) => mark.severity === "low" || marks.has(markKey(mark))) &&
    now.added.every((item) => items.has(itemKey(item))) &&
    now.removed.every((item) => gone.has(itemKey(item)));
}

/** A mark without its line, which moves. */
const markKey = ({ severity, rule, message, side }: Mark) =>
  JSON.stringify([severity, rule, message, side]);

const itemKey = ({ kind, value }: ReachItem) => `${kind} ${value}`;
