/**
 * The final file of a decision. The log has its hash and not its bytes. So the bytes may come from any
 * place, also from a queue, where others can write: they count if they have the hash that the log has.
 *
 * @module
 */

import { processedDir, proposalPath, queueDirForSlug } from "../disk/layout.ts";
import { knownFile } from "../host/config_files.ts";
import { proposalFromFile, responseFromFile, responsePlaces } from "../queue/files.ts";
import type { ProposalRef } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";

/**
 * The file with a hash, from where the final file of a decision may be: the response, the proposal, both
 * archived or not, or the copy of a file that was in force. `undefined` if none of these has it.
 */
export function findFinalFile(
  { root, bottleSlug, proposalId }: Required<ProposalRef>,
  sha256: string,
): string | undefined {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const candidates = [
    ...responsePlaces(queueDir, proposalId).map((path) => () => responseFromFile(path).finalFile),
    ...[queueDir, processedDir(queueDir)].map((dir) => () =>
      proposalFromFile(proposalPath(dir, proposalId)).proposedFile
    ),
    () => knownFile(bottleSlug, sha256, root),
  ];
  for (const read of candidates) {
    try {
      const file = read();
      if (typeof file === "string" && sha256Hex(file) === sha256) return file;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      // It is missing, or somebody planted another thing in its place.
    }
  }
  return undefined;
}
