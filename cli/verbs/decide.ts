/**
 * `approve ID...`, `modify ID`, `reject ID...`.
 *
 * @module
 */

import type { Decision, Verdict } from "../../mod.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { type Flags, UsageError } from "../command/flags.ts";
import { decideSeveral } from "../operate/batch.ts";
import { refuseContradiction } from "../operate/confirm.ts";
import {
  decideAsShown,
  decideEdit,
  inspectAsShown,
  printDecision,
  refuseAsShown,
  type Seen,
} from "../operate/decision.ts";
import { decodeVersion, editProposal } from "../operate/editor.ts";

/** What the flags confirm. Each slug that was typed counts for its own bottle. */
function confirmations(flags: Flags, seen: Seen) {
  const { allowStale, overrideUnrecorded, confirm, ifUnmarked } = flags;
  const { bottleSlug } = seen.inspection.proposal;
  const confirmedSlug = confirm.includes(bottleSlug) ? bottleSlug : confirm[0];
  return {
    allowStale,
    overrideUnrecorded,
    ifUnmarked,
    ...(confirmedSlug !== undefined && { confirmedSlug }),
  };
}

async function decideOne(context: Context, seen: Seen, verdict: Verdict): Promise<Decision> {
  const { flags } = context;
  const { notes = "" } = flags;
  return await decideAsShown(context, seen, { verdict, notes, ...confirmations(flags, seen) });
}

/** One id is answered with all that there is to say, several with a line each. */
async function decideAll(
  context: Context,
  words: readonly string[],
  verdict: Verdict,
): Promise<number> {
  const decideOn = (seen: Seen) => decideOne(context, seen, verdict);
  if (words.length > 1) return await decideSeveral(context, words, decideOn);
  printDecision(context, await decideOn(await inspectAsShown(context, words)));
  return 0;
}

/** Approves proposals as they are. */
export async function approve(context: Context, words: readonly string[]): Promise<number> {
  refuseContradiction(context.flags);
  return await decideAll(context, words, { status: "approved" });
}

/** Rejects proposals; needs `--notes`. */
export async function reject(context: Context, words: readonly string[]): Promise<number> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  return await decideAll(context, words, { status: "rejected" });
}

/** Answers with the operator's version: from `--file`, or from an editor. */
export async function modify(context: Context, words: readonly string[]): Promise<void> {
  const seen = await inspectAsShown(context, words);
  const { inspection } = seen;
  refuseAsShown(seen, { verdict: { status: "modified" }, ...confirmations(context.flags, seen) });
  const answer = async (finalFile: string): Promise<boolean> => {
    printDecision(context, await decideOne(context, seen, { status: "modified", finalFile }));
    return true;
  };

  const { file } = context.flags;
  if (file === undefined) {
    await decideEdit(context, await editProposal(context, inspection), answer);
    return;
  }
  const finalFile = decodeVersion(await readNamedFile(context, file), file);
  if (finalFile.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
  if (finalFile === inspection.proposal.proposedFile) {
    throw new CancelledError("Cancelled: that is the proposed file; approve it instead");
  }
  await answer(finalFile);
}
