/**
 * `modify ID`: accepts the operator's version of the file.
 *
 * @module
 */

import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { confirmations, saidByFlags } from "../operate/batch.ts";
import {
  decideAsShown,
  decideEdit,
  findNamed,
  inspectFound,
  printDecision,
  refuseAsShown,
} from "../operate/decision.ts";
import { decodeVersion, editProposal } from "../operate/editor.ts";

/** Answers with the operator's version: from `--file`, or from an editor. */
export async function modify(context: Context, words: readonly string[]): Promise<void> {
  const seen = await inspectFound(context, findNamed(context, words), words[0]!);
  const { inspection } = seen;
  refuseAsShown(seen, { verdict: { status: "modified" }, ...confirmations(context.flags, seen) });
  const answer = async (finalFile: string): Promise<boolean> => {
    const said = saidByFlags(context, seen, { status: "modified", finalFile });
    printDecision(context, await decideAsShown(context, seen, said));
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
