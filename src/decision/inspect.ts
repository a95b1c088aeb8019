/**
 * Reads what an operator must see before deciding: the proposal, the file in force, the difference.
 *
 * @module
 */

import { claudeBottleRoot, proposalPath, queueDirForSlug } from "../disk/layout.ts";
import { directoryIdentity, MAX_QUEUE_FILE_BYTES, readUntrusted } from "../disk/read_untrusted.ts";
import { type NotProven, readFrozen, readNotProven } from "../host/apply_state.ts";
import { type PolicyInForce, readPolicy } from "../host/policy_file.ts";
import { refuseIfDecided, standingResponse, type UnrecordedResponse } from "../log/decisions.ts";
import { pendingFromBytes, type PendingProposal } from "../queue/files.ts";
import { ProposalNotFoundError } from "../records/errors.ts";
import { checkProposalId } from "../records/names.ts";
import { ObstacleError, unrecordedResponse as unrecorded } from "../records/obstacle.ts";
import { type ConfigProblem, failedCheck, MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import { CONFIG_FILE_FOR_TOOL, type Proposal, type ProposalRef } from "../records/proposal.ts";
import type { Comparison } from "../records/reach.ts";
import { renderDiff } from "../text/diff.ts";
import { assessProposal } from "./assess.ts";
import { type Grant, readForGood } from "./granted.ts";
import { basename } from "@std/path";

/** What keeps a bottle's files in force from being changed. */
export interface Held {
  /** Why it is not known which file the bottle's enforcer has; missing if that is known. */
  readonly notProven?: NotProven;
  /** Until when the operator froze the bottle's files, ISO 8601; missing if they are not frozen. */
  readonly frozenUntil?: string;
}

/**
 * A pending proposal beside the file in force, and what the change would let the bottle do. If grants are open on
 * that file, the file in force means the file without them, here and in each comparison.
 */
export interface Inspection extends PendingProposal, Comparison, Held {
  /** The open grants on the file in force; missing if none is open. */
  readonly grants?: readonly Pick<Grant, "proposalId" | "until">[];
  /** The file in force with them; missing if none is open. */
  readonly grantedFile?: string;
  /** The path of the config file in force. */
  readonly currentPath: string;
  /** Its content, or `null` if there is none. */
  readonly currentFile: string | null;
  /** Whether the agent started from a file other than the one in force. */
  readonly stale: boolean;
  /** The file that the agent started from. Only if `stale`, and if a copy of that file was kept. */
  readonly startedFile?: string;
  /**
   * The file in force with the agent's change in it: what an approval puts in force instead of the agent's own
   * file. Only if `stale` or if there are `grants`, and if the change can be made there.
   */
  readonly merged?: string;
  /** Why the change cannot be made in the file in force, as the end of a sentence. Only if `stale`. */
  readonly mergeProblem?: string;
  /** SHA-256 of the file that an approval would put in force, lower-case hex. */
  readonly finalSha256: string;
  /** The problems of the proposed file. A sidecar queues no file with problems. */
  readonly problems: readonly ConfigProblem[];
  /**
   * From the file that the agent started from to the proposed one: what the agent itself changed.
   * Only if `stale`, and if a copy of that file was kept.
   */
  readonly agentDiff: string | undefined;
  /** SHA-256 of the file in force, lower-case hex; `""` if there is none. */
  readonly currentSha256: string;
  /**
   * From the file in force to the proposed one, or to `merged`; of one that is too large to be valid, its
   * beginning.
   */
  readonly diff: string;
  /** A response in the queue without a recorded decision. */
  readonly unrecordedResponse: UnrecordedResponse | undefined;
  /** The root's `policy.json`. */
  readonly policy: PolicyInForce;
}

/**
 * Reads a proposal that is not decided and the config file in force, and compares them.
 *
 * Needs `--allow-read` for the root.
 *
 * @param ref Which proposal.
 * @returns The proposal, the file in force, their difference.
 * @throws {InvalidNameError} If the slug or the id is not valid.
 * @throws {AlreadyDecidedError} If it is decided; names the operator and the decision.
 * @throws {ProposalNotFoundError} If there is no such proposal in the bottle's queue.
 * @throws {ObstacleError} If it is gone, and a response that no record backs is all that is left.
 * @throws {UnsafeFileError} If the proposal is not a plain file, or its directory not a directory.
 * @throws {MalformedRecordError} If the proposal is malformed, or claims another bottle.
 */
// deno-lint-ignore require-await
export async function inspectProposal(ref: ProposalRef): Promise<Inspection> {
  const { bottleSlug, proposalId, root = claudeBottleRoot() } = ref;
  const queueDir = queueDirForSlug(bottleSlug, { root });
  checkProposalId(proposalId);
  directoryIdentity(queueDir);
  // In this order: a response that comes after the log was read may have its record there by then.
  const unrecordedResponse = standingResponse({ root, bottleSlug, proposalId });
  refuseIfDecided({ root, bottleSlug, proposalId });
  let pending: PendingProposal;
  try {
    pending = readPending(ref, MAX_QUEUE_FILE_BYTES);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (unrecordedResponse === undefined) throw new ProposalNotFoundError(proposalId, queueDir);
    throw new ObstacleError(ref, [unrecorded(unrecordedResponse.says, { how: "nothing" })]);
  }
  const { proposal } = pending;
  const current = readForGood(proposal.tool, bottleSlug, root);
  const assessment = assessProposal(proposal, current, root);
  const { startedFile, merged } = assessment;
  const problems = [...assessment.problems];
  /** Without its diff a proposal can be rejected, and not approved. */
  const orProblem = (run: () => string): string => {
    try {
      return run();
    } catch (error) {
      const problem = failedCheck("diff", error);
      problems.push(problem);
      return `${problem.message}\n`;
    }
  };
  return {
    ...pending,
    ...current,
    ...assessment,
    agentDiff: startedFile === undefined
      ? undefined
      : orProblem(() => diffFromAgents(startedFile, proposal)),
    diff: orProblem(() => diffAgainst(current, merged ?? proposal.proposedFile)),
    problems,
    unrecordedResponse,
    policy: readPolicy(root),
    ...held(root, bottleSlug),
  };
}

/** What keeps the bottle's files in force from being changed. */
export function held(root: string, bottleSlug: string): Held {
  const [notProven, frozenUntil] = [readNotProven(root, bottleSlug), readFrozen(root, bottleSlug)];
  return {
    ...(notProven !== undefined && { notProven }),
    ...(frozenUntil !== undefined && { frozenUntil }),
  };
}

function readPending(ref: ProposalRef, maxBytes: number): PendingProposal {
  const { bottleSlug, proposalId } = ref;
  const path = proposalPath(queueDirForSlug(bottleSlug, ref), proposalId);
  return pendingFromBytes(readUntrusted(path, { maxBytes }).bytes, path, bottleSlug);
}

/** The most that is read of a proposal with an unrecorded response, in bytes: a bottle may plant many. */
const MAX_OVERRIDABLE_BYTES = 128 * 1024;

/**
 * Reads the proposal that an unrecorded response is for: an operator who overrides the response can
 * decide it. `undefined` if it cannot be read, or is too large to be listed.
 */
export function readOverridable(ref: ProposalRef): PendingProposal | undefined {
  try {
    return readPending(ref, MAX_OVERRIDABLE_BYTES);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

/** How much is shown of a file that is too large for a diff, in characters. */
const MAX_HEAD_CHARS = 4 * 1024;

/**
 * A unified diff. A file that is larger than any valid one may have millions of lines, and cannot be
 * approved: its beginning is given in place of the diff.
 */
function diffTo(file: string, before: string, names: { label: string; before?: string }): string {
  if (file.length <= MAX_CONFIG_FILE_BYTES) return renderDiff(before, file, names);
  const head = file.slice(0, MAX_HEAD_CHARS).replace(/(?<=\n).*$|[\ud800-\udbff]$/, "");
  const [is, was] = ["the beginning: too large for a diff", "not compared"];
  return renderDiff("", head, { label: names.label, before: was, after: is });
}

function diffFromAgents(started: string, { proposedFile, tool }: Proposal): string {
  const label = CONFIG_FILE_FOR_TOOL[tool];
  return diffTo(proposedFile, started, { label, before: "the agent's" });
}

/** A unified diff from the file in force to another version of it, or the beginning of one that is too large. */
export function diffAgainst(
  inspection: Pick<Inspection, "currentFile" | "currentPath">,
  file: string,
): string {
  return diffTo(file, inspection.currentFile ?? "", { label: basename(inspection.currentPath) });
}
