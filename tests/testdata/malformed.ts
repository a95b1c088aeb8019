/**
 * The files of `malformed/queue/`, and what is said of each.
 *
 * @module
 */

/** A file that is no record, and what is said of it. */
export interface MalformedFile {
  /** The id in its name. */
  readonly id: string;
  /** The wire name of the field at fault, if it is one. */
  readonly field?: string;
  /** The reason. */
  readonly reason: string;
}

const NO_JSON = "it is not JSON";

const NO_OBJECT = "the top level must be a JSON object";

const NO_STRING = "missing, or not a string";

/** `malformed/queue/*.proposal.json`. */
export const MALFORMED_PROPOSALS: readonly MalformedFile[] = [
  { id: "bad-utf8", reason: "it is not UTF-8" },
  { id: "blank", reason: "it is empty" },
  { id: "byte-order-mark", reason: NO_JSON },
  { id: "empty", reason: "it is empty" },
  { id: "id-missing", field: "id", reason: NO_STRING },
  { id: "id-of-another", field: "id", reason: '"empty" is not the file\'s name' },
  { id: "id-with-slash", field: "id", reason: "not a proposal id" },
  { id: "justification-missing", field: "justification", reason: NO_STRING },
  { id: "number-in-hash", field: "current_file_hash", reason: NO_STRING },
  { id: "null-in-file", field: "proposed_file", reason: NO_STRING },
  { id: "raw-control", reason: NO_JSON },
  { id: "tool-missing", field: "tool", reason: NO_STRING },
  {
    id: "tool-unknown",
    field: "tool",
    reason: 'expected one of cred-proxy-block, pipelock-block, capability-block; got "shell"',
  },
  { id: "top-level-array", reason: NO_OBJECT },
  { id: "top-level-null", reason: NO_OBJECT },
  { id: "top-level-string", reason: NO_OBJECT },
  { id: "torn", reason: NO_JSON },
  { id: "trailing-comma", reason: NO_JSON },
  { id: "two-objects", reason: NO_JSON },
];

/** `malformed/queue/*.response.json`. */
export const MALFORMED_RESPONSES: readonly MalformedFile[] = [
  { id: "r-array", reason: NO_OBJECT },
  { id: "r-bad-utf8", reason: "it is not UTF-8" },
  { id: "r-empty", reason: "it is empty" },
  { id: "r-final-number", field: "final_file", reason: "neither a string nor null" },
  { id: "r-id-of-another", field: "proposal_id", reason: '"r-empty" is not the file\'s name' },
  { id: "r-notes-missing", field: "notes", reason: NO_STRING },
  { id: "r-status-missing", field: "status", reason: NO_STRING },
  {
    id: "r-status-unknown",
    field: "status",
    reason: 'expected one of approved, modified, rejected; got "Approved"',
  },
  { id: "r-torn", reason: NO_JSON },
];
