/**
 * Sample proposals.
 *
 * @module
 */

import {
  type AuditEntry,
  newProposal,
  type Proposal,
  queueDirForSlug,
  sha256Hex,
  writeProposal,
} from "../../mod.ts";

/**
 * A sound proposal of an allowlist.
 *
 * @param change What is different about it.
 * @returns The proposal.
 */
export function sampleProposal(change: Partial<Proposal> = {}): Proposal {
  return {
    ...newProposal({
      bottleSlug: "dev-1",
      tool: "pipelock-block",
      proposedFile: "api.example.com\napi.github.com\n",
      justification: "The tests read a public gist.",
      currentFileHash: "",
    }),
    ...change,
  };
}

/**
 * What an entry says, without what the log adds.
 *
 * @param entry The entry, as it is read.
 * @returns The entry, as it was written.
 */
export function saidBy(entry: AuditEntry): AuditEntry {
  const { operatorKey: _, seq: __, ...said } = entry;
  return said;
}

/** A proposal that stands in a root's queue. */
export interface QueuedProposal {
  readonly proposal: Proposal;
  readonly proposalSha256: string;
  readonly queueDir: string;
  readonly path: string;
}

/**
 * Writes a sample proposal into a root's queue.
 *
 * @param root The root.
 * @param change What is different about it.
 * @returns The proposal, and where it stands.
 */
export async function queueSample(
  root: string,
  change: Partial<Proposal> = {},
): Promise<QueuedProposal> {
  const proposal = sampleProposal(change);
  const queueDir = queueDirForSlug(proposal.bottleSlug, { root });
  const path = await writeProposal(queueDir, proposal);
  return { proposal, proposalSha256: sha256Hex(await Deno.readFile(path)), queueDir, path };
}
