/**
 * Changes a config file in force, has an applier make the change take effect, and takes both back.
 *
 * @module
 */

import { fileInForcePath, queueDirForSlug } from "../disk/layout.ts";
import { isThere, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import {
  ensureDirectory,
  moveOver,
  openToReaders,
  removeFile,
  removeQuietly,
  replaceFileAlone,
  stagedName,
} from "../disk/write.ts";
import { noteNotProven } from "../host/apply_state.ts";
import { leaveUnderway } from "../queue/underway.ts";
import { type Applier, ApplyError, type ApplyOptions } from "../records/applier.ts";
import { type ErrorCode, SuperviseError } from "../records/errors.ts";
import { shortenMessage } from "../records/mark.ts";
import type { Tool } from "../records/proposal.ts";
import { hashOf, sha256Hex } from "../text/hash.ts";
import { stagingDir } from "./answer.ts";
import { type ChangeNote, type Intent, keptPath } from "./intent.ts";
import { dirname } from "@std/path";

/** A config file in force, before and after; `null` where there is no file. */
export interface FileChange {
  readonly tool: Tool;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
  /** Whether somebody put the file after there already, without a record. */
  readonly found?: boolean;
}

/** Who makes a change take effect, and how it says what it does. */
export interface Applying extends ApplyOptions {
  readonly applier?: Applier | undefined;
  /** Whether a change that an applier made waits for one, if it has to be taken back and there is none here. */
  readonly waits?: boolean;
  /**
   * Whether an interrupted decision stops nothing if only its response cannot be written. The next change then
   * takes its intent's place: the response counts as lost, and to decide again writes it.
   */
  readonly pastAnswer?: boolean;
}

/**
 * Thrown if a change did not take effect. Nothing was decided. With the code `apply_failed` the file before is
 * in force, or one that another program put there meanwhile; with `enforcer_not_proven` nobody knows what the
 * enforcer has.
 */
export class NotAppliedError extends SuperviseError {
  /** What the applier said. */
  override readonly cause: ApplyError;

  /**
   * Makes the error.
   *
   * @param code Whether the file before is in force, or nobody knows.
   * @param message What did not take effect, and why.
   * @param cause What the applier said.
   */
  constructor(
    code: ErrorCode & ("apply_failed" | "enforcer_not_proven"),
    message: string,
    cause: ApplyError,
  ) {
    super(code, message, { cause });
    this.cause = cause;
  }
}

/** The applier of a bottle's file; `undefined` if nothing makes that take effect. */
export function applierOf(applier: Applier | undefined, slug: string, tool: Tool) {
  return applier?.enforces?.(slug, tool) === false ? undefined : applier;
}

/** The note of a change for the intent. */
export function noteOf(
  { tool, before, after }: FileChange,
  applier: Applier | undefined,
): ChangeNote {
  return {
    tool,
    beforeSha256: hashOf(before),
    afterSha256: hashOf(after),
    enforced: applier !== undefined,
  };
}

/** Reads a file in force as it is; `null` if there is none. */
export function readInForce(root: string, slug: string, tool: Tool): Uint8Array | null {
  return readOwnFile(fileInForcePath(slug, tool, root)) ?? null;
}

/** Puts a file into force, or none. The caller holds the bottle's lock, and has written the intent. */
export function putInForce(root: string, slug: string, tool: Tool, bytes: Uint8Array | null): void {
  const path = fileInForcePath(slug, tool, root);
  if (bytes === null) return removeFile(path);
  const dir = dirname(path);
  if (!isThere(dir)) {
    ensureDirectory(dir);
    openToReaders(dir);
  }
  replaceFileAlone(path, bytes, modeOf(path));
}

/** The mode of a file in force: the agent reads it, perhaps as another user. */
function modeOf(path: string): number {
  return (ownFileStamp(path)?.mode ?? 0o644) & 0o777;
}

/**
 * Whether the file in force still has these bytes. A person who changes it by hand takes no lock, and a checker, a
 * build or a reload takes its time.
 */
export function isInForce(
  root: string,
  slug: string,
  tool: Tool,
  bytes: Uint8Array | null,
): boolean {
  return hashOf(readInForce(root, slug, tool)) === hashOf(bytes);
}

/**
 * Keeps the bytes before, so that {@linkcode takeBack} can put them into force again, and those after, so that an
 * applier sees then that what they let in is gone.
 */
export function keepBoth(root: string, slug: string, { before, after }: FileChange): void {
  if (before !== null) replaceFileAlone(keptPath(root, slug, "before"), before);
  if (after !== null) replaceFileAlone(keptPath(root, slug, "after"), after);
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const textOf = (bytes: Uint8Array | null) => bytes === null ? null : lenient.decode(bytes);

/** Has what an applier says it does left for the agent that waits, too. */
export function toldToAgent(
  root: string,
  { bottleSlug, proposalId }: Pick<Intent, "bottleSlug" | "proposalId">,
  isTakenBack: boolean,
  applying: Applying,
): Applying {
  if (proposalId === "") return applying;
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const onProgress = (doing: string) => {
    leaveUnderway(queueDir, { proposalId, isTakenBack, doing }, stagingDir(root, bottleSlug));
    applying.onProgress?.(doing);
  };
  return { ...applying, onProgress };
}

/** A change as an applier gets it. */
export function asConfigChange(root: string, bottleSlug: string, change: FileChange) {
  const { tool, before, after } = change;
  const path = fileInForcePath(bottleSlug, tool, root);
  return { root, bottleSlug, tool, path, before: textOf(before), after: textOf(after) };
}

/** Whatever an applier throws counts as its word that the change did not take effect. */
export function asApplyError(error: unknown): ApplyError {
  if (error instanceof ApplyError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ApplyError("reload", reason, { cause: error });
}

/** Where an applier stopped and why, with the program's exit code and the hash of its output. */
export function wordsOfFailure({ stage, message, exitCode, output }: ApplyError): string {
  return [
    `${stage}: ${shortenMessage(message)}`,
    ...(exitCode === undefined ? [] : [`exit ${exitCode}`]),
    ...(output === "" ? [] : [`output sha256 ${sha256Hex(output)}`]),
  ].join("; ");
}

/** How a change was taken back. */
export interface TakenBack {
  /** Whether a file that another program put there is in force, which stays. */
  readonly isThird: boolean;
  /** Why it is not known what the enforcer has; `undefined` if it has the file in force. Then it is noted, too. */
  readonly notProven?: string;
}

/**
 * Puts the file from before an open change back into force, unless another program put a third one there, and
 * has the applier make it take effect. It can be done again after a crash in between: what the change let in
 * must be seen to be gone each time. The caller holds the bottle's lock, and removes the intent then.
 */
export async function takeBack(
  root: string,
  slug: string,
  { tool, beforeSha256, afterSha256, enforced }: ChangeNote,
  { applier: given, ...options }: Applying,
): Promise<TakenBack> {
  // A crash may have left a part of the file that was to come into force.
  removeQuietly(stagedName(fileInForcePath(slug, tool, root), "new"));
  const undone = enforced ? readKept(root, slug, "after", afterSha256) : null;
  let inForce = readInForce(root, slug, tool);
  if (hashOf(inForce) === afterSha256) {
    inForce = readKept(root, slug, "before", beforeSha256);
    const path = fileInForcePath(slug, tool, root);
    // On a full disk there is no room for another copy.
    if (inForce === null) removeFile(path);
    else moveOver(keptPath(root, slug, "before"), path, modeOf(path));
  }
  const isThird = hashOf(inForce) !== beforeSha256;
  if (!enforced) return { isThird };
  const applier = applierOf(given, slug, tool);
  const change = asConfigChange(root, slug, { tool, before: undone, after: inForce });
  let notProven =
    "a change was interrupted, and this program has no applier that could take it back";
  if (applier !== undefined) {
    try {
      await applier.restore(change, options);
      return { isThird };
    } catch (error) {
      notProven = wordsOfFailure(asApplyError(error));
    }
  }
  const since = new Date().toISOString();
  noteNotProven(root, slug, { tool, reason: notProven, since, mayHave: change.before });
  return { isThird, notProven };
}

function readKept(
  root: string,
  slug: string,
  which: "before" | "after",
  sha256: string,
): Uint8Array | null {
  if (sha256 === "") return null;
  const path = keptPath(root, slug, which);
  const bytes = readOwnFile(path);
  if (bytes !== undefined && sha256Hex(bytes) === sha256) return bytes;
  throw new SuperviseError(
    "malformed_record",
    `Cannot take a change back: ${path} does not have the file from ${which} it (sha256 ${sha256}); ` +
      "put that file there, or move the intent beside it away to keep the file in force",
  );
}
