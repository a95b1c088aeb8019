/**
 * An agent in a sandbox asks a human for more rights; the human decides; the agent hears; an
 * append-only log keeps what was decided.
 *
 * A sidecar writes an agent's proposal into a bottle's queue directory and waits
 * ({@linkcode writeProposal}, {@linkcode waitForResponse}). An operator's tool lists what is pending
 * ({@linkcode watchPending}), shows it ({@linkcode inspectProposal}) and decides
 * ({@linkcode decide}, the only door). Nothing else is needed: no daemon, no database.
 *
 * @example From proposal to answer
 * ```ts
 * import * as supervise from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const queueDir = supervise.queueDirForSlug("dev-1", root);
 *
 * // The sidecar's side.
 * const proposal = supervise.newProposal({
 *   bottleSlug: "dev-1",
 *   tool: supervise.TOOL_PIPELOCK_BLOCK,
 *   proposedFile: "api.github.com\n",
 *   justification: "The tests read a public gist.",
 *   currentFileHash: "",
 * });
 * await supervise.writeProposal(queueDir, proposal);
 * const answer = supervise.waitForResponse(queueDir, proposal.id);
 *
 * // The operator's side.
 * const ref = { root, bottleSlug: "dev-1", proposalId: proposal.id };
 * const { proposalSha256 } = await supervise.inspectProposal(ref);
 * await supervise.decide({
 *   ...ref,
 *   proposalSha256,
 *   verdict: { status: "approved" },
 *   notes: "Read-only, fine.",
 *   operator: "ada@host",
 * });
 *
 * assertEquals((await answer).notes, "Read-only, fine.");
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @module
 */

export {
  type BrokenLine,
  readAuditEntries,
  type ReadAuditOptions,
  writeAuditEntry,
  type WriteAuditOptions,
} from "./src/audit.ts";
export { type Anchor, formatAnchors, parseAnchors } from "./src/audit_anchors.ts";
export {
  type ArchiveVerification,
  type AuditRootOptions,
  exportAuditLogs,
  readAuditHead,
  type VerifyArchiveOptions,
  verifyAuditArchive,
} from "./src/audit_archive.ts";
export {
  AUDIT_COMPONENTS,
  type AuditLogId,
  listAuditLogs,
  parseAuditLogName,
} from "./src/audit_logs.ts";
export { ACTION_OPERATOR_EDIT, ACTION_SUPERSEDED, type AuditEntry } from "./src/audit_entry.ts";
export type { AuditVerification } from "./src/audit_check.ts";
export { verifyAuditLog, type VerifyAuditOptions } from "./src/audit_verify.ts";
export { type BottleListing, listBottles, type RefusedQueue } from "./src/bottles.ts";
export { formatHead, type Head, type SignedHead } from "./src/chain.ts";
export { validateAllowlist } from "./src/config/allowlist.ts";
export { validateDockerfile } from "./src/config/dockerfile.ts";
export { type Mark, type MarkSeverity, MAX_MARKS, nameMarks } from "./src/config/mark.ts";
export { marksFor } from "./src/config/marks_for.ts";
export { type ConfigProblem, MAX_CONFIG_FILE_BYTES, MAX_PROBLEMS } from "./src/config/problem.ts";
export { validateRoutes } from "./src/config/routes.ts";
export { validateConfigFile } from "./src/config/validate.ts";
export {
  decide,
  type DecideRequest,
  type Decision,
  marksToConfirm,
  type Verdict,
} from "./src/decide.ts";
export {
  decidedAmong,
  findDecision,
  type ForeignAnswer,
  type StandingAnswer,
} from "./src/decided.ts";
export { type DiffOptions, renderDiff } from "./src/diff.ts";
export {
  AlreadyDecidedError,
  AnswerNotWrittenError,
  AuditLogChangedError,
  ChangedSinceShownError,
  ForeignAnswerError,
  InvalidConfigError,
  InvalidNameError,
  MalformedRecordError,
  ProposalNotFoundError,
  StaleConfigError,
  UnconfirmedError,
  UnsafeFileError,
} from "./src/errors.ts";
export { sha256Hex } from "./src/hash.ts";
export { diffAgainst, type Inspection, inspectProposal } from "./src/inspect.ts";
export { type FindOptions, findProposals, type FoundProposal } from "./src/find.ts";
export { instantOf } from "./src/instant.ts";
export { type FinishedIntent, finishInterrupted, type InterruptedDecisions } from "./src/intent.ts";
export { findLeftovers, type OldFiles, type QueueLeftovers } from "./src/leftovers.ts";
export { type ListPendingOptions, listPendingProposals } from "./src/list_pending.ts";
export { keepFilesInForce, knownFile } from "./src/known.ts";
export {
  type ListOptions,
  MAX_LISTED,
  MAX_PENDING,
  MAX_RECHECKED,
  openQueueView,
  type QueueListing,
  type QueueView,
  unlistedReason,
} from "./src/listing.ts";
export {
  type Overview,
  type OverviewOptions,
  readOverview,
  type UnlistedInBottle,
  type UnreadableInBottle,
  watchOverview,
  type WatchOverviewOptions,
} from "./src/overview.ts";
export {
  auditDir,
  auditLogPath,
  checkBottleSlug,
  checkProposalId,
  claudeBottleRoot,
  CURRENT_CONFIG_DIR_IN_AGENT,
  currentConfigDirForSlug,
  isBottleSlug,
  isProposalId,
  privateDir,
  QUEUE_DIR_IN_CONTAINER,
  queueDirForSlug,
  queueRoot,
  SUPERVISE_HOSTNAME,
  SUPERVISE_PORT,
} from "./src/paths.ts";
export {
  COMPONENT_FOR_TOOL,
  COMPONENT_REBUILD,
  CONFIG_FILE_FOR_TOOL,
  MAX_JUSTIFICATION_BYTES,
  newProposal,
  type NewProposalOptions,
  type Proposal,
  type ProposalRef,
  type Response,
  type Status,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  STATUSES,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  TOOLS,
} from "./src/proposal.ts";
export {
  archiveProposal,
  clearUnfinished,
  readAnswer,
  readProposal,
  readResponse,
  writeProposal,
  writeResponse,
  type WriteResponseOptions,
} from "./src/queue.ts";
export { marksOfPending, MAX_JUDGED_CHARS } from "./src/pending_marks.ts";
export { type PendingProposal, type UnreadableFile } from "./src/queue_entry.ts";
export {
  readReceiverRecord,
  type ReceiverRecord,
  updateReceiverRecord,
} from "./src/receiver_record.ts";
export { forgetShown, lastShown, rememberShown, type Shown, shownIds } from "./src/shown.ts";
export { ensureSigningKey, readSigningKey, type SigningKeyInfo } from "./src/signing_key.ts";
export {
  makeVisible,
  type TextKind,
  visible,
  visibleCode,
  visibleLine,
  type VisibleOptions,
  type VisibleText,
} from "./src/visible.ts";
export { waitForResponse, type WaitOptions } from "./src/wait.ts";
export { DEFAULT_POLL_INTERVAL_MS } from "./src/watch.ts";
export { type WatchOptions, watchPending } from "./src/watch_pending.ts";
export { asciiJson } from "./src/wire.ts";
