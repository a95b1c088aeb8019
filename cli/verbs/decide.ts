/**
 * The verbs that decide: `approve`, `modify`, `reject`.
 *
 * @module
 */

import { runAlone } from "../command/alone.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import {
  approveOnScreen,
  decideOnScreen,
  printVersion,
  refuseUnlikeShown,
} from "../operate/asking.ts";
import { confirmations, decideWords, endIn, saidByFlags, standingIn } from "../operate/batch.ts";
import { refuseContradiction } from "../operate/confirm.ts";
import {
  decideAsShown,
  decideEdit,
  findNamed,
  inspectFound,
  printDecision,
  refuseAsShown,
} from "../operate/decision.ts";
import { decodeVersion, editProposal } from "../operate/editor.ts";

/**
 * `approve ID...`: accepts proposals as they are. On a terminal it shows each, and asks; a script has to
 * say that it was shown, or which it is.
 */
export async function approve(context: Context, words: readonly string[]): Promise<number> {
  const { flags, interactive } = context;
  refuseContradiction(flags);
  standingIn(flags);
  endIn(flags, Date.now());
  const verdict = { status: "approved" } as const;
  const asks = interactive && !flags.json && !flags.ifUnmarked && flags.sha256 === undefined;
  return await decideWords(
    context,
    words,
    verdict,
    asks
      ? (seen) => approveOnScreen(context, seen, saidByFlags(context, seen, verdict))
      : undefined,
  );
}

/**
 * `modify ID`: answers with the operator's version, from `--file` or from an editor. On a terminal it
 * shows what the editor left, and asks.
 */
export async function modify(context: Context, words: readonly string[]): Promise<void> {
  const { flags: { file, json }, interactive } = context;
  const seen = await inspectFound(context, findNamed(context, words), words[0]!);
  const { inspection } = seen;
  const draft = { verdict: { status: "modified" }, ...confirmations(context.flags, seen) } as const;
  endIn(context.flags, Date.now());
  const asks = interactive && !json && file === undefined;
  if (asks) refuseUnlikeShown(seen, draft);
  else refuseAsShown(seen, draft);
  const answer = async (finalFile: string): Promise<boolean> => {
    const said = saidByFlags(context, seen, { status: "modified", finalFile });
    if (asks) printVersion(context, inspection, finalFile);
    const decision = asks
      ? await decideOnScreen(context, seen, said, "Type yes to answer with this version: ")
      : await decideAsShown(context, seen, said);
    printDecision(context, decision);
    return true;
  };

  if (file === undefined) {
    await decideEdit(context, await editProposal(context, inspection), answer);
    return;
  }
  const finalFile = decodeVersion(await readNamedFile(context, file), file);
  if (finalFile.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
  if (finalFile === (inspection.merged ?? inspection.proposal.proposedFile)) {
    throw new CancelledError(
      "Cancelled: that is what an approval would put in force; approve it instead",
    );
  }
  await answer(finalFile);
}

/** `reject ID... --notes TEXT`: changes nothing, and tells the agent why. */
export async function reject(context: Context, words: readonly string[]): Promise<number> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  return await decideWords(context, words, { status: "rejected" });
}

if (import.meta.main) await runAlone({ approve, modify, reject });
