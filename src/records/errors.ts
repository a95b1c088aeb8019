/**
 * The errors that callers catch, each with a stable code and its data.
 *
 * @module
 */

import { quote } from "../text/quote.ts";

/** What went wrong, in a word that stays the same. A decision's obstacles have theirs among these. */
export type ErrorCode =
  /** An id, a slug or a component name that could not safely become part of a path. */
  | "invalid_name"
  /** A proposal, a response, an audit line or an own record that breaks its format. */
  | "malformed_record"
  /** A file that is not plain, bounded and readable: another user may have planted it. */
  | "unsafe_file"
  /** There is no such proposal. */
  | "not_found"
  /** Another operator decided first. */
  | "already_decided"
  /** The audit log was removed, replaced or truncated. */
  | "audit_log_changed"
  /** No response could be written, so nothing was decided. */
  | "queue_not_writable"
  /** The decision is recorded, but its response could not be written yet. */
  | "recorded"
  /** A rejection without notes. */
  | "notes_missing"
  /** The proposal is not the one that was shown. */
  | "changed"
  /** A person has to look, and the caller asked to decide only what no person has to look at. */
  | "marked"
  /** The file in force is not the one the agent started from, or not the one that was shown. */
  | "stale"
  /** The queue holds a response that no audit record backs. */
  | "answered_without_record"
  /** The file that would be answered breaks the rules of its format. */
  | "invalid_file"
  /** The file that would be answered has a high mark that nobody confirmed. */
  | "unconfirmed"
  /** The file that would be answered adds what no approval lets in. */
  | "below_floor"
  /** `policy.json` is there and cannot be used, so nothing is approved. */
  | "policy_unusable"
  /** The change did not take effect, and so nothing was decided. */
  | "apply_failed"
  /** It is not known which file is in force in the enforcer, after a change that could not be taken back. */
  | "enforcer_not_proven"
  /** The operator froze the bottle's files for a while. */
  | "frozen"
  /** The decision cannot stand for others like it. */
  | "not_standing"
  /** The approval cannot end by itself. */
  | "not_grantable"
  /** The decision is recorded and answered, but the rule that stands for others like it is not written. */
  | "standing_not_written";

/**
 * What every error of this library extends that a caller may want to handle. A loop over proposals
 * catches it, looks at the code, and goes on with the next one. What a program does wrong, such as a
 * record with a field of the wrong kind, stays a built-in `TypeError`.
 *
 * @example Skip what another operator decided
 * ```ts
 * import { inspectProposal, SuperviseError } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * await Deno.mkdir(`${root}/queue/dev-1`, { recursive: true });
 * const skipped: string[] = [];
 * for (const proposalId of ["p1", "../p2"]) {
 *   try {
 *     await inspectProposal({ root, bottleSlug: "dev-1", proposalId });
 *   } catch (error) {
 *     if (!(error instanceof SuperviseError)) throw error;
 *     skipped.push(error.code);
 *   }
 * }
 * assertEquals(skipped, ["not_found", "invalid_name"]);
 * await Deno.remove(root, { recursive: true });
 * ```
 */
export class SuperviseError extends Error {
  /** What went wrong. */
  readonly code: ErrorCode;

  /**
   * Makes the error.
   *
   * @param code What went wrong.
   * @param message The same for people: "Cannot X: reason", and the way out.
   * @param options The error that caused it.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Thrown if an id, a slug or a component name could not safely become part of a path. */
export class InvalidNameError extends SuperviseError {
  /** `"proposal id"`, `"bottle slug"` or `"component"`. */
  readonly kind: string;
  /** The refused name. */
  readonly value: string;

  /**
   * Makes the error.
   *
   * @param kind What the name was meant to be.
   * @param value The refused name.
   * @param expected The rule it breaks.
   */
  constructor(kind: string, value: string, expected: string) {
    super("invalid_name", `Cannot use ${quote(value)} as a ${kind}: expected ${expected}`);
    this.kind = kind;
    this.value = value;
  }
}

/** Thrown if a proposal, a response, an audit line or an own record breaks its format. */
export class MalformedRecordError extends SuperviseError {
  /** The file that was read. */
  readonly file: string;
  /** The JSON key of the wrong field, or `undefined` if the record as a whole is broken. */
  readonly field: string | undefined;
  /** What is wrong, without the file's name. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param file The file that was read.
   * @param field The JSON key of the wrong field, if it is one field.
   * @param reason What is wrong.
   * @param options The error that showed it.
   */
  constructor(file: string, field: string | undefined, reason: string, options?: ErrorOptions) {
    const place = field === undefined ? file : `${file}, field "${field}"`;
    super("malformed_record", `Cannot read ${place}: ${reason}`, options);
    this.file = file;
    this.field = field;
    this.reason = reason;
  }
}

/** Thrown if a file that another user may have planted is not a plain, bounded, readable file. */
export class UnsafeFileError extends SuperviseError {
  /** The refused path. */
  readonly file: string;
  /** What is wrong, without the path. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param file The refused path.
   * @param reason What is wrong with it.
   * @param options The error that showed it.
   */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super("unsafe_file", `Cannot read ${file}: ${reason}`, options);
    this.file = file;
    this.reason = reason;
  }
}

/** Thrown if there is no proposal with that id in that bottle's queue. */
export class ProposalNotFoundError extends SuperviseError {
  /** The id that was looked for. */
  readonly proposalId: string;

  /**
   * Makes the error.
   *
   * @param proposalId The id that was looked for.
   * @param place Where it was looked for: a queue directory, or words.
   */
  constructor(proposalId: string, place: string) {
    super("not_found", `Cannot find proposal ${proposalId} in ${place}`);
    this.proposalId = proposalId;
  }
}

/** Thrown to every operator but the first: the proposal is decided. */
export class AlreadyDecidedError extends SuperviseError {
  /** The proposal's id. */
  readonly proposalId: string;
  /** The first decision's status, or `undefined` if the response cannot be read. */
  readonly status: string | undefined;
  /** Who decided, or `undefined` if the audit log does not say. */
  readonly operator: string | undefined;

  /**
   * Makes the error.
   *
   * @param proposalId The proposal's id.
   * @param status The first decision's status.
   * @param operator Who decided, if the audit log says it.
   * @param more What else is to be said of it.
   */
  constructor(proposalId: string, status?: string, operator?: string, more?: string) {
    const what = status ?? "answered, but the answer cannot be read";
    const who = operator ?? "somebody who left no audit record";
    const rest = more === undefined ? "" : `; ${more}`;
    super("already_decided", `Proposal ${proposalId} is already ${what}, by ${who}${rest}`);
    this.proposalId = proposalId;
    this.status = status;
    this.operator = operator;
  }
}

/**
 * Thrown if an audit log is not the file that was written before: it was removed, replaced or
 * truncated. Nothing is appended, and so nothing is decided.
 */
export class AuditLogChangedError extends SuperviseError {
  /** The log. */
  readonly file: string;
  /** What is wrong, without the file's name. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param file The log.
   * @param reason What is wrong with it.
   * @param record The file that remembers the log's last line.
   */
  constructor(file: string, reason: string, record: string) {
    super(
      "audit_log_changed",
      `Cannot record in ${file}: ${reason}; nothing was recorded. Find out who did that, and put the ` +
        `right file back. If it is lost for good, move ${record} away: the next decision then ` +
        "continues the file that is there, and heads kept elsewhere will show the loss",
    );
    this.file = file;
    this.reason = reason;
  }
}

/**
 * Thrown if a decision is recorded, but its response could not be written. The decision counts: the
 * next run writes the response, once the cause is gone.
 */
export class ResponseNotWrittenError extends SuperviseError {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;

  /**
   * Makes the error.
   *
   * @param bottleSlug The bottle.
   * @param proposalId The proposal's id.
   * @param options What kept the response from being written.
   */
  constructor(bottleSlug: string, proposalId: string, options: ErrorOptions) {
    const { cause } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      "recorded",
      `Cannot answer proposal ${proposalId} of bottle ${bottleSlug}: the decision is recorded, but ` +
        `the response could not be written (${reason}); fix that, and the next command writes it`,
      options,
    );
    this.bottleSlug = bottleSlug;
    this.proposalId = proposalId;
  }
}
