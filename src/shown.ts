/**
 * Remembers what an operator was shown, so that a decision made by a later command is still bound
 * to it.
 *
 * @module
 */

import { join } from "@std/path";
import { removeFile, replaceFile } from "./durable.ts";
import { readOwnFile } from "./own_files.ts";
import { checkBottleSlug, checkProposalId, claudeBottleRoot, privateDir } from "./paths.ts";
import type { ProposalRef } from "./proposal.ts";

function shownPath({ root = claudeBottleRoot(), bottleSlug, proposalId }: ProposalRef): string {
  const dir = join(privateDir(root), "shown", checkBottleSlug(bottleSlug));
  return join(dir, checkProposalId(proposalId));
}

/**
 * Remembers that a proposal was shown, on this host.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 * @param proposalSha256 SHA-256 of the bytes that were shown.
 */
export function rememberShown(ref: ProposalRef, proposalSha256: string): void {
  replaceFile(shownPath(ref), new TextEncoder().encode(`${proposalSha256}\n`));
}

/**
 * What was last shown of a proposal, on this host.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param ref The proposal.
 * @returns SHA-256 of the bytes that were shown, or `undefined` if it was not.
 */
export function lastShown(ref: ProposalRef): string | undefined {
  const bytes = readOwnFile(shownPath(ref));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).trim();
}

/**
 * Forgets that a proposal was shown, once it is decided.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 */
export function forgetShown(ref: ProposalRef): void {
  removeFile(shownPath(ref));
}
