/**
 * Changes a file in force, records a decision, then writes the response; the next run finishes what a crash
 * interrupted, or takes it back.
 *
 * @module
 */

import { auditLogPath, intentsDir, privateDir, queueDirForSlug } from "../disk/layout.ts";
import { openOwnFile, withFreeLock, withLock } from "../disk/lock.ts";
import { isLink, namesInOwn, readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import {
  clearDirectory,
  removeFile,
  removeQuietly,
  stagedName,
  syncFile,
  syncNames,
} from "../disk/write.ts";
import { clearHalfKept } from "../host/config_files.ts";
import { appendEntry, checkAppendable, type SealedLine } from "../log/append.ts";
import { linesOf, linkOf, signHead } from "../log/chain.ts";
import { openSigningKey } from "../log/key.ts";
import { readLine } from "../log/lines.ts";
import { signatureOf } from "../log/signature.ts";
import { clearUnderway } from "../queue/underway.ts";
import { ApplyError } from "../records/applier.ts";
import { ACTION_APPLY_FAILED, ACTION_SUPERSEDED, type AuditEntry } from "../records/audit_entry.ts";
import { encodeResponse, parseAuditEntry } from "../records/codec.ts";
import { ResponseNotWrittenError, SuperviseError } from "../records/errors.ts";
import type { Head } from "../records/head.ts";
import { auditLogName, isBottleSlug } from "../records/names.ts";
import type { Effect, ProposalResponse } from "../records/proposal.ts";
import { answerRecorded, refuseUnanswerable, stagingDir, untilTaken } from "./answer.ts";
import {
  applierOf,
  type Applying,
  asApplyError,
  asConfigChange,
  type FileChange,
  isInForce,
  keepBoth,
  NotAppliedError,
  noteOf,
  putInForce,
  takeBack,
  type TakenBack,
  toldToAgent,
  wordsOfFailure,
} from "./change.ts";
import { grantedPath, writeGranted } from "./granted.ts";
import {
  type GrantedNote,
  type Intent,
  intentPath,
  isBrokenIntent,
  keptPath,
  readIntent,
  writeIntent,
} from "./intent.ts";
import { evictVersions } from "./versions.ts";
import { dirname, join } from "@std/path";
import { Buffer } from "node:buffer";

/** What became of what a crash left open. */
export interface FinishedIntent {
  readonly bottleSlug: string;
  /** The proposal; `""` if it was an operator's own change of a file. */
  readonly proposalId: string;
  /**
   * `completed`: it was recorded, and its response is written now. `dropped`: it was not recorded, so it
   * never happened, and a file that was changed already is the one from before again. `superseded`: another
   * program's response is in its place. `waits`: the change has to be taken back by an applier, and is open.
   * `cut-short`: it was recorded, and is answered, and nobody knows whether what follows the answer was done:
   * to restart a bottle once more could end what its agent does by now.
   */
  readonly outcome: "completed" | "dropped" | "superseded" | "waits" | "cut-short";
  /** Why it is not known which file the enforcer has, if a change was taken back. */
  readonly notProven?: string;
}

/** Runs a function while no other process decides for the bottle, after an interrupted decision is finished. */
export function withBottleLock<T>(
  root: string,
  slug: string,
  run: (finished: FinishedIntent | undefined) => T | Promise<T>,
  applying: Applying = {},
): Promise<T> {
  return withLock(lockPath(root, slug), () => underLock(root, slug, run, applying));
}

function lockPath(root: string, slug: string): string {
  return join(privateDir(root), "locks", `${slug}.lock`);
}

async function underLock<T>(
  root: string,
  slug: string,
  run: (finished: FinishedIntent | undefined) => T | Promise<T>,
  applying: Applying,
): Promise<T> {
  const passOver = (error: unknown): undefined => {
    // The queue's owner could keep it from being written, and the operator from taking back what it got.
    if (!applying.pastAnswer || !(error instanceof ResponseNotWrittenError)) throw error;
  };
  // No other process writes there while the lock is held: what is left is from a crash.
  clearDirectory(stagingDir(root, slug));
  clearHalfKept(slug, root);
  try {
    return await run(await finishIntent(root, slug, applying).catch(passOver));
  } finally {
    // Not before: a sidecar that finds neither this nor a response tells its agent that it did not take effect.
    clearUnderway(queueDirForSlug(slug, { root }));
    evictVersions(root, slug);
  }
}

/** What is recorded, and what it brings with it. */
export interface Deed {
  readonly entry: AuditEntry;
  /** The answer to the agent; missing if no agent asked. */
  readonly told?: ProposalResponse | undefined;
  /** The file that changes; missing if none does. */
  readonly change?: FileChange | undefined;
  /** Throws if the change may not be made any more, once it was checked: that can take as long as a build. */
  readonly refuseLater?: () => void;
  /** Whether an unrecorded response in its place in the queue is moved away. */
  readonly overrideUnrecorded?: boolean;
  /** Which grants are open then; missing if those do not change. */
  readonly granted?: GrantedNote | undefined;
  /** What depends on the time at which the file came into force, in milliseconds since 1970. */
  readonly at?: ((inForceMs: number) => Pick<Deed, "entry" | "told" | "granted">) | undefined;
}

/** What became of a deed. */
interface CarriedOut {
  readonly head: Head;
  readonly answered: boolean;
  /** The line's entry, as it was recorded. */
  readonly entry: AuditEntry;
  /** How the change was taken back; missing if none was. */
  readonly takenBack?: TakenBack;
  readonly afterAnswer: () => Promise<string | undefined>;
}

/**
 * Changes the file in force and has it take effect, records that, then writes the response: each durable
 * before the next. The intent is written before the file changes, and again under the log's lock, when the
 * line is sealed: then it has the very bytes that are appended next. The caller holds the bottle's lock.
 * `answered` is false if another program's response was there first; then the log says so, and the file
 * before is in force again. Call `afterAnswer` last: it gives what failed, in words.
 *
 * @throws {NotAppliedError} If the change does not take effect; the log then says `apply-failed`.
 */
export async function carryOut(
  root: string,
  deed: Deed,
  applying: Applying = {},
): Promise<CarriedOut> {
  const { change, refuseLater, overrideUnrecorded = false } = deed;
  // Before anything changes, the times are as good as those that follow.
  const { entry, told } = { ...deed, ...deed.at?.(Date.now()) };
  const { bottleSlug, component } = entry;
  const about = { bottleSlug, proposalId: told?.proposalId ?? "", component, overrideUnrecorded };
  if (told !== undefined) refuseUnanswerable(root, about, entry, told);
  const { privateKey } = await openSigningKey(root);
  const { applier: given, ...options } = applying;
  const applier = change && applierOf(given, bottleSlug, change.tool);
  let intent: Intent = {
    ...about,
    change: change === undefined ? null : noteOf(change, applier),
    logSize: 0,
    line: "",
    response: "",
    granted: null,
  };
  // A change that could not be recorded would have to be taken back.
  if (change !== undefined) await checkAppendable(entry, root);
  const applied = change &&
    await applyChange(root, intent, entry, change, refuseLater, applying);
  const effect = applied && { effect: applied.effect };
  const { beforeSha256 } = intent.change ?? {};
  const timestamp = new Date().toISOString();
  const did = applied &&
    { timestamp, applied: applied.says, beforeSha256: beforeSha256!, ...effect };
  const done = { ...deed, ...deed.at?.(Date.now()) };
  const recorded = { ...done.entry, ...did };
  const seal = ({ line: bytes, offset: logSize, head }: SealedLine) => {
    const line = new TextDecoder().decode(bytes);
    const auditHead = signHead(auditLogName(component, bottleSlug), head, privateKey);
    const response = done.told ? encodeResponse({ ...done.told, ...effect, auditHead }) : "";
    const granted = done.granted
      ? { ...done.granted, before: recordOf(root, bottleSlug, done.granted) }
      : null;
    const sealed = { ...intent, logSize, line, response, granted };
    writeIntent(root, sealed);
    // Not before: without the intent no line is appended.
    intent = sealed;
  };
  let head: Head;
  try {
    ({ head } = await appendEntry(recorded, root, seal));
  } catch (error) {
    // If the line may be there, the intent stays: the next run sees whether it is, and acts on that.
    if (intent.line === "" && change !== undefined) {
      await orSay(error, bottleSlug, () => finishIntent(root, bottleSlug, applying));
    }
    throw error;
  }
  let isSettled = true;
  try {
    // Not after the answer: the queue's owner could keep that from being written, and the grant from ending.
    settleGrants(root, intent);
  } catch {
    // The decision is recorded. The intent has the record, and must stay.
    isSettled = false;
  }
  const answered = told === undefined || await answerRecorded(root, intent);
  const takenBack = answered || intent.change === null
    ? undefined
    : await takeBack(root, bottleSlug, intent.change, toldToAgent(root, intent, true, applying));
  const close = () => {
    try {
      if (!answered) unsettleGrants(root, intent);
      closeIntent(root, intent);
    } catch {
      // The decision is recorded and answered. The next run finds that, and removes the intent.
    }
  };
  if (answered && !isSettled) {
    return { head, answered, entry: recorded, afterAnswer: () => Promise.resolve(undefined) };
  }
  const restarts = answered && applied?.effect === RESTARTS;
  if (!restarts) close();
  return {
    head,
    answered,
    entry: recorded,
    ...(takenBack && { takenBack }),
    afterAnswer: async () => {
      if (!restarts) return undefined;
      try {
        if (told !== undefined) await untilTaken(root, intent);
        await applier?.afterAnswer?.(asConfigChange(root, bottleSlug, change!), options);
        return undefined;
      } catch (error) {
        return wordsOfFailure(asApplyError(error));
      } finally {
        close();
      }
    },
  };
}

/** What follows such a change ends the bottle: until it was done, the intent is there. */
const RESTARTS = "restarts";

/** What was done with a change, in words, and how far it takes effect. */
type Applied = { readonly says: string; readonly effect: Effect };

/** What the log says of a change that nothing makes take effect. */
const FILE_ALONE: Applied = { says: "the file alone: nothing reloads it", effect: "file" };

/**
 * Puts a file into force and has the applier make it take effect. If that fails, takes it back and records
 * that. Returns what was done, in words.
 */
async function applyChange(
  root: string,
  intent: Intent,
  entry: AuditEntry,
  change: FileChange,
  refuseLater: Deed["refuseLater"],
  applying: Applying,
): Promise<Applied> {
  const { bottleSlug } = intent;
  const { applier: given, ...options } = toldToAgent(root, intent, false, applying);
  const applier = applierOf(given, bottleSlug, change.tool);
  const about = asConfigChange(root, bottleSlug, change);
  const { tool, before, after, found } = change;
  if (isLink(about.path)) {
    const way = "put the file itself there";
    throw new SuperviseError("unsafe_file", `Cannot change ${about.path}: it is a link; ${way}`);
  }
  try {
    await applier?.check(about, options);
  } catch (error) {
    return await fail(root, entry, asApplyError(error), "the file in force was not changed");
  }
  refuseLater?.();
  if (!isInForce(root, bottleSlug, tool, found ? after : before)) {
    const what = `Cannot change the ${intent.component} file of ${bottleSlug}`;
    throw new SuperviseError("stale", `${what}: it changed meanwhile; look at it again`);
  }
  keepBoth(root, bottleSlug, change);
  writeIntent(root, intent);
  try {
    putInForce(root, bottleSlug, tool, after);
  } catch (error) {
    await orSay(error, bottleSlug, () => finishIntent(root, bottleSlug, applying));
    throw error;
  }
  if (applier === undefined) return FILE_ALONE;
  try {
    const says = await applier.apply(about, options);
    refuseLater?.();
    if (!isInForce(root, bottleSlug, tool, after)) {
      throw new ApplyError("probe", "another program changed the file in force meanwhile");
    }
    const effect = applier.effectOf?.(about) ?? (applier.afterAnswer ? RESTARTS : "probed");
    return { says, effect };
  } catch (error) {
    const back = toldToAgent(root, intent, true, applying);
    const { isThird, notProven } = await orSay(
      error,
      bottleSlug,
      () => takeBack(root, bottleSlug, intent.change!, back),
    );
    closeIntent(root, intent);
    const state = isThird
      ? "the file that another program put in its place is in force"
      : "the file before is in force again";
    return await fail(root, entry, asApplyError(error), state, notProven);
  }
}

/** Takes a change back that failed with an error. If that fails too, as on a full disk, says what is left. */
async function orSay<T>(error: unknown, slug: string, takeBack: () => Promise<T>): Promise<T> {
  try {
    return await takeBack();
  } catch (cause) {
    const reason = ({ message }: { readonly message: string }) => message;
    throw new Error(
      `Cannot take back a change of ${slug} that failed (${reason(error as Error)}): ` +
        `${
          reason(cause as Error)
        }; it may be in force, is not recorded, and the next approval or ` +
        "edit takes it back first",
      { cause },
    );
  }
}

/** Records that a change did not take effect, and throws. */
async function fail(
  root: string,
  entry: AuditEntry,
  error: ApplyError,
  state: string,
  notProven?: string,
): Promise<never> {
  const { bottleSlug, component } = entry;
  const end = notProven === undefined
    ? state
    : `${state}, and the enforcer is not proven to have it: ${notProven}`;
  const words = `${wordsOfFailure(error)}; ${end}`;
  const { confirmed: _, ifUnmarked: __, until: ___, ...failed } = entry;
  await appendEntry({
    ...failed,
    timestamp: new Date().toISOString(),
    operatorAction: ACTION_APPLY_FAILED,
    operatorNotes: words,
  }, root);
  throw new NotAppliedError(
    notProven === undefined ? "apply_failed" : "enforcer_not_proven",
    `Cannot change the ${component} file of ${bottleSlug}: ${words}. Nothing was decided`,
    error,
  );
}

/** The bytes of the record of a file's open grants; `""` if there is none. */
function recordOf(root: string, slug: string, { tool }: GrantedNote): string {
  return new TextDecoder().decode(readOwnFile(grantedPath(root, slug, tool)));
}

/** Not twice: why a grant could not be ended may have been noted in it since. */
function settleGrants(root: string, { bottleSlug, granted }: Intent): void {
  if (granted === null || recordOf(root, bottleSlug, granted) !== granted.before) return;
  writeGranted(root, bottleSlug, granted.tool, granted.record);
}

function unsettleGrants(root: string, { bottleSlug, granted }: Intent): void {
  if (granted !== null) writeGranted(root, bottleSlug, granted.tool, granted.before);
}

function closeIntent(root: string, { bottleSlug, change }: Intent): void {
  removeFile(intentPath(root, bottleSlug));
  if (change !== null) { for (const path of keptPaths(root, bottleSlug)) removeFile(path); }
}

function keptPaths(root: string, slug: string): readonly string[] {
  return [keptPath(root, slug, "before"), keptPath(root, slug, "after")];
}

async function finishIntent(
  root: string,
  slug: string,
  applying: Applying,
): Promise<FinishedIntent | undefined> {
  const intent = readIntent(root, slug);
  if (intent === undefined) {
    // What a crash left of the bytes before and after a change, whole or on their way to that name.
    for (const path of keptPaths(root, slug)) {
      removeQuietly(path);
      removeQuietly(stagedName(path, "new"));
    }
    return undefined;
  }
  // Without its line it never happened: there is no response, and the operator decides anew.
  let outcome: FinishedIntent["outcome"] = "dropped";
  const record = intent.line === "" ? "missing" : findRecord(root, intent);
  if (record !== "missing") {
    // It is taken back with the change if the decision was superseded.
    settleGrants(root, intent);
    // A decision that was superseded is not answered, even if the other program's response is gone.
    const answered = record === "recorded" &&
      (intent.response === "" || await answerRecorded(root, intent));
    outcome = answered ? "completed" : "superseded";
  }
  const { proposalId, change } = intent;
  if (outcome === "completed" && change !== null) {
    const { effect } = parseAuditEntry(JSON.parse(intent.line), "the intent");
    if (effect === RESTARTS) outcome = "cut-short";
  }
  const isRecorded = outcome === "completed" || outcome === "cut-short";
  if (!isRecorded && change?.enforced && applying.waits && !applying.applier) {
    return { bottleSlug: slug, proposalId, outcome: "waits" };
  }
  const notProven = isRecorded || change === null
    ? undefined
    : (await takeBack(root, slug, change, toldToAgent(root, intent, true, applying))).notProven;
  if (!isRecorded) unsettleGrants(root, intent);
  closeIntent(root, intent);
  return { bottleSlug: slug, proposalId, outcome, ...(notProven !== undefined && { notProven }) };
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
    return { bottleSlug, path, isBroken: isBrokenIntent(root, bottleSlug) };
  });
  const staging = join(privateDir(root), "staging");
  const staged = namesInOwn(staging).filter((slug) =>
    namesInOwn(stagingDir(root, slug)).length > 0
  );
  return { intents, staged };
}

/**
 * Finishes every decision that a crash left open. A decision does this for its own bottle; an operator's
 * tool does it for all, or for one, when it starts, so that no response waits for the next decision. If it
 * fails for a bottle, every decision for that bottle is refused until it can be finished; other bottles go on.
 * Where another process has the bottle's lock nothing is interrupted: it is carried out right now.
 */
export async function finishInterrupted(root: string, applying: Applying = {}, only?: string) {
  const finished: FinishedIntent[] = [];
  const failed: { bottleSlug: string; error: Error }[] = [];
  for (const name of listNames(intentsDir(root))) {
    const bottleSlug = name.replace(/\.json$/, "");
    if (bottleSlug === name || !isBottleSlug(bottleSlug)) continue;
    if (only !== undefined && bottleSlug !== only) continue;
    const finish = () => underLock(root, bottleSlug, (intent) => intent, applying);
    try {
      const intent = await withFreeLock(lockPath(root, bottleSlug), finish);
      if (intent !== undefined) finished.push(intent);
    } catch (error) {
      failed.push({ bottleSlug, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  return { finished, failed };
}
