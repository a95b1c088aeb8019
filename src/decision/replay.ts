/**
 * Asks the rules of a policy, in force or not yet, about what is pending and what was decided before. Decides
 * nothing, and writes nothing.
 *
 * @module
 */

import { applyPatch } from "../config/dockerfile/patch.ts";
import type { PolicyInForce } from "../host/policy_file.ts";
import { isDecision } from "../log/decisions.ts";
import type { AuditLogId } from "../log/entries.ts";
import { readHistory } from "../log/history.ts";
import type { Ruling } from "../policy/rules.ts";
import { type AuditEntry, instantOf } from "../records/audit_entry.ts";
import { isBottleSlug } from "../records/names.ts";
import {
  CONFIG_FILE_FOR_TOOL,
  type ProposalRef,
  STATUS_APPROVED,
  STATUS_MODIFIED,
} from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { assessProposal } from "./assess.ts";
import { rulingNow, rulingOn } from "./by_rule.ts";
import { diffAgainst, type Inspection, inspectProposal } from "./inspect.ts";
import { findDecidedProposal, findFinalFile } from "./proven_response.ts";

/** What the rules of a policy say to a pending proposal now. */
export async function rulingUnder(
  policy: PolicyInForce,
  ref: Required<ProposalRef>,
  now: Date,
): Promise<Ruling> {
  const inspection = { ...await inspectProposal(ref), policy };
  return await rulingNow(inspection, ref.root, now);
}

/** A recorded decision, and what rules would have said. */
export interface Replayed {
  readonly entry: AuditEntry;
  /** Missing if the proposal, or the file that was in force, is not there any more or is not proven. */
  readonly ruling: Ruling | undefined;
  /** The proposal beside the file that was in force; missing with `ruling`. */
  readonly inspection: Inspection | undefined;
  /** Whether what was put in force is what an approval puts in force. */
  readonly isApproval: boolean;
}

/**
 * Asks the rules about each decision of some logs, as of its time, the oldest first. The proposal counts if
 * it has the hash that its line has; the file that was in force, if the line's diff leads from it.
 */
export function* replayDecisions(
  logs: readonly AuditLogId[],
  policy: PolicyInForce,
  root: string,
): Generator<Replayed> {
  for (const entry of readHistory(logs, { root, newestFirst: false })) {
    if (!isDecision(entry)) continue;
    const instant = instantOf(entry.timestamp);
    const inspection = instant === Infinity ? undefined : inspectRecorded(entry, policy, root);
    const at = new Date(instant / 1000);
    const isApproval = entry.operatorAction === STATUS_APPROVED ||
      entry.finalSha256 === inspection?.finalSha256;
    // What rules decided before does not matter: other rules decided other things then.
    const ruling = inspection && rulingOn(inspection, at);
    yield { entry, ruling, inspection, isApproval };
  }
}

/** A decided proposal beside the file that was in force when it was decided. */
function inspectRecorded(
  entry: AuditEntry,
  policy: PolicyInForce,
  root: string,
): Inspection | undefined {
  const { bottleSlug, proposalId, proposalSha256, diff, finalSha256 = "" } = entry;
  // Another program may have written the line.
  if (!isBottleSlug(bottleSlug)) return undefined;
  if (proposalId === undefined || proposalSha256 === undefined) return undefined;
  const ref = { root, bottleSlug, proposalId };
  const pending = findDecidedProposal(ref, proposalSha256);
  if (pending === undefined) return undefined;
  const { tool, proposedFile } = pending.proposal;
  const final = entry.operatorAction === STATUS_MODIFIED
    ? findFinalFile(ref, finalSha256)
    : proposedFile;
  const currentPath = CONFIG_FILE_FOR_TOOL[tool];
  const before = final === undefined ? undefined : undo(diff, final);
  if (final === undefined || before === undefined) return undefined;
  if (diffAgainst({ currentPath, currentFile: before }, final) !== diff) return undefined;
  const currentSha256 = sha256Hex(before);
  // The diff of a missing file is that of an empty one.
  const currentFile = before === "" ? null : before;
  const says = entry.unrecordedResponse;
  return {
    ...pending,
    currentPath,
    currentFile,
    currentSha256,
    ...assessProposal(pending.proposal, { currentFile, currentSha256 }, root),
    agentDiff: undefined,
    diff,
    unrecordedResponse: says === undefined ? undefined : { bottleSlug, proposalId, says },
    policy,
  };
}

const SWAPPED: Readonly<Record<string, string>> = { "+": "-", "-": "+" };

/** The file from which a diff leads to another one; `undefined` if it does not. */
function undo(diff: string, after: string): string | undefined {
  if (diff === "") return after;
  const hunks = diff.split("\n").slice(2).map((row) =>
    row.replace(
      /^@@ -(\S+) \+(\S+) @@|^[+-]/,
      (found, before, now) => SWAPPED[found] ?? `@@ -${now} +${before} @@`,
    )
  );
  const undone = applyPatch(after, hunks.join("\n"));
  return "text" in undone ? undone.text : undefined;
}
