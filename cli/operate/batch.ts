/**
 * Several proposals in one call: all are read before the first is decided, then each is decided by
 * itself, and no failure stops another.
 *
 * @module
 */

import { checkProposalId, type FoundProposal } from "../../internal_mod.ts";
import type { Decision } from "../../mod.ts";
import type { Context } from "../command/context.ts";
import { type Failure, failureOf } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { resolveProposal } from "../command/resolve.ts";
import { decisionJson, inspectFound, printDecided, type Seen } from "./decision.ts";

/** An id that was typed, and the proposal that it means, or why it means none. */
interface Asked {
  readonly word: string;
  readonly found: FoundProposal | Failure;
}

/** The same with the proposal as the operator saw it, or why it cannot be read. */
interface Looked extends Asked {
  readonly seen: Seen | Failure;
}

/**
 * Decides several proposals, in the order in which they were typed, and prints a line for each.
 *
 * @returns The exit code: 0 if all are decided, that of the failures if they share one, else 1.
 * @throws {UsageError} If one is named twice, or `--sha256` is given; then nothing is decided.
 * @throws {InvalidNameError} If one could not be an id; then too nothing is decided.
 */
export async function decideSeveral(
  context: Context,
  words: readonly string[],
  decideOn: (seen: Seen) => Promise<Decision>,
): Promise<number> {
  if (context.flags.sha256 !== undefined) {
    throw new UsageError(
      "Cannot use --sha256 with several ids: it is the hash of one; decide that one by itself",
    );
  }
  words.forEach(checkProposalId);
  const asked = words.map((word) => ({ word, found: resolveOrNot(context, word) }));
  refuseTwice(asked);
  // All are bound to what is read here, before this call writes anything.
  const looked: Looked[] = [];
  for (const one of asked) looked.push({ ...one, seen: await inspectOrNot(context, one) });

  const results: object[] = [];
  const exits = new Set<number>();
  for (const { word, found, seen } of looked) {
    const outcome = isFailure(seen) ? seen : await decideOrNot(context, seen, decideOn);
    if (!isFailure(outcome)) {
      results.push(decisionJson(outcome));
      if (!context.flags.json) printDecided(context, outcome);
      continue;
    }
    const { exit, code, message } = outcome;
    exits.add(exit);
    results.push({ id: isFailure(found) ? word : found.proposalId, error: { code, message } });
    context.complain(`${word}: ${message}`);
  }
  if (context.flags.json) context.printJson({ results });
  const [only = 0, another] = exits;
  return another === undefined ? only : 1;
}

function isFailure(value: object): value is Failure {
  return "exit" in value;
}

/** An id that means no proposal, or several, fails by itself. */
function resolveOrNot(context: Context, word: string): FoundProposal | Failure {
  try {
    return resolveProposal(context, [word]);
  } catch (error) {
    return failureOf(error, context.root);
  }
}

async function inspectOrNot(context: Context, { word, found }: Asked): Promise<Seen | Failure> {
  if (isFailure(found)) return found;
  try {
    return await inspectFound(context, found, word);
  } catch (error) {
    return failureOf(error, context.root);
  }
}

async function decideOrNot(
  context: Context,
  seen: Seen,
  decideOn: (seen: Seen) => Promise<Decision>,
): Promise<Decision | Failure> {
  try {
    return await decideOn(seen);
  } catch (error) {
    return failureOf(error, context.root);
  }
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
