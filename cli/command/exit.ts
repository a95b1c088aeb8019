/**
 * What an error is to a script: an exit code and a word.
 *
 * @module
 */

import {
  AlreadyDecidedError,
  AuditLogChangedError,
  ChangedSinceShownError,
  InvalidConfigError,
  InvalidNameError,
  ProposalNotFoundError,
  ResponseNotWrittenError,
  StaleConfigError,
  UnconfirmedError,
  UnrecordedResponseError,
} from "../../mod.ts";
import { MarkedError } from "../operate/confirm.ts";
import { UsageError } from "./flags.ts";

/** How a command ends. */
export interface Failure {
  /** The exit code. */
  readonly exit: number;
  /** The word in `error.code` of `--json`. */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
}

/** Thrown if an operator cancelled: nothing was decided. */
export class CancelledError extends Error {
  override name = "CancelledError";
  /** Whether a version of the operator's is kept, and the message says where. */
  readonly isKept: boolean;

  /**
   * Makes the error.
   *
   * @param message What was cancelled, and why.
   * @param options What caused it, and whether a version is kept.
   */
  constructor(message: string, options: ErrorOptions & { readonly isKept?: boolean } = {}) {
    super(message, options);
    this.isKept = options.isKept ?? false;
  }
}

type Class = abstract new (...args: never[]) => Error;

const FAILURES: readonly (readonly [Class, number, string])[] = [
  [UsageError, 2, "usage"],
  [InvalidNameError, 2, "usage"],
  [ProposalNotFoundError, 3, "not_found"],
  [AlreadyDecidedError, 4, "already_decided"],
  [UnrecordedResponseError, 4, "answered_without_record"],
  [ChangedSinceShownError, 5, "changed"],
  [StaleConfigError, 5, "stale"],
  [InvalidConfigError, 1, "invalid_file"],
  [AuditLogChangedError, 1, "audit_log_changed"],
  [ResponseNotWrittenError, 1, "recorded"],
  [CancelledError, 1, "cancelled"],
  [UnconfirmedError, 1, "unconfirmed"],
  [MarkedError, 6, "marked"],
];

/** What the library cannot know: the flag that goes with an error. */
function hint(error: Error): string {
  if (error instanceof UnrecordedResponseError) return " with --override-foreign";
  if (error instanceof UnconfirmedError) return `, --confirm ${error.bottleSlug}`;
  return error instanceof StaleConfigError && error.seenBy === "agent" ? " with --allow-stale" : "";
}

/**
 * Says how a command ends that threw.
 *
 * @param error What was thrown.
 * @param root The root, to name the way out where access to it is denied.
 * @returns The exit code, the word, the sentence.
 */
export function failureOf(error: unknown, root?: string): Failure {
  for (const [errorClass, exit, code] of FAILURES) {
    if (error instanceof errorClass) return { exit, code, message: error.message + hint(error) };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotCapable) {
    const way = root === undefined
      ? ""
      : `; start it with --allow-read=${root} --allow-write=${root}, or through cli/supervise.sh`;
    return { exit: 1, code: "denied", message: `Cannot go on: ${message}${way}` };
  }
  // A system error says neither what for nor, always, which file.
  const system = error instanceof Error && / \(os error \d+\)/.test(message);
  return { exit: 1, code: "failed", message: system ? `Cannot go on: ${message}` : message };
}
