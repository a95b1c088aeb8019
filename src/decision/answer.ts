/**
 * Answers an agent: whether that is possible, and the response itself, created once.
 *
 * @module
 */

import { privateDir, queueDirForSlug, responsePath } from "../disk/layout.ts";
import { ownEntry } from "../disk/read_own.ts";
import { MAX_QUEUE_FILE_BYTES, stampOfFile } from "../disk/read_untrusted.ts";
import { createOnce, moveAside, probeCreateOnce, replaceFile, syncNames } from "../disk/write.ts";
import { appendEntry } from "../log/append.ts";
import { readStandingResponse, type UnrecordedResponse } from "../log/decisions.ts";
import { archiveModeProblem, readResponseBytes, responsePlaces } from "../queue/files.ts";
import { ACTION_SUPERSEDED, type AuditEntry } from "../records/audit_entry.ts";
import { encodeAuditEntry, encodeResponse, parseAuditEntry } from "../records/codec.ts";
import { ResponseNotWrittenError, SuperviseError } from "../records/errors.ts";
import type { ProposalRef, ProposalResponse } from "../records/proposal.ts";
import type { Intent } from "./intent.ts";
import { basename, join } from "@std/path";
import { Buffer } from "node:buffer";

/** Where responses are prepared. Only the holder of the bottle's lock writes there. */
export function stagingDir(root: string, slug: string): string {
  return join(privateDir(root), "staging", slug);
}

/** Where unrecorded responses are kept that were overridden. */
function asideDir(root: string, slug: string): string {
  return join(privateDir(root), "foreign", slug);
}

/**
 * Throws `queue_not_writable`, before anything is recorded, if a response of that size could not be written
 * into the queue and archived, or an unrecorded one in its place not be moved away: the queue must be
 * writable, on the file system of `private/`, and have that much room, and the archive be its owner's to
 * use. What others can replace is judged by its mode alone, and left where it is.
 */
function refuseIfUnanswerable(
  root: string,
  { bottleSlug, proposalId, overrideUnrecorded }: Pick<
    Intent,
    "bottleSlug" | "proposalId" | "overrideUnrecorded"
  >,
  bytes: number,
): void {
  const dir = queueDirForSlug(bottleSlug, { root });
  try {
    probeCreateOnce(dir, stagingDir(root, bottleSlug), bytes);
    // A link, or a file, in the archive's place is reported by the listing.
    const problem = archiveModeProblem(dir);
    if (problem !== undefined) throw new Error(problem);
  } catch (error) {
    const what = `no response could be written into ${dir}, and archived; it must be writable, ` +
      `and on the same file system as ${privateDir(root)}`;
    throw unanswerable(what, error);
  }
  if (!overrideUnrecorded) return;
  // Its owner cannot move a directory to another one that it may not write.
  const place = ownEntry(responsePath(dir, proposalId));
  if (place?.isDirectory === true && (place.mode & 0o200) === 0) {
    const reason = `a directory of mode ${(place.mode & 0o777).toString(8)}`;
    throw unanswerable(
      `what is in the response's place, ${place.path}, cannot be moved away`,
      reason,
    );
  }
}

/** More than the log's signed head, which a response gets when it is recorded. */
const HEAD_BYTES = 1024;

function unanswerable(what: string, cause: unknown): SuperviseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot decide: ${what} (${reason}). Nothing was decided`;
  return new SuperviseError("queue_not_writable", message, { cause });
}

/**
 * Keeps a copy of the response that is overridden, where no sidecar can change it: the queue's owner can
 * remove the file in any moment, and its hash in the log would then prove nothing. Call it before the
 * decision is recorded, and record what it returns: `undefined` if the response is gone.
 *
 * @throws {SuperviseError} If the copy cannot be written.
 */
export function keepUnrecorded(ref: Required<ProposalRef>): UnrecordedResponse | undefined {
  const { root, bottleSlug, proposalId } = ref;
  const { response, bytes } = readStandingResponse(ref) ?? {};
  if (bytes === undefined) return response;
  const dir = asideDir(root, bottleSlug);
  const name = basename(responsePath(dir, proposalId));
  try {
    replaceFile(join(dir, `${name}.${response!.sha256}`), bytes);
  } catch (error) {
    throw unanswerable(`no copy of the response without a record could be kept in ${dir}`, error);
  }
  return response;
}

/**
 * Creates the response of a recorded decision, unless it is there. The caller holds the bottle's lock.
 * Returns whether the response in the queue is this decision's; if another program's is in its place, the
 * log then says so. If no response can be created, the decision counts all the same.
 */
export async function answerRecorded(root: string, intent: Intent): Promise<boolean> {
  try {
    return await answer(root, intent);
  } catch (cause) {
    throw new ResponseNotWrittenError(intent.bottleSlug, intent.proposalId, { cause });
  }
}

async function answer(root: string, intent: Intent): Promise<boolean> {
  const { bottleSlug, proposalId } = intent;
  const queueDir = queueDirForSlug(bottleSlug, { root });
  if (isAnswered(queueDir, intent)) {
    // The process that created it may have died before its name was durable.
    syncNames(queueDir);
    return true;
  }
  const place = responsePath(queueDir, proposalId);
  if (intent.overrideUnrecorded) {
    // Not one in the archive, which is not in the way: the queue's owner can put a link in the archive's
    // place at any time, and a name in it would then be another directory's.
    try {
      moveAside(place, asideDir(root, bottleSlug));
    } catch (error) {
      // It could be moved before the record, so it was changed since. Then it keeps the name, and the log
      // says so.
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
  const bytes = new TextEncoder().encode(intent.response);
  try {
    createOnce(place, bytes, stagingDir(root, bottleSlug));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // By another program, such as the Python original, which keeps no record. After a crash nobody can tell
  // whether this decision's was there before, and the queue's owner removed it.
  const entry = parseAuditEntry(JSON.parse(intent.line), "the intent");
  const { marks: _, confirmed: __, ifUnmarked: ___, reach: ____, reachSummary: _____, ...about } =
    entry;
  const { applied: ______, effect: _______, beforeSha256: ________, ...rest } = about;
  const { standing: _________, until: __________, ...superseded } = rest;
  await appendEntry({
    ...superseded,
    timestamp: new Date().toISOString(),
    operatorAction: ACTION_SUPERSEDED,
    operatorNotes: "Another program's answer is in its place in the queue.",
    diff: "",
    finalSha256: "",
  }, root);
  return false;
}

/**
 * Whether the response was created already; the sidecar may have archived it since. Its bytes must be the
 * same: a response by another program that only means the same lacks the log's head.
 */
export function isAnswered(
  queueDir: string,
  { proposalId, response }: Pick<Intent, "proposalId" | "response">,
): boolean {
  const own = Buffer.from(response);
  return responsePlaces(queueDir, proposalId).some((place) => {
    try {
      return own.equals(readResponseBytes(place));
    } catch {
      return false;
    }
  });
}

/** Throws, before anything changes, if the response could not be written. */
export function refuseUnanswerable(
  root: string,
  about: Pick<Intent, "bottleSlug" | "proposalId" | "overrideUnrecorded">,
  entry: AuditEntry,
  told: ProposalResponse,
): void {
  const length = encodeResponse(told).length;
  const most = MAX_QUEUE_FILE_BYTES - HEAD_BYTES;
  if (length > most) {
    throw unanswerable("its response would be too large to be read", `${length} of ${most} bytes`);
  }
  // The response, the line and the intent, which has both of them, escaped.
  refuseIfUnanswerable(root, about, 3 * (length + encodeAuditEntry(entry).length));
}

/** How long an answer is given to be taken up, and how often that is looked at. */
const TAKEN_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Waits until the sidecar has moved the response to its archive, as it does just before a call returns it. If
 * no call waits for it, nobody moves it: then for ten seconds.
 */
export async function untilTaken(
  root: string,
  { bottleSlug, proposalId }: Pick<Intent, "bottleSlug" | "proposalId">,
): Promise<void> {
  const path = responsePath(queueDirForSlug(bottleSlug, { root }), proposalId);
  const endMs = performance.now() + TAKEN_WITHIN_MS;
  while (stampOfFile(path) !== undefined && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
