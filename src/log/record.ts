/**
 * One decision, and what its line in the log proves.
 *
 * @module
 */

import { auditLogPath } from "../disk/layout.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import type { Head } from "../records/head.ts";
import { checkProposalId } from "../records/names.ts";
import type { ProposalRef } from "../records/proposal.ts";
import { advance } from "./chain.ts";
import { decisionLines } from "./decisions.ts";
import { type LineSignature, signatureOf } from "./signature.ts";

/** A decision as its line in the log proves it. */
export interface RecordedDecision {
  readonly entry: AuditEntry;
  /** The log's path. */
  readonly auditLog: string;
  /** The log's head after the line; `undefined` if the line is not chained. */
  readonly auditHead: Head | undefined;
  readonly signature: LineSignature;
}

/**
 * Finds the decision on a proposal like {@linkcode findDecision}, and checks the signature of its line.
 * The lines before it are not checked: `verifyAuditLog` does that.
 *
 * @throws {InvalidNameError} If the slug or the id is not valid.
 */
export function findRecord(ref: Required<ProposalRef>): RecordedDecision | undefined {
  const { root, bottleSlug, proposalId } = ref;
  const line = decisionLines(new Set([checkProposalId(proposalId)]), bottleSlug, root)
    .get(proposalId);
  if (line === undefined) return undefined;
  const { entry, component, link, bytes } = line;
  return {
    entry,
    auditLog: auditLogPath(component, bottleSlug, { root }),
    auditHead: link && advance({ seq: link.seq, hash: link.prev }, bytes),
    signature: signatureOf(line, bottleSlug, root),
  };
}
