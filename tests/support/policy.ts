/**
 * Decisions under a policy.
 *
 * @module
 */

import {
  type AuditEntry,
  decide,
  type DecideRequest,
  type Decision,
  readAuditEntries,
  type Verdict,
} from "../../mod.ts";
import type { QueuedProposal } from "./records.ts";
import type { TempDir } from "./temp.ts";

/**
 * Decides a sample proposal.
 *
 * @param dir The root.
 * @param queued The proposal.
 * @param verdict What is decided.
 * @param change What else is said.
 * @returns The decision.
 */
export function decideSample(
  dir: TempDir,
  { proposal, proposalSha256 }: QueuedProposal,
  verdict: Verdict,
  change: Partial<DecideRequest> = {},
): Promise<Decision> {
  return decide({
    root: dir.path,
    bottleSlug: proposal.bottleSlug,
    proposalId: proposal.id,
    proposalSha256,
    verdict,
    notes: "so be it",
    operator: "ada@host",
    ...change,
  });
}

/**
 * Reads what the log of the allowlists of a bottle says.
 *
 * @param dir The root.
 * @param slug The bottle.
 * @returns The entries, in their order.
 */
export function entriesOf(dir: TempDir, slug = "dev-1"): Promise<AuditEntry[]> {
  return readAuditEntries("pipelock", slug, { root: dir.path });
}
