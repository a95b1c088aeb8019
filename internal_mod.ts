/**
 * What the operator's own programs need beside the public API. Not in `exports`: it changes with them.
 *
 * @module
 */

export { type Changes, watchChanges } from "./src/decision/events.ts";
export { diffAgainst, readOverridable } from "./src/decision/inspect.ts";
export {
  findUnfinished,
  type FinishedIntent,
  finishInterrupted,
  type InterruptedDecisions,
} from "./src/decision/journal.ts";
export { refuseObstacles } from "./src/decision/obstacles.ts";
export { marksOfPending, MAX_JUDGED_CHARS } from "./src/decision/marks.ts";
export { currentConfigDirForSlug, privateDir, queueRoot } from "./src/disk/layout.ts";
export {
  type DiskRoom,
  namesInOwn,
  type OwnEntry,
  ownEntry,
  ownFileStamp,
  readOwnFile,
  roomAt,
  walkOwn,
} from "./src/disk/read_own.ts";
export { keepFilesInForce, knownFile } from "./src/host/config_files.ts";
export {
  type EditBuffer,
  forgetShown,
  keptEdits,
  lastShown,
  openEditBuffer,
  readReceiverRecord,
  type ReceiverRecord,
  rememberShown,
  type Shown,
  shownIds,
  updateReceiverRecord,
} from "./src/host/memos.ts";
export { formatAnchors, parseAnchors } from "./src/log/anchors.ts";
export {
  type ArchiveVerification,
  exportAuditLogs,
  readAuditHead,
  type VerifyArchiveOptions,
  verifyAuditArchive,
} from "./src/log/archive.ts";
export { decidedAmong } from "./src/log/decisions.ts";
export { type AuditLogId, listAuditLogs, parseAuditLogName } from "./src/log/entries.ts";
export { ensureSigningKey, readSigningKey, type SigningKeyInfo } from "./src/log/key.ts";
export { clearUnfinished, readAnswer } from "./src/queue/files.ts";
export {
  type BottleListing,
  findLeftovers,
  type FindOptions,
  findProposals,
  type FoundProposal,
  listBottles,
  type OldFiles,
  type QueueLeftovers,
  type RefusedQueue,
} from "./src/queue/find.ts";
export {
  MAX_LISTED,
  MAX_PENDING,
  MAX_RECHECKED,
  openQueueView,
  type QueueView,
  unlistedReason,
} from "./src/queue/pending.ts";
export { ACTION_SUPERSEDED, instantOf } from "./src/records/audit_entry.ts";
export { formatHead } from "./src/records/head.ts";
export { MAX_MARKS, nameMarks } from "./src/records/mark.ts";
export {
  checkBottleSlug,
  checkProposalId,
  isBottleSlug,
  isProposalId,
} from "./src/records/names.ts";
export { MAX_CONFIG_FILE_BYTES, MAX_PROBLEMS } from "./src/records/problem.ts";
export {
  AUDIT_COMPONENTS,
  COMPONENT_REBUILD,
  CONFIG_FILE_FOR_TOOL,
  MAX_JUSTIFICATION_BYTES,
} from "./src/records/proposal.ts";
export { asciiJson } from "./src/text/json.ts";
export {
  makeVisible,
  type TextKind,
  visibleCode,
  visibleLine,
  type VisibleText,
} from "./src/text/visible.ts";
