/**
 * One decision, and what its line in the log proves.
 *
 * @module
 */

import { auditLogPath } from "../disk/layout.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import type { Head } from "../records/head.ts";
import { auditLogName, checkProposalId } from "../records/names.ts";
import type { ProposalRef } from "../records/proposal.ts";
import { advance, lineIsSigned, type Link } from "./chain.ts";
import { type DecisionLine, decisionLines } from "./decisions.ts";
import { parsePublicKeys, readPublicKey } from "./key.ts";

/** A decision as its line in the log proves it. */
export interface RecordedDecision {
  readonly entry: AuditEntry;
  /** The log's path. */
  readonly auditLog: string;
  /** The log's head after the line; `undefined` if the line is not chained. */
  readonly auditHead: Head | undefined;
  /**
   * `good`: this root's key signed the line. `bad`: it is not what was signed. `unknown`: another key
   * signed it, or this root's cannot be read. `none`: the line is not signed, so anyone may have written it.
   */
  readonly signature: "good" | "bad" | "unknown" | "none";
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
    signature: link === undefined ? "none" : signatureOf(line, link, ref),
  };
}

function signatureOf(
  { entry, component, bytes }: DecisionLine,
  link: Link,
  { root, bottleSlug }: Required<ProposalRef>,
): RecordedDecision["signature"] {
  let pem: string | undefined;
  try {
    pem = readPublicKey(root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    // `doctor` and `audit verify` say what is wrong with the key.
  }
  const own = pem === undefined ? undefined : parsePublicKeys(pem, "the key of the root");
  const key = own?.get(entry.operatorKey ?? "");
  if (key === undefined) return "unknown";
  return lineIsSigned(auditLogName(component, bottleSlug), bytes, link, key) ? "good" : "bad";
}
