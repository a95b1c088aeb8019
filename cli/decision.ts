/**
 * From a verb to a decision, and what is printed of it.
 *
 * @module
 */

import {
  ChangedSinceShownError,
  decide,
  type Decision,
  forgetShown,
  type FoundProposal,
  type Inspection,
  inspectProposal,
  lastShown,
  StaleConfigError,
  type Verdict,
} from "../mod.ts";
import type { Context } from "./context.ts";
import type { Edit } from "./editor.ts";
import { UsageError } from "./flags.ts";
import { operatorName } from "./operator.ts";

/** How many hex digits bind a decision, at least. */
const LEAST_DIGITS = 8;

/**
 * Reads the proposal that a verb is about to decide, and makes sure that it is the one the operator
 * saw: the one that `--sha256` names, or the one that `show` showed last on this host.
 *
 * @param context The context.
 * @param found The proposal.
 * @returns The proposal beside the file in force.
 * @throws {ChangedSinceShownError} If it is another one.
 */
export async function inspectAsShown(context: Context, found: FoundProposal): Promise<Inspection> {
  const ref = { root: context.root, ...found };
  const { sha256 } = context.flags;
  if (sha256 !== undefined && !/^[0-9a-f]{8,64}$/.test(sha256)) {
    throw new UsageError(
      `Cannot use ${sha256} as --sha256: expected ${LEAST_DIGITS} to 64 lower-case hex digits`,
    );
  }
  const inspection = await inspectProposal(ref);
  const shown = sha256 ?? lastShown(ref);
  if (shown === undefined || inspection.proposalSha256.startsWith(shown)) return inspection;
  throw new ChangedSinceShownError(found.proposalId, shown, inspection.proposalSha256);
}

/**
 * Decides, through the one door.
 *
 * @param context The context.
 * @param inspection What the operator saw.
 * @param verdict What the operator decides.
 * @param notes The operator's words.
 * @param allowStale Whether the operator saw that the file in force has changed, and goes on.
 * @returns The decision.
 */
export async function decideAsShown(
  context: Context,
  inspection: Inspection,
  verdict: Verdict,
  notes: string,
  allowStale: boolean,
): Promise<Decision> {
  const { root } = context;
  const { bottleSlug, id: proposalId } = inspection.proposal;
  const { proposalSha256 } = inspection;
  const operator = operatorName();
  const ref = { root, bottleSlug, proposalId };
  const decision = await decide({ ...ref, proposalSha256, verdict, notes, operator, allowStale });
  forgetShown(ref);
  return decision;
}

/**
 * Decides on an operator's edited version; if that fails, says where the version is.
 *
 * @param context The context.
 * @param edit The version.
 * @param decideOn What to do with it; gives `undefined` if the operator thought better of it.
 * @returns What that gave.
 */
export async function decideEdit<T>(
  context: Context,
  edit: Edit,
  decideOn: (finalFile: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  let decided: T | undefined;
  try {
    decided = await decideOn(edit.finalFile);
    return decided;
  } finally {
    if (decided === undefined) context.complain(edit.kept);
    else await edit.discard();
  }
}

/**
 * Refuses a proposal that is stale before an operator spends work on it.
 *
 * @param context The context.
 * @param inspection What the operator saw.
 * @throws {StaleConfigError} If the file in force is not the agent's, and that was not allowed.
 */
export function refuseIfStale(context: Context, inspection: Inspection): void {
  const { stale, proposal, currentPath, currentSha256 } = inspection;
  if (!stale || context.flags.allowStale) return;
  throw new StaleConfigError(proposal.id, currentPath, proposal.currentFileHash, currentSha256);
}

/**
 * Prints what was decided.
 *
 * @param context Where to print.
 * @param decision The decision.
 */
export function printDecision(context: Context, decision: Decision): void {
  const { proposalId, bottleSlug, status, notes, auditLog } = decision;
  if (context.flags.json) {
    context.printJson({ id: proposalId, bottle_slug: bottleSlug, status, notes });
    return;
  }
  const { green, red, dim } = context.style;
  const word = status === "rejected" ? red(status) : green(status);
  context.print(`${word} ${proposalId} (${bottleSlug})`);
  context.print(dim(`recorded in ${auditLog}`));
}
