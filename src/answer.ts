/**
 * The answer of a recorded decision: created once, in the place of nothing, or of what was planted and
 * is to be overridden.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { join } from "@std/path";
import { appendEntry } from "./audit_append.ts";
import { ACTION_SUPERSEDED } from "./audit_entry.ts";
import { createOnce, moveAside, probeCreateOnce, syncNames } from "./durable.ts";
import { AnswerNotWrittenError } from "./errors.ts";
import { privateDir, queueDirForSlug, responsePath } from "./paths.ts";
import { readResponseBytes, responsePlaces } from "./queue.ts";
import { parseAuditEntry } from "./wire.ts";

/** A decision that is about to be recorded. All of it is exact: the bytes, not their meaning. */
export interface Intent {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal. */
  readonly proposalId: string;
  /** The component whose log gets the line. */
  readonly component: string;
  /** How long the log was before: the line, if it is there, begins at this byte. */
  readonly logSize: number;
  /** The audit line, the LF included. */
  readonly line: string;
  /** The response file's text. */
  readonly response: string;
  /** Whether an answer without a record that stands there is moved away. */
  readonly overrideForeign: boolean;
}

/**
 * Where answers are prepared. Whoever holds the bottle's lock is alone there.
 *
 * @param root The root.
 * @param slug The bottle's slug.
 * @returns The directory, in `private/`.
 */
export function stagingDir(root: string, slug: string): string {
  return join(privateDir(root), "staging", slug);
}

/**
 * Makes sure, before anything is recorded, that an answer can be written into a bottle's queue: same
 * file system, directory there and writable, some room.
 *
 * @param root The root. The caller holds the bottle's lock.
 * @param slug The bottle's slug.
 * @throws {Error} If it cannot; nothing is decided.
 */
export function refuseIfUnanswerable(root: string, slug: string): void {
  const queueDir = queueDirForSlug(slug, root);
  try {
    probeCreateOnce(queueDir, stagingDir(root, slug));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot decide: no answer could be written into ${queueDir} (${reason}); ` +
        `it must be writable, and on the same file system as ${privateDir(root)}. ` +
        "Nothing was decided",
      { cause },
    );
  }
}

/**
 * Creates the answer of a recorded decision, unless it is there.
 *
 * @param root The root. The caller holds the bottle's lock.
 * @param intent The decision.
 * @returns Whether the answer is this decision's; if not, another program's stood there first, and
 * the log says so.
 * @throws {AnswerNotWrittenError} If it cannot be created. The decision stands all the same.
 */
export async function answerRecorded(root: string, intent: Intent): Promise<boolean> {
  try {
    return await answer(root, intent);
  } catch (cause) {
    throw new AnswerNotWrittenError(intent.bottleSlug, intent.proposalId, { cause });
  }
}

async function answer(root: string, intent: Intent): Promise<boolean> {
  const { bottleSlug, proposalId } = intent;
  const queueDir = queueDirForSlug(bottleSlug, root);
  if (ownAnswerStands(queueDir, intent)) {
    // Whoever created it may have died before its name was durable.
    syncNames(queueDir);
    return true;
  }
  if (intent.overrideForeign) {
    const aside = join(privateDir(root), "foreign", bottleSlug);
    for (const place of responsePlaces(queueDir, proposalId)) moveAside(place, aside);
  }
  const bytes = new TextEncoder().encode(intent.response);
  try {
    createOnce(responsePath(queueDir, proposalId), bytes, stagingDir(root, bottleSlug));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // A program that keeps no record, such as the Python original, answered in between.
  await appendEntry({
    ...parseAuditEntry(JSON.parse(intent.line), "the intent"),
    timestamp: new Date().toISOString(),
    operatorAction: ACTION_SUPERSEDED,
    operatorNotes: "Another program's answer stood in the queue first.",
    diff: "",
    finalSha256: "",
  }, root);
  return false;
}

/**
 * Whether the answer was created already, and perhaps archived by the sidecar since: the very bytes. One
 * that only means the same is somebody else's, and lacks the log's head.
 */
function ownAnswerStands(queueDir: string, intent: Intent): boolean {
  const own = Buffer.from(intent.response);
  return responsePlaces(queueDir, intent.proposalId).some((place) => {
    try {
      return own.equals(readResponseBytes(place));
    } catch {
      return false;
    }
  });
}
