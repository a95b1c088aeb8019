/**
 * What makes a crash harmless between the audit line and the answer. Before a decision is recorded,
 * what it is about to do is written down as an intent; whoever takes the bottle's lock next finds it
 * and finishes or drops the decision, so that a record without an answer is completed, and an answer
 * without a record never exists.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { join } from "@std/path";
import { z } from "zod";
import { ACTION_SUPERSEDED } from "./audit_entry.ts";
import { appendLine, createOnce, removeFile, replaceFile, syncFile, withLock } from "./durable.ts";
import { MalformedRecordError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogPath, isBottleSlug, privateDir, queueDirForSlug, responsePath } from "./paths.ts";
import { responseFromFile, responsePlaces } from "./queue.ts";
import { listNames, parseJsonBytes } from "./untrusted.ts";
import { asciiJson, encodeAuditEntry, parseAuditEntry, parseResponse } from "./wire.ts";

/** A decision that is about to be recorded. All of it is exact: the bytes, not their meaning. */
export interface Intent {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal. */
  readonly proposalId: string;
  /** The component whose log gets the line. */
  readonly component: string;
  /** How long the log was before: the line, if it is there, begins at or after this byte. */
  readonly logSize: number;
  /** The audit line, the LF included. */
  readonly line: string;
  /** The response file's text. */
  readonly response: string;
}

const intentSchema = z.object({
  version: z.literal(1),
  bottle_slug: z.string(),
  proposal_id: z.string(),
  component: z.string(),
  log_size: z.number().int().min(0),
  line: z.string(),
  response: z.string(),
});

function intentsDir(root: string): string {
  return join(privateDir(root), "intents");
}

function intentPath(root: string, slug: string): string {
  return join(intentsDir(root), `${slug}.json`);
}

/**
 * Runs a function while no other process of this host decides for the bottle. A decision that was
 * interrupted is finished first.
 *
 * @param root The root.
 * @param slug The bottle's slug, checked.
 * @param run What to do.
 * @returns What the function returns.
 */
export function withBottleLock<T>(
  root: string,
  slug: string,
  run: () => T | Promise<T>,
): Promise<T> {
  return withLock(join(privateDir(root), "locks", `${slug}.lock`), async () => {
    await finishIntent(root, slug);
    return await run();
  });
}

/**
 * Records a decision, then answers, in that order and each durably; see the module's words.
 *
 * @param root The root. The caller holds the bottle's lock.
 * @param intent The decision.
 * @returns Whether the answer is this decision's; if not, another program's stood there first, and
 * the log says so.
 */
export async function carryOut(root: string, intent: Intent): Promise<boolean> {
  const path = intentPath(root, intent.bottleSlug);
  const text = asciiJson({
    version: 1,
    bottle_slug: intent.bottleSlug,
    proposal_id: intent.proposalId,
    component: intent.component,
    log_size: intent.logSize,
    line: intent.line,
    response: intent.response,
  });
  replaceFile(path, new TextEncoder().encode(text + "\n"));
  // If this fails the intent stays: the next run sees whether the line is there, and acts on that.
  await appendLine(
    auditLogPath(intent.component, intent.bottleSlug, root),
    new TextEncoder().encode(intent.line),
  );
  const answered = await answer(root, intent);
  removeFile(path);
  return answered;
}

/** Creates the answer of a recorded decision, unless it is there. */
async function answer(root: string, intent: Intent): Promise<boolean> {
  const queueDir = queueDirForSlug(intent.bottleSlug, root);
  if (ownAnswerStands(queueDir, intent)) return true;
  const bytes = new TextEncoder().encode(intent.response);
  try {
    createOnce(responsePath(queueDir, intent.proposalId), bytes, join(privateDir(root), "staging"));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // A program that keeps no record, such as the Python original, answered in between.
  const recorded = parseAuditEntry(JSON.parse(intent.line), "the intent");
  const superseded = encodeAuditEntry({
    ...recorded,
    timestamp: new Date().toISOString(),
    operatorAction: ACTION_SUPERSEDED,
    operatorNotes: "Another program's answer stood in the queue first.",
    diff: "",
    finalSha256: "",
  });
  const log = auditLogPath(intent.component, intent.bottleSlug, root);
  await appendLine(log, new TextEncoder().encode(superseded));
  return false;
}

/** Whether the answer was created already, and perhaps archived by the sidecar since. */
function ownAnswerStands(queueDir: string, intent: Intent): boolean {
  const own = parseResponse(JSON.parse(intent.response), "the intent");
  return responsePlaces(queueDir, intent.proposalId).some((place) => {
    try {
      const standing = responseFromFile(place);
      return standing.status === own.status && standing.notes === own.notes &&
        standing.finalFile === own.finalFile;
    } catch {
      return false;
    }
  });
}

/** Finishes the decision that a crash left open, if there is one. The caller holds the lock. */
async function finishIntent(root: string, slug: string): Promise<void> {
  const path = intentPath(root, slug);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return;
  const parsed = intentSchema.safeParse(parseJsonBytes(bytes, path));
  if (!parsed.success || parsed.data.bottle_slug !== slug) {
    throw new MalformedRecordError(path, undefined, "it is no intent; move it away to go on");
  }
  const intent: Intent = {
    bottleSlug: slug,
    proposalId: parsed.data.proposal_id,
    component: parsed.data.component,
    logSize: parsed.data.log_size,
    line: parsed.data.line,
    response: parsed.data.response,
  };
  // Without its line the decision never happened: nobody was told, and the operator decides anew.
  if (isRecorded(root, intent)) await answer(root, intent);
  removeFile(path);
}

/** Whether the line is in the log. If it is, it is made durable before anybody acts on it. */
function isRecorded(root: string, intent: Intent): boolean {
  const path = auditLogPath(intent.component, intent.bottleSlug, root);
  const log = readOwnFile(path);
  if (log === undefined) return false;
  if (Buffer.from(log.buffer).indexOf(intent.line, intent.logSize) === -1) return false;
  syncFile(path);
  return true;
}

/**
 * Finishes every decision that a crash left open. Every decision does this for its own bottle; an
 * operator's tool does it for all when it starts, so that no answer waits for the next decision.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param root The root.
 * @returns The slugs of the bottles that had one.
 */
export async function finishInterrupted(root: string): Promise<readonly string[]> {
  const finished: string[] = [];
  for (const name of listNames(intentsDir(root))) {
    const slug = name.replace(/\.json$/, "");
    if (slug === name || !isBottleSlug(slug)) continue;
    await withBottleLock(root, slug, () => finished.push(slug));
  }
  return finished;
}
