/**
 * What is pending in one queue, as it changes.
 *
 * @module
 */

import { DEFAULT_POLL_INTERVAL_MS, watchNames } from "../disk/watch.ts";
import { type ListOptions, openQueueView, type QueueListing } from "./pending.ts";
import type { WatchOptions } from "./wait.ts";

/** Whether two looks at a queue found the same. */
export function sameListing<Listing extends QueueListing>(
  a: Listing | undefined,
  b: Listing,
): boolean {
  if (a === undefined) return false;
  const { pending: before, ...rest } = a;
  const { pending, ...others } = b;
  return before.length === pending.length && before.every((entry, n) => entry === pending[n]) &&
    JSON.stringify(rest) === JSON.stringify(others);
}

/**
 * Iterates over what is pending: the listing now, then a new one after each change. A slow reader gets
 * the newest listing and none of those in between.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @example The first listing
 * ```ts
 * import { watchPending } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const queueDir = await Deno.makeTempDir();
 * for await (const { pending } of watchPending(queueDir)) {
 *   assertEquals(pending, []);
 *   break;
 * }
 * await Deno.remove(queueDir, { recursive: true });
 * ```
 *
 * @param queueDir The queue directory; it may be created later.
 * @param options Whose queue it is, and when to end.
 * @returns The listings.
 * @throws {UnsafeFileError} If the queue directory is a link, or not a directory.
 */
export async function* watchPending(
  queueDir: string,
  options: ListOptions & WatchOptions = {},
): AsyncGenerator<QueueListing, void, void> {
  const { signal, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = options;
  const view = openQueueView(queueDir, options);
  let latest: QueueListing | undefined;
  let failure: unknown;
  let delivered: QueueListing | undefined;
  let wake = Promise.withResolvers<void>();

  const stop = watchNames(queueDir, pollIntervalMs, (names, error) => {
    try {
      if (error !== undefined) throw error;
      latest = view.refresh(names);
    } catch (thrown) {
      failure = thrown;
    }
    if (failure !== undefined || !sameListing(delivered, latest!)) {
      wake.resolve();
    }
  });
  const onAbort = () => wake.resolve();
  signal?.addEventListener("abort", onAbort);
  try {
    while (true) {
      if (signal?.aborted !== true) await wake.promise;
      if (signal?.aborted) return;
      if (failure !== undefined) throw failure;
      wake = Promise.withResolvers<void>();
      delivered = latest!;
      yield delivered;
    }
  } finally {
    stop();
    signal?.removeEventListener("abort", onAbort);
  }
}
