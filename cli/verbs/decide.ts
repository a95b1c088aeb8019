/**
 * `approve ID`, `modify ID`, `reject ID`.
 *
 * @module
 */

import type { Inspection, Verdict } from "../../mod.ts";
import type { Context } from "../context.ts";
import {
  decideAsShown,
  decideEdit,
  inspectAsShown,
  printDecision,
  refuseIfStale,
} from "../decision.ts";
import { editProposal } from "../editor.ts";
import { CancelledError } from "../exit.ts";
import { UsageError } from "../flags.ts";
import { resolveProposal } from "../resolve.ts";

async function decideOne(
  context: Context,
  inspection: Inspection,
  verdict: Verdict,
): Promise<true> {
  const { notes = "", allowStale } = context.flags;
  printDecision(context, await decideAsShown(context, inspection, verdict, notes, allowStale));
  return true;
}

/**
 * Approves a proposal as it is.
 *
 * @param context The context.
 * @param words The id.
 */
export async function approve(context: Context, words: readonly string[]): Promise<void> {
  const inspection = await inspectAsShown(context, resolveProposal(context, words));
  await decideOne(context, inspection, { status: "approved" });
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
  const inspection = await inspectAsShown(context, resolveProposal(context, words));
  await decideOne(context, inspection, { status: "rejected" });
}

/**
 * Answers with the operator's version: from `--file`, or from an editor.
 *
 * @param context The context.
 * @param words The id.
 */
export async function modify(context: Context, words: readonly string[]): Promise<void> {
  const inspection = await inspectAsShown(context, resolveProposal(context, words));
  refuseIfStale(context, inspection);
  const answer = (finalFile: string) =>
    decideOne(context, inspection, { status: "modified", finalFile });

  const { file } = context.flags;
  if (file === undefined) {
    await decideEdit(context, await editProposal(context, inspection), answer);
    return;
  }
  const finalFile = await readVersion(file);
  if (finalFile === inspection.proposal.proposedFile) {
    throw new CancelledError("Cancelled: that is the proposed file; approve it instead");
  }
  await answer(finalFile);
}

async function readVersion(file: string): Promise<string> {
  try {
    return file === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new UsageError(
        `Cannot read ${file}: this tool may read nothing but the root; ` +
          `hand it over with --file - < ${file}`,
        { cause },
      );
    }
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot read ${file}: there is no such file`, { cause });
    }
    throw cause;
  }
}
