/**
 * What a program needs that lists proposals and shows texts. It loads no code that decides, signs or makes
 * a diff, so that such a program starts faster and cannot decide. Not in `exports`: it changes with our
 * programs.
 *
 * @module
 */

export * from "./start_mod.ts";
export { readOpenGrants } from "./src/decision/granted.ts";
export { type Hints, hintsOfPending, openHintView } from "./src/decision/hints.ts";
export {
  marksOfPending,
  MAX_JUDGED_CHARS,
  reachOfPending,
  readOverview,
} from "./src/decision/overview.ts";
export { claudeBottleRoot, currentConfigRoot, intentsDir } from "./src/disk/layout.ts";
export { namesInOwn, ownFileStamp, readOwnFile, whyNoDirectory } from "./src/disk/read_own.ts";
export { listNames } from "./src/disk/read_untrusted.ts";
export { keepFilesInForce } from "./src/host/config_files.ts";
export {
  findLeftovers,
  findProposals,
  type FoundProposal,
  listBottles,
  type OldFiles,
  queueDirsEver,
  type RefusedQueue,
  slugsEver,
} from "./src/queue/find.ts";
export { MAX_PENDING, openQueueView, unlistedReason } from "./src/queue/pending.ts";
export { ACTION_SUPERSEDED, instantOf } from "./src/records/audit_entry.ts";
export { ProposalNotFoundError, UnsafeFileError } from "./src/records/errors.ts";
export { MAX_MARKS } from "./src/records/mark.ts";
export { checkProposalId } from "./src/records/names.ts";
export { MAX_CONFIG_FILE_BYTES } from "./src/records/problem.ts";
export {
  COMPONENT_REBUILD,
  CONFIG_FILE_FOR_TOOL,
  MAX_JUSTIFICATION_BYTES,
} from "./src/records/proposal.ts";
export { describeReach } from "./src/records/reach.ts";
export { asciiJson } from "./src/text/json.ts";
export {
  makeVisible,
  type TextKind,
  visibleCode,
  visibleLine,
  visibleSentence,
  type VisibleText,
} from "./src/text/visible.ts";
