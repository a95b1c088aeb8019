/**
 * `approve ID...`, `modify ID`, `reject ID...`.
 *
 * @module
 */

import type { Decision, Verdict } from "../../mod.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { decideSeveral } from "../operate/batch.ts";
import { refuseContradiction, refuseIfMarked } from "../operate/confirm.ts";
import {
  decideAsShown,
  decideEdit,
  inspectAsShown,
  printDecision,
  refuseIfStale,
  type Seen,
} from "../operate/decision.ts";
import { decodeVersion, editProposal } from "../operate/editor.ts";

/** Decides as the flags say. Of the slugs that were typed, each confirms its own bottle alone. */
async function decideOne(context: Context, seen: Seen, verdict: Verdict): Promise<Decision> {
  const { notes = "", allowStale, confirm } = context.flags;
  const { bottleSlug } = seen.inspection.proposal;
  const confirmedSlug = confirm.includes(bottleSlug) ? bottleSlug : confirm[0];
  return await decideAsShown(context, seen, { verdict, notes, allowStale, confirmedSlug });
}

/** One id is told with all there is to tell, several with a line each. */
async function decideAll(
  context: Context,
  words: readonly string[],
  decideOn: (seen: Seen) => Promise<Decision>,
): Promise<number> {
  if (words.length > 1) return await decideSeveral(context, words, decideOn);
  printDecision(context, await decideOn(await inspectAsShown(context, words)));
  return 0;
}

/**
 * Approves proposals as they are.
 *
 * @param context The context.
 * @param words The ids.
 * @returns The exit code.
 */
export async function approve(context: Context, words: readonly string[]): Promise<number> {
  refuseContradiction(context.flags);
  return await decideAll(context, words, async (seen) => {
    if (context.flags.ifUnmarked) refuseIfMarked(seen.inspection);
    refuseIfStale(context, seen.inspection);
    return await decideOne(context, seen, { status: "approved" });
  });
}

/**
 * Rejects proposals; needs `--notes`.
 *
 * @param context The context.
 * @param words The ids.
 * @returns The exit code.
 */
export async function reject(context: Context, words: readonly string[]): Promise<number> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  return await decideAll(
    context,
    words,
    (seen) => decideOne(context, seen, { status: "rejected" }),
  );
}

/**
 * Answers with the operator's version: from `--file`, or from an editor.
 *
 * @param context The context.
 * @param words The id.
 */
export async function modify(context: Context, words: readonly string[]): Promise<void> {
  const seen = await inspectAsShown(context, words);
  const { inspection } = seen;
  refuseIfStale(context, inspection);
  const answer = async (finalFile: string): Promise<true> => {
    printDecision(context, await decideOne(context, seen, { status: "modified", finalFile }));
    return true;
  };

  const { file } = context.flags;
  if (file === undefined) {
    await decideEdit(context, await editProposal(context, inspection), answer);
    return;
  }
  const finalFile = decodeVersion(await readNamedFile(file), file);
  if (finalFile.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
  if (finalFile === inspection.proposal.proposedFile) {
    throw new CancelledError("Cancelled: that is the proposed file; approve it instead");
  }
  await answer(finalFile);
}
