/**
 * Holds a tool call until the operator has answered. The queue directory is the only state: a call
 * that ends early leaves its proposal where it is, for the operator to decide.
 *
 * @module
 */

import {
  archiveProposal,
  newProposal,
  type Response,
  type Tool,
  waitForResponse,
  writeProposal,
} from "../mod.ts";
import type { Log } from "./log.ts";
import type { ToolInput } from "./tools.ts";

/** Where questions go. */
export interface HoldOptions {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** Its queue directory. */
  readonly queueDir: string;
  /** Where events are logged. */
  readonly log: Log;
}

/**
 * Queues a proposal and waits for its answer, however long that takes; then archives both files.
 *
 * @param options Where questions go.
 * @param tool The tool that was called.
 * @param input What the agent sent, already checked.
 * @param signal Ends the wait, when the agent is gone.
 * @returns The operator's answer.
 * @throws The signal's reason; the proposal stays pending.
 */
export async function hold(
  options: HoldOptions,
  tool: Tool,
  input: ToolInput,
  signal: AbortSignal,
): Promise<Response> {
  const { bottleSlug, queueDir, log } = options;
  const proposal = newProposal({
    bottleSlug,
    tool,
    proposedFile: input.proposed_file,
    justification: input.justification,
    currentFileHash: (input.current_file_sha256 ?? "").toLowerCase(),
  });
  await writeProposal(queueDir, proposal);
  const about = { proposal_id: proposal.id, tool };
  log("proposed", { ...about, characters: input.proposed_file.length });

  let response: Response;
  try {
    response = await waitForResponse(queueDir, proposal.id, {
      signal,
      onUnreadable: (error) => log("answer_unreadable", { ...about, error: error.name }),
    });
  } catch (error) {
    log("detached", about);
    throw error;
  }
  log("answered", { ...about, status: response.status });
  try {
    await archiveProposal(queueDir, proposal.id);
  } catch (error) {
    // The agent is told all the same: the answer is decided, and stays in the queue.
    log("archive_failed", { ...about, error: error instanceof Error ? error.name : "unknown" });
  }
  return response;
}
