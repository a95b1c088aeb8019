/**
 * What one file of a queue is: a proposal, a sound response, or something that cannot be read.
 *
 * @module
 */

import { quote } from "./config/problem.ts";
import { MalformedRecordError, UnsafeFileError } from "./errors.ts";
import { sha256Hex } from "./hash.ts";
import type { Proposal } from "./proposal.ts";
import { PROPOSAL_SUFFIX } from "./paths.ts";
import { proposalFromBytes, responseFromBytes } from "./queue.ts";
import { MAX_QUEUE_FILE_BYTES, readUntrusted, stampOfFile } from "./untrusted.ts";

/** A proposal without an answer, and the hash that binds a decision to what was shown. */
export interface PendingProposal {
  /** The proposal. */
  readonly proposal: Proposal;
  /** SHA-256 of the file's bytes, lower-case hex. */
  readonly proposalSha256: string;
}

/** A file in the queue that is no proposal or response that can be read. */
export interface UnreadableFile {
  /** The file's name within the queue directory. */
  readonly file: string;
  /** Why it is passed over, without the file's name. */
  readonly reason: string;
}

/** What was found in a file. One that is neither pending nor a problem is a sound response. */
export interface QueueEntry {
  /** The state of the file that was read. */
  readonly stamp: string;
  /** How much of it was read, in bytes. */
  readonly bytesRead: number;
  /** The proposal, if it is a sound one. */
  readonly pending?: PendingProposal;
  /** What is wrong with it, if anything. */
  readonly problem?: UnreadableFile;
}

function reasonOf(error: unknown): string {
  if (error instanceof MalformedRecordError && error.field !== undefined) {
    return `field "${error.field}": ${error.reason}`;
  }
  if (error instanceof MalformedRecordError || error instanceof UnsafeFileError) {
    return error.reason;
  }
  return error instanceof Error ? error.message : String(error);
}

function pendingFromBytes(
  bytes: Uint8Array,
  path: string,
  bottleSlug: string | undefined,
): PendingProposal {
  const proposal = proposalFromBytes(bytes, path);
  if (bottleSlug !== undefined && proposal.bottleSlug !== bottleSlug) {
    const reason = `${quote(proposal.bottleSlug)} is not the bottle whose queue this is`;
    throw new MalformedRecordError(path, "bottle_slug", reason);
  }
  return { proposal, proposalSha256: sha256Hex(bytes) };
}

/**
 * Reads a file whose name is a proposal's or a response's. Whatever is wrong with it is in the result.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param name The file's name, with a sound id in it.
 * @param bottleSlug The bottle whose queue it is; a proposal that claims another one is a problem.
 * @returns What it is, or `undefined` if it is gone meanwhile.
 */
export function readQueueEntry(
  queueDir: string,
  name: string,
  bottleSlug?: string,
): QueueEntry | undefined {
  const path = `${queueDir}/${name}`;
  const isProposal = name.endsWith(PROPOSAL_SUFFIX);
  let bytesRead = 0;
  try {
    const { bytes, stamp } = readUntrusted(path, {
      maxBytes: MAX_QUEUE_FILE_BYTES,
      allowHardLinks: !isProposal,
    });
    bytesRead = bytes.length;
    if (isProposal) return { stamp, bytesRead, pending: pendingFromBytes(bytes, path, bottleSlug) };
    responseFromBytes(bytes, path);
    return { stamp, bytesRead };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    const stamp = stampOfFile(path);
    if (stamp === undefined) return undefined;
    return { stamp, bytesRead, problem: { file: name, reason: reasonOf(error) } };
  }
}
