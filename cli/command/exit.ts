/**
 * Errors as a script sees them: an exit code and a word.
 *
 * @module
 */

import {
  type ErrorCode,
  NotAppliedError,
  type Obstacle,
  ObstacleError,
  SuperviseError,
  UnsafeFileError,
} from "../../mod.ts";
import { UsageError } from "./flags.ts";

export interface Failure {
  readonly exit: number;
  /** The word in `error.code` of `--json`. */
  readonly code: string;
  readonly message: string;
  /** What a program of `apply.json` printed that failed; bytes of others. */
  readonly output?: string;
}

/** Thrown if the operator cancelled: nothing was decided. */
export class CancelledError extends Error {
  override name = "CancelledError";
  /** Whether the operator's version was saved; the message says where. */
  readonly isKept: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isKept?: boolean } = {}) {
    super(message, options);
    this.isKept = options.isKept ?? false;
  }
}

/** Thrown if a proposal would be approved that nobody on this host was shown. */
export class NotShownError extends Error {
  override name = "NotShownError";

  constructor(proposalId: string, supervise: string) {
    super(
      `Cannot approve ${proposalId}: it was never shown here; ${supervise} show ${proposalId}, then ` +
        "approve it, or name its bytes with --sha256, or use --if-unmarked",
    );
  }
}

/**
 * Thrown if there is no such root, no such bottle, or no audit log to check or to save: in a script, that
 * must not pass for an empty or a good one.
 */
export class NotFoundError extends Error {
  override name = "NotFoundError";
}

/** Thrown if a decided file cannot be printed. `undecided`: it is not decided yet. */
export class NoFinalFileError extends Error {
  override name = "NoFinalFileError";
  readonly code: "undecided" | "no_final_file";

  constructor(proposalId: string, code: NoFinalFileError["code"], reason: string) {
    super(`Cannot print the final file of ${proposalId}: ${reason}`);
    this.code = code;
  }
}

/** The exit code of each error of the library, and its word in `error.code` of `--json`. */
const FAILURES: Readonly<Record<ErrorCode, readonly [exit: number, code: string]>> = {
  invalid_name: [2, "usage"],
  notes_missing: [2, "usage"],
  not_found: [3, "not_found"],
  already_decided: [4, "already_decided"],
  answered_without_record: [4, "answered_without_record"],
  changed: [5, "changed"],
  stale: [5, "stale"],
  marked: [6, "marked"],
  unconfirmed: [1, "unconfirmed"],
  invalid_file: [1, "invalid_file"],
  below_floor: [1, "below_floor"],
  policy_unusable: [1, "policy_unusable"],
  apply_failed: [1, "apply_failed"],
  enforcer_not_proven: [1, "enforcer_not_proven"],
  frozen: [1, "frozen"],
  not_standing: [1, "not_standing"],
  not_grantable: [1, "not_grantable"],
  standing_not_written: [1, "standing_not_written"],
  audit_log_changed: [1, "audit_log_changed"],
  recorded: [1, "recorded"],
  malformed_record: [1, "failed"],
  unsafe_file: [1, "failed"],
  queue_not_writable: [1, "failed"],
};

/** The command that clears an obstacle. */
function wayOut({ clearedBy }: Obstacle, show: string): string | undefined {
  if (clearedBy.how === "person") return `${show}, then decide it yourself`;
  if (clearedBy.how !== "confirm") return undefined;
  const { allowStale, overrideUnrecorded, confirmedSlug } = clearedBy.gives;
  const flags = [
    ...(allowStale ? ["--allow-stale"] : []),
    ...(overrideUnrecorded ? ["--override-unrecorded"] : []),
    ...(confirmedSlug === undefined ? [] : [`--confirm ${confirmedSlug}`]),
  ];
  return `${show}, then decide with ${flags.join(" ")}`;
}

function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && "code" in error && error.code === "EACCES";
}

function askDoctor(message: string, supervise: string): string {
  return `${message}; ${supervise} doctor says what to repair`;
}

/** The message of an error of the library, and what the operator can do: the library knows no command. */
function messageOf(error: SuperviseError, supervise: string): string {
  const { message, code, cause } = error;
  if (error instanceof ObstacleError) {
    const way = wayOut(error.obstacles[0], `${supervise} show ${error.proposalId}`);
    return way === undefined ? message : `${error.refusal}; ${way}`;
  }
  const isForDoctor = code === "queue_not_writable" ||
    error instanceof UnsafeFileError && isDenied(cause);
  return isForDoctor ? askDoctor(message, supervise) : message;
}

/** How a command ends that threw `error`, and in which root, if it came so far. */
export function failureOf(
  error: unknown,
  { root, supervise = "supervise" }: { readonly root?: string; readonly supervise?: string } = {},
): Failure {
  if (error instanceof SuperviseError) {
    const [exit, code] = FAILURES[error.code];
    const output = error instanceof NotAppliedError ? error.cause.output : "";
    return { exit, code, message: messageOf(error, supervise), output };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { exit: 2, code: "usage", message };
  if (error instanceof NotFoundError) return { exit: 3, code: "not_found", message };
  if (error instanceof NotShownError) return { exit: 6, code: "not_shown", message };
  if (error instanceof NoFinalFileError) return { exit: 1, code: error.code, message };
  if (error instanceof CancelledError) return { exit: 1, code: "cancelled", message };
  if (error instanceof Deno.errors.NotCapable) {
    // To make the root, a parent that is missing has to be made, which no launcher grants.
    const parent = /^Requires write access to "(.+?)"/.exec(message)?.[1];
    if (parent !== undefined && root?.startsWith(`${parent}/`)) {
      return { exit: 1, code: "denied", message: `Cannot make ${root}: make ${parent} first` };
    }
    const way = root === undefined
      ? ""
      : `; start it with --allow-read=${root} --allow-write=${root}, or through cli/supervise.sh`;
    // Behind the comma the runtime advises flags that would grant everything.
    const denied = message.split(", run again with")[0];
    return { exit: 1, code: "denied", message: `Cannot go on: ${denied}${way}` };
  }
  // The message of a system error does not say what failed, and not always on which file.
  const system = error instanceof Error && /^[^:]* \(os error \d+\)/.test(message);
  const said = system ? `Cannot go on: ${message}` : message;
  const isForDoctor = isDenied(error) && root !== undefined && message.includes(root);
  return { exit: 1, code: "failed", message: isForDoctor ? askDoctor(said, supervise) : said };
}
