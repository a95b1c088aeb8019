/**
 * The record of a decision in an audit log, and timestamps as instants. Pure.
 *
 * @module
 */

import { InvalidNameError } from "./errors.ts";
import type { Mark } from "./mark.ts";
import type { Effect } from "./proposal.ts";
import type { Reach } from "./reach.ts";

/** The action of an entry for an operator's own edit of a file in force, without a proposal. */
export const ACTION_OPERATOR_EDIT = "operator-edit";

/**
 * The action of an entry which says that the decision recorded before, on the same proposal, did not take
 * effect: another program had written the response first.
 */
export const ACTION_SUPERSEDED = "superseded";

/**
 * The action of an entry for a change that did not take effect: nothing was decided by it. Its notes say where
 * it stopped, and which file is in force.
 */
export const ACTION_APPLY_FAILED = "apply-failed";

/**
 * The action of an entry for an enforcer that is known again to have the file in force, after one that was not.
 * Its notes say how that is known.
 */
export const ACTION_APPLY_RESOLVED = "apply-resolved";

/** The action of an entry which says until when an operator froze all files in force of the bottle. */
export const ACTION_FROZEN = "frozen";

/** The action of an entry which says that an operator ended that before its time. */
export const ACTION_FREEZE_ENDED = "freeze-ended";

/** The action of an entry for a grant that was taken back because its time was over. */
export const ACTION_GRANT_EXPIRED = "grant-expired";

/** The action of an entry for a grant that an operator took back. */
export const ACTION_GRANT_REVOKED = "grant-revoked";

/**
 * What an operator can confirm: `high-marks`, by typing the bottle's name; `stale`, that the file in force
 * is not the one the agent started from; `unrecorded-response`, that a response without a record is moved
 * away.
 */
export type Confirmation = "high-marks" | "stale" | "unrecorded-response";

/**
 * What the names of operators begin with that are rules. No person and no program may use such a name.
 */
export const RULE_OPERATOR = "rule:";

/** @throws {InvalidNameError} If the name of an operator would be taken for that of a rule. */
export function checkNoRule(operator: string | undefined): void {
  if (operator?.trim().toLowerCase().startsWith(RULE_OPERATOR) !== true) return;
  throw new InvalidNameError("operator", operator, 'a name that does not begin with "rule:"');
}

export const CONFIRMATIONS: readonly Confirmation[] = [
  "high-marks",
  "stale",
  "unrecorded-response",
];

/** The rule that a standing decision made. */
export interface MadeStanding {
  /** Its name. */
  readonly name: string;
  /** For which bottles: a slug, or `group:` and a name. */
  readonly bottles: readonly string[];
  /** When it ends, ISO 8601. */
  readonly until: string;
}

/** One line of an audit log. */
export interface AuditEntry {
  /** The time of the record, ISO 8601 with an offset. */
  readonly timestamp: string;
  /** The bottle it is about. */
  readonly bottleSlug: string;
  /** The component whose config was decided: `cred-proxy`, `pipelock` or `rebuild`. */
  readonly component: string;
  /** A status, {@linkcode ACTION_OPERATOR_EDIT} or {@linkcode ACTION_SUPERSEDED}. */
  readonly operatorAction: string;
  /** The operator's words. */
  readonly operatorNotes: string;
  /** The agent's words. */
  readonly justification: string;
  /** From the file in force to the final file; for a rejection, to the proposed file. */
  readonly diff: string;
  /** Who decided, `user@host`. The Python original does not write it. */
  readonly operator?: string;
  /** A name that the operator added. */
  readonly operatorName?: string;
  /** The proposal that was decided. */
  readonly proposalId?: string;
  /** SHA-256 of the proposal's bytes that were shown, lower-case hex. */
  readonly proposalSha256?: string;
  /** SHA-256 of the final file, lower-case hex; `""` for a rejection. */
  readonly finalSha256?: string;
  /**
   * SHA-256 of the file that the agent started from, lower-case hex, if its change was made in another one that
   * was in force by then; missing if the final file is the agent's, or the operator's own.
   */
  readonly mergedFrom?: string;
  /**
   * What the response without a record said that was overridden: a status or a reason, and SHA-256 of its
   * bytes if they could be read. `<root>/private/foreign/<slug>/` then has a copy.
   */
  readonly unrecordedResponse?: string;
  /**
   * The marks of the decided change, worked out when it was recorded: of the final file, for a rejection of
   * the proposed one. `[]` if it had none; missing if they were not worked out, as in older logs.
   */
  readonly marks?: readonly Mark[];
  /** What stood in the way of the decision, and the operator confirmed; missing if nothing did. */
  readonly confirmed?: readonly Confirmation[];
  /**
   * Whether the decided file was proven to add no reach to the one in force; missing if that was not worked
   * out, as in older logs. For a rejection it is about the proposed file, like `marks`.
   */
  readonly reach?: Reach;
  /** What it would let the bottle do, in one sentence. */
  readonly reachSummary?: string;
  /** Whether the operator had a program approve it, without a look: no new reach, and no mark. */
  readonly ifUnmarked?: boolean;
  /**
   * SHA-256 of the `policy.json` under which it was decided, lower-case hex; `""` if there was none, and
   * `"unread"` if it could not be read. Older logs do not have it.
   */
  readonly policySha256?: string;
  /**
   * SHA-256 of the `standing.json` that goes with it, with what this decision adds to it; missing if there is
   * none.
   */
  readonly standingSha256?: string;
  /** The rule that this decision made for others like it; missing if it made none. */
  readonly standing?: MadeStanding;
  /** The rules of that policy that made the decision, all that it needed; missing if a person made it. */
  readonly rules?: readonly string[];
  /** When the approval ends, or until when files are frozen, ISO 8601; missing if it is for good. Older logs' ends nothing. */
  readonly until?: string;
  /** The proposal whose grant this line ends. It is no decision on that proposal. */
  readonly grant?: string;
  /**
   * What made the file in force take effect, and what was seen of it; missing if no file came into force, as in older
   * logs.
   */
  readonly applied?: string;
  /** How far it takes effect, as the agent was told; missing where `applied` is. */
  readonly effect?: Effect;
  /**
   * SHA-256 of the file in force before the change, lower-case hex; `""` if there was none. Missing if no file
   * came into force, as in older logs.
   */
  readonly beforeSha256?: string;
  /**
   * Where an operator's own file comes from: `version 3`, one that was in force before, by its number; `found`, in
   * its place already, without a record. Missing if it is new.
   */
  readonly origin?: string;
  /** The key that signed the line. Set by the log, and ignored when an entry is written. */
  readonly operatorKey?: string;
  /** What a crash tore before this line, and where it is kept. Set by the log, like `operatorKey`. */
  readonly repair?: string;
  /** The line's number in its chain, from 0. Set by the log, like `operatorKey`. */
  readonly seq?: number;
}

/**
 * The instant of an ISO 8601 timestamp in microseconds since 1970. The Python original writes microseconds
 * and an offset, JavaScript milliseconds and `Z`; without an offset it counts as UTC. Any other text gives
 * infinity, which sorts last.
 */
export function instantOf(timestamp: string): number {
  const match = /^(.*?\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp);
  if (match === null) return Infinity;
  const [, seconds, fraction = "", offset = "Z"] = match;
  const ms = Date.parse(`${seconds}${offset}`);
  // `Date` takes 30 February for 2 March, and reads other texts than these.
  const asUtc = new Date(`${seconds}Z`);
  if (Number.isNaN(ms) || !asUtc.toISOString().startsWith(seconds!.replace(" ", "T"))) {
    return Infinity;
  }
  return ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
