/**
 * An agent in a sandbox asks a human for more rights. The human decides, the agent gets the answer, and
 * an append-only log records the decision.
 *
 * A sidecar writes an agent's proposal into a bottle's queue directory and waits
 * ({@linkcode writeProposal}, {@linkcode waitForResponse}). An operator's program lists what is pending
 * ({@linkcode readOverview}, {@linkcode watchEvents}), shows it ({@linkcode inspectProposal}), asks what
 * stands in the way ({@linkcode obstaclesTo}) and decides ({@linkcode decide}, the only way to answer with
 * a record). There is no daemon and no database.
 *
 * This module is for Deno only. Who may do what here rests on Deno's permissions: the runtime keeps a
 * sidecar to one queue directory and one port, and the operator's programs to the files they name. Node
 * and Bun have nothing that enforces the same.
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
 * for (const entry of supervise.readOverview({ root }).pending) {
 *   const shown = await supervise.inspectProposal({ ...entry, root });
 *   console.log(supervise.visible(shown.diff));
 *   await supervise.decide({
 *     ...shown,
 *     root,
 *     verdict: { status: "approved" },
 *     notes: "Read-only, fine.",
 *     operator: "ada@host",
 *   });
 * }
 *
 * assertEquals((await answer).notes, "Read-only, fine.");
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @module
 */

// The names of the Python original, in its order.
export {
  CURRENT_CONFIG_DIR_IN_AGENT,
  QUEUE_DIR_IN_CONTAINER,
  SUPERVISE_HOSTNAME,
  SUPERVISE_PORT,
} from "./src/records/names.ts";
export {
  COMPONENT_FOR_TOOL,
  type Effect,
  newProposal,
  type Proposal,
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
export {
  ACTION_OPERATOR_EDIT,
  type AuditEntry,
  type Confirmation,
  type MadeStanding,
} from "./src/records/audit_entry.ts";
export {
  auditDir,
  auditLogPath,
  claudeBottleRoot,
  queueDirForSlug,
  type RootOptions,
} from "./src/disk/layout.ts";
export {
  archiveProposal,
  DEFAULT_POLL_INTERVAL_MS,
  type ListOptions,
  listPendingProposals,
  readProposal,
  readResponse,
  type UnreadableFile,
  waitForResponse,
  type WatchOptions,
  writeProposal,
  writeResponse,
} from "./src/queue.ts";
export { type BrokenLine, readAuditEntries, writeAuditEntry } from "./src/audit.ts";
export { renderDiff } from "./src/diff.ts";
export { sha256Hex } from "./src/text/hash.ts";

// Lists what is pending, and tells what happens.
export { type Overview, readOverview } from "./src/decision/overview.ts";
export { type PendingProposal, type QueueListing, watchPending } from "./src/queue.ts";
export { type QueueEvent, watchEvents } from "./src/decision/events.ts";
export type { ProposalRef } from "./src/records/proposal.ts";

// Shows a proposal and decides it.
export { type Inspection, inspectProposal } from "./src/decision/inspect.ts";
export { decideByRule, type RuleDecision } from "./src/decision/by_rule.ts";
export type { ExactChange, Hours, Rule, RuleOutcome } from "./src/policy/rules.ts";
export type { PolicyInForce } from "./src/host/policy_file.ts";
export type { Policy } from "./src/policy/parse.ts";
export type { Floor } from "./src/policy/floor.ts";
export { obstaclesTo } from "./src/decision/obstacles.ts";
export type {
  DecisionDraft,
  GrantDraft,
  Obstacle,
  StandingDraft,
  Verdict,
} from "./src/records/obstacle.ts";
export {
  decide,
  type DecideRequest,
  type Decision,
  type DecisionPlace,
} from "./src/decision/decide.ts";
export { visible } from "./src/text/visible.ts";

// Makes a decided file take effect.
export {
  type Applier,
  ApplyError,
  type ApplyOptions,
  type ApplyStage,
  type ConfigChange,
} from "./src/records/applier.ts";
export {
  editFile,
  type EditInspection,
  type EditPlace,
  type EditRequest,
  inspectEdit,
  obstaclesToEdit,
  type RecordedEdit,
} from "./src/decision/edit.ts";
export {
  type ChangeRecord,
  type Drift,
  type FilePlace,
  type FileVersion,
  findDrift,
  listVersions,
  readVersion,
} from "./src/decision/versions.ts";
export { freezeFiles, type FreezeRequest } from "./src/decision/freeze.ts";
export {
  type Grant,
  type GrantsOptions,
  type OpenGrant,
  type OpenGrants,
} from "./src/decision/granted.ts";
export {
  type EndedGrant,
  type EndedGrants,
  type EndGrantRequest,
  endOverdueGrants,
  type EndOverdueRequest,
  listGrants,
  revokeGrant,
} from "./src/decision/grants.ts";
export { resolveNotProven, type ResolveRequest } from "./src/decision/resolve.ts";
export type { Held } from "./src/decision/inspect.ts";
export { NotAppliedError } from "./src/decision/change.ts";
export type { HeldBottle, NotProven } from "./src/host/apply_state.ts";

// Checks and judges config files.
export { validateAllowlist } from "./src/config/allowlist/check.ts";
export { validateConfigFile } from "./src/config/check.ts";
export { validateDockerfile } from "./src/config/dockerfile/check.ts";
export { validateRoutes } from "./src/config/routes/check.ts";
export type { ConfigProblem } from "./src/records/problem.ts";
export { compareConfigFiles, marksFor } from "./src/config/compare.ts";
export type { Mark } from "./src/records/mark.ts";
export {
  type Comparison,
  describeReach,
  type Reach,
  type ReachItem,
  type ReachKind,
} from "./src/records/reach.ts";

// Reads the record.
export {
  type Anchor,
  type AuditVerification,
  findDecision,
  type UnrecordedResponse,
  verifyAuditLog,
} from "./src/audit.ts";
export type { SignedHead } from "./src/records/head.ts";

// Says what went wrong.
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
export { ObstacleError } from "./src/records/obstacle.ts";
