/**
 * Records a decision, then writes the response; the next run finishes what a crash interrupted.
 *
 * @module
 */

import {
  auditLogPath,
  intentsDir,
  privateDir,
  queueDirForSlug,
  responsePath,
} from "../disk/layout.ts";
import { openOwnFile, withLock } from "../disk/lock.ts";
import { namesInOwn, ownEntry, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { listNames, MAX_QUEUE_FILE_BYTES } from "../disk/read_untrusted.ts";
import {
  clearDirectory,
  createOnce,
  moveAside,
  probeCreateOnce,
  removeFile,
  replaceFile,
  replaceFileAlone,
  syncFile,
  syncNames,
} from "../disk/write.ts";
import { clearHalfKept } from "../host/config_files.ts";
import { appendEntry } from "../log/append.ts";
import { linesOf, linkOf, signHead } from "../log/chain.ts";
import { openSigningKey } from "../log/key.ts";
import { readStandingResponse, type UnrecordedResponse } from "../log/decisions.ts";
import { readLine } from "../log/lines.ts";
import { signatureOf } from "../log/signature.ts";
import { archiveModeProblem, readResponseBytes, responsePlaces } from "../queue/files.ts";
import { ACTION_SUPERSEDED, type AuditEntry } from "../records/audit_entry.ts";
import {
  encodeAuditEntry,
  encodeResponse,
  parseAuditEntry,
  parseJsonBytes,
  parseResponse,
} from "../records/codec.ts";
import {
  MalformedRecordError,
  ResponseNotWrittenError,
  SuperviseError,
} from "../records/errors.ts";
import type { Head } from "../records/head.ts";
import { auditLogName, isBottleSlug } from "../records/names.ts";
import type { ProposalRef, ProposalResponse } from "../records/proposal.ts";
import { isCount, isFlag, isText, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import { basename, dirname, join } from "@std/path";
import { Buffer } from "node:buffer";

/** A decision that is about to be recorded, with the exact bytes of both files. */
interface Intent {
  readonly bottleSlug: string;
  readonly proposalId: string;
  readonly component: string;
  /** The log's length before: the line, if it is there, begins at this byte or later. */
  readonly logSize: number;
  /** The audit line, the LF included. */
  readonly line: string;
  /** The response file's text. */
  readonly response: string;
  /** Whether an unrecorded response in its place in the queue is moved away. */
  readonly overrideUnrecorded: boolean;
}

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
  { bottleSlug, proposalId, overrideUnrecorded }: Omit<Intent, "line" | "logSize" | "response">,
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
async function answerRecorded(root: string, intent: Intent): Promise<boolean> {
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
  const {
    marks: _,
    confirmed: __,
    ifUnmarked: ___,
    reach: ____,
    reachSummary: _____,
    standing: ______,
    ...entry
  } = parseAuditEntry(JSON.parse(intent.line), "the intent");
  await appendEntry({
    ...entry,
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

const INTENT = shapeOf<Intent & { readonly version: number }>("intent", {
  version: { wire: "version", check: (value) => value === 1 ? undefined : "not 1" },
  bottleSlug: { wire: "bottle_slug", check: isText },
  proposalId: { wire: "proposal_id", check: isText },
  component: { wire: "component", check: isText },
  logSize: { wire: "log_size", check: isCount },
  line: { wire: "line", check: isText },
  response: { wire: "response", check: isText },
  overrideUnrecorded: { wire: "override_foreign", check: isFlag, missing: false },
});

function intentPath(root: string, slug: string): string {
  return join(intentsDir(root), `${slug}.json`);
}

/** What became of a decision that a crash left open. */
interface FinishedIntent {
  readonly bottleSlug: string;
  readonly proposalId: string;
  /**
   * `completed`: it was recorded, and its response is written now. `dropped`: it was not recorded, so it
   * never happened. `superseded`: another program's response is in its place.
   */
  readonly outcome: "completed" | "dropped" | "superseded";
}

/** Runs a function while no other process decides for the bottle, after an interrupted decision is finished. */
export function withBottleLock<T>(
  root: string,
  slug: string,
  run: (finished: FinishedIntent | undefined) => T | Promise<T>,
): Promise<T> {
  return withLock(join(privateDir(root), "locks", `${slug}.lock`), async () => {
    // No other process writes there while the lock is held: what is left is from a crash.
    clearDirectory(stagingDir(root, slug));
    clearHalfKept(slug, root);
    return await run(await finishIntent(root, slug));
  });
}

/**
 * Records a decision, then writes the response, in that order, each durable before the next. The intent
 * is written under the log's lock, when the line is sealed: it holds the very bytes that are appended
 * next. The caller holds the bottle's lock. `answered` is false if another program's response was there
 * first; then the log says so.
 */
export async function carryOut(
  root: string,
  entry: AuditEntry,
  told: ProposalResponse,
  overrideUnrecorded: boolean,
): Promise<{ readonly head: Head; readonly answered: boolean }> {
  const { bottleSlug, component } = entry;
  const { proposalId } = told;
  const path = intentPath(root, bottleSlug);
  const log = auditLogName(component, bottleSlug);
  // The response, the line and the intent, which has both of them, escaped.
  const length = encodeResponse(told).length;
  const most = MAX_QUEUE_FILE_BYTES - HEAD_BYTES;
  if (length > most) {
    throw unanswerable("its response would be too large to be read", `${length} of ${most} bytes`);
  }
  const bytes = 3 * (length + encodeAuditEntry(entry).length);
  const about = { bottleSlug, proposalId, component, overrideUnrecorded };
  refuseIfUnanswerable(root, about, bytes);
  const { privateKey } = await openSigningKey(root);
  let intent: Intent | undefined;
  // If this fails the intent stays: the next run sees whether the line is there, and acts on that.
  const { head } = await appendEntry(entry, root, ({ line: bytes, offset: logSize, head }) => {
    const line = new TextDecoder().decode(bytes);
    const auditHead = signHead(log, head, privateKey);
    const response = encodeResponse({ ...told, auditHead });
    intent = { ...about, logSize, line, response };
    const text = asciiJson(INTENT.write({ version: 1, ...intent }));
    replaceFileAlone(path, new TextEncoder().encode(text + "\n"));
  });
  const answered = await answerRecorded(root, intent!);
  try {
    removeFile(path);
  } catch {
    // The decision is recorded and answered. The next run finds that, and removes the intent.
  }
  return { head, answered };
}

function readIntent(bytes: Uint8Array, path: string, slug: string): Intent {
  const raw = parseJsonBytes(bytes, path);
  try {
    const { version: _, ...intent } = INTENT.read(raw, path);
    const { line, proposalId } = intent;
    const recorded = parseAuditEntry(JSON.parse(line), "the line");
    const told = parseResponse(JSON.parse(intent.response), "the response");
    // The line records a decision on the proposal, and the response is that decision's.
    const isSound = line.endsWith("}\n") && recorded.proposalId === proposalId &&
      told.proposalId === proposalId && told.status === recorded.operatorAction;
    if (isSound && intent.bottleSlug === slug) return intent;
  } catch {
    // The error below names the file, which is what the operator has to move.
  }
  throw new MalformedRecordError(path, undefined, "it is not an intent; move it away to go on");
}

async function finishIntent(root: string, slug: string): Promise<FinishedIntent | undefined> {
  const path = intentPath(root, slug);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const intent = readIntent(bytes, path, slug);
  // Without its line the decision never happened: there is no response, and the operator decides anew.
  let outcome: FinishedIntent["outcome"] = "dropped";
  const record = findRecord(root, intent);
  if (record !== "missing") {
    // A decision that was superseded is not answered, even if the other program's response is gone.
    const answered = record === "recorded" && await answerRecorded(root, intent);
    outcome = answered ? "completed" : "superseded";
  }
  removeFile(path);
  return { bottleSlug: slug, proposalId: intent.proposalId, outcome };
}

/**
 * Whether the log has the intent's line, and whether a later line that the root's key signed states that
 * the decision did not take effect. If it has it, the line is durable when this returns.
 */
function findRecord(root: string, intent: Intent): "missing" | "recorded" | "superseded" {
  const { component, bottleSlug, proposalId } = intent;
  const path = auditLogPath(component, bottleSlug, { root });
  const recorded = Buffer.from(intent.line);
  const seq = linkOf(recorded)?.seq ?? -1;
  let found: "missing" | "recorded" | "superseded" = "missing";
  using log = openOwnFile(path);
  // From the LF before its place, or behind that if a writer that takes no lock came in between.
  for (const line of linesOf(log?.chunks(Math.max(0, intent.logSize - 1)) ?? [])) {
    if (found === "missing") {
      if (recorded.equals(line)) found = "recorded";
      continue;
    }
    const { entry, link } = readLine(line, path);
    if (entry?.proposalId !== proposalId || entry.operatorAction !== ACTION_SUPERSEDED) continue;
    const signature = signatureOf({ entry, link, component, bytes: line }, bottleSlug, root);
    if (signature === "good" && link!.seq > seq) found = "superseded";
  }
  if (found !== "missing") {
    syncFile(path);
    syncNames(dirname(path));
  }
  return found;
}

/**
 * Finds what {@linkcode finishInterrupted} would finish, or what is being carried out right now, and
 * changes nothing. While an intent is broken, every decision for its bottle is refused.
 */
export function findUnfinished(root: string) {
  const dir = intentsDir(root);
  const intents = namesInOwn(dir).filter((name) => name.endsWith(".json")).map((name) => {
    const [bottleSlug, path] = [name.slice(0, -".json".length), join(dir, name)];
    return { bottleSlug, path, isBroken: isBroken(path, bottleSlug) };
  });
  const staging = join(privateDir(root), "staging");
  const staged = namesInOwn(staging).filter((slug) =>
    namesInOwn(stagingDir(root, slug)).length > 0
  );
  return { intents, staged };
}

function isBroken(path: string, slug: string): boolean {
  // It may be gone again by now, or be a FIFO, and reading that would wait for a writer.
  const stamp = ownFileStamp(path);
  if (stamp?.isFile !== true) return stamp !== undefined;
  const bytes = readOwnFile(path);
  if (bytes === undefined) return false;
  try {
    readIntent(bytes, path, slug);
    return false;
  } catch (error) {
    if (error instanceof MalformedRecordError) return true;
    throw error;
  }
}

/**
 * Finishes every decision that a crash left open. A decision does this for its own bottle; an operator's
 * tool does it for all when it starts, so that no response waits for the next decision. If it fails for
 * a bottle, every decision for that bottle is refused until it can be finished; other bottles go on.
 */
export async function finishInterrupted(root: string) {
  const finished: FinishedIntent[] = [];
  const failed: { bottleSlug: string; error: Error }[] = [];
  for (const name of listNames(intentsDir(root))) {
    const bottleSlug = name.replace(/\.json$/, "");
    if (bottleSlug === name || !isBottleSlug(bottleSlug)) continue;
    try {
      const intent = await withBottleLock(root, bottleSlug, (finished) => finished);
      if (intent !== undefined) finished.push(intent);
    } catch (error) {
      failed.push({ bottleSlug, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  return { finished, failed };
}
