/**
 * The queue directory: write and read its two kinds of files, and put them away.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { quote } from "./config/problem.ts";
import { AlreadyDecidedError, MalformedRecordError } from "./errors.ts";
import {
  clearDirectory,
  createOnce,
  ensureDirectory,
  moveFiles,
  replaceFileWithOthers,
  syncNames,
} from "./durable.ts";
import { processedDir, proposalPath, responsePath } from "./paths.ts";
import type { Proposal, Response } from "./proposal.ts";
import {
  directoryIdentity,
  MAX_QUEUE_FILE_BYTES,
  parseJsonBytes,
  readInDirectory,
} from "./untrusted.ts";
import { encodeProposal, encodeResponse, parseProposal, parseResponse } from "./wire.ts";

/** Where {@linkcode writeResponse} prepares the file. */
export interface WriteResponseOptions {
  /**
   * A directory on the same file system in which the file is prepared; created if missing. A host
   * names one that no container can reach; the queue directory itself, unless given.
   */
  readonly stagingDir?: string;
}

/**
 * Writes a proposal as `<id>.proposal.json`, mode 0600: durable once this returns, never seen half.
 * The queue directory is created, mode 0700, if missing.
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
 * @throws {InvalidNameError} If the id is none; nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 */
export async function writeProposal(queueDir: string, proposal: Proposal): Promise<string> {
  const path = proposalPath(queueDir, proposal.id);
  const bytes = new TextEncoder().encode(encodeProposal(proposal));
  await replaceFileWithOthers(path, bytes);
  return path;
}

/** What {@linkcode writeProposal} leaves if the process dies before the file has its name. */
const UNFINISHED = /^\.[0-9A-Za-z][0-9A-Za-z_-]*\.proposal\.json\.[0-9a-f-]{36}\.tmp$/;

/**
 * Says whether a file is what {@linkcode writeProposal} leaves behind if its process dies.
 *
 * @param name The file's name.
 * @returns Whether it is.
 */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/**
 * Removes what a sidecar that died in {@linkcode writeProposal} left behind: hidden files that nobody
 * reads; and makes durable what it had not. A sidecar does this when it starts.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory.
 *
 * @param queueDir The queue directory; nothing happens if it does not exist.
 */
export function clearUnfinished(queueDir: string): void {
  clearDirectory(queueDir, isUnfinished);
  if (directoryIdentity(queueDir) !== undefined) syncNames(queueDir);
}

/**
 * Reads a proposal.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The proposal.
 * @throws {InvalidNameError} If the id is none.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is a link, a FIFO, too large, or else no plain file.
 * @throws {MalformedRecordError} If it is not a proposal; names the file, the field and the reason.
 */
// deno-lint-ignore require-await
export async function readProposal(queueDir: string, proposalId: string): Promise<Proposal> {
  const path = proposalPath(queueDir, proposalId);
  const { bytes } = readInDirectory(path, { maxBytes: MAX_QUEUE_FILE_BYTES });
  return proposalFromBytes(bytes, path);
}

/**
 * Reads a proposal from the bytes of its file.
 *
 * @param bytes The bytes.
 * @param path The file, whose name must be the proposal's id.
 * @returns The proposal.
 * @throws {MalformedRecordError} If they are not a proposal.
 */
export function proposalFromBytes(bytes: Uint8Array, path: string): Proposal {
  const proposal = parseProposal(parseJsonBytes(bytes, path), path);
  if (basename(path) === `${proposal.id}.proposal.json`) return proposal;
  throw new MalformedRecordError(path, "id", `${quote(proposal.id)} is not the file's name`);
}

/**
 * Writes a response as `<id>.response.json`, mode 0600, if there is none yet: of any number of
 * writers exactly one wins. Durable once this returns, never seen half.
 *
 * This is the queue's primitive, the twin of the Python original's. It records nothing; to answer a
 * proposal as an operator, use {@linkcode decide}.
 *
 * Needs `--allow-read` and `--allow-write` for the queue and the staging directory.
 *
 * @param queueDir The queue directory; created, mode 0700, if missing.
 * @param response The response.
 * @param options Where to prepare the file.
 * @returns The file's path.
 * @throws {InvalidNameError} If the id is none; nothing is written.
 * @throws {AlreadyDecidedError} If there is a response; it is left as it is.
 */
export async function writeResponse(
  queueDir: string,
  response: Response,
  options: WriteResponseOptions = {},
): Promise<string> {
  const path = responsePath(queueDir, response.proposalId);
  const bytes = new TextEncoder().encode(encodeResponse(response));
  ensureDirectory(queueDir);
  try {
    createOnce(path, bytes, options.stagingDir ?? queueDir);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const standing = await readResponse(queueDir, response.proposalId).catch(() => undefined);
    throw new AlreadyDecidedError(response.proposalId, standing?.status);
  }
  return path;
}

/**
 * Reads a response.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The response.
 * @throws {InvalidNameError} If the id is none.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is a link, a FIFO, too large, or else no plain file.
 * @throws {MalformedRecordError} If it is not a response; names the file, the field and the reason.
 */
// deno-lint-ignore require-await
export async function readResponse(queueDir: string, proposalId: string): Promise<Response> {
  return responseFromFile(responsePath(queueDir, proposalId));
}

/**
 * Reads a response from its file, which may still have its staging name beside it. No link is followed
 * to it, in the place of its directory neither.
 *
 * @param path The file, whose name must be the proposal's id.
 * @returns The response.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is no plain file, or in no plain directory.
 * @throws {MalformedRecordError} If it is not a response.
 */
export function responseFromFile(path: string): Response {
  return responseFromBytes(readResponseBytes(path), path);
}

/**
 * Reads a response's file. It has two names for a moment, while it is published.
 *
 * @param path The file.
 * @param maxBytes The most that is read of it.
 * @returns Its bytes, whatever they are.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {UnsafeFileError} If it is no plain file, or in no plain directory.
 */
export function readResponseBytes(path: string, maxBytes = MAX_QUEUE_FILE_BYTES): Uint8Array {
  return readInDirectory(path, { maxBytes, allowHardLinks: true }).bytes;
}

/**
 * Reads a response from the bytes of its file.
 *
 * @param bytes The bytes.
 * @param path The file, whose name must be the proposal's id.
 * @returns The response.
 * @throws {MalformedRecordError} If they are not a response.
 */
export function responseFromBytes(bytes: Uint8Array, path: string): Response {
  const response = parseResponse(parseJsonBytes(bytes, path), path);
  if (basename(path) === `${response.proposalId}.response.json`) return response;
  const reason = `${quote(response.proposalId)} is not the file's name`;
  throw new MalformedRecordError(path, "proposal_id", reason);
}

/**
 * Moves a proposal and its response to `processed/`. Files that are missing are skipped, so that it
 * can be done again.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @throws {InvalidNameError} If the id is none.
 * @throws {UnsafeFileError} If `processed` is a link or no directory.
 */
// deno-lint-ignore require-await
export async function archiveProposal(queueDir: string, proposalId: string): Promise<void> {
  const names = [
    proposalPath(queueDir, proposalId),
    responsePath(queueDir, proposalId),
  ]
    .map((path) => basename(path));
  const processed = processedDir(queueDir);
  directoryIdentity(processed);
  moveFiles(names, queueDir, processed);
}

/**
 * Where the answer of a proposal may stand: in the queue, or archived. A `processed` that is a link,
 * or no directory, is no archive. It may become one before the answer is read, so read it with
 * {@linkcode responseFromFile}, which looks again.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The paths, the queue's first.
 * @throws {InvalidNameError} If the id is none.
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
 * Reads the answer of a proposal, whether the sidecar has archived it already or not.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory.
 * @param proposalId The proposal's id.
 * @returns The response, or `undefined` if there is none.
 * @throws {InvalidNameError} If the id is none.
 * @throws {UnsafeFileError} If it is no plain file.
 * @throws {MalformedRecordError} If it is not a response.
 */
// deno-lint-ignore require-await
export async function readAnswer(
  queueDir: string,
  proposalId: string,
): Promise<Response | undefined> {
  for (const place of responsePlaces(queueDir, proposalId)) {
    try {
      return responseFromFile(place);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
