/**
 * What the audit log says of one proposal.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot, queueDirForSlug } from "../disk/layout.ts";
import { openOwnFile } from "../disk/lock.ts";
import { ownFileStamp } from "../disk/read_own.ts";
import { MAX_QUEUE_FILE_BYTES } from "../disk/read_untrusted.ts";
import { readResponseBytes, responsePlaces } from "../queue/files.ts";
import { ACTION_SUPERSEDED, type AuditEntry } from "../records/audit_entry.ts";
import { parseJsonBytes, parseResponse } from "../records/codec.ts";
import { AlreadyDecidedError, MalformedRecordError, UnsafeFileError } from "../records/errors.ts";
import { checkProposalId } from "../records/names.ts";
import { AUDIT_COMPONENTS, type ProposalRef, STATUSES } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { isWhole, linesOf } from "./chain.ts";
import { readLine } from "./lines.ts";

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
  const id = checkProposalId(ref.proposalId);
  const { root = claudeBottleRoot() } = ref;
  return decidedAmong(new Set([id]), ref.bottleSlug, root).get(id);
}

/**
 * Finds the decisions on some proposals in the audit logs of their bottle, in one pass.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param ids The proposals' ids.
 * @param bottleSlug The bottle.
 * @param root The root.
 * @returns The audit entries of those that are decided.
 * @throws {InvalidNameError} If the slug is none.
 */
export function decidedAmong(
  ids: ReadonlySet<string>,
  bottleSlug: string,
  root: string,
): Map<string, AuditEntry> {
  const decisions = new Map<string, AuditEntry>();
  for (const component of AUDIT_COMPONENTS) {
    addDecisions(auditLogPath(component, bottleSlug, { root }), ids, decisions);
  }
  return decisions;
}

/**
 * What tells one state of a bottle's audit logs from another, without reading them.
 *
 * @param bottleSlug The bottle.
 * @param root The root.
 * @returns The state.
 */
export function stampOfLogs(bottleSlug: string, root: string): string {
  return AUDIT_COMPONENTS.map((component) =>
    ownFileStamp(auditLogPath(component, bottleSlug, { root }))?.text
  ).join();
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

/** A response in a bottle's queue without a recorded decision. */
export interface UnrecordedResponse {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal that it would answer. */
  readonly proposalId: string;
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
 * @param maxBytes The most that is read of it.
 * @returns The answer, or `undefined` if there is none.
 * @throws {InvalidNameError} If the slug or the id is none.
 */
export function standingResponse(
  ref: ProposalRef,
  maxBytes: number = MAX_QUEUE_FILE_BYTES,
): UnrecordedResponse | undefined {
  const { bottleSlug, proposalId } = ref;
  for (const place of responsePlaces(queueDirForSlug(bottleSlug, ref), proposalId)) {
    try {
      const bytes = readResponseBytes(place, maxBytes);
      const sha256 = sha256Hex(bytes);
      try {
        const { status } = parseResponse(parseJsonBytes(bytes, place), place);
        return { bottleSlug, proposalId, says: status, sha256 };
      } catch (error) {
        if (!(error instanceof MalformedRecordError)) throw error;
        return { bottleSlug, proposalId, says: `it is no response: ${error.reason}`, sha256 };
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (!(error instanceof UnsafeFileError)) throw error;
      return { bottleSlug, proposalId, says: `it cannot be read: ${error.reason}` };
    }
  }
  return undefined;
}

/** Adds what one log says. */
function addDecisions(
  log: string,
  ids: ReadonlySet<string>,
  decisions: Map<string, AuditEntry>,
): void {
  using file = openOwnFile(log);
  for (const line of linesOf(file?.chunks() ?? [])) {
    if (!isWhole(line)) return; // A torn last line was never acknowledged.
    const { entry, link } = readLine(line, log);
    const id = entry?.proposalId;
    if (entry === undefined || id === undefined || !ids.has(id)) continue;
    if (entry.operatorAction === ACTION_SUPERSEDED) {
      // Any line may keep a decision from being made; only one that this tool signed may undo one.
      if (link !== undefined) decisions.delete(id);
    } else if (STATUSES.some((status) => status === entry.operatorAction) && !decisions.has(id)) {
      decisions.set(id, entry);
    }
  }
}
