/**
 * What the log keeps of a decision, and timestamps as instants. Pure.
 *
 * @module
 */

/** The action of an entry that an operator caused without a proposal, by editing a file in force. */
export const ACTION_OPERATOR_EDIT = "operator-edit";

/**
 * The action of an entry that says: the decision recorded before, for the same proposal, did not
 * take effect, because another program's answer stood in its place.
 */
export const ACTION_SUPERSEDED = "superseded";

/** One line of an audit log. */
export interface AuditEntry {
  /** When it was recorded, ISO 8601 with an offset. */
  readonly timestamp: string;
  /** The bottle it is about. */
  readonly bottleSlug: string;
  /** The component whose config it is about: `cred-proxy`, `pipelock` or `rebuild`. */
  readonly component: string;
  /** A status, {@linkcode ACTION_OPERATOR_EDIT} or {@linkcode ACTION_SUPERSEDED}. */
  readonly operatorAction: string;
  /** The operator's words. */
  readonly operatorNotes: string;
  /** The agent's words. */
  readonly justification: string;
  /** Current to final file; for a rejection, current to proposed. */
  readonly diff: string;
  /** Who decided, `user@host`. A line of the Python original has none. */
  readonly operator?: string;
  /** The name that the operator gave besides. */
  readonly operatorName?: string;
  /** The proposal that was decided. */
  readonly proposalId?: string;
  /** SHA-256 of the proposal's bytes as they were shown, lower-case hex. */
  readonly proposalSha256?: string;
  /** SHA-256 of the final file, lower-case hex; `""` for a rejection. */
  readonly finalSha256?: string;
  /**
   * What stood in the answer's place without a record, and was moved away: a status or a reason, and
   * SHA-256 of its bytes where it had any.
   */
  readonly unrecordedResponse?: string;
  /** Which key signed the line. The log sets it; ignored when an entry is written. */
  readonly operatorKey?: string;
  /** What a crash had torn before this line, and where it is kept. The log sets it, as above. */
  readonly repair?: string;
  /** The line's number in its chain, from 0. The log sets it, as above. */
  readonly seq?: number;
}

/**
 * The instant that a timestamp names, in microseconds since 1970. The Python original writes
 * microseconds and an offset, JavaScript milliseconds and `Z`; one without an offset is taken as UTC.
 *
 * @param timestamp ISO 8601.
 * @returns The instant, or infinity for what is no timestamp, so that it sorts last.
 */
export function instantOf(timestamp: string): number {
  const match = /^(.*?\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp);
  if (match === null) return Infinity;
  const [, seconds, fraction = "", offset = "Z"] = match;
  const ms = Date.parse(`${seconds}${offset}`);
  return Number.isNaN(ms) ? Infinity : ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
