/**
 * What a sidecar may import: records, config checks, and its side of the queue. No file that this one loads
 * has `decide`, the signing key or `writeResponse`.
 *
 * @module
 */

export { CHANGE_FORMS, changeConfigFile } from "./src/config/change.ts";
export { validateConfigFile } from "./src/config/check.ts";
export { refusedAtOnce } from "./src/policy/floor.ts";
export { readOwnFile } from "./src/disk/read_own.ts";
export {
  clearUnfinished,
  compareArrivals,
  type CurrentCopy,
  hasQueueDirectory,
  readCurrentCopy,
} from "./src/queue/files.ts";
export {
  type Answered,
  type Asked,
  type AskedLately,
  askedOf,
  openAskingQueue,
  type Question,
} from "./src/queue/recent.ts";
export { readUnderway, type Underway } from "./src/queue/underway.ts";
export { waitForResponse } from "./src/queue/wait.ts";
export type { Change } from "./src/records/change.ts";
export { InvalidNameError } from "./src/records/errors.ts";
export {
  checkBottleSlug,
  CURRENT_CONFIG_DIR_IN_AGENT,
  QUEUE_DIR_IN_CONTAINER,
  SUPERVISE_HOSTNAME,
  SUPERVISE_PORT,
} from "./src/records/names.ts";
export { MAX_CONFIG_FILE_BYTES } from "./src/records/problem.ts";
export {
  CONFIG_FILE_FOR_TOOL,
  type Effect,
  MAX_JUSTIFICATION_BYTES,
  newProposal,
  type Proposal,
  type ProposalResponse,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "./src/records/proposal.ts";
export { sha256Hex } from "./src/text/hash.ts";
export { jsonExcess } from "./src/text/json.ts";
