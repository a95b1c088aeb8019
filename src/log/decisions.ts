/**
 * The decision on a proposal, by the audit logs; and the response that its queue has, which may lack one.
 *
 * @module
 */

import {
  auditLogPath,
  claudeBottleRoot,
  processedDir,
  queueDirForSlug,
  responsePath,
  signingKeyPath,
} from "../disk/layout.ts";
import { openOwnFile } from "../disk/lock.ts";
import { isGranted, ownFileStamp } from "../disk/read_own.ts";
import { listNames, MAX_QUEUE_FILE_BYTES, sizeAndChange } from "../disk/read_untrusted.ts";
import {
  archiveModeProblem,
  readResponseBytes,
  responseFromBytes,
  responsePlaces,
} from "../queue/files.ts";
import { ACTION_SUPERSEDED, type AuditEntry, instantOf } from "../records/audit_entry.ts";
import { AlreadyDecidedError, MalformedRecordError, UnsafeFileError } from "../records/errors.ts";
import { checkProposalId, proposalIdIn, RESPONSE_SUFFIX } from "../records/names.ts";
import {
  AUDIT_COMPONENTS,
  type ProposalRef,
  type ProposalResponse,
  STATUSES,
} from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { linesFromEnd, type Link } from "./chain.ts";
import { linesNaming } from "./index.ts";
import { readLine } from "./lines.ts";
import defer * as signatures from "./signature.ts";

/**
 * Finds the recorded decision on a proposal in the audit logs of its bottle, whatever has become of the
 * response. How long it takes does not depend on the logs' length while their indexes fit; see
 * `docs/FORMAT.md`.
 *
 * Needs `--allow-read` for `<root>/audit`. If `<root>/private` may be read and written too, it uses the
 * indexes of the logs there, and makes one where it is missing or does not fit. Without the key there, a
 * decision that did not take effect counts as one that did.
 *
 * @param ref The proposal.
 * @returns The audit entry; `undefined` if no decision is recorded, or the recorded one did not take
 * effect.
 * @throws {InvalidNameError} If the slug or the id is not valid.
 */
export function findDecision(ref: ProposalRef): AuditEntry | undefined {
  const id = checkProposalId(ref.proposalId);
  const { root = claudeBottleRoot() } = ref;
  return decidedAmong(new Set([id]), ref.bottleSlug, root).get(id);
}

/**
 * Finds the recorded decisions on some proposals of one bottle, as {@linkcode findDecision} does.
 *
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function decidedAmong(
  ids: ReadonlySet<string>,
  bottleSlug: string,
  root: string,
): Map<string, AuditEntry> {
  const lines = decisionLines(ids, bottleSlug, root);
  return new Map(Array.from(lines, ([id, { entry }]) => [id, entry]));
}

/** Whether an entry is a decision on a proposal. */
export function isDecision({ operatorAction }: AuditEntry): boolean {
  return STATUSES.some((status) => status === operatorAction);
}

/** The line of a decision. */
export interface DecisionLine {
  readonly entry: AuditEntry;
  readonly link: Link | undefined;
  readonly component: string;
  readonly bytes: Uint8Array;
}

/** The lines of the decisions that {@linkcode decidedAmong} finds, by the proposals' ids. */
export function decisionLines(
  ids: ReadonlySet<string>,
  bottleSlug: string,
  root: string,
): Map<string, DecisionLine> {
  const decisions = new Map<string, DecisionLine>();
  for (const component of AUDIT_COMPONENTS) {
    for (const { entry, link, bytes } of linesNaming(ids, root, component, bottleSlug)) {
      const id = entry?.proposalId;
      if (entry === undefined || id === undefined || !ids.has(id)) continue;
      if (entry.operatorAction === ACTION_SUPERSEDED) {
        // Any line may keep a decision from being made. To undo one, which was signed, the root's key must have
        // signed the line, behind the decision in the same log: a copy of an older line says nothing of it.
        const decided = decisions.get(id);
        const seq = decided?.component === component ? decided.link?.seq : undefined;
        const line = { entry, link, component, bytes };
        const isBehind = seq !== undefined && link !== undefined && link.seq > seq;
        if (!isBehind || !isGranted("read", signingKeyPath(root))) continue;
        if (signatures.signatureOf(line, bottleSlug, root) === "good") decisions.delete(id);
      } else if (isDecision(entry) && !decisions.has(id)) {
        decisions.set(id, { entry, link, component, bytes: bytes.slice() });
      }
    }
  }
  return decisions;
}

/** How much of a log's end is read for its latest entries, unless given. */
const LATEST_BYTES = 1024 * 1024;

/** The latest entries of a log. */
export interface LatestEntries {
  /** They have the order of the file. */
  readonly entries: readonly AuditEntry[];
  /** Whether the log has others before them, whose time was not looked at. */
  readonly isCut: boolean;
}

/**
 * Reads the latest entries of a log back to one from before `sinceMs`, or to the line in which its last
 * `maxBytes` begin: a line is read whole, so that a long one does not hide itself and those before it.
 */
export function readLatestEntries(
  component: string,
  slug: string,
  root: string,
  { sinceMs = -Infinity, maxBytes = LATEST_BYTES } = {},
): LatestEntries {
  const path = auditLogPath(component, slug, { root });
  using file = openOwnFile(path);
  const entries: AuditEntry[] = [];
  let bytesLeft = maxBytes;
  let isCut = false;
  for (const line of file === undefined ? [] : linesFromEnd(file.read, file.stamp.size)) {
    isCut = bytesLeft <= 0;
    if (isCut) break;
    bytesLeft -= line.length;
    const { entry } = readLine(line, path);
    if (entry === undefined) continue;
    if (instantOf(entry.timestamp) / 1000 < sinceMs) break;
    entries.push(entry);
  }
  return { entries: entries.reverse(), isCut };
}

/** Differs between any two states of a bottle's audit logs. Reads none of them. */
export function stampOfLogs(bottleSlug: string, root: string): string {
  return AUDIT_COMPONENTS.map((component) =>
    ownFileStamp(auditLogPath(component, bottleSlug, { root }))?.text
  ).join();
}

/**
 * Refuses a proposal on which a decision is recorded.
 *
 * @throws {InvalidNameError} If the slug or the id is not valid.
 * @throws {AlreadyDecidedError} If it is decided; names who decided what.
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
  /** The proposal that it responds to. */
  readonly proposalId: string;
  /** What it says, or why it cannot be read: one line. */
  readonly says: string;
  /** SHA-256 of its bytes, lower-case hex, if it could be read. */
  readonly sha256?: string;
}

/**
 * The response to a proposal in its bottle's queue, archived or not; `undefined` if there is none. If no
 * decision is recorded, it was planted, or written by a tool that keeps no record. At most `maxBytes`
 * are read.
 *
 * @throws {InvalidNameError} If the slug or the id is not valid.
 */
export function standingResponse(
  ref: ProposalRef,
  maxBytes?: number,
): UnrecordedResponse | undefined {
  return readStandingResponse(ref, maxBytes)?.response;
}

/** What {@linkcode readStandingResponse} finds. */
interface StandingResponse {
  readonly response: UnrecordedResponse;
  /** If it could be read. */
  readonly bytes?: Uint8Array;
  /** If it is a response. */
  readonly told?: ProposalResponse;
}

/** Does what {@linkcode standingResponse} does, in any queue of the bottle, and returns all of it. */
export function readStandingResponse(
  ref: ProposalRef,
  maxBytes: number = MAX_QUEUE_FILE_BYTES,
  queueDir: string = queueDirForSlug(ref.bottleSlug, ref),
): StandingResponse | undefined {
  const { bottleSlug, proposalId } = ref;
  for (const place of responsePlaces(queueDir, proposalId)) {
    try {
      const bytes = readResponseBytes(place, maxBytes);
      const sha256 = sha256Hex(bytes);
      try {
        const told = responseFromBytes(bytes, place);
        return { response: { bottleSlug, proposalId, says: told.status, sha256 }, bytes, told };
      } catch (error) {
        if (!(error instanceof MalformedRecordError)) throw error;
        const says = `it is not a response: ${error.reason}`;
        return { response: { bottleSlug, proposalId, says, sha256 }, bytes };
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (!(error instanceof UnsafeFileError)) throw error;
      // Nobody knows what is in such an archive. A decision is refused for it, with its mode.
      if (place !== responsePath(queueDir, proposalId) && archiveModeProblem(queueDir)) continue;
      return { response: { bottleSlug, proposalId, says: `it cannot be read: ${error.reason}` } };
    }
  }
  return undefined;
}

/** An archived response without a recorded decision. */
export interface ArchivedUnrecorded {
  readonly bottleSlug: string;
  readonly proposalId: string;
  readonly path: string;
  /** When it was archived, or changed, in whole seconds since 1970; 0 if there are more than 20,000. */
  readonly changed: number;
}

/** Of how many archived responses the time is looked at: the queue's owner can plant any number. */
const MOST_TIMED = 20_000;

/**
 * The archived responses without a record, the newest first. `queueDir` is the bottle's queue, or one that
 * was moved away when the bottle was removed.
 *
 * @throws {UnsafeFileError} If the archive cannot be listed.
 */
export function archivedUnrecorded(
  queueDir: string,
  bottleSlug: string,
  root: string,
): ArchivedUnrecorded[] {
  const archive = processedDir(queueDir);
  // The names before the logs: a response is written after its record.
  const ids = new Set(
    listNames(archive).flatMap((name) => proposalIdIn(name, RESPONSE_SUFFIX) ?? []),
  );
  if (ids.size === 0) return [];
  for (const id of decidedAmong(ids, bottleSlug, root).keys()) ids.delete(id);
  const isTimed = ids.size <= MOST_TIMED;
  return Array.from(ids, (proposalId) => {
    // Its owner can set other times, but not this one.
    const path = responsePath(archive, proposalId);
    const changed = isTimed ? sizeAndChange(path)?.changed ?? 0 : 0;
    return { bottleSlug, proposalId, path, changed };
  }).sort((a, b) => b.changed - a.changed);
}
