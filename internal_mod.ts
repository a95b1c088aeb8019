/**
 * What the operator's own programs need beside the public API. Not in `exports`: it changes with them.
 *
 * @module
 */

export * from "./read_mod.ts";
export {
  addBottle,
  type BottleSettings,
  checkRemovable,
  ENGINES,
  forgetUnit,
  readBottle,
  readUnit,
  removeBottle,
  unitPath,
  withSidecarLock,
  writeBottle,
  writeUnit,
} from "./src/decision/bottles.ts";
export { type Changes, watchChanges } from "./src/decision/events.ts";
export { applierOf } from "./src/decision/change.ts";
export { carryDraft } from "./src/decision/carry.ts";
export { dueGrants } from "./src/decision/grants.ts";
export { diffAgainst, readOverridable } from "./src/decision/inspect.ts";
export { findUnfinished, finishInterrupted, withBottleLock } from "./src/decision/journal.ts";
export { refuseObstacles } from "./src/decision/obstacles.ts";
export { replayDecisions, type Replayed, rulingUnder } from "./src/decision/replay.ts";
export { suggestFor, type Suggestions } from "./src/decision/suggest.ts";
export {
  currentConfigDirForSlug,
  currentConfigRoot,
  fileInForcePath,
  privateDir,
  queueRoot,
  removedRoot,
} from "./src/disk/layout.ts";
export {
  type DiskRoom,
  isDevice,
  type OwnEntry,
  ownEntry,
  pathBehindLinks,
  roomAt,
  walkOwn,
} from "./src/disk/read_own.ts";
export { removeFile, replaceFileAlone } from "./src/disk/write.ts";
export {
  freeze,
  listHeld,
  type NotProven,
  readFrozen,
  readNotProven,
} from "./src/host/apply_state.ts";
export { knownFile, mostKept, readFileInForce } from "./src/host/config_files.ts";
export {
  policyCopyPath,
  type PolicyInForce,
  policyWith,
  readPolicy,
} from "./src/host/policy_file.ts";
export { readStandingRules, removeStanding } from "./src/host/standing_file.ts";
export {
  type EditBuffer,
  keptEdits,
  lastShown,
  lastShownAlike,
  openEditBuffer,
  readReceiverRecord,
  type ReceiverRecord,
  rememberShown,
  updateReceiverRecord,
} from "./src/host/memos.ts";
export { formatAnchors, parseAnchors } from "./src/log/anchors.ts";
export { verifyAuditLogs } from "./src/log/check.ts";
export { exportAuditLogs, readAuditHead, verifyAuditArchive } from "./src/log/archive.ts";
export { decideAfterLook, inspectToDecide } from "./src/decision/decide.ts";
export {
  type DifferingResponse,
  differingResponse,
  proveFinalFile,
} from "./src/decision/proven_response.ts";
export {
  archivedUnrecorded,
  decidedAmong,
  isDecision,
  readLatestEntries,
} from "./src/log/decisions.ts";
export { type AuditLogId, listAuditLogs, parseAuditLogName } from "./src/log/entries.ts";
export { findDecided, readHistory } from "./src/log/history.ts";
export {
  ensureSigningKey,
  readPublicKey,
  readSigningKey,
  type SigningKeyInfo,
} from "./src/log/key.ts";
export { findRecord, type RecordedDecision } from "./src/log/record.ts";
export { clearUnfinished, readAnswer } from "./src/queue/files.ts";
export { coversOf, hostOf, isWildcard } from "./src/config/hosts/covers.ts";
export { quote } from "./src/text/quote.ts";
export { readRoutes } from "./src/config/routes/read.ts";
export { reachOfAllowlist } from "./src/config/allowlist/compare.ts";
export { durationMs } from "./src/policy/parse_rules.ts";
export { MAX_STANDING_DAYS, MAX_STANDING_MS, type StandingRule } from "./src/policy/standing.ts";
export { formatHead } from "./src/records/head.ts";
export { isBottleSlug } from "./src/records/names.ts";
export { componentOf, TEXT_OF_NO_FILE } from "./src/records/proposal.ts";
