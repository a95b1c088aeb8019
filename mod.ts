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
 * const queueDir = supervise.queueDirForSlug("dev-1", { root });
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
  type Anchor,
  type AuditVerification,
  type BrokenLine,
  findDecision,
  readAuditEntries,
  type ReadAuditOptions,
  type StandingResponse,
  type UnrecordedResponse,
  verifyAuditLog,
  type VerifyAuditOptions,
  writeAuditEntry,
  type WriteAuditOptions,
} from "./src/audit.ts";
export { validateAllowlist } from "./src/config/allowlist/check.ts";
export { validateConfigFile } from "./src/config/check.ts";
export { marksFor } from "./src/config/marks.ts";
export { validateDockerfile } from "./src/config/dockerfile/check.ts";
export { validateRoutes } from "./src/config/routes/check.ts";
export { decide, type DecideRequest, type Decision } from "./src/decision/decide.ts";
export { type QueueEvent, watchEvents, type WatchEventsOptions } from "./src/decision/events.ts";
export { type Inspection, inspectProposal } from "./src/decision/inspect.ts";
export { type DecisionDraft, obstaclesTo, type Verdict } from "./src/decision/obstacles.ts";
export {
  type Overview,
  type OverviewOptions,
  readOverview,
  type UnlistedInBottle,
  type UnreadableInBottle,
} from "./src/decision/overview.ts";
export {
  auditDir,
  auditLogPath,
  claudeBottleRoot,
  queueDirForSlug,
  type RootOptions,
} from "./src/disk/layout.ts";
export { ACTION_OPERATOR_EDIT, type AuditEntry } from "./src/records/audit_entry.ts";
export {
  AlreadyDecidedError,
  AuditLogChangedError,
  type ErrorCode,
  InvalidNameError,
  MalformedRecordError,
  ProposalNotFoundError,
  ResponseNotWrittenError,
  SuperviseError,
  UnsafeFileError,
} from "./src/records/errors.ts";
export { type Head, type SignedHead } from "./src/records/head.ts";
export { type Mark, type MarkSeverity } from "./src/records/mark.ts";
export {
  CURRENT_CONFIG_DIR_IN_AGENT,
  QUEUE_DIR_IN_CONTAINER,
  SUPERVISE_HOSTNAME,
  SUPERVISE_PORT,
} from "./src/records/names.ts";
export {
  type Clearance,
  type Confirmations,
  type Obstacle,
  ObstacleError,
} from "./src/records/obstacle.ts";
export { type ConfigProblem } from "./src/records/problem.ts";
export {
  COMPONENT_FOR_TOOL,
  newProposal,
  type NewProposalOptions,
  type Proposal,
  type ProposalRef,
  type ProposalResponse,
  type ProposalResponse as Response,
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
} from "./src/records/proposal.ts";
export { sha256Hex } from "./src/text/hash.ts";
export { type DiffOptions, renderDiff } from "./src/diff.ts";
export {
  archiveProposal,
  DEFAULT_POLL_INTERVAL_MS,
  type ListOptions,
  type ListPendingOptions,
  listPendingProposals,
  type PendingProposal,
  type QueueListing,
  readProposal,
  readResponse,
  type UnreadableFile,
  waitForResponse,
  type WaitOptions,
  type WatchOptions,
  watchPending,
  writeProposal,
  writeResponse,
  type WriteResponseOptions,
} from "./src/queue.ts";
export { type TextKind, visible, type VisibleOptions } from "./src/text/visible.ts";
