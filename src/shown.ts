/**
 * Remembers what an operator was shown, so that a decision made by a later command is still bound
 * to it: to the proposal's bytes, and to the file in force that the diff was against.
 *
 * @module
 */

import { join } from "@std/path";
import { removeFile, replaceFile } from "./durable.ts";
import { MalformedRecordError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { checkBottleSlug, checkProposalId, claudeBottleRoot, privateDir } from "./paths.ts";
import type { ProposalRef } from "./proposal.ts";
import { listNames } from "./untrusted.ts";

/** What was on the operator's screen. */
export interface Shown {
  /** SHA-256 of the proposal's bytes, lower-case hex. */
  readonly proposalSha256: string;
  /** SHA-256 of the file in force, lower-case hex; `""` if there was none. */
  readonly currentSha256: string;
}

function shownDir(bottleSlug: string, root: string): string {
  return join(privateDir(root), "shown", checkBottleSlug(bottleSlug));
}

function shownPath({ root = claudeBottleRoot(), bottleSlug, proposalId }: ProposalRef): string {
  return join(shownDir(bottleSlug, root), checkProposalId(proposalId));
}

/**
 * Remembers what was shown of a proposal, on this host.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 * @param shown What was shown.
 */
export function rememberShown(ref: ProposalRef, shown: Shown): void {
  const text = `${shown.proposalSha256} ${shown.currentSha256}\n`;
  replaceFile(shownPath(ref), new TextEncoder().encode(text));
}

/**
 * What was last shown of a proposal, on this host. Half a hash would bind a decision to less than what
 * was shown, so there are two whole ones or none.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param ref The proposal.
 * @returns What was shown, or `undefined` if it was not.
 * @throws {InvalidNameError} If the slug or the id is none.
 * @throws {MalformedRecordError} If what was remembered cannot be read.
 */
export function lastShown(ref: ProposalRef): Shown | undefined {
  const path = shownPath(ref);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const hashes = /^([0-9a-f]{64}) ((?:[0-9a-f]{64})?)\n$/.exec(new TextDecoder().decode(bytes));
  if (hashes === null) {
    throw new MalformedRecordError(
      path,
      undefined,
      "it does not say what was shown; look at the proposal again",
    );
  }
  return { proposalSha256: hashes[1]!, currentSha256: hashes[2]! };
}

/**
 * The ids that were shown of a bottle, and are not decided through this host's tools yet.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param bottleSlug The bottle.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The ids.
 */
export function shownIds(
  bottleSlug: string,
  root: string = claudeBottleRoot(),
): readonly string[] {
  return listNames(shownDir(bottleSlug, root));
}

/**
 * Forgets that a proposal was shown, once it is decided. That it cannot be forgotten is no harm: a
 * decided proposal is not decided again.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 */
export function forgetShown(ref: ProposalRef): void {
  const path = shownPath(ref);
  try {
    removeFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}
