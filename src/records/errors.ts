/**
 * The errors that callers catch, each with its data. Everything else is the nearest built-in.
 *
 * @module
 */

import { quote } from "../text/quote.ts";
import { type Mark, nameMarks } from "./mark.ts";
import type { ConfigProblem } from "./problem.ts";

/** Thrown if an id, a slug or a component name could not safely become part of a path. */
export class InvalidNameError extends TypeError {
  /** `"proposal id"`, `"bottle slug"` or `"component"`. */
  readonly kind: string;
  /** The refused name, as it was given. */
  readonly value: string;

  /**
   * Makes the error.
   *
   * @param kind What the name was meant to be.
   * @param value The refused name.
   * @param expected The rule it breaks.
   */
  constructor(kind: string, value: string, expected: string) {
    super(`Cannot use ${quote(value)} as a ${kind}: expected ${expected}`);
    this.name = "InvalidNameError";
    this.kind = kind;
    this.value = value;
  }
}

/** Thrown if a proposal, a response or an audit line is not what its format says. */
export class MalformedRecordError extends SyntaxError {
  /** The file that was read. */
  readonly file: string;
  /** The wire name of the offending field, or `undefined` if the record as a whole is broken. */
  readonly field: string | undefined;
  /** What is wrong, without the file's name. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param file The file that was read.
   * @param field The wire name of the offending field, if it is one field.
   * @param reason What is wrong.
   * @param options The error that showed it.
   */
  constructor(file: string, field: string | undefined, reason: string, options?: ErrorOptions) {
    const place = field === undefined ? file : `${file}, field "${field}"`;
    super(`Cannot read ${place}: ${reason}`, options);
    this.name = "MalformedRecordError";
    this.file = file;
    this.field = field;
    this.reason = reason;
  }
}

/** Thrown if a file that somebody else may have planted is not a plain, bounded, readable file. */
export class UnsafeFileError extends Error {
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
    super(`Cannot read ${file}: ${reason}`, options);
    this.name = "UnsafeFileError";
    this.file = file;
    this.reason = reason;
  }
}

/** Thrown if a config file, proposed or edited, breaks the rules of its format. */
export class InvalidConfigError extends SyntaxError {
  /** The config file's name, such as `routes.json`. */
  readonly file: string;
  /** What is wrong, in the order of the file. */
  readonly problems: readonly ConfigProblem[];

  /**
   * Makes the error.
   *
   * @param file The config file's name.
   * @param problems What is wrong with it; at least one.
   */
  constructor(file: string, problems: readonly ConfigProblem[]) {
    const list = problems.map((problem) => `${problem.where}: ${problem.message}`).join("; ");
    super(`Cannot accept ${file}: ${list}`);
    this.name = "InvalidConfigError";
    this.file = file;
    this.problems = problems;
  }
}

/** Thrown if there is no proposal with that id in that bottle's queue. */
export class ProposalNotFoundError extends Error {
  /** The id that was looked for. */
  readonly proposalId: string;

  /**
   * Makes the error.
   *
   * @param proposalId The id that was looked for.
   * @param place The queue directory, or a sentence about where it was looked for.
   */
  constructor(proposalId: string, place: string) {
    super(`Cannot find proposal ${proposalId} in ${place}`);
    this.name = "ProposalNotFoundError";
    this.proposalId = proposalId;
  }
}

/** Thrown to every operator but the first: the proposal has an answer already. */
export class AlreadyDecidedError extends Error {
  /** The proposal's id. */
  readonly proposalId: string;
  /** The status that stands, or `undefined` if the answer in place cannot be read. */
  readonly status: string | undefined;
  /** Who decided, as the audit log has it, or `undefined` if it has no record of it. */
  readonly operator: string | undefined;

  /**
   * Makes the error.
   *
   * @param proposalId The proposal's id.
   * @param status The status that stands.
   * @param operator Who decided, if the audit log knows.
   */
  constructor(proposalId: string, status?: string, operator?: string) {
    const what = status ?? "answered, but the answer cannot be read";
    const who = operator ?? "somebody who left no audit record";
    super(`Proposal ${proposalId} is already ${what}, by ${who}`);
    this.name = "AlreadyDecidedError";
    this.proposalId = proposalId;
    this.status = status;
    this.operator = operator;
  }
}

/**
 * Thrown if an answer stands in the queue that no audit record backs: somebody planted it, or decided
 * with a program that keeps no record. It is never taken for a decision.
 */
export class UnrecordedResponseError extends Error {
  /** The proposal's id. */
  readonly proposalId: string;
  /** What the answer says, or why it cannot be read. */
  readonly says: string;

  /**
   * Makes the error.
   *
   * @param proposalId The proposal's id.
   * @param says What the answer says, or why it cannot be read.
   */
  constructor(proposalId: string, says: string) {
    super(
      `Cannot decide proposal ${proposalId}: it is answered without a record (${says}); ` +
        "somebody planted that answer, or decided with a tool that keeps no record; " +
        "look at it, then override it explicitly",
    );
    this.name = "UnrecordedResponseError";
    this.proposalId = proposalId;
    this.says = says;
  }
}

/**
 * Thrown if an audit log is not the file that was written to before: it was removed, replaced or
 * truncated. Nothing is appended, and so nothing is decided.
 */
export class AuditLogChangedError extends Error {
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
      `Cannot record in ${file}: ${reason}; nothing was recorded. Find out who did that, and put the ` +
        `right file back. If it is lost for good, move ${record} away: what is there is then ` +
        "continued, and kept heads will show the loss",
    );
    this.name = "AuditLogChangedError";
    this.file = file;
    this.reason = reason;
  }
}

/** Thrown if the proposal on disk is not the one that the operator was shown. */
export class ChangedSinceShownError extends Error {
  /** The proposal's id. */
  readonly proposalId: string;
  /** SHA-256 of the bytes that were shown, lower-case hex. */
  readonly shownSha256: string;
  /** SHA-256 of the bytes on disk now, lower-case hex. */
  readonly foundSha256: string;

  /**
   * Makes the error.
   *
   * @param proposalId The proposal's id.
   * @param shownSha256 SHA-256 of the bytes that were shown.
   * @param foundSha256 SHA-256 of the bytes on disk now.
   */
  constructor(proposalId: string, shownSha256: string, foundSha256: string) {
    super(
      `Cannot decide proposal ${proposalId}: it is not the one that was shown ` +
        `(shown ${shownSha256.slice(0, 12)}, found ${foundSha256.slice(0, 12)}); look at it again`,
    );
    this.name = "ChangedSinceShownError";
    this.proposalId = proposalId;
    this.shownSha256 = shownSha256;
    this.foundSha256 = foundSha256;
  }
}

/**
 * Thrown if the config in force is no longer the one the agent started from, or the one the operator
 * was shown.
 */
export class StaleConfigError extends Error {
  /** The proposal's id. */
  readonly proposalId: string;
  /** Whose file it was: the agent's, or the one on the operator's screen. */
  readonly seenBy: "agent" | "operator";
  /** SHA-256 of that file, lower-case hex; `""` if there was none. */
  readonly seenSha256: string;
  /** SHA-256 of the file in force, or `undefined` if there is none. */
  readonly inForceSha256: string | undefined;

  /**
   * Makes the error.
   *
   * @param proposalId The proposal's id.
   * @param file The config file in force.
   * @param seenBy Whose file it was.
   * @param seenSha256 SHA-256 of that file.
   * @param inForceSha256 SHA-256 of the file in force, if there is one.
   */
  constructor(
    proposalId: string,
    file: string,
    seenBy: "agent" | "operator",
    seenSha256: string,
    inForceSha256: string | undefined,
  ) {
    const found = inForceSha256 === undefined ? "no such file" : inForceSha256.slice(0, 12);
    const seen = seenSha256 === "" ? "none" : seenSha256.slice(0, 12);
    const words = seenBy === "agent"
      ? ["the file the agent started from", "look at the diff, then allow it explicitly"]
      : ["the file that was shown", "look at the diff again"];
    super(
      `Cannot decide proposal ${proposalId}: ${file} is not ${words[0]} ` +
        `(then ${seen}, in force ${found}); ${words[1]}`,
    );
    this.name = "StaleConfigError";
    this.proposalId = proposalId;
    this.seenBy = seenBy;
    this.seenSha256 = seenSha256;
    this.inForceSha256 = inForceSha256;
  }
}

/**
 * Thrown if a decision was recorded, but its answer could not be written. It stands; the next run
 * completes it, once the reason is gone.
 */
export class ResponseNotWrittenError extends Error {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;

  /**
   * Makes the error.
   *
   * @param bottleSlug The bottle.
   * @param proposalId The proposal's id.
   * @param options What kept the answer from being written.
   */
  constructor(bottleSlug: string, proposalId: string, options: ErrorOptions) {
    const { cause } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `Cannot answer proposal ${proposalId} of bottle ${bottleSlug}: the decision is recorded, but ` +
        `the answer could not be written (${reason}); mend that, and the next command completes it`,
      options,
    );
    this.name = "ResponseNotWrittenError";
    this.bottleSlug = bottleSlug;
    this.proposalId = proposalId;
  }
}

/** Thrown if a decision would let in what has a high mark, and nobody confirmed it. */
export class UnconfirmedError extends Error {
  /** The bottle, whose slug confirms. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;
  /** What wants to be confirmed. */
  readonly marks: readonly Mark[];

  /**
   * Makes the error.
   *
   * @param bottleSlug The bottle.
   * @param proposalId The proposal's id.
   * @param marks The high marks; at least one.
   * @param given What was given as the bottle's slug, if anything was.
   */
  constructor(
    bottleSlug: string,
    proposalId: string,
    marks: readonly Mark[],
    given: string | undefined,
  ) {
    const why = given === undefined ? "nobody did" : `${quote(given)} is not its bottle`;
    super(
      `Cannot answer proposal ${proposalId}: it has marks that somebody must confirm (${
        nameMarks(marks)
      }) ` +
        `and ${why}; look at them, then confirm with the bottle's slug`,
    );
    this.name = "UnconfirmedError";
    this.bottleSlug = bottleSlug;
    this.proposalId = proposalId;
    this.marks = marks;
  }
}
