/**
 * What the audit log says of one proposal.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ACTION_SUPERSEDED, type AuditEntry } from "./audit_entry.ts";
import { isEntry, parseAuditLine } from "./audit_line.ts";
import { AlreadyDecidedError, MalformedRecordError, UnsafeFileError } from "./errors.ts";
import { sha256Hex } from "./hash.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogPath, checkProposalId, queueDirForSlug } from "./paths.ts";
import {
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  type ProposalRef,
  STATUSES,
  TOOLS,
} from "./proposal.ts";
import { responsePlaces } from "./queue.ts";
import { MAX_QUEUE_FILE_BYTES, parseJsonBytes, readUntrusted } from "./untrusted.ts";
import { parseResponse } from "./wire.ts";

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
 * Makes sure that no decision on a proposal is recorded yet.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param ref The proposal.
 * @throws {InvalidNameError} If the slug or the id is none.
 * @throws {AlreadyDecidedError} If it is decided; names the winner and the decision.
 */
export function refuseIfDecided(ref: ProposalRef): void {
  const entry = findDecision(ref);
  if (entry === undefined) return;
  throw new AlreadyDecidedError(ref.proposalId, entry.operatorAction, entry.operator);
}

/** An answer that stands in a queue. */
export interface StandingAnswer {
  /** What it says, or why it cannot be read: one line. */
  readonly says: string;
  /** SHA-256 of its bytes, lower-case hex, if it could be read. */
  readonly sha256?: string;
}

/**
 * The answer of a proposal that stands in its bottle's queue, or is archived there. If no decision
 * is recorded, somebody planted it, or decided with a tool that keeps no record.
 *
 * Needs `--allow-read` for the root.
 *
 * @param ref The proposal.
 * @returns The answer, or `undefined` if there is none.
 * @throws {InvalidNameError} If the slug or the id is none.
 */
export function standingAnswer(ref: ProposalRef): StandingAnswer | undefined {
  for (const place of responsePlaces(queueDirForSlug(ref.bottleSlug, ref.root), ref.proposalId)) {
    try {
      const { bytes } = readUntrusted(place, { maxBytes: MAX_QUEUE_FILE_BYTES });
      const sha256 = sha256Hex(bytes);
      try {
        return { says: parseResponse(parseJsonBytes(bytes, place), place).status, sha256 };
      } catch (error) {
        if (!(error instanceof MalformedRecordError)) throw error;
        return { says: `it is no response: ${error.reason}`, sha256 };
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (!(error instanceof UnsafeFileError)) throw error;
      return { says: `it cannot be read: ${error.reason}` };
    }
  }
  return undefined;
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
  return isEntry(line, log) ? parseAuditLine(line, log) : undefined;
}
