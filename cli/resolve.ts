/**
 * From what an operator types to one proposal.
 *
 * @module
 */

import {
  checkProposalId,
  findProposals,
  type FoundProposal,
  ProposalNotFoundError,
} from "../mod.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./flags.ts";

/** How many candidates an error names. */
const MOST_NAMED = 5;

/**
 * Finds the proposal that an operator means by an id or the beginning of one. A pending proposal
 * goes before one that is answered.
 *
 * @param context Where to look.
 * @param words The verb's arguments: one id.
 * @returns The proposal.
 * @throws {UsageError} If there is not exactly one argument, or several proposals begin so.
 * @throws {InvalidNameError} If it could not be an id.
 * @throws {ProposalNotFoundError} If there is none.
 */
export function resolveProposal(context: Context, words: readonly string[]): FoundProposal {
  const [prefix, ...rest] = words;
  if (prefix === undefined || rest.length > 0) {
    throw new UsageError(`Cannot tell which proposal: expected one ID, found ${words.length}`);
  }
  checkProposalId(prefix);
  const { root, flags } = context;
  const where = flags.bottle === undefined ? {} : { bottleSlug: flags.bottle };
  const found = findProposals(prefix, { root, ...where });
  const pending = found.filter((proposal) => proposal.pending);
  const candidates = pending.length > 0 ? pending : found;
  const [only, another] = candidates;
  if (only === undefined) {
    throw new ProposalNotFoundError(
      prefix,
      flags.bottle === undefined ? `any bottle under ${root}` : `bottle ${flags.bottle}`,
    );
  }
  if (another === undefined) return only;
  const named = candidates.slice(0, MOST_NAMED)
    .map(({ proposalId, bottleSlug }) => `${proposalId} (${bottleSlug})`);
  const more = candidates.length > MOST_NAMED ? `, and ${candidates.length - MOST_NAMED} more` : "";
  throw new UsageError(
    `Cannot tell which proposal ${prefix} is: ${named.join(", ")}${more}; ` +
      "type more of it, or name the --bottle",
  );
}

/**
 * The shortest beginning of each id, of at least eight characters, that no other id shares.
 *
 * @param ids The ids.
 * @returns The beginnings, by id.
 */
export function shortIds(ids: readonly string[]): Map<string, string> {
  const sorted = [...new Set(ids)].sort();
  const common = (a: string | undefined, b: string): number => {
    let n = 0;
    while (a !== undefined && n < b.length && a[n] === b[n]) n++;
    return n;
  };
  return new Map(sorted.map((id, n) => {
    const shared = Math.max(common(sorted[n - 1], id), common(sorted[n + 1], id));
    return [id, id.slice(0, Math.max(8, shared + 1))];
  }));
}
