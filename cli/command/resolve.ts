/**
 * Finds the proposals that a command line means: by the beginning of an id, or by filter and order.
 *
 * @module
 */

import {
  checkProposalId,
  findProposals,
  type FoundProposal,
  instantOf,
  ProposalNotFoundError,
  type RefusedQueue,
  TOOLS,
} from "../../read_mod.ts";
import type { PendingProposal } from "../../mod.ts";
import { type Context, someOf } from "./context.ts";
import { countMarks, type MarkCounts, type PendingMarks } from "../render/pending.ts";
import { quoteId } from "../render/quote.ts";
import { type FlagName, type Flags, SORTS, UsageError } from "./flags.ts";

/**
 * The proposal that an operator means by an id or the beginning of one. A pending proposal is taken before
 * an answered one.
 *
 * @throws {UsageError} If there is not exactly one argument, or several proposals begin so.
 * @throws {InvalidNameError} If the argument cannot be an id.
 * @throws {ProposalNotFoundError} If no proposal begins so.
 */
export function resolveProposal(context: Context, words: readonly string[]): FoundProposal {
  const [prefix, ...rest] = words;
  if (prefix === undefined || rest.length > 0) {
    throw new UsageError(`Cannot tell which proposal: expected one ID, found ${words.length}`);
  }
  checkProposalId(prefix);
  const refused: RefusedQueue[] = [];
  const onRefused = (place: RefusedQueue) => void refused.push(place);
  const found = findProposals(prefix, { ...context.where, onRefused });
  const pending = found.filter((proposal) => proposal.pending);
  return onlyOne(context, prefix, pending.length > 0 ? pending : found, refused);
}

/**
 * The only one of some proposals whose ids begin alike. `refused` is where no proposal could be looked for.
 *
 * @throws {ProposalNotFoundError} If no proposal has that id.
 * @throws {UsageError} If there are several; names some of them.
 */
export function onlyOne<P extends Pick<FoundProposal, "bottleSlug" | "proposalId">>(
  { root, flags, supervise }: Context,
  prefix: string,
  candidates: readonly P[],
  refused: readonly RefusedQueue[] = [],
): P {
  const [only, another] = candidates;
  if (only === undefined) {
    const place = flags.bottle === undefined
      ? `any bottle under ${root}`
      : `bottle ${flags.bottle}`;
    const hidden = someOf(refused.map(({ name, reason }) => `queue/${name} (${reason})`));
    const way =
      `; it may be where nobody could look: ${hidden}; ${supervise} doctor says what to repair`;
    throw new ProposalNotFoundError(prefix, refused.length === 0 ? place : place + way);
  }
  if (another === undefined) return only;
  const named = candidates
    .map(({ proposalId, bottleSlug }) => `${quoteId(proposalId)} (${bottleSlug})`);
  throw new UsageError(
    `Cannot tell which proposal ${prefix} is: ${someOf(named)}; ` +
      "type more of it, or name the --bottle",
  );
}

/** The shortest beginning of each id, of at least eight characters, that no other id shares. */
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

const SECONDS_OF_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * A test for the proposals that `--tool` and `--since` select. A proposal whose time of arrival cannot be
 * read is always selected.
 *
 * @throws {UsageError} If `--tool` is not a tool, or `--since` is not a time.
 */
export function isWanted(
  { tool, since }: Flags,
  nowMs: number,
): (entry: PendingProposal) => boolean {
  checkChoice("tool", tool, TOOLS);
  const from = since === undefined ? -Infinity : parseWhen("since", since, nowMs);
  return ({ proposal }) =>
    (tool === undefined || proposal.tool === tool) && instantOf(proposal.arrivalTimestamp) >= from;
}

/** Refuses a value of a flag that is not in its list. */
export function checkChoice(
  flag: FlagName,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value === undefined || choices.includes(value)) return;
  throw new UsageError(`Cannot use ${value} as --${flag}: expected one of ${choices.join(", ")}`);
}

/** The instant that the value of `--since` or `--until` means, in microseconds since 1970. */
export function parseWhen(flag: FlagName, when: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(when) ?? [];
  if (count !== undefined) return (nowMs - Number(count) * SECONDS_OF_UNIT[unit!]! * 1000) * 1000;
  // What a list shows is local time, to the minute, so that is what a person types.
  const [, minute, seconds = ":00", offset] =
    /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(:\d\d(?:\.\d+)?)? ?(Z|[+-]\d\d:?\d\d)?$/.exec(when) ?? [];
  const instant = instantOf(`${minute}${seconds}${offset ?? ""}`);
  if (instant !== Infinity) {
    const minutesWest = offset === undefined ? new Date(minute!).getTimezoneOffset() : 0;
    return instant + minutesWest * 60_000_000;
  }
  throw new UsageError(
    `Cannot use ${when} as --${flag}: expected 90s, 15m, 2h or 3d, or a time such as ` +
      "2026-11-22T10:00:00Z, or local time without the Z",
  );
}

/** A proposal that was not judged may be anything: after those with high marks, before all others. */
const UNKNOWN: MarkCounts = { high: 0, medium: Infinity, low: 0 };

function compare<T extends string | number>(a: T, b: T): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * Puts proposals, which come in the order of their arrival, in the order of `--sort`. Equal ones stay in
 * the order of their arrival.
 *
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
      return pending.toSorted((a, b) => compare(a.proposal.bottleSlug, b.proposal.bottleSlug));
    case "tool":
      return pending.toSorted((a, b) => compare(a.proposal.tool, b.proposal.tool));
    case "marks": {
      const counts = new Map(
        pending.map((entry) => [entry, countMarks(marks.get(entry)) ?? UNKNOWN]),
      );
      return pending.toSorted((a, b) => {
        const [one, other] = [counts.get(a)!, counts.get(b)!];
        return compare(other.high, one.high) || compare(other.medium, one.medium) ||
          compare(other.low, one.low);
      });
    }
    default:
      throw new UsageError(`Cannot use ${sort} as --sort: expected one of ${SORTS.join(", ")}`);
  }
}
