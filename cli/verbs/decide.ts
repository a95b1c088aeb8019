/**
 * `approve ID`, `modify ID`, `reject ID`.
 *
 * @module
 */

import type { Verdict } from "../../mod.ts";
import type { Context } from "../context.ts";
import {
  decideAsShown,
  decideEdit,
  inspectAsShown,
  printDecision,
  refuseIfStale,
  type Seen,
} from "../decision.ts";
import { decodeVersion, editProposal } from "../editor.ts";
import { CancelledError } from "../exit.ts";
import { UsageError } from "../flags.ts";
import { readNamedFile } from "../read_file.ts";

async function decideOne(
  context: Context,
  seen: Seen,
  verdict: Verdict,
): Promise<true> {
  const { notes = "", allowStale, confirm: confirmedSlug } = context.flags;
  const say = { verdict, notes, allowStale, confirmedSlug };
  printDecision(context, await decideAsShown(context, seen, say));
  return true;
}

/**
 * Approves a proposal as it is.
 *
 * @param context The context.
 * @param words The id.
 */
export async function approve(context: Context, words: readonly string[]): Promise<void> {
  const seen = await inspectAsShown(context, words);
  refuseIfStale(context, seen.inspection);
  await decideOne(context, seen, { status: "approved" });
}

/**
 * Rejects a proposal; needs `--notes`.
 *
 * @param context The context.
 * @param words The id.
 */
export async function reject(context: Context, words: readonly string[]): Promise<void> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  await decideOne(context, await inspectAsShown(context, words), { status: "rejected" });
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
  const answer = (finalFile: string) => decideOne(context, seen, { status: "modified", finalFile });

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
