/**
 * From the words of a command line to proposals: by the beginning of an id, or by filter and order.
 *
 * @module
 */

import {
  checkProposalId,
  findProposals,
  type FoundProposal,
  instantOf,
  ProposalNotFoundError,
  TOOLS,
} from "../../read_mod.ts";
import type { PendingProposal } from "../../mod.ts";
import type { Context } from "./context.ts";
import { countMarks, type MarkCounts, type PendingMarks } from "../render/pending.ts";
import { type Flags, SORTS, UsageError } from "./flags.ts";

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

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Whether the flags are about a proposal: `--tool`, `--since`. One whose time of arrival cannot be read
 * is never left out.
 *
 * @param flags The flags.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns A test for a proposal.
 * @throws {UsageError} If `--tool` is none, or `--since` is no time.
 */
export function isWanted(
  { tool, since }: Flags,
  nowMs: number,
): (entry: PendingProposal) => boolean {
  if (tool !== undefined && !TOOLS.some((name) => name === tool)) {
    throw new UsageError(`Cannot use ${tool} as --tool: expected one of ${TOOLS.join(", ")}`);
  }
  const from = since === undefined ? -Infinity : parseSince(since, nowMs);
  return ({ proposal }) =>
    (tool === undefined || proposal.tool === tool) && instantOf(proposal.arrivalTimestamp) >= from;
}

/** The instant that `--since` means, in microseconds since 1970. */
function parseSince(since: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(since) ?? [];
  if (count !== undefined) return (nowMs - Number(count) * MS_OF_UNIT[unit!]!) * 1000;
  const instant = /^\d{4}-\d\d-\d\dT/.test(since) ? instantOf(since) : Infinity;
  if (instant !== Infinity) return instant;
  throw new UsageError(
    `Cannot use ${since} as --since: expected 90s, 15m, 2h or 3d, or a timestamp such as ` +
      "2026-11-22T10:00:00Z",
  );
}

/** What was not judged may be anything: behind the high ones, before all others. */
const UNKNOWN: MarkCounts = { high: 0, medium: Infinity, low: 0 };

function byMarks(marks: PendingMarks): (a: PendingProposal, b: PendingProposal) => number {
  const counts = new Map<PendingProposal, MarkCounts>();
  const countsOf = (entry: PendingProposal): MarkCounts => {
    const known = counts.get(entry) ?? countMarks(marks.get(entry)) ?? UNKNOWN;
    counts.set(entry, known);
    return known;
  };
  const compare = (a: number, b: number) => (a === b ? 0 : b > a ? 1 : -1);
  return (a, b) => {
    const [one, other] = [countsOf(a), countsOf(b)];
    return compare(one.high, other.high) || compare(one.medium, other.medium) ||
      compare(one.low, other.low);
  };
}

function byText(textOf: (entry: PendingProposal) => string) {
  return (a: PendingProposal, b: PendingProposal): number => {
    const [one, other] = [textOf(a), textOf(b)];
    return one === other ? 0 : one < other ? -1 : 1;
  };
}

/**
 * Puts proposals in the order that `--sort` says. Where it says nothing of two of them, and without it,
 * they stay in the order of their arrival.
 *
 * @param pending The proposals, in the order of their arrival.
 * @param sort One of {@linkcode SORTS}, or `undefined`.
 * @param marks Their marks.
 * @returns The proposals.
 * @throws {UsageError} If there is no such order.
 */
export function sortPending(
  pending: readonly PendingProposal[],
  sort: string | undefined,
  marks: PendingMarks,
): readonly PendingProposal[] {
  switch (sort) {
    case undefined:
      return pending;
    case "age":
      return pending.toReversed();
    case "bottle":
      return pending.toSorted(byText(({ proposal }) => proposal.bottleSlug));
    case "tool":
      return pending.toSorted(byText(({ proposal }) => proposal.tool));
    case "marks":
      return pending.toSorted(byMarks(marks));
    default:
      throw new UsageError(`Cannot use ${sort} as --sort: expected one of ${SORTS.join(", ")}`);
  }
}
