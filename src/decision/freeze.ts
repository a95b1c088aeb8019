/**
 * Freezes a bottle's files in force, and ends that; the log says who did.
 *
 * @module
 */

import { claudeBottleRoot } from "../disk/layout.ts";
import { freeze, readFrozen } from "../host/apply_state.ts";
import { appendEntry } from "../log/append.ts";
import { ACTION_FREEZE_ENDED, ACTION_FROZEN, checkNoRule } from "../records/audit_entry.ts";
import { formatHead } from "../records/head.ts";
import { checkBottleSlug } from "../records/names.ts";
import { componentOf, TOOL_PIPELOCK_BLOCK } from "../records/proposal.ts";
import { withBottleLock } from "./journal.ts";

/** Until when an operator freezes a bottle's files. */
export interface FreezeRequest {
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
  /** The bottle. */
  readonly bottleSlug: string;
  /** Until then no file in force of it is changed; without it a freeze ends now. */
  readonly until?: Date;
  /** Why, for the log. */
  readonly notes: string;
  /** Who does it, `user@host`. */
  readonly operator: string;
  /** Another name of the operator, for the log. */
  readonly operatorName?: string;
}

/**
 * Keeps each file in force of a bottle as it is until a time, for people and rules, or ends that. It waits until a
 * change that is under way is over: once it returns, nothing changes any more. The log of the allowlist has it as
 * `frozen` or `freeze-ended`, for all files of the bottle. After a crash in between the files are frozen.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param request Which bottle, and until when.
 * @returns The log's head, `seq:hash`; `undefined` if there was no freeze to end.
 * @throws {InvalidNameError} If the slug is not valid, or the operator's name is a rule's.
 * @throws {RangeError} If it is no time, or it is over.
 */
export async function freezeFiles(request: FreezeRequest): Promise<string | undefined> {
  const { root = claudeBottleRoot(), bottleSlug, until, notes, operator, operatorName } = request;
  checkBottleSlug(bottleSlug);
  for (const name of [operator, operatorName]) checkNoRule(name);
  if (until !== undefined && !(until.getTime() > Date.now())) {
    throw new RangeError("Cannot freeze: that is no time, or it is over");
  }
  return await withBottleLock(root, bottleSlug, async () => {
    const frozenUntil = until?.toISOString();
    if (frozenUntil === undefined && readFrozen(root, bottleSlug) === undefined) return undefined;
    if (frozenUntil !== undefined) freeze(root, bottleSlug, frozenUntil);
    const { head } = await appendEntry({
      timestamp: new Date().toISOString(),
      bottleSlug,
      component: componentOf(TOOL_PIPELOCK_BLOCK),
      operatorAction: frozenUntil === undefined ? ACTION_FREEZE_ENDED : ACTION_FROZEN,
      operatorNotes: notes,
      justification: "",
      diff: "",
      operator,
      ...(operatorName !== undefined && { operatorName }),
      ...(frozenUntil !== undefined && { until: frozenUntil }),
    }, root);
    if (frozenUntil === undefined) freeze(root, bottleSlug, undefined);
    return formatHead(head);
  }, { waits: true, pastAnswer: true });
}
