/**
 * From a verb to a decision, and what is printed of it.
 *
 * @module
 */

import {
  ensureSigningKey,
  forgetShown,
  type FoundProposal,
  keepFilesInForce,
  lastShown,
  shownIds,
} from "../../internal_mod.ts";
import {
  ChangedSinceShownError,
  decide,
  type Decision,
  type Inspection,
  inspectProposal,
  StaleConfigError,
  type Verdict,
} from "../../mod.ts";
import { type Context, operatorAccount } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { resolveProposal } from "../command/resolve.ts";
import type { Edit } from "./editor.ts";

/** How many hex digits bind a decision, at least: two proposals that share fewer can be made. */
const LEAST_DIGITS = 32;

/** How many it has. */
const WHOLE = 64;

/** A proposal, and the file in force that the operator saw beside it. */
export interface Seen {
  /** The proposal beside the file in force, as they are now. */
  readonly inspection: Inspection;
  /** SHA-256 of the file in force that the operator saw, `""` if there was none. */
  readonly currentSha256: string;
}

/**
 * Reads the proposal that a verb is about to decide, and makes sure that it is the one the operator
 * saw: the one that `--sha256` names, and, unless that is the whole hash, the one that `show` showed
 * last on this host. A shortened id that `show` was given too means the same proposal, not another one
 * that begins alike.
 *
 * @param context The context.
 * @param words The verb's arguments: one id.
 * @returns The proposal, as it is and as it was seen.
 * @throws {ChangedSinceShownError} If it is another one.
 */
export async function inspectAsShown(context: Context, words: readonly string[]): Promise<Seen> {
  const { sha256 } = context.flags;
  if (sha256 !== undefined && !/^[0-9a-f]{32,64}$/.test(sha256)) {
    throw new UsageError(
      `Cannot use ${sha256} as --sha256: expected ${LEAST_DIGITS} to 64 lower-case hex digits`,
    );
  }
  return await inspectFound(context, resolveProposal(context, words), words[0]!);
}

/**
 * The same for a proposal that was found already.
 *
 * @param context The context.
 * @param found The proposal.
 * @param word What was typed for it: its id, or the beginning of it.
 * @returns The proposal, as it is and as it was seen.
 * @throws {ChangedSinceShownError} If it is another one.
 */
export async function inspectFound(
  context: Context,
  found: FoundProposal,
  word: string,
): Promise<Seen> {
  const { root, flags: { sha256 } } = context;
  const { bottleSlug, proposalId } = found;
  const ref = { root, bottleSlug, proposalId };
  const inspection = await inspectProposal(ref);
  const shown = lastShown(ref);
  const remembered = shown?.proposalSha256 ?? shownAlike(root, found, word);
  // Whoever writes proposals can make two that begin alike: a beginning alone replaces no whole hash.
  for (const expected of sha256?.length === WHOLE ? [sha256] : [sha256, remembered]) {
    if (expected === undefined || inspection.proposalSha256.startsWith(expected)) continue;
    throw new ChangedSinceShownError(proposalId, expected, inspection.proposalSha256);
  }
  return { inspection, currentSha256: shown?.currentSha256 ?? inspection.currentSha256 ?? "" };
}

/** What was shown under the same beginning of an id, if it was another proposal. */
function shownAlike(root: string, found: FoundProposal, prefix: string): string | undefined {
  const { bottleSlug, proposalId } = found;
  if (prefix === proposalId) return undefined;
  const alike = shownIds(bottleSlug, root).find((id) => id.startsWith(prefix));
  if (alike === undefined) return undefined;
  return lastShown({ root, bottleSlug, proposalId: alike })?.proposalSha256;
}

/** What an operator says to a proposal. */
export interface Say {
  /** What the operator decides. */
  readonly verdict: Verdict;
  /** The operator's words. */
  readonly notes: string;
  /** Whether the operator saw that the agent started from another file, and goes on. */
  readonly allowStale: boolean;
  /** The bottle's slug, if the operator typed it because of a high mark. */
  readonly confirmedSlug: string | undefined;
}

/**
 * Decides, through the one door. Every surface of the command line comes by here.
 *
 * @param context The context.
 * @param seen What the operator saw.
 * @param say What the operator says to it.
 * @returns The decision.
 */
export async function decideAsShown(context: Context, seen: Seen, say: Say): Promise<Decision> {
  const { root } = context;
  const { verdict, notes, allowStale, confirmedSlug } = say;
  const { inspection, currentSha256 } = seen;
  const { bottleSlug, id: proposalId } = inspection.proposal;
  const { proposalSha256 } = inspection;
  const ref = { root, bottleSlug, proposalId };
  const { operator: operatorName, overrideUnrecorded } = context.flags;
  await announceNewKey(context);
  const decision = await decide({
    ...ref,
    proposalSha256,
    currentSha256,
    verdict,
    notes,
    operator: operatorAccount(),
    ...(operatorName !== undefined && { operatorName }),
    allowStale,
    overrideUnrecorded,
    ...(confirmedSlug !== undefined && { confirmedSlug }),
  });
  forgetShown(ref);
  return decision;
}

/**
 * Whoever makes the key is the one to tell: a fingerprint kept elsewhere shows another key later. Before
 * the decision, because nothing that fails after it may say that the decision did.
 */
async function announceNewKey(context: Context): Promise<void> {
  const { fingerprint, created } = await ensureSigningKey(context.root);
  if (!created) return;
  context.complain(
    `! made the key that signs the audit log, ${fingerprint}; keep this fingerprint elsewhere`,
  );
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
  const { currentFileHash } = proposal;
  throw new StaleConfigError(proposal.id, currentPath, "agent", currentFileHash, currentSha256);
}

/**
 * A decision as JSON.
 *
 * @param decision The decision.
 * @returns The fields, in snake_case.
 */
export function decisionJson(decision: Decision): object {
  const { proposalId, bottleSlug, status, notes, auditHead } = decision;
  return { id: proposalId, bottle_slug: bottleSlug, status, notes, audit_head: auditHead };
}

/**
 * Prints what was decided, in one line for people.
 *
 * @param context Where to print.
 * @param decision The decision.
 */
export function printDecided(context: Context, decision: Decision): void {
  const { proposalId, bottleSlug, status } = decision;
  const { green, red } = context.style;
  const word = status === "rejected" ? red(status) : green(status);
  context.print(`${word} ${proposalId} (${bottleSlug})`);
}

/**
 * Prints what was decided.
 *
 * @param context Where to print.
 * @param decision The decision.
 */
export function printDecision(context: Context, decision: Decision): void {
  if (context.flags.json) {
    context.printJson(decisionJson(decision));
    return;
  }
  printDecided(context, decision);
  context.print(context.style.dim(`recorded in ${decision.auditLog}`));
}

/**
 * Keeps copies of the config files in force of some bottles, for when a proposal turns out to have
 * started from one that is no longer in force.
 *
 * @param context The context.
 * @param bottleSlugs The bottles, perhaps several times.
 */
export function keepForLater({ root }: Context, bottleSlugs: Iterable<string>): void {
  for (const slug of new Set(bottleSlugs)) {
    try {
      keepFilesInForce(slug, root);
    } catch {
      // On a full disk, say. A copy that is missing costs a diff, and the screen says that.
    }
  }
}
