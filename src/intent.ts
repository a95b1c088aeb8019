/**
 * What makes a crash harmless between the audit line and the answer. Before a decision is recorded,
 * what it is about to do is written down as an intent; whoever takes the bottle's lock next finds it
 * and finishes or drops the decision, so that a record without an answer is completed, and an answer
 * without a record never exists.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { dirname, join } from "@std/path";
import { z } from "zod";
import { answerRecorded, type Intent, stagingDir } from "./answer.ts";
import { appendEntry } from "./audit_append.ts";
import { ACTION_SUPERSEDED, type AuditEntry } from "./audit_entry.ts";
import { entryOn } from "./audit_line.ts";
import { type Head, linesOf, linkOf, signHead } from "./chain.ts";
import { clearDirectory, removeFile, replaceFileAlone, syncFile, syncNames } from "./durable.ts";
import { withLock } from "./durable_log.ts";
import { MalformedRecordError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogName, auditLogPath, isBottleSlug, privateDir } from "./paths.ts";
import type { Response } from "./proposal.ts";
import { openSigningKey } from "./signing_key.ts";
import { listNames, parseJsonBytes } from "./untrusted.ts";
import { asciiJson, encodeResponse, parseAuditEntry, parseResponse } from "./wire.ts";

/** A decision that is to be carried out. */
export interface DecisionToCarryOut {
  /** What is to be recorded. */
  readonly entry: AuditEntry;
  /** What the agent is to be told. */
  readonly response: Response;
  /** Whether an answer without a record that stands there is moved away. */
  readonly overrideForeign: boolean;
}

const intentSchema = z.object({
  version: z.literal(1),
  bottle_slug: z.string(),
  proposal_id: z.string(),
  component: z.string(),
  log_size: z.number().int().min(0),
  line: z.string(),
  response: z.string(),
  override_foreign: z.boolean().default(false),
});

function intentsDir(root: string): string {
  return join(privateDir(root), "intents");
}

function intentPath(root: string, slug: string): string {
  return join(intentsDir(root), `${slug}.json`);
}

/** What became of a decision that a crash left open. */
export interface FinishedIntent {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal. */
  readonly proposalId: string;
  /**
   * `completed`: it was recorded, and is answered now. `dropped`: it was not recorded, so it never
   * happened. `superseded`: another program's answer stands.
   */
  readonly outcome: "completed" | "dropped" | "superseded";
}

/**
 * Runs a function while no other process of this host decides for the bottle. A decision that was
 * interrupted is finished first.
 *
 * @param root The root.
 * @param slug The bottle's slug, checked.
 * @param run What to do; it is told what was finished.
 * @returns What the function returns.
 */
export function withBottleLock<T>(
  root: string,
  slug: string,
  run: (finished: FinishedIntent | undefined) => T | Promise<T>,
): Promise<T> {
  return withLock(join(privateDir(root), "locks", `${slug}.lock`), async () => {
    // Nobody else writes there while the lock is held: what is left is from a crash.
    clearDirectory(stagingDir(root, slug));
    return await run(await finishIntent(root, slug));
  });
}

/**
 * Records a decision, then answers, in that order and each durably; see the module's words. The
 * intent is written down when the line is ready, under the log's lock, so that it holds the very
 * bytes that are appended next.
 *
 * @param root The root. The caller holds the bottle's lock.
 * @param decision The decision.
 * @returns The log's head after the line; `answered` is false if another program's answer stood in
 * the queue first, and then the log says so.
 */
export async function carryOut(
  root: string,
  decision: DecisionToCarryOut,
): Promise<{ readonly head: Head; readonly answered: boolean }> {
  const { entry, overrideForeign } = decision;
  const { bottleSlug, component } = entry;
  const { proposalId } = decision.response;
  const path = intentPath(root, bottleSlug);
  const log = auditLogName(component, bottleSlug);
  const { privateKey } = await openSigningKey(root);
  let intent: Intent | undefined;
  // If this fails the intent stays: the next run sees whether the line is there, and acts on that.
  const { head } = await appendEntry(entry, root, ({ line: bytes, offset: logSize, head }) => {
    const line = new TextDecoder().decode(bytes);
    const auditHead = signHead(log, head, privateKey);
    const response = encodeResponse({ ...decision.response, auditHead });
    intent = { bottleSlug, proposalId, component, logSize, line, response, overrideForeign };
    replaceFileAlone(path, encodeIntent(intent));
  });
  const answered = await answerRecorded(root, intent!);
  try {
    removeFile(path);
  } catch {
    // The decision stands, and is told. The next run finds it recorded and answered, and tries again.
  }
  return { head, answered };
}

function encodeIntent(intent: Intent): Uint8Array {
  const text = asciiJson({
    version: 1,
    bottle_slug: intent.bottleSlug,
    proposal_id: intent.proposalId,
    component: intent.component,
    log_size: intent.logSize,
    line: intent.line,
    response: intent.response,
    override_foreign: intent.overrideForeign,
  });
  return new TextEncoder().encode(text + "\n");
}

/** Finishes the decision that a crash left open, if there is one. The caller holds the lock. */
async function finishIntent(root: string, slug: string): Promise<FinishedIntent | undefined> {
  const path = intentPath(root, slug);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const parsed = intentSchema.safeParse(parseJsonBytes(bytes, path));
  if (!parsed.success || parsed.data.bottle_slug !== slug || !isSound(parsed.data)) {
    throw new MalformedRecordError(path, undefined, "it is no intent; move it away to go on");
  }
  const intent: Intent = {
    bottleSlug: slug,
    proposalId: parsed.data.proposal_id,
    component: parsed.data.component,
    logSize: parsed.data.log_size,
    line: parsed.data.line,
    response: parsed.data.response,
    overrideForeign: parsed.data.override_foreign,
  };
  // Without its line the decision never happened: nobody was told, and the operator decides anew.
  let outcome: FinishedIntent["outcome"] = "dropped";
  const after = linesAfterRecord(root, intent);
  if (after !== undefined) {
    // What the log says did not take effect must not, though the other answer may be gone again.
    const answered = !saysSuperseded(after, intent) && await answerRecorded(root, intent);
    outcome = answered ? "completed" : "superseded";
  }
  removeFile(path);
  return { bottleSlug: slug, proposalId: intent.proposalId, outcome };
}

/** Whether the line is one that records a decision on this proposal, and the response answers it. */
function isSound({ line, response, proposal_id }: z.infer<typeof intentSchema>): boolean {
  try {
    const recorded = parseAuditEntry(JSON.parse(line), "the line");
    const told = parseResponse(JSON.parse(response), "the response");
    return line.endsWith("}\n") && recorded.proposalId === proposal_id &&
      told.proposalId === proposal_id && told.status === recorded.operatorAction;
  } catch {
    return false;
  }
}

/** What follows the line in the log, if it is there; then it is durable before anybody acts on it. */
function linesAfterRecord(root: string, intent: Intent): Uint8Array | undefined {
  const path = auditLogPath(intent.component, intent.bottleSlug, root);
  const content = readOwnFile(path);
  if (content === undefined) return undefined;
  const log = Buffer.from(content.buffer);
  // Not at its place, if a writer that takes no lock came between; but there, and so it was decided.
  const at = log.indexOf(intent.line, intent.logSize);
  if (at === -1 || (at > 0 && log[at - 1] !== 0x0a)) return undefined;
  syncFile(path);
  syncNames(dirname(path));
  return log.subarray(at + Buffer.byteLength(intent.line));
}

function saysSuperseded(lines: Uint8Array, { component, proposalId }: Intent): boolean {
  for (const line of linesOf(lines)) {
    if (linkOf(line) === undefined) continue;
    const entry = entryOn(line, component);
    if (entry?.proposalId === proposalId && entry.operatorAction === ACTION_SUPERSEDED) return true;
  }
  return false;
}

/** What {@linkcode finishInterrupted} found. */
export interface InterruptedDecisions {
  /** What was finished. */
  readonly finished: readonly FinishedIntent[];
  /** What could not be, by bottle: decisions for that bottle are refused until it can. */
  readonly failed: readonly { readonly bottleSlug: string; readonly error: Error }[];
}

/**
 * Finishes every decision that a crash left open. Every decision does this for its own bottle; an
 * operator's tool does it for all when it starts, so that no answer waits for the next decision. It
 * does not throw for one bottle's sake.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param root The root.
 * @returns What was finished, and what could not be.
 */
export async function finishInterrupted(root: string): Promise<InterruptedDecisions> {
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
