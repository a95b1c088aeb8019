/**
 * Waits for a response.
 *
 * @module
 */

import { responsePath } from "../disk/layout.ts";
import { DEFAULT_POLL_INTERVAL_MS, watchFile } from "../disk/watch.ts";
import type { ProposalResponse } from "../records/proposal.ts";
import { responseFromFile } from "./files.ts";
import { basename } from "@std/path";

/** A timer for longer than this would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How to watch for changes. */
export interface WatchOptions {
  /** Ends the watch: a wait rejects with the signal's reason, an iteration ends without an error. */
  readonly signal?: AbortSignal;
  /** How often to look; {@linkcode DEFAULT_POLL_INTERVAL_MS} unless given. */
  readonly pollIntervalMs?: number;
}

/** What was read in this turn of the event loop, by path. */
const justRead = new Map<string, ProposalResponse>();

/** Of many waits for one response, which are told in the same turn, the first one reads it for all. */
function readOnce(path: string): ProposalResponse {
  const known = justRead.get(path);
  if (known !== undefined) return known;
  const response = responseFromFile(path);
  justRead.set(path, response);
  queueMicrotask(() => justRead.delete(path));
  return response;
}

/**
 * Waits for the response to a proposal. File system events announce it within milliseconds, however many
 * other files there are; where there are no events, it is found at the next poll interval. A response
 * that is malformed, half written by another program, or not to be read by this user does not count: the
 * wait goes on, and `onUnreadable` is called.
 *
 * All waits on one directory share one watch. The queue must be the caller's own, as a sidecar's is: what
 * tells of file system events opens the files that they name, follows links, and waits for FIFOs.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @example Wait for a response, at most a second
 * ```ts
 * import { waitForResponse, writeResponse } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const queueDir = await Deno.makeTempDir();
 * const response = waitForResponse(queueDir, "p1", { timeoutMs: 1000 });
 * await writeResponse(queueDir, {
 *   proposalId: "p1",
 *   status: "rejected",
 *   notes: "Use the mirror.",
 *   finalFile: null,
 * });
 * assertEquals((await response).notes, "Use the mirror.");
 * await Deno.remove(queueDir, { recursive: true });
 * ```
 *
 * @param queueDir The queue directory; it may be created later.
 * @param proposalId The proposal's id.
 * @param options How long to wait.
 * @returns The response.
 * @throws {InvalidNameError} If the id is not valid.
 * @throws {RangeError} If a time is negative, or not a number.
 * @throws {DOMException} `TimeoutError` after `timeoutMs`; or the signal's reason.
 */
export async function waitForResponse(
  queueDir: string,
  proposalId: string,
  options: WatchOptions & {
    /** Gives up after so many milliseconds; waits for ever unless given, or if it is over 24 days. */
    readonly timeoutMs?: number;
    /** Called, once for each reason, when a response is there that cannot be read. */
    readonly onUnreadable?: (error: Error) => void;
  } = {},
): Promise<ProposalResponse> {
  const path = responsePath(queueDir, proposalId);
  const { signal, timeoutMs, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = options;
  if (!(pollIntervalMs > 0) || !((timeoutMs ?? 0) >= 0)) {
    throw new RangeError(
      `Cannot wait for ${timeoutMs} ms, looking every ${pollIntervalMs} ms: ` +
        "expected a time of 0 or more, and an interval above 0",
    );
  }
  signal?.throwIfAborted();

  const { promise, resolve, reject } = Promise.withResolvers<ProposalResponse>();
  const told = new Set<string>();
  const stop = watchFile(queueDir, basename(path), pollIntervalMs, () => {
    try {
      resolve(readOnce(path));
    } catch (error) {
      // Gone again, or not a response, or not one yet.
      if (error instanceof Deno.errors.NotFound) return;
      if (!(error instanceof Error) || told.has(error.message)) return;
      told.add(error.message);
      options.onUnreadable?.(error);
    }
  });
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const timer = timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(
    () =>
      reject(
        new DOMException(
          `Cannot wait longer for an answer to proposal ${proposalId}: none came within ${timeoutMs} ms`,
          "TimeoutError",
        ),
      ),
    timeoutMs,
  );
  try {
    return await promise;
  } finally {
    stop();
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
