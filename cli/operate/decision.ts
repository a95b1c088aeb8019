/**
 * From a verb to a decision, and what is printed of it.
 *
 * @module
 */

import {
  carryDraft,
  decideAfterLook,
  ensureSigningKey,
  type FoundProposal,
  inspectToDecide,
  lastShown,
  lastShownAlike,
  refuseObstacles,
} from "../../internal_mod.ts";
import {
  decide,
  type Decision,
  type DecisionDraft,
  type Inspection,
  sha256Hex,
  type Verdict,
} from "../../mod.ts";
import { type Context, openApplier, operatorAccount } from "../command/context.ts";
import { NotShownError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { resolveProposal } from "../command/resolve.ts";
import { quoteId } from "../render/quote.ts";
import { localTime } from "../render/time.ts";
import type { Edit } from "./editor.ts";

/** A proposal, and what the operator saw of it. */
export interface Seen {
  readonly inspection: Inspection;
  /** SHA-256 of the proposal that the operator saw; its beginning at least, if it is another one. */
  readonly proposalSha256: string;
  /** SHA-256 of the file in force that the operator saw, `""` if there was none. */
  readonly currentSha256: string;
  /** SHA-256 of the file that the operator saw that an approval would put in force. */
  readonly finalSha256: string;
  /** Set if neither `show` showed it, nor a flag says which one is meant: it cannot be approved so. */
  readonly neverShown?: true;
}

/** What the operator says to a proposal. */
export type Said = DecisionDraft & { readonly verdict: Verdict; readonly notes: string };

/** What an operator saw of a proposal that is on the screen now. */
export function seenNow(inspection: Inspection): Seen {
  const { proposalSha256, currentSha256, finalSha256 } = inspection;
  return { inspection, proposalSha256, currentSha256, finalSha256 };
}

/** Finds the proposal that a verb is about to decide. */
export function findNamed(context: Context, words: readonly string[]): FoundProposal {
  const { sha256 } = context.flags;
  // An attacker can make two proposals whose hashes share fewer digits.
  if (sha256 !== undefined && !/^[0-9a-f]{32,64}$/.test(sha256)) {
    throw new UsageError(
      `Cannot use ${sha256} as --sha256: expected 32 to 64 lower-case hex digits`,
    );
  }
  return resolveProposal(context, words);
}

/**
 * Reads a proposal that was found by `word`, its id or the beginning of it, and what the operator saw of
 * it: the proposal that `--sha256` names, and, unless that is the whole hash, the one that `show` showed
 * last on this host of all that `word` can mean, in whatever bottle: not another one that begins alike,
 * and was put there since.
 */
export async function inspectFound(
  context: Context,
  { bottleSlug, proposalId }: FoundProposal,
  word: string,
): Promise<Seen> {
  const inspection = await inspectToDecide({ root: context.root, bottleSlug, proposalId });
  return asSeen(context, inspection, word);
}

function asSeen(context: Context, inspection: Inspection, word: string): Seen {
  const { root, flags: { sha256, bottle, ifUnmarked } } = context;
  const { bottleSlug, id: proposalId } = inspection.proposal;
  const shown = lastShown({ root, bottleSlug, proposalId });
  // Who types the bottle and the whole id means no other proposal.
  const isNamed = word === proposalId && bottle !== undefined;
  const alike = isNamed ? undefined : lastShownAlike(word, root);
  const isOther = alike?.proposalId !== proposalId || alike.bottleSlug !== bottleSlug;
  const remembered = alike !== undefined && isOther ? lastShown(alike) : shown;
  // An attacker can make two proposals whose hashes begin alike: a beginning replaces no whole hash.
  const expected = sha256?.length === 64 ? [sha256] : [sha256, remembered?.proposalSha256];
  const other = expected.find((hash) =>
    hash !== undefined && !inspection.proposalSha256.startsWith(hash)
  );
  return {
    inspection,
    proposalSha256: other ?? inspection.proposalSha256,
    currentSha256: shown?.currentSha256 ?? inspection.currentSha256,
    // The hash of a proposal says nothing of another file than the agent's.
    finalSha256: shown?.finalSha256 ??
      (ifUnmarked ? inspection.finalSha256 : sha256Hex(inspection.proposal.proposedFile)),
    ...(remembered === undefined && sha256 === undefined && !ifUnmarked && { neverShown: true }),
  };
}

/** Throws for the obstacles to a decision, before the operator spends work on it or a key is made for it. */
export function refuseAsShown(seen: Seen, draft: DecisionDraft): void {
  const { inspection, proposalSha256, currentSha256, finalSha256 } = seen;
  refuseObstacles(inspection, { ...draft, proposalSha256, currentSha256, finalSha256 });
}

/** A rejection needs nothing of `apply.json`, whatever is wrong with it. */
async function applierFor(context: Context, status: Verdict["status"]) {
  return status === "rejected" ? undefined : await openApplier(context);
}

/** Says that the key which signs the log was made just now: a person has to save its fingerprint. */
export function sayNewKey({ complain }: Context, fingerprint: string): void {
  complain(`! created the audit signing key, ${fingerprint}; save this fingerprint somewhere else`);
}

/** Decides what the operator saw. */
export async function decideAsShown(context: Context, seen: Seen, said: Said): Promise<Decision> {
  const applier = await applierFor(context, said.verdict.status);
  return await decide({ ...await requestFor(context, seen, said), applier });
}

/**
 * Decides a proposal that was found by `word`, without waiting for the operator: each of its files is read
 * once.
 */
export async function decideFound(
  context: Context,
  { bottleSlug, proposalId }: FoundProposal,
  word: string,
  status: Verdict["status"],
  saidOf: (seen: Seen) => Said,
): Promise<Decision> {
  const ref = {
    root: context.root,
    bottleSlug,
    proposalId,
    applier: await applierFor(context, status),
  };
  return await decideAfterLook(ref, async (inspection) => {
    const seen = asSeen(context, inspection, word);
    return await requestFor(context, seen, saidOf(seen));
  });
}

/** Makes the signing key before what it is for, so that no error here can look as if that had failed. */
export async function ensureKey(context: Context): Promise<void> {
  const { fingerprint, created } = await ensureSigningKey(context.root);
  if (created) sayNewKey(context, fingerprint);
}

/** Makes the request of every verb and screen: throws for its obstacles, and says the key if it made one. */
async function requestFor(context: Context, seen: Seen, said: Said) {
  const { inspection, proposalSha256, currentSha256, finalSha256 } = seen;
  const { proposal } = inspection;
  const { root, flags: { operator: operatorName } } = context;
  if (seen.neverShown && said.verdict.status === "approved") {
    throw new NotShownError(proposal.id, context.supervise);
  }
  const now = carryDraft(root, inspection, { ...said, proposalSha256, currentSha256, finalSha256 });
  refuseObstacles(now.inspection, now.draft);
  await ensureKey(context);
  return {
    ...said,
    root,
    bottleSlug: proposal.bottleSlug,
    proposalId: proposal.id,
    proposalSha256,
    currentSha256,
    finalSha256,
    operator: operatorAccount(),
    ...(operatorName !== undefined && { operatorName }),
  };
}

/** Runs `decideOn` for an operator's version. If that does not decide it, says where the version is. */
export async function decideEdit(
  context: Context,
  edit: Edit,
  decideOn: (finalFile: string) => Promise<boolean>,
): Promise<boolean> {
  let decided = false;
  try {
    decided = await decideOn(edit.finalFile);
    return decided;
  } finally {
    if (decided) await edit.discard();
    else context.complain(edit.kept);
  }
}

export function decisionJson(decision: Decision): object {
  const { proposalId, bottleSlug, status, notes, auditHead, standing, applied } = decision;
  const { until, warning } = decision;
  const json = { id: proposalId, bottle_slug: bottleSlug, status, notes, audit_head: auditHead };
  return { ...json, standing, applied, until, warning };
}

/** Prints a decision in one line for people. */
export function printDecided(context: Context, decision: Decision): void {
  const { proposalId, bottleSlug, status, until } = decision;
  const { green, red } = context.style;
  const word = status === "rejected" ? red(status) : green(status);
  const end = until === undefined ? "" : ` until ${localTime(until)}`;
  context.print(`${word} ${quoteId(proposalId)} (${bottleSlug})${end}`);
  warningOf(decision).forEach(context.complain);
}

/** What is said of a decision, or an edit, behind which something failed; none if nothing did. */
export function warningOf({ warning }: Pick<Decision, "warning">): readonly string[] {
  return warning === undefined ? [] : [`! it is in force and recorded, but then: ${warning}`];
}

/** Prints what made files in force take effect, each way once. */
export function printApplied(
  { print, style, visible }: Context,
  made: readonly Pick<Decision, "applied">[],
): void {
  const ways = new Set(made.flatMap(({ applied }) => applied ?? []));
  for (const way of ways) print(style.dim(visible(`in force: ${way}`)));
}

export function printDecision(context: Context, decision: Decision): void {
  if (context.flags.json) {
    context.printJson(decisionJson(decision));
    return;
  }
  printDecided(context, decision);
  printApplied(context, [decision]);
  context.print(context.style.dim(`recorded in ${decision.auditLog}`));
  if (decision.standing === undefined) return;
  const { name, bottles, until } = decision.standing;
  context.print(`It stands for ${bottles.join(", ")} until ${until}, with watch --decide.`);
  context.print(`To end it: ${context.supervise} policy standing remove ${name}`);
}
