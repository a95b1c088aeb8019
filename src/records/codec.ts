/**
 * Reads and writes records as JSON: the Python original's fields in snake_case on disk, their twins in
 * camelCase in memory. One table per record says both what is read and what is written.
 *
 * @module
 */

import { asciiJson, jsonExcess, MAX_JSON_LEVELS } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { type AuditEntry, CONFIRMATIONS } from "./audit_entry.ts";
import { MalformedRecordError } from "./errors.ts";
import { formatHead, parseHead } from "./head.ts";
import { MAX_MARKS, SEVERITIES } from "./mark.ts";
import { isProposalId } from "./names.ts";
import { REACHES } from "./reach.ts";
import { EFFECTS, type Proposal, type ProposalResponse, STATUSES, TOOLS } from "./proposal.ts";
import { type Check, type Field, isCount, isFlag, isJsonObject, isText, shapeOf } from "./shape.ts";

/** A byte order mark stays in the text, and so is not JSON. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses the JSON of a file that another user may have written.
 *
 * @throws {MalformedRecordError} If the bytes are not UTF-8 or not JSON, or have too much structure.
 */
export function parseJsonBytes(bytes: Uint8Array, file: string, maxValues?: number): unknown {
  const excess = jsonExcess(bytes, MAX_JSON_LEVELS, maxValues);
  if (excess !== undefined) throw new MalformedRecordError(file, undefined, excess);
  let reason = "it is not UTF-8";
  try {
    const text = utf8.decode(bytes);
    reason = text.trim() === "" ? "it is empty" : "it is not JSON";
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedRecordError(file, undefined, reason, { cause });
  }
}

const field = (wire: string, check: Check = isText): Field => ({ wire, check });

/** A field that the Python original does not have: other programs may use its name differently. */
const own = (wire: string, check: Check = isText): Field => ({ wire, check, optional: true });

const isId: Check = (value) =>
  isText(value) ?? (isProposalId(value as string) ? undefined : "not a proposal id");

const isOneOf = (values: readonly string[]): Check => (value) => {
  if (typeof value !== "string") return isText(value);
  if (values.includes(value)) return undefined;
  return `expected one of ${values.join(", ")}; got ${quote(value)}`;
};

export const isTool: Check = isOneOf(TOOLS);

const isTextOrNull: Check = (value) =>
  value === null || typeof value === "string" ? undefined : "neither a string nor null";

/** At most as many as `of` says, each without a problem. */
const isListOf = (isOne: Check, most: number): Check => (value) =>
  Array.isArray(value) && value.length <= most && value.every((one) => isOne(one) === undefined)
    ? undefined
    : "not a list of the right kind";

const isMark: Check = (value) =>
  isJsonObject(value) &&
    [
      isOneOf(SEVERITIES)(value.severity),
      isText(value.rule),
      isText(value.message),
      isOneOf(["old", "new"])(value.side),
      isCount(value.line),
    ].every((problem) => problem === undefined)
    ? undefined
    : "not a mark";

const isMadeStanding: Check = (value) =>
  isJsonObject(value) && isText(value.name) === undefined && isText(value.until) === undefined &&
    isListOf(isText, Infinity)(value.bottles) === undefined
    ? undefined
    : "not a standing decision";

const isNumber: Check = (value) => typeof value === "number" ? undefined : "not a number";

const PROPOSAL = shapeOf<Proposal>("proposal", {
  id: field("id", isId),
  bottleSlug: field("bottle_slug"),
  tool: field("tool", isOneOf(TOOLS)),
  proposedFile: field("proposed_file"),
  justification: field("justification"),
  arrivalTimestamp: field("arrival_timestamp"),
  currentFileHash: field("current_file_hash"),
});

const RESPONSE = shapeOf<Omit<ProposalResponse, "auditHead">>("response", {
  proposalId: field("proposal_id", isId),
  status: field("status", isOneOf(STATUSES)),
  notes: field("notes"),
  // The Python original reads a missing final_file as null.
  finalFile: { ...field("final_file", isTextOrNull), missing: null },
  until: own("until"),
  effect: own("effect", isOneOf(EFFECTS)),
});

/** The head of a response, in three fields of their own. */
const HEAD = shapeOf<{ log?: string; head?: string; signature?: string }>("head", {
  log: own("audit_log"),
  head: own("audit_head"),
  signature: own("audit_head_sig"),
});

const AUDIT_ENTRY = shapeOf<AuditEntry>("audit entry", {
  timestamp: field("timestamp"),
  bottleSlug: field("bottle_slug"),
  component: field("component"),
  operatorAction: field("operator_action"),
  operatorNotes: field("operator_notes"),
  justification: field("justification"),
  diff: field("diff"),
  operator: own("operator"),
  operatorName: own("operator_name"),
  operatorKey: own("operator_key"),
  proposalId: own("proposal_id"),
  proposalSha256: own("proposal_sha256"),
  finalSha256: own("final_sha256"),
  mergedFrom: own("merged_from"),
  unrecordedResponse: own("foreign_answer"),
  marks: own("marks", isListOf(isMark, MAX_MARKS + 1)),
  confirmed: own("confirmed", isListOf(isOneOf(CONFIRMATIONS), CONFIRMATIONS.length)),
  reach: own("reach", isOneOf(REACHES)),
  reachSummary: own("reach_summary"),
  ifUnmarked: own("if_unmarked", isFlag),
  policySha256: own("policy_sha256"),
  standingSha256: own("standing_sha256"),
  standing: own("standing", isMadeStanding),
  rules: own("rules", isListOf(isText, Infinity)),
  until: own("until"),
  grant: own("grant"),
  applied: own("applied"),
  effect: own("effect", isOneOf(EFFECTS)),
  beforeSha256: own("before_sha256"),
  origin: own("origin"),
  repair: own("repair"),
  seq: own("seq", isNumber),
});

/** @throws {MalformedRecordError} If a field is missing or of the wrong kind. */
export function parseProposal(raw: unknown, file: string): Proposal {
  return PROPOSAL.read(raw, file);
}

/**
 * The head that a response may state is not checked: its signature proves it.
 *
 * @throws {MalformedRecordError} If a field is missing or of the wrong kind.
 */
export function parseResponse(raw: unknown, file: string): ProposalResponse {
  const response = RESPONSE.read(raw, file);
  const { log, head = "", signature } = HEAD.read(raw, file);
  const parsed = parseHead(head);
  if (parsed === undefined || log === undefined || signature === undefined) return response;
  return { ...response, auditHead: { ...parsed, log, signature } };
}

/** @throws {MalformedRecordError} If a field is missing or of the wrong kind. */
export function parseAuditEntry(raw: unknown, file: string): AuditEntry {
  return AUDIT_ENTRY.read(raw, file);
}

/** The bytes that the Python original writes. Throws a `TypeError` if a field is of the wrong kind. */
export function encodeProposal(proposal: Proposal): string {
  return asciiJson(PROPOSAL.write(proposal), 2) + "\n";
}

/** The bytes that the Python original writes, and the head of the log in three fields more. */
export function encodeResponse(response: ProposalResponse): string {
  const { auditHead, ...answer } = response;
  const wire = {
    ...RESPONSE.write(answer),
    audit_log: auditHead?.log,
    audit_head: auditHead && formatHead(auditHead),
    audit_head_sig: auditHead?.signature,
  };
  return asciiJson(wire, 2) + "\n";
}

/** One line of JSON, the LF included, not chained yet (no `seq`). */
export function encodeAuditEntry(entry: AuditEntry): string {
  const { seq: _, ...unchained } = entry;
  return asciiJson(AUDIT_ENTRY.write(unchained)) + "\n";
}
