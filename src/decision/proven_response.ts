/**
 * What a decision answered, as the signed line in the log proves it: the status, the notes, and the final
 * file by its hash. The log does not have the file's bytes. So they may come from any place, also from a
 * queue, where others can write: they count if they have the hash that the log has.
 *
 * @module
 */

import { processedDir, proposalPath, queueDirForSlug, responsePath } from "../disk/layout.ts";
import { MAX_QUEUE_FILE_BYTES, readUntrusted, stampOfFile } from "../disk/read_untrusted.ts";
import { createOnce } from "../disk/write.ts";
import { knownFile } from "../host/config_files.ts";
import { signHead } from "../log/chain.ts";
import { readStandingResponse } from "../log/decisions.ts";
import { openSigningKey } from "../log/key.ts";
import { findRecord, type RecordedDecision } from "../log/record.ts";
import {
  pendingFromBytes,
  type PendingProposal,
  proposalFromFile,
  responseFromFile,
  responsePlaces,
} from "../queue/files.ts";
import { queueDirsEver } from "../queue/find.ts";
import { encodeResponse } from "../records/codec.ts";
import { AlreadyDecidedError } from "../records/errors.ts";
import { PROPOSAL_SUFFIX } from "../records/names.ts";
import type { ProposalRef, Status } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { isAnswered, stagingDir } from "./answer.ts";
import { basename } from "@std/path";

type Ref = Required<ProposalRef>;

/** The queues that may have its files. `doctor` names those of removed bottles that cannot be listed. */
function queueDirsOf({ bottleSlug, root }: Ref): readonly string[] {
  try {
    return queueDirsEver(bottleSlug, root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return [queueDirForSlug(bottleSlug, { root })];
  }
}

/**
 * The file with a hash, from where the final file of a decision may be: the response, the proposal, both
 * archived or not, also in the queues of removed bottles of that name; or the copy of a file that was in
 * force or decided. `undefined` if none of these has it.
 */
export function findFinalFile(ref: Ref, sha256: string): string | undefined {
  const { root, bottleSlug, proposalId } = ref;
  const candidates = [
    ...queueDirsOf(ref).flatMap((queueDir) => [
      ...responsePlaces(queueDir, proposalId).map((path) => () => responseFromFile(path).finalFile),
      ...[queueDir, processedDir(queueDir)].map((dir) => () =>
        proposalFromFile(proposalPath(dir, proposalId)).proposedFile
      ),
    ]),
    () => knownFile(bottleSlug, sha256, root),
  ];
  return firstThat(candidates, (file) => typeof file === "string" && sha256Hex(file) === sha256) ??
    undefined;
}

/** The proposal with a hash, pending or archived, also in the queues of removed bottles of that name. */
export function findDecidedProposal(ref: Ref, sha256: string): PendingProposal | undefined {
  const { bottleSlug, proposalId } = ref;
  const candidates = queueDirsOf(ref)
    .flatMap((queueDir) => [queueDir, processedDir(queueDir)])
    .map((dir) => () => {
      const path = proposalPath(dir, proposalId);
      const { bytes } = readUntrusted(path, { maxBytes: MAX_QUEUE_FILE_BYTES });
      return pendingFromBytes(bytes, path, bottleSlug);
    });
  return firstThat(candidates, ({ proposalSha256 }) => proposalSha256 === sha256);
}

/** The first of some things that can be read and is the one that is meant. */
function firstThat<T>(candidates: readonly (() => T)[], isMeant: (one: T) => boolean) {
  for (const read of candidates) {
    try {
      const one = read();
      if (isMeant(one)) return one;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      // It is missing, or somebody planted another thing in its place.
    }
  }
  return undefined;
}

/** The final file of a decision, `null` if it was rejected; or why the log does not prove it. */
export function proveFinalFile(
  ref: Ref,
  { entry: { finalSha256 }, signature }: RecordedDecision,
): { readonly file: string | null } | { readonly reason: string } {
  if (finalSha256 === undefined) return { reason: "the log does not have its hash" };
  if (signature !== "good") {
    return { reason: "no key of this root signed the line that has its hash" };
  }
  if (finalSha256 === "") return { file: null };
  const file = findFinalFile(ref, finalSha256);
  if (file !== undefined) return { file };
  return {
    reason: `the log has its hash, ${finalSha256}, and its bytes are neither in a queue of ` +
      `${ref.bottleSlug} nor among the files that were in force or decided`,
  };
}

/** A response to a decided proposal that is not known to say what is recorded. */
export interface DifferingResponse {
  readonly queueDir: string;
  /** What it says, or why it cannot be read: one line. */
  readonly says: string;
  readonly isRead: boolean;
}

/**
 * The response to a decided proposal, if it says otherwise than the record, or cannot be read: the queue's
 * owner can replace it. Looks into the queues of removed bottles of that name too.
 */
export function differingResponse(
  ref: Ref,
  { entry }: RecordedDecision,
): DifferingResponse | undefined {
  for (const queueDir of queueDirsOf(ref)) {
    const { response, bytes, told } = readStandingResponse(ref, undefined, queueDir) ?? {};
    if (response === undefined) continue;
    const sha256 = typeof told?.finalFile === "string" ? sha256Hex(told.finalFile) : "";
    const other = told?.status !== entry.operatorAction
      ? ""
      : sha256 !== (entry.finalSha256 ?? sha256)
      ? ", with another file"
      : told.notes !== entry.operatorNotes
      ? ", with other notes"
      : told.until !== entry.until
      ? ", with another time"
      : told.effect !== entry.effect
      ? ", with another effect"
      : undefined;
    if (other === undefined) continue;
    return { queueDir, says: response.says + other, isRead: bytes !== undefined };
  }
  return undefined;
}

/**
 * Writes the response to a decided proposal again, byte for byte as it was recorded, if the queue's owner
 * has the proposal there without it. The caller holds the bottle's lock.
 *
 * @param refusal What keeps the proposal from being decided again.
 * @returns The same, and what became of the response.
 */
export async function answerAgain(ref: Ref, refusal: AlreadyDecidedError): Promise<Error> {
  const { root, bottleSlug, proposalId } = ref;
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const place = responsePath(queueDir, proposalId);
  const record = findRecord(ref);
  const isThere = (path: string) => stampOfFile(path) !== undefined;
  // A sidecar archives the proposal before the response.
  if (record === undefined || isThere(place) || !isThere(proposalPath(queueDir, proposalId))) {
    return refusal;
  }
  const { entry, auditLog, auditHead } = record;
  const refused = (more: string) =>
    new AlreadyDecidedError(proposalId, entry.operatorAction, entry.operator, more);
  const gone = (reason: string) =>
    refused(
      `its response is gone, and cannot be written again: ${reason}; move ` +
        `${proposalId}${PROPOSAL_SUFFIX} to processed/, and the agent can ask again`,
    );
  const proven = proveFinalFile(ref, record);
  if ("reason" in proven) return gone(proven.reason);
  try {
    const { privateKey } = await openSigningKey(root);
    const response = encodeResponse({
      proposalId,
      status: entry.operatorAction as Status,
      notes: entry.operatorNotes,
      finalFile: proven.file,
      ...(entry.until !== undefined && { until: entry.until }),
      ...(entry.effect !== undefined && { effect: entry.effect }),
      auditHead: signHead(basename(auditLog, ".log"), auditHead!, privateKey),
    });
    if (isAnswered(queueDir, { proposalId, response })) {
      return refused("its response is in processed/; move the proposal there too");
    }
    createOnce(place, new TextEncoder().encode(response), stagingDir(root, bottleSlug));
  } catch (error) {
    return gone(error instanceof Error ? error.message : String(error));
  }
  return refused("its response was gone, and is written again as it was recorded");
}
