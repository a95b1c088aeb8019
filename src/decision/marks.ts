/**
 * The marks of all pending proposals, for a list that shows at a glance what is odd.
 *
 * @module
 */

import { marksFor } from "../config/marks.ts";
import { type FileInForce, readFileInForce } from "../host/config_files.ts";
import type { PendingProposal } from "../queue/files.ts";
import type { Mark } from "../records/mark.ts";

/**
 * How much of one bottle is judged in one look, in characters of proposed files and of the files in
 * force that they are compared with: a few seconds of work at most, whatever fills a queue.
 */
export const MAX_JUDGED_CHARS = 8 * 1024 * 1024;

/** The marks of an entry, compared with which file in force. */
interface Judged {
  readonly currentSha256: string;
  readonly marks: readonly Mark[];
}

/** A queue's view gives the same entry as long as its file is the same: a later look judges what is new. */
const judged = new WeakMap<PendingProposal, Judged>();

/** One bottle in one look: its files in force, each read once, and how much may still be judged. */
interface BottleLook {
  readonly files: Map<string, FileInForce | undefined>;
  charsLeft: number;
}

/**
 * Judges many pending proposals, each as `inspectProposal` judges one. Reads each file in force once,
 * and makes no diff. One look judges {@linkcode MAX_JUDGED_CHARS} of each bottle, in the order given, and
 * the next look goes on where it stopped.
 *
 * @returns The marks of each, the most severe first. An entry is missing if it was not judged: too much
 * is pending, or the file in force cannot be read.
 */
export function marksOfPending(
  pending: readonly PendingProposal[],
  root: string,
): ReadonlyMap<PendingProposal, readonly Mark[]> {
  const marks = new Map<PendingProposal, readonly Mark[]>();
  const bottles = new Map<string, BottleLook>();
  for (const entry of pending) {
    const { bottleSlug, tool, proposedFile } = entry.proposal;
    const bottle = bottles.get(bottleSlug) ?? { files: new Map(), charsLeft: MAX_JUDGED_CHARS };
    bottles.set(bottleSlug, bottle);
    if (!bottle.files.has(tool)) bottle.files.set(tool, readOrNot(entry, root));
    const inForce = bottle.files.get(tool);
    if (inForce === undefined) continue;
    const { currentFile, currentSha256 } = inForce;
    let known = judged.get(entry);
    if (known === undefined || known.currentSha256 !== currentSha256) {
      const chars = proposedFile.length + (currentFile?.length ?? 0);
      if (chars > bottle.charsLeft) continue;
      bottle.charsLeft -= chars;
      known = { currentSha256, marks: marksFor(tool, currentFile, proposedFile) };
      judged.set(entry, known);
    }
    marks.set(entry, known.marks);
  }
  return marks;
}

/** A file in force that cannot be read must not hide the marks of other bottles. */
function readOrNot({ proposal }: PendingProposal, root: string): FileInForce | undefined {
  try {
    return readFileInForce(proposal.tool, proposal.bottleSlug, root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}
