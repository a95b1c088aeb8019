/**
 * Sample proposals.
 *
 * @module
 */

import {
  type AuditEntry,
  newProposal,
  type PendingProposal,
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

/**
 * Makes an entry of a list of pending proposals.
 *
 * @param change What is different about its proposal.
 * @param proposalSha256 The hash.
 * @returns The entry.
 */
export function samplePending(
  change: Partial<Proposal> = {},
  proposalSha256 = "",
): PendingProposal {
  const proposal = sampleProposal(change);
  const { bottleSlug, id: proposalId } = proposal;
  return { bottleSlug, proposalId, proposal, proposalSha256 };
}

/** A proposal in a root's queue. */
export interface QueuedProposal extends PendingProposal {
  readonly queueDir: string;
  readonly path: string;
}

/**
 * Writes a sample proposal into a root's queue.
 *
 * @param root The root.
 * @param change What is different about it.
 * @returns The proposal, and where it is.
 */
export async function queueSample(
  root: string,
  change: Partial<Proposal> = {},
): Promise<QueuedProposal> {
  const proposal = sampleProposal(change);
  const queueDir = queueDirForSlug(proposal.bottleSlug, { root });
  const path = await writeProposal(queueDir, proposal);
  return { ...samplePending(proposal, sha256Hex(await Deno.readFile(path))), queueDir, path };
}

/** The id of the proposal that arrives in a queue directory. */
export async function proposed(queueDir: string): Promise<string> {
  while (true) {
    for (const { name } of Deno.readDirSync(queueDir)) {
      const [, id] = /^([^.].*)\.proposal\.json$/.exec(name) ?? [];
      if (id !== undefined) return id;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
