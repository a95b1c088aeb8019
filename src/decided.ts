/**
 * What the audit log says of one proposal.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ACTION_SUPERSEDED, type AuditEntry } from "./audit_entry.ts";
import { AlreadyDecidedError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogPath, checkProposalId, queueDirForSlug } from "./paths.ts";
import {
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  type ProposalRef,
  type Status,
  STATUSES,
  TOOLS,
} from "./proposal.ts";
import { responseFromFile, responsePlaces } from "./queue.ts";
import { parseJsonBytes } from "./untrusted.ts";
import { parseAuditEntry } from "./wire.ts";

const COMPONENTS = new Set(TOOLS.map((tool) => COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD));

/**
 * Finds the decision on a proposal in the audit logs of its bottle. It is the record, whatever has
 * become of the answer.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param ref The proposal.
 * @returns The audit entry, or `undefined` if no decision is recorded, or the one that is did not
 * take effect.
 * @throws {InvalidNameError} If the slug or the id is none.
 */
export function findDecision(ref: ProposalRef): AuditEntry | undefined {
  checkProposalId(ref.proposalId);
  for (const component of COMPONENTS) {
    const log = auditLogPath(component, ref.bottleSlug, ref.root);
    const entry = findInLog(log, ref.proposalId);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/**
 * Makes sure that a proposal still waits for a decision. The log says what was decided; an answer
 * that no record backs is still an answer.
 *
 * Needs `--allow-read` for the root.
 *
 * @param ref The proposal.
 * @throws {InvalidNameError} If the slug or the id is none.
 * @throws {AlreadyDecidedError} If it is decided; names the winner and the decision.
 */
export function refuseIfDecided(ref: ProposalRef): void {
  const { root, bottleSlug, proposalId } = ref;
  const entry = findDecision(ref);
  if (entry !== undefined) {
    throw new AlreadyDecidedError(proposalId, entry.operatorAction, entry.operator);
  }
  for (const place of responsePlaces(queueDirForSlug(bottleSlug, root), proposalId)) {
    let status: Status | undefined;
    try {
      status = responseFromFile(place).status;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
    }
    throw new AlreadyDecidedError(proposalId, status);
  }
}

/** Finds a proposal's decision in one log, without parsing the other lines. */
function findInLog(log: string, proposalId: string): AuditEntry | undefined {
  const content = readOwnFile(log);
  if (content === undefined) return undefined;
  const bytes = Buffer.from(content.buffer);
  // In JSON a quote inside a string is escaped, so these bytes can only be the key and its value.
  const key = `"proposal_id":"${proposalId}"`;
  let decision: AuditEntry | undefined;
  for (let at = bytes.indexOf(key); at !== -1; at = bytes.indexOf(key, at + 1)) {
    const end = bytes.indexOf("\n", at);
    if (end === -1) break; // A torn last line was never acknowledged.
    const entry = entryOn(bytes.subarray(bytes.lastIndexOf("\n", at) + 1, end), log);
    if (entry?.operatorAction === ACTION_SUPERSEDED) decision = undefined;
    else if (STATUSES.some((status) => status === entry?.operatorAction)) decision ??= entry;
  }
  return decision;
}

function entryOn(line: Uint8Array, log: string): AuditEntry | undefined {
  try {
    return parseAuditEntry(parseJsonBytes(line, log), log);
  } catch {
    return undefined; // A line torn by a crash was never acknowledged either.
  }
}
