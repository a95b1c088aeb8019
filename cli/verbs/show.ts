/**
 * `show ID`: prints one proposal.
 *
 * @module
 */

import { asciiJson, hintsOfPending, rememberShown } from "../../internal_mod.ts";
import { type Inspection, inspectProposal } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater } from "../command/context.ts";
import { resolveProposal } from "../command/resolve.ts";
import { visibleJson } from "../render/quote.ts";
import { hintsJson, pendingJson } from "../render/pending.ts";
import { renderProposal } from "../render/proposal.ts";

/**
 * Shows a proposal next to the file in force, and remembers that the operator saw it, once all of it was
 * taken: a pager or `head` that ends before is told so.
 */
export async function show(context: Context, words: readonly string[]): Promise<void> {
  const { bottleSlug, proposalId } = resolveProposal(context, words);
  const ref = { root: context.root, bottleSlug, proposalId };
  keepForLater(context, [bottleSlug]);
  const inspection = await inspectProposal(ref);
  const nowMs = Date.now();
  const hints = hintsOfPending([inspection], context.root, nowMs).get(inspection)!;
  const { flags, columns, style } = context;
  const text = flags.json
    ? asciiJson(inspectionJson(inspection, hints))
    : renderProposal(inspection, nowMs, columns, style, hints).join("\n");
  if (printWhole(context, text)) rememberShown(ref, inspection);
  else context.complain("! not all of it was read, so it does not count as shown");
}

/** Prints a text; `false` if the reader of a pipe was gone before the end. */
function printWhole({ outIsTerminal, print, write }: Context, text: string): boolean {
  if (outIsTerminal) print(text);
  try {
    if (!outIsTerminal) write(new TextEncoder().encode(`${text}\n`));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

function inspectionJson(inspection: Inspection, hints: Parameters<typeof hintsJson>[0]): object {
  const texts = {
    proposed_file: inspection.proposal.proposedFile,
    current_file: inspection.currentFile,
    diff: inspection.diff,
    agent_diff: inspection.agentDiff ?? null,
  };
  return {
    version: 1,
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
  };
}

if (import.meta.main) await runAlone({ show });
