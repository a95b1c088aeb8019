/**
 * `approve ID`, `modify ID`, `reject ID`.
 *
 * @module
 */

import type { Inspection, Verdict } from "../../mod.ts";
import type { Context } from "../context.ts";
import { decideAsShown, inspectAsShown, printDecision } from "../decision.ts";
import { editProposal } from "../editor.ts";
import { CancelledError } from "../exit.ts";
import { UsageError } from "../flags.ts";
import { resolveProposal } from "../resolve.ts";

async function decideOne(
  context: Context,
  words: readonly string[],
  verdictOn: (inspection: Inspection) => Verdict | Promise<Verdict>,
): Promise<void> {
  const found = resolveProposal(context, words);
  const inspection = await inspectAsShown(context, found);
  const verdict = await verdictOn(inspection);
  const { notes = "", allowStale } = context.flags;
  printDecision(context, await decideAsShown(context, inspection, verdict, notes, allowStale));
}

/**
 * Approves a proposal as it is.
 *
 * @param context The context.
 * @param words The id.
 */
export function approve(context: Context, words: readonly string[]): Promise<void> {
  return decideOne(context, words, () => ({ status: "approved" }));
}

/**
 * Rejects a proposal; needs `--notes`.
 *
 * @param context The context.
 * @param words The id.
 */
export function reject(context: Context, words: readonly string[]): Promise<void> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  return decideOne(context, words, () => ({ status: "rejected" }));
}

/**
 * Answers with the operator's version: from `--file`, or from an editor.
 *
 * @param context The context.
 * @param words The id.
 */
export function modify(context: Context, words: readonly string[]): Promise<void> {
  return decideOne(context, words, async (inspection) => {
    const { file } = context.flags;
    const finalFile = file === undefined
      ? await editProposal(context, inspection)
      : await readVersion(file);
    if (finalFile === inspection.proposal.proposedFile) {
      throw new CancelledError("Cancelled: that is the proposed file; approve it instead");
    }
    return { status: "modified", finalFile };
  });
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
