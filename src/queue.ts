/**
 * The door of `queue/`: one bottle's queue directory.
 *
 * @module
 */

export { DEFAULT_POLL_INTERVAL_MS } from "./disk/watch.ts";
export {
  archiveProposal,
  clearUnfinished,
  type PendingProposal,
  readAnswer,
  readProposal,
  readResponse,
  type UnreadableFile,
  writeProposal,
} from "./queue/files.ts";
export { type ListOptions, listPendingProposals, type QueueListing } from "./queue/pending.ts";
export { writeResponse } from "./queue/respond.ts";
export { waitForResponse, type WatchOptions } from "./queue/wait.ts";
export { watchPending } from "./queue/watch.ts";
