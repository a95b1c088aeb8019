/**
 * Drafts rules from what the audit logs say that people decided.
 *
 * @module
 */

import type { PolicyInForce } from "../host/policy_file.ts";
import type { AuditLogId } from "../log/entries.ts";
import { linesOf } from "../log/rule_history.ts";
import { type PastChange, type Suggestion, suggestRules } from "../policy/suggest.ts";
import { instantOf } from "../records/audit_entry.ts";
import { changeOf } from "./by_rule.ts";
import { replayDecisions } from "./replay.ts";

/** How much of two files an example may have, in characters. */
const MAX_EXAMPLE_CHARS = 64 * 1024;

/** How much is kept of what was rejected and cannot be replayed, in characters. */
const MAX_LOST_CHARS = 16 * 1024 * 1024;

/** Drafts of rules. */
export interface Suggestions {
  readonly suggestions: readonly Suggestion[];
  /** How many recorded decisions all of them together would have saved. */
  readonly saved: number;
  /** How many decisions of people there are, and how many of these could not be replayed. */
  readonly decided: number;
  readonly lost: number;
}

/**
 * Drafts rules from the decisions of people in some logs, and proves them on these. What was rejected and is gone
 * from the queue, whose owner can remove it, counts by what its line in the log shows.
 *
 * @throws {Error} If so much is gone that no draft can be trusted.
 */
export function suggestFor(
  logs: readonly AuditLogId[],
  inForce: PolicyInForce & { readonly policy: object },
  root: string,
): Suggestions {
  const all: PastChange[] = [];
  const rejected: string[] = [];
  let [decided, lost, lostChars] = [0, 0, 0];
  for (
    const { entry, inspection, isApproval } of replayDecisions(logs, inForce, root)
  ) {
    // What a rule decided, no person did.
    if (entry.rules !== undefined) continue;
    // A draft approves for good: nobody approved that.
    const isApproved = isApproval && entry.until === undefined;
    decided++;
    if (inspection === undefined) {
      lost++;
      if (isApproved) continue;
      const text = linesOf(entry, "+").join("\n").toLowerCase();
      lostChars += text.length;
      if (lostChars > MAX_LOST_CHARS) {
        throw new Error("Cannot suggest rules: too much was rejected that is not there any more");
      }
      rejected.push(text);
      continue;
    }
    const { currentFile: before, merged, proposal: { proposedFile } } = inspection;
    const after = merged ?? proposedFile;
    const change = changeOf(inspection, new Date(instantOf(entry.timestamp) / 1000));
    const isShort = (before?.length ?? 0) + after.length <= MAX_EXAMPLE_CHARS;
    all.push({ change, isApproved, ...(isApproved && isShort && { files: { before, after } }) });
  }
  const isRejected = (texts: readonly string[]) =>
    texts.some((text) => rejected.some((whole) => whole.includes(text.toLowerCase())));
  return { ...suggestRules(inForce.policy!, all, isRejected), decided, lost };
}
