/**
 * Settles which file an enforcer has, after a change that could not be taken back for sure.
 *
 * @module
 */

import { claudeBottleRoot } from "../disk/layout.ts";
import { forgetNotProven, readNotProven } from "../host/apply_state.ts";
import { appendEntry } from "../log/append.ts";
import type { Applier, ApplyOptions } from "../records/applier.ts";
import { ACTION_APPLY_RESOLVED, checkNoRule } from "../records/audit_entry.ts";
import { formatHead } from "../records/head.ts";
import { checkBottleSlug } from "../records/names.ts";
import { componentOf } from "../records/proposal.ts";
import { hashOf } from "../text/hash.ts";
import {
  applierOf,
  asApplyError,
  asConfigChange,
  NotAppliedError,
  readInForce,
  wordsOfFailure,
} from "./change.ts";
import { withBottleLock } from "./journal.ts";

/** How an operator settles which file an enforcer has. */
export interface ResolveRequest extends ApplyOptions {
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
  /** The bottle. */
  readonly bottleSlug: string;
  /** Makes the file in force take effect again, and shows that it did. Without it the operator's word counts. */
  readonly applier?: Applier | undefined;
  /** Why, for the log. */
  readonly notes: string;
  /** Who resolves it, `user@host`. */
  readonly operator: string;
}

/**
 * Has the applier make the file in force take effect once more. If it does, or, without an applier, by the word of
 * the operator, decisions of the bottle are applied again. The log has it as `apply-resolved`.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @returns What was done, in words, and the log's head; `undefined` if there is nothing to resolve.
 * @throws {InvalidNameError} If the slug is not valid, or the operator's name is a rule's.
 * @throws {NotAppliedError} If the file in force does not take effect: nothing is applied until it does.
 */
export async function resolveNotProven(
  request: ResolveRequest,
): Promise<{ readonly says: string; readonly auditHead: string } | undefined> {
  const { bottleSlug, onProgress, notes, operator, root = claudeBottleRoot() } = request;
  checkBottleSlug(bottleSlug);
  checkNoRule(operator);
  const options = onProgress === undefined ? {} : { onProgress };
  return await withBottleLock(root, bottleSlug, async () => {
    const state = readNotProven(root, bottleSlug);
    if (state === undefined) return undefined;
    const { tool, mayHave } = state;
    const applier = applierOf(request.applier, bottleSlug, tool);
    const bytes = readInForce(root, bottleSlug, tool);
    let says = "by the operator's word; no applier looked";
    try {
      // What the change let in must be seen to be gone.
      const before = mayHave === null ? null : new TextEncoder().encode(mayHave);
      const change = asConfigChange(root, bottleSlug, { tool, before, after: bytes });
      if (applier !== undefined) says = await applier.restore(change, options);
    } catch (error) {
      const cause = asApplyError(error);
      throw new NotAppliedError(
        "enforcer_not_proven",
        `Cannot resolve ${bottleSlug}: ${wordsOfFailure(cause)}`,
        cause,
      );
    }
    const { head } = await appendEntry({
      timestamp: new Date().toISOString(),
      bottleSlug,
      component: componentOf(tool),
      operatorAction: ACTION_APPLY_RESOLVED,
      operatorNotes: notes,
      justification: "",
      diff: "",
      operator,
      finalSha256: hashOf(bytes),
      applied: says,
    }, root);
    forgetNotProven(root, bottleSlug);
    return { says, auditHead: formatHead(head) };
  }, { applier: request.applier, ...options });
}
