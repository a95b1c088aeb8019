/**
 * The one door: the only code that answers a proposal. Every surface goes through it.
 *
 * @module
 */

import { validateConfigFile } from "../config/check.ts";
import { marksFor } from "../config/marks.ts";
import { auditLogPath, claudeBottleRoot } from "../disk/layout.ts";
import { type StandingResponse, standingResponse } from "../log/decisions.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import {
  ChangedSinceShownError,
  InvalidConfigError,
  StaleConfigError,
  UnconfirmedError,
  UnrecordedResponseError,
} from "../records/errors.ts";
import { formatHead } from "../records/head.ts";
import type { Mark } from "../records/mark.ts";
import { checkBottleSlug, checkProposalId } from "../records/names.ts";
import {
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  CONFIG_FILE_FOR_TOOL,
  type ProposalResponse,
  type Status,
} from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { diffAgainst, type Inspection, inspectProposal } from "./inspect.ts";
import { carryOut, refuseIfUnanswerable, withBottleLock } from "./journal.ts";

/** What an operator decides: approve the file, replace it by another version, or reject it. */
export type Verdict =
  | { readonly status: "approved" }
  | { readonly status: "modified"; readonly finalFile: string }
  | { readonly status: "rejected" };

/** One operator's decision on one proposal. */
export interface DecideRequest {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;
  /** SHA-256 of the proposal's bytes that the operator saw, lower-case hex. */
  readonly proposalSha256: string;
  /**
   * SHA-256 of the config file in force that the operator saw, lower-case hex, `""` if there was none.
   * If it is another one by now, nothing happens; not checked unless given.
   */
  readonly currentSha256?: string;
  /** What the operator decides. */
  readonly verdict: Verdict;
  /** The operator's words for the agent and the log. A rejection needs some. */
  readonly notes: string;
  /** Who decides, `user@host`. The log adds the key that signs. */
  readonly operator: string;
  /** A name that the operator gives besides. It replaces nothing. */
  readonly operatorName?: string;
  /** Whether to go on though the config in force is not the file the agent started from. */
  readonly allowStale?: boolean;
  /**
   * The bottle's slug, as whoever decides typed it: needed if {@linkcode marksToConfirm} has any marks,
   * and with it `currentSha256`, since marks are of what was shown. It is no secret. It keeps a hurried
   * operator from letting in what nobody looked at.
   */
  readonly confirmedSlug?: string;
  /**
   * Whether to go on though an answer stands in the queue that no record backs. It is moved to
   * `<root>/private/foreign/<slug>/`, and the log says what it said.
   */
  readonly overrideUnrecorded?: boolean;
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

/** A decision that stands: recorded, and answered. */
export interface Decision {
  /** The proposal's id. */
  readonly proposalId: string;
  /** The bottle that asked. */
  readonly bottleSlug: string;
  /** What was decided. */
  readonly status: Status;
  /** The operator's words. */
  readonly notes: string;
  /** The log that keeps it. */
  readonly auditLog: string;
  /** The log's head after it, `seq:hash`. Kept elsewhere it shows that the log was cut. */
  readonly auditHead: string;
}

/**
 * Decides a proposal: records the decision, then answers, each durable before the next.
 *
 * Of any number of operators who decide at once exactly one wins. What was shown is what is decided:
 * if the proposal's bytes are not those that hash to `proposalSha256`, nothing happens. The final
 * file must be sound. If the process dies in between, the next run finishes the decision or drops it.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @example Approve
 * ```ts
 * import { decide, newProposal, queueDirForSlug, readResponse } from "@claude-bottle/supervise";
 * import { inspectProposal, writeProposal } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const proposal = newProposal({
 *   bottleSlug: "dev-1",
 *   tool: "pipelock-block",
 *   proposedFile: "api.github.com\n",
 *   justification: "The tests read a public gist.",
 *   currentFileHash: "",
 * });
 * const queueDir = queueDirForSlug("dev-1", { root });
 * await writeProposal(queueDir, proposal);
 *
 * const ref = { root, bottleSlug: "dev-1", proposalId: proposal.id };
 * const { proposalSha256, currentSha256 = "" } = await inspectProposal(ref);
 * await decide({
 *   ...ref,
 *   proposalSha256,
 *   currentSha256,
 *   verdict: { status: "approved" },
 *   notes: "",
 *   operator: "ada@host",
 * });
 * assertEquals((await readResponse(queueDir, proposal.id)).status, "approved");
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param request The decision.
 * @returns The decision, as it stands.
 * @throws {InvalidNameError} If the slug or the id is none.
 * @throws {TypeError} If a rejection has no notes, or a confirmation no `currentSha256`.
 * @throws {ProposalNotFoundError} If there is no such proposal.
 * @throws {AlreadyDecidedError} If it is decided; names the winner and the decision.
 * @throws {UnrecordedResponseError} If it is answered without a record, and that was not to be overridden.
 * @throws {ChangedSinceShownError} If it is not the proposal that was shown.
 * @throws {StaleConfigError} If the config in force is not the agent's, or not the one that was shown;
 * for all but a rejection.
 * @throws {InvalidConfigError} If the final file breaks its rules.
 * @throws {UnconfirmedError} If the final file has a high mark, and `confirmedSlug` is not the slug.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is decided.
 * @throws {ResponseNotWrittenError} If it is recorded, but could not be answered yet.
 * @throws {UnsafeFileError} If something else than a plain file stands in the proposal's place.
 * @throws {MalformedRecordError} If the proposal, or a record in `<root>/private`, is malformed.
 * @throws {Error} If no answer could be written, or the signing key cannot be used; nothing is decided.
 */
export async function decide(request: DecideRequest): Promise<Decision> {
  const { bottleSlug, proposalId, root = claudeBottleRoot() } = request;
  checkBottleSlug(bottleSlug);
  checkProposalId(proposalId);
  if (request.verdict.status === "rejected" && request.notes.trim() === "") {
    throw new TypeError("Cannot reject without notes: say why, the agent reads it");
  }
  if (request.confirmedSlug !== undefined && request.currentSha256 === undefined) {
    throw new TypeError(
      "Cannot take a confirmation without currentSha256: name the file in force that was shown",
    );
  }
  return await withBottleLock(root, bottleSlug, async () => {
    const inspection = await inspectProposal({ root, bottleSlug, proposalId });
    refuseIfChanged(request, inspection);
    const { unrecordedResponse } = inspection;
    if (unrecordedResponse !== undefined && request.overrideUnrecorded !== true) {
      throw new UnrecordedResponseError(proposalId, unrecordedResponse.says);
    }

    const finalFile = finalFileOf(request.verdict, inspection);
    if (finalFile !== null) refuseIfUnsound(inspection, finalFile);
    refuseIfUnconfirmed(request, inspection);
    refuseIfUnanswerable(root, bottleSlug);
    return await record(root, request, inspection, finalFile);
  });
}

/**
 * The high marks of what a verdict would let in: of the file that would be answered, which need not be
 * the proposed one. If there are any, {@linkcode decide} wants the bottle's slug.
 *
 * Pure, and as fast as {@linkcode marksFor}.
 *
 * @param inspection The proposal beside the file in force.
 * @param verdict The verdict.
 * @returns The marks; none for a rejection, which lets nothing in.
 */
export function marksToConfirm(inspection: Inspection, verdict: Verdict): readonly Mark[] {
  if (verdict.status === "rejected") return [];
  const { proposal: { tool }, currentFile, marks } = inspection;
  const final = verdict.status === "approved"
    ? marks
    : marksFor(tool, currentFile, verdict.finalFile);
  return final.filter(({ severity }) => severity === "high");
}

function finalFileOf(verdict: Verdict, inspection: Inspection): string | null {
  if (verdict.status === "modified") return verdict.finalFile;
  return verdict.status === "approved" ? inspection.proposal.proposedFile : null;
}

function refuseIfChanged(request: DecideRequest, inspection: Inspection): void {
  const { proposal, proposalSha256, stale } = inspection;
  if (proposalSha256 !== request.proposalSha256) {
    throw new ChangedSinceShownError(proposal.id, request.proposalSha256, proposalSha256);
  }
  // A rejection changes nothing, so it cannot be stale.
  if (request.verdict.status === "rejected") return;
  const { currentPath, currentSha256 } = inspection;
  const shown = request.currentSha256;
  if (shown !== undefined && shown !== (currentSha256 ?? "")) {
    throw new StaleConfigError(proposal.id, currentPath, "operator", shown, currentSha256);
  }
  if (!stale || request.allowStale === true) return;
  const { currentFileHash } = proposal;
  throw new StaleConfigError(proposal.id, currentPath, "agent", currentFileHash, currentSha256);
}

function refuseIfUnsound(inspection: Inspection, finalFile: string): void {
  const { tool, proposedFile } = inspection.proposal;
  const problems = finalFile === proposedFile
    ? inspection.problems
    : validateConfigFile(tool, finalFile);
  if (problems.length > 0) throw new InvalidConfigError(CONFIG_FILE_FOR_TOOL[tool], problems);
}

function refuseIfUnconfirmed(request: DecideRequest, inspection: Inspection): void {
  const { bottleSlug, proposalId, confirmedSlug, verdict } = request;
  if (confirmedSlug === bottleSlug) return;
  const marks = marksToConfirm(inspection, verdict);
  if (marks.length === 0) return;
  throw new UnconfirmedError(bottleSlug, proposalId, marks, confirmedSlug);
}

async function record(
  root: string,
  request: DecideRequest,
  inspection: Inspection,
  finalFile: string | null,
): Promise<Decision> {
  const { proposal, proposalSha256 } = inspection;
  const { bottleSlug, verdict } = request;
  const { status } = verdict;
  const component = COMPONENT_FOR_TOOL[proposal.tool] ?? COMPONENT_REBUILD;
  const auditLog = auditLogPath(component, bottleSlug, { root });
  const entry: AuditEntry = {
    timestamp: new Date().toISOString(),
    bottleSlug,
    component,
    operatorAction: status,
    operatorNotes: request.notes,
    justification: proposal.justification,
    diff: verdict.status === "modified"
      ? diffAgainst(inspection, verdict.finalFile)
      : inspection.diff,
    operator: request.operator,
    ...(request.operatorName !== undefined && { operatorName: request.operatorName }),
    proposalId: proposal.id,
    proposalSha256,
    finalSha256: finalFile === null ? "" : sha256Hex(finalFile),
    ...(inspection.unrecordedResponse &&
      { unrecordedResponse: unrecordedWords(inspection.unrecordedResponse) }),
  };
  const response: ProposalResponse = {
    proposalId: proposal.id,
    status,
    notes: request.notes,
    finalFile,
  };
  const overrideUnrecorded = inspection.unrecordedResponse !== undefined;
  const { head, answered } = await carryOut(root, { entry, response, overrideUnrecorded });
  if (!answered) {
    const standing = standingResponse({ root, bottleSlug, proposalId: proposal.id });
    throw new UnrecordedResponseError(proposal.id, standing?.says ?? "it is gone again");
  }
  const { notes } = request;
  const auditHead = formatHead(head);
  return { proposalId: proposal.id, bottleSlug, status, notes, auditLog, auditHead };
}

function unrecordedWords({ says, sha256 }: StandingResponse): string {
  return sha256 === undefined ? says : `${says}, sha256 ${sha256}`;
}
