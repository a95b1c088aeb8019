/**
 * The files of one bottle's queue: writes proposals, reads proposals and responses, archives both, and
 * says what a file found there is. A sidecar loads this file, so nothing in it writes a response.
 *
 * @module
 */

import { currentCopyPath, processedDir, proposalPath, responsePath } from "../disk/layout.ts";
import { ownEntry } from "../disk/read_own.ts";
import {
  directoryIdentity,
  MAX_QUEUE_FILE_BYTES,
  readInDirectory,
  readUntrusted,
  stampOfFile,
} from "../disk/read_untrusted.ts";
import { type ChangeNames, moveFiles, replaceFileWithOthers } from "../disk/write_together.ts";
import { clearDirectory, syncNames } from "../disk/write.ts";
import { encodeProposal, parseJsonBytes, parseProposal, parseResponse } from "../records/codec.ts";
import { MalformedRecordError, UnsafeFileError } from "../records/errors.ts";
import { PROPOSAL_SUFFIX, RESPONSE_SUFFIX } from "../records/names.ts";
import { MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import type { Proposal, ProposalResponse, Tool } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { quote } from "../text/quote.ts";
import { basename, join } from "@std/path";

/**
 * Writes a proposal as `<id>.proposal.json`, mode 0600. The file is on disk when this returns, and no
 * reader sees half of it. The queue directory is created, mode 0700, if missing.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory, and nothing else.
 *
 * @example Write and read back
 * ```ts
 * import { newProposal, readProposal, writeProposal } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const queueDir = await Deno.makeTempDir();
 * const proposal = newProposal({
 *   bottleSlug: "dev-1",
 *   tool: "pipelock-block",
 *   proposedFile: "api.github.com\n",
 *   justification: "The tests read a public gist.",
 *   currentFileHash: "",
 * });
 * await writeProposal(queueDir, proposal);
 * assertEquals(await readProposal(queueDir, proposal.id), proposal);
 * await Deno.remove(queueDir, { recursive: true });
 * ```
 *
 * @param queueDir The queue directory.
 * @param proposal The proposal.
 * @returns The file's path.
 * @throws {InvalidNameError} If the id is not valid; nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 */
export async function writeProposal(queueDir: string, proposal: Proposal): Promise<string> {
  return await writeProposalFile(queueDir, proposal);
}

/** Does what {@linkcode writeProposal} does, for a sidecar that keeps track of the names. */
export async function writeProposalFile(
  queueDir: string,
  proposal: Proposal,
  change?: ChangeNames,
): Promise<string> {
  const path = proposalPath(queueDir, proposal.id);
  const bytes = new TextEncoder().encode(encodeProposal(proposal));
  await replaceFileWithOthers(path, bytes, change);
  return path;
}

/** What {@linkcode writeProposal} leaves if the process dies before the file has its name. */
const UNFINISHED = /^\.[0-9A-Za-z][0-9A-Za-z_-]*\.proposal\.json\.[0-9a-f-]{36}\.tmp$/;

/** Whether a file is what {@linkcode writeProposal} leaves behind if its process dies. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/**
 * Removes the hidden files that a sidecar left behind when it died in {@linkcode writeProposal}, and makes
 * durable the names that it had not synced. A sidecar calls this when it starts. Nothing happens if the
 * directory does not exist.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory.
 */
export function clearUnfinished(queueDir: string): void {
  clearDirectory(queueDir, isUnfinished);
  if (directoryIdentity(queueDir) !== undefined) syncNames(queueDir);
}

/** Whether a queue directory exists. A link in its place does not count. */
export function hasQueueDirectory(queueDir: string): boolean {
  try {
    return directoryIdentity(queueDir) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Reads a proposal.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The proposal.
 * @throws {InvalidNameError} If the id is not valid.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is a link, a FIFO, too large, or for another reason not a plain file.
 * @throws {MalformedRecordError} If it is not a proposal; names the file, the field and the reason.
 */
// deno-lint-ignore require-await
export async function readProposal(queueDir: string, proposalId: string): Promise<Proposal> {
  return proposalFromFile(proposalPath(queueDir, proposalId));
}

/** Reads a proposal from its file; throws what {@linkcode readProposal} throws. */
export function proposalFromFile(path: string): Proposal {
  const { bytes } = readInDirectory(path, { maxBytes: MAX_QUEUE_FILE_BYTES });
  return proposalFromBytes(bytes, path);
}

/**
 * Reads a proposal from the bytes of its file, whose name must be the proposal's id.
 *
 * @throws {MalformedRecordError} If they are not a proposal.
 */
export function proposalFromBytes(bytes: Uint8Array, path: string): Proposal {
  const proposal = parseProposal(parseJsonBytes(bytes, path), path);
  if (basename(path) === proposal.id + PROPOSAL_SUFFIX) return proposal;
  throw new MalformedRecordError(path, "id", `${quote(proposal.id)} is not the file's name`);
}

/** The copy of a config file in force that is in a queue, and its hash. */
export interface CurrentCopy {
  readonly text: string;
  readonly sha256: string;
}

/**
 * Reads the copy in the queue of the config file in force that a tool changes. The host wrote it, and any
 * program that can write the queue may have changed it: what is worked out on it counts only with its hash, which the host
 * compares with the file in force.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @throws {Deno.errors.NotFound} If there is no copy.
 * @throws {UnsafeFileError} If it is not a plain file, or too large for a config file.
 * @throws {TypeError} If it is not UTF-8.
 */
export function readCurrentCopy(queueDir: string, tool: Tool): CurrentCopy {
  const path = currentCopyPath(queueDir, tool);
  const { bytes } = readUntrusted(path, { maxBytes: MAX_CONFIG_FILE_BYTES });
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return { text, sha256: sha256Hex(bytes) };
}

/**
 * Reads a response.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The response.
 * @throws {InvalidNameError} If the id is not valid.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is a link, a FIFO, too large, or for another reason not a plain file.
 * @throws {MalformedRecordError} If it is not a response; names the file, the field and the reason.
 */
// deno-lint-ignore require-await
export async function readResponse(
  queueDir: string,
  proposalId: string,
): Promise<ProposalResponse> {
  return responseFromFile(responsePath(queueDir, proposalId));
}

/**
 * Reads a response from its file, whose name must be the proposal's id. Follows no link, neither to the
 * file nor in the place of its directory.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is not a plain file in a plain directory.
 * @throws {MalformedRecordError} If it is not a response.
 */
export function responseFromFile(path: string): ProposalResponse {
  return responseFromBytes(readResponseBytes(path), path);
}

/**
 * Reads the bytes of a response's file. It has two names for a moment, while it is published.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is not a plain file in a plain directory.
 */
export function readResponseBytes(path: string, maxBytes = MAX_QUEUE_FILE_BYTES): Uint8Array {
  return readInDirectory(path, { maxBytes, allowHardLinks: true }).bytes;
}

/** Reads a response from the bytes of its file, as {@linkcode responseFromFile} does. */
export function responseFromBytes(bytes: Uint8Array, path: string): ProposalResponse {
  const response = parseResponse(parseJsonBytes(bytes, path), path);
  if (basename(path) === response.proposalId + RESPONSE_SUFFIX) return response;
  const reason = `${quote(response.proposalId)} is not the file's name`;
  throw new MalformedRecordError(path, "proposal_id", reason);
}

/**
 * Moves a proposal and its response to `processed/`. Files that are missing are skipped, so it can be
 * done again.
 *
 * It is for the sidecar. On the host, the queue's owner could put a link in the place of `processed`
 * while it runs, and the two files would go to where that leads.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @throws {InvalidNameError} If the id is not valid.
 * @throws {UnsafeFileError} If `processed` is a link or not a directory.
 */
export async function archiveProposal(queueDir: string, proposalId: string): Promise<void> {
  await archiveFiles(queueDir, proposalId);
}

/** Does what {@linkcode archiveProposal} does, for a sidecar that keeps track of the names. */
export async function archiveFiles(
  queueDir: string,
  proposalId: string,
  change?: ChangeNames,
): Promise<void> {
  const paths = [proposalPath(queueDir, proposalId), responsePath(queueDir, proposalId)];
  const processed = processedDir(queueDir);
  directoryIdentity(processed);
  await moveFiles(paths.map((path) => basename(path)), queueDir, processed, change);
}

/**
 * The places where the response to a proposal may be: first the queue, then `processed`. A `processed`
 * that is a link, or not a directory, is left out. It may become one before the response is read: read it
 * with {@linkcode responseFromFile}, which checks the directory again.
 *
 * @throws {InvalidNameError} If the id is not valid.
 */
export function responsePlaces(queueDir: string, proposalId: string): readonly string[] {
  const path = responsePath(queueDir, proposalId);
  const processed = processedDir(queueDir);
  try {
    directoryIdentity(processed);
  } catch {
    return [path];
  }
  return [path, join(processed, basename(path))];
}

/**
 * What keeps the archive's owner from using it, such as `processed has mode 0`. By its mode alone: a file to
 * try it out would follow a link that is put there meanwhile.
 */
export function archiveModeProblem(queueDir: string): string | undefined {
  const archive = ownEntry(processedDir(queueDir));
  if (archive?.isDirectory !== true || (archive.mode & 0o700) === 0o700) return undefined;
  return `${archive.path} has mode ${(archive.mode & 0o777).toString(8)}`;
}

/**
 * Reads the response to a proposal, archived or not; `undefined` if there is none.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @throws {InvalidNameError} If the id is not valid.
 * @throws {UnsafeFileError} If it is not a plain file.
 * @throws {MalformedRecordError} If it is not a response.
 */
// deno-lint-ignore require-await
export async function readAnswer(
  queueDir: string,
  proposalId: string,
): Promise<ProposalResponse | undefined> {
  for (const place of responsePlaces(queueDir, proposalId)) {
    try {
      return responseFromFile(place);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/**
 * A proposal without a response, with the ids and the hash that a decision names: an entry of a list can
 * be passed to {@linkcode inspectProposal} and {@linkcode decide} as it is.
 */
export interface PendingProposal {
  /** The bottle that asks: `proposal.bottleSlug`. */
  readonly bottleSlug: string;
  /** The proposal's id: `proposal.id`. */
  readonly proposalId: string;
  /** The proposal. */
  readonly proposal: Proposal;
  /** SHA-256 of the file's bytes, lower-case hex. */
  readonly proposalSha256: string;
}

/** A file in the queue with the name of a proposal or a response that cannot be read as one. */
export interface UnreadableFile {
  /** The file's name within the queue directory. */
  readonly file: string;
  /** Why it is skipped, without the file's name. */
  readonly reason: string;
}

/** What the operator's order is made from. */
export interface Arrival {
  /** The proposal's id. */
  readonly id: string;
  /** When it arrived, as `instantOf()` gives it. */
  readonly arrivedAt: number;
}

/** Less than zero if the operator sees `a` before `b`: by instant of arrival, then by id. */
export function compareArrivals(a: Arrival, b: Arrival): number {
  if (a.arrivedAt !== b.arrivedAt) return a.arrivedAt < b.arrivedAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** What a file is. It is a valid response if it is neither pending nor a problem. */
export interface QueueEntry {
  /** The state of the file that was read. */
  readonly stamp: string;
  /** How much of it was read, in bytes. */
  readonly bytesRead: number;
  /** The proposal, if the file is a valid one. */
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

/** A proposal from its file's bytes. One that claims another bottle than `bottleSlug` is malformed. */
export function pendingFromBytes(
  bytes: Uint8Array,
  path: string,
  bottleSlug: string | undefined,
): PendingProposal {
  const proposal = proposalFromBytes(bytes, path);
  if (bottleSlug !== undefined && proposal.bottleSlug !== bottleSlug) {
    const reason = `${quote(proposal.bottleSlug)} is not the bottle whose queue this is`;
    throw new MalformedRecordError(path, "bottle_slug", reason);
  }
  const { bottleSlug: asks, id: proposalId } = proposal;
  return { bottleSlug: asks, proposalId, proposal, proposalSha256: sha256Hex(bytes) };
}

/**
 * Reads a file whose name is that of a proposal or a response, with a valid id in it. An error is part of
 * the result; `undefined` if the file is gone.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param bottleSlug The bottle whose queue it is; a proposal that claims another one is a problem.
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
