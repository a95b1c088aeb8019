/**
 * Writes responses. Only the host does: no sidecar loads this file.
 *
 * @module
 */

import { responsePath } from "../disk/layout.ts";
import { createOnce, ensureDirectory } from "../disk/write.ts";
import { encodeResponse } from "../records/codec.ts";
import { AlreadyDecidedError } from "../records/errors.ts";
import type { ProposalResponse } from "../records/proposal.ts";
import { readResponse } from "./files.ts";

/**
 * Writes a response as `<id>.response.json`, mode 0600, if there is none yet: if several writers try,
 * exactly one succeeds. The file is on disk when this returns, and no reader sees half of it.
 *
 * It does what the function of the same name in the Python original does: it records nothing. To
 * answer a proposal as an operator, use {@linkcode decide}.
 *
 * Needs `--allow-read` and `--allow-write` for the queue and the staging directory.
 *
 * @param queueDir The queue directory; created, mode 0700, if missing.
 * @param response The response.
 * @param options Where to prepare the file.
 * @returns The file's path.
 * @throws {InvalidNameError} If the id is not valid; nothing is written.
 * @throws {AlreadyDecidedError} If there is a response already; it is left as it is.
 */
export async function writeResponse(
  queueDir: string,
  response: ProposalResponse,
  options: {
    /**
     * A directory on the same file system in which the file is prepared; created if missing. A host
     * names one that no container can reach. The queue directory itself unless given.
     */
    readonly stagingDir?: string;
  } = {},
): Promise<string> {
  const path = responsePath(queueDir, response.proposalId);
  const bytes = new TextEncoder().encode(encodeResponse(response));
  ensureDirectory(queueDir);
  try {
    createOnce(path, bytes, options.stagingDir ?? queueDir);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const existing = await readResponse(queueDir, response.proposalId).catch(() => undefined);
    throw new AlreadyDecidedError(response.proposalId, existing?.status);
  }
  return path;
}
