/**
 * `show ID`: prints one proposal.
 *
 * @module
 */

import { hintsOfPending, rememberShown } from "../../internal_mod.ts";
import { inspectProposal } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater } from "../command/context.ts";
import { resolveProposal } from "../command/resolve.ts";
import { visibleJson } from "../render/quote.ts";
import { hintsJson, pendingJson } from "../render/pending.ts";
import { renderProposal } from "../render/proposal.ts";

/** Shows a proposal next to the file in force, and remembers that the operator saw it. */
export async function show(context: Context, words: readonly string[]): Promise<void> {
  const { bottleSlug, proposalId } = resolveProposal(context, words);
  const ref = { root: context.root, bottleSlug, proposalId };
  keepForLater(context, [bottleSlug]);
  const inspection = await inspectProposal(ref);
  const nowMs = Date.now();
  const hints = hintsOfPending([inspection], context.root, nowMs).get(inspection)!;
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
      ...hintsJson(hints),
      marks: inspection.marks.map(({ severity, rule, message, side, line }) => ({
        severity,
        rule,
        message,
        side,
        line,
      })),
      foreign_answer: inspection.unrecordedResponse?.says ?? null,
    });
  } else {
    const lines = renderProposal(inspection, nowMs, context.columns, context.style, hints);
    for (const line of lines) context.print(line);
  }
  rememberShown(ref, inspection);
}

if (import.meta.main) await runAlone({ show });
