/**
 * From the words of a command line to decisions, by what its flags say. Of several proposals all are
 * read before the first is decided, then each is decided by itself, and no failure stops another.
 *
 * @module
 */

import {
  checkProposalId,
  durationMs,
  type FoundProposal,
  MAX_STANDING_DAYS,
  MAX_STANDING_MS,
} from "../../internal_mod.ts";
import type { Decision, StandingDraft, Verdict } from "../../mod.ts";
import { type Context, lastLines } from "../command/context.ts";
import { type Failure, failureOf } from "../command/exit.ts";
import { type Flags, UsageError } from "../command/flags.ts";
import { parseWhen, resolveProposal } from "../command/resolve.ts";
import {
  decideAsShown,
  decideFound,
  decisionJson,
  findNamed,
  inspectFound,
  printApplied,
  printDecided,
  printDecision,
  type Said,
  type Seen,
} from "./decision.ts";

/** What the flags confirm. Each slug that was typed counts for its own bottle. */
export function confirmations(flags: Flags, seen: Seen) {
  const { allowStale, overrideUnrecorded, confirm, ifUnmarked } = flags;
  const { bottleSlug } = seen.inspection.proposal;
  const confirmedSlug = confirm.includes(bottleSlug) ? bottleSlug : confirm[0];
  return {
    allowStale,
    overrideUnrecorded,
    ifUnmarked,
    ...(confirmedSlug !== undefined && { confirmedSlug }),
  };
}

export function saidByFlags({ flags }: Context, seen: Seen, verdict: Verdict): Said {
  const { notes = "" } = flags;
  const [standing, grant] = [standingIn(flags), endIn(flags, Date.now())];
  if (standing && grant) {
    throw new UsageError("Cannot use --standing with --for or --until: what ends cannot stand");
  }
  const more = { ...(standing && { standing }), ...(grant && { grant }) };
  return { verdict, notes, ...confirmations(flags, seen), ...more };
}

/** For how long, and where, a decision is to stand, by the flags. */
export function standingIn({ standing, group }: Flags): StandingDraft | undefined {
  if (standing === undefined && group !== undefined) {
    throw new UsageError("Cannot use --group without --standing: it says where a decision stands");
  }
  if (standing === undefined) return undefined;
  const forMs = durationMs(standing);
  if (forMs !== undefined && forMs <= MAX_STANDING_MS) return { forMs, ...(group && { group }) };
  throw new UsageError(
    `Cannot use ${standing} as --standing: expected 90m, 12h or 30d, at most ${MAX_STANDING_DAYS}d`,
  );
}

/**
 * When something ends, by `--for` and `--until`; `undefined` if neither was typed.
 *
 * @throws {UsageError} If both were, or it is over already.
 */
export function endIn(
  { for: duration, until }: Pick<Flags, "for" | "until">,
  nowMs: number,
): { readonly forMs: number } | { readonly until: string } | undefined {
  if (duration !== undefined && until !== undefined) {
    throw new UsageError("Cannot tell when it ends: give one of --for TIME and --until WHEN");
  }
  if (duration !== undefined) {
    const forMs = durationMs(duration);
    if (forMs !== undefined) return { forMs };
    throw new UsageError(`Cannot use ${duration} as --for: expected 90m, 12h or 7d`);
  }
  if (until === undefined) return undefined;
  const untilMs = parseWhen("until", until, nowMs) / 1000;
  if (untilMs > nowMs) return { until: new Date(untilMs).toISOString() };
  throw new UsageError(`Cannot end it at ${until}: that is over; --for 2h counts from now`);
}

/** Decides a proposal that was read. */
type DecideOn = (seen: Seen) => Promise<Decision>;

/**
 * Decides the proposals that words mean, and returns the exit code. Of several it prints a line each.
 * `decideOn` takes its time, for what a person is asked; without it the flags say all.
 */
export async function decideWords(
  context: Context,
  words: readonly string[],
  verdict: Verdict,
  decideOn?: DecideOn,
): Promise<number> {
  const saidOf = (seen: Seen) => saidByFlags(context, seen, verdict);
  if (words.length > 1) {
    const byFlags: DecideOn = (seen) => decideAsShown(context, seen, saidOf(seen));
    return await decideSeveral(context, words, decideOn ?? byFlags);
  }
  const found = findNamed(context, words);
  const decision = decideOn === undefined
    ? await decideFound(context, found, words[0]!, verdict.status, saidOf)
    : await decideOn(await inspectFound(context, found, words[0]!));
  printDecision(context, decision);
  return 0;
}

/** An id that was typed, and the proposal that it means, or why it means no proposal. */
interface Asked {
  readonly word: string;
  readonly found: FoundProposal | Failure;
}

/**
 * Decides several proposals, in the order in which they were typed. The exit code is 0 if all are decided,
 * that of the failures if they share one, else 1. If the words are wrong, nothing is decided.
 */
async function decideSeveral(
  context: Context,
  words: readonly string[],
  decideOn: DecideOn,
): Promise<number> {
  if (context.flags.sha256 !== undefined) {
    throw new UsageError(
      "Cannot use --sha256 with several ids: it is the hash of one; decide that one by itself",
    );
  }
  if (context.flags.standing !== undefined) {
    throw new UsageError(
      "Cannot use --standing with several ids: it is about one change; decide that one by itself",
    );
  }
  words.forEach(checkProposalId);
  const orFailure = async <T>(run: () => T | Promise<T>): Promise<T | Failure> => {
    try {
      return await run();
    } catch (error) {
      return failureOf(error, context);
    }
  };
  const asked: Asked[] = [];
  for (const word of words) {
    asked.push({ word, found: await orFailure(() => resolveProposal(context, [word])) });
  }
  refuseTwice(asked);
  // All are bound to what is read here, before this call writes anything.
  const looks: (Seen | Failure)[] = [];
  for (const { word, found } of asked) {
    looks.push(
      isFailure(found) ? found : await orFailure(() => inspectFound(context, found, word)),
    );
  }

  const results: object[] = [];
  const made: Decision[] = [];
  const exits = new Set<number>();
  for (const [n, { word, found }] of asked.entries()) {
    const seen = looks[n]!;
    const outcome = isFailure(seen) ? seen : await orFailure(() => decideOn(seen));
    if (!isFailure(outcome)) {
      results.push(decisionJson(outcome));
      made.push(outcome);
      if (!context.flags.json) printDecided(context, outcome);
      continue;
    }
    const { exit, code, message, output = "" } = outcome;
    exits.add(exit);
    results.push({ id: isFailure(found) ? word : found.proposalId, error: { code, message } });
    context.complain(`${word}: ${message}`);
    lastLines(output).forEach(context.complain);
  }
  if (context.flags.json) context.printJson({ results });
  else printApplied(context, made);
  const [only = 0, another] = exits;
  return another === undefined ? only : 1;
}

function isFailure(value: object): value is Failure {
  return "exit" in value;
}

/** An operator who names a proposal twice meant another one: ask before the wrong ones are decided. */
function refuseTwice(asked: readonly Asked[]): void {
  const words = new Map<string, string>();
  for (const { word, found } of asked) {
    const key = isFailure(found) ? word : `${found.bottleSlug}/${found.proposalId}`;
    const before = words.get(key);
    words.set(key, word);
    if (before === undefined) continue;
    const which = before === word ? "" : `, as ${before} and as ${word}`;
    const id = isFailure(found) ? word : found.proposalId;
    throw new UsageError(`Cannot decide ${id} twice: it was named twice${which}; name it once`);
  }
}
