/**
 * What is pending in one queue, once: the twin of the Python original's.
 *
 * @module
 */

import { type ListOptions, MAX_LISTED, openQueueView, unlistedReason } from "./listing.ts";
import type { Proposal } from "./proposal.ts";
import type { UnreadableFile } from "./queue_entry.ts";

/** How {@linkcode listPendingProposals} reports what it passes over. */
export interface ListPendingOptions extends ListOptions {
  /** Called for every file that looks like a proposal or a response and cannot be read, and once,
   * with the file `.`, if more are pending than are listed. */
  readonly onUnreadable?: (file: UnreadableFile) => void;
}

/**
 * Lists the proposals that have no response file, by instant of arrival, then by id: all of them, up
 * to {@linkcode MAX_LISTED} unless told otherwise. A file that cannot be read is skipped, and reported
 * through `onUnreadable`.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory; one that does not exist has nothing pending.
 * @param options Whose queue it is, and who is told of broken files.
 * @returns The proposals.
 * @throws {UnsafeFileError} If the queue directory is a link, or no directory.
 */
// deno-lint-ignore require-await
export async function listPendingProposals(
  queueDir: string,
  options: ListPendingOptions = {},
): Promise<Proposal[]> {
  const { onUnreadable = () => {}, ...listOptions } = options;
  const view = openQueueView(queueDir, { maxPending: MAX_LISTED, ...listOptions });
  const { pending, unlisted, unreadable } = view.refresh();
  unreadable.forEach(onUnreadable);
  if (unlisted > 0) onUnreadable({ file: ".", reason: unlistedReason(unlisted) });
  return pending.map((entry) => entry.proposal);
}
