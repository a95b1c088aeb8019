/**
 * `show ID`: one proposal, whole.
 *
 * @module
 */

import { inspectProposal, type Mark, rememberShown } from "../../mod.ts";
import type { Context } from "../context.ts";
import { keepForLater } from "../keep.ts";
import { renderProposal } from "../render_proposal.ts";
import { resolveProposal } from "../resolve.ts";
import { visibleJson } from "../visible_json.ts";
import { pendingJson } from "./list.ts";

/** A mark as JSON. */
function markJson({ severity, rule, message, side, line }: Mark): object {
  return { severity, rule, message, side, line };
}

/**
 * Shows a proposal beside the file in force, and remembers that it was shown.
 *
 * @param context The context.
 * @param words The id.
 */
export async function show(context: Context, words: readonly string[]): Promise<void> {
  const { bottleSlug, proposalId } = resolveProposal(context, words);
  const ref = { root: context.root, bottleSlug, proposalId };
  keepForLater(context, [bottleSlug]);
  const inspection = await inspectProposal(ref);
  if (context.flags.json) {
    const texts = {
      proposed_file: inspection.proposal.proposedFile,
      current_file: inspection.currentFile,
      diff: inspection.diff,
      agent_diff: inspection.agentDiff ?? null,
    };
    context.printJson({
      ...pendingJson(inspection),
      ...texts,
      ...visibleJson(texts, "code"),
      stale: inspection.stale,
      marks: inspection.marks.map(markJson),
      foreign_answer: inspection.foreignAnswer?.says ?? null,
    });
  } else {
    const lines = renderProposal(inspection, Date.now(), context.columns, context.style);
    for (const line of lines) context.print(line);
  }
  rememberShown(ref, {
    proposalSha256: inspection.proposalSha256,
    currentSha256: inspection.currentSha256 ?? "",
  });
}
