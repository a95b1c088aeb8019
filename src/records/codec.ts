/**
 * How records stand in files. The wire is the Python original's JSON, field for field in snake_case;
 * the records are its twins in camelCase. The codecs are private, so that the public API has no
 * inferred types.
 *
 * @module
 */

import { asciiJson, jsonExcess } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import type { AuditEntry } from "./audit_entry.ts";
import { MalformedRecordError } from "./errors.ts";
import { formatHead, parseHead, type SignedHead } from "./head.ts";
import { isProposalId } from "./names.ts";
import {
  type Proposal,
  type ProposalResponse,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "./proposal.ts";
import { z } from "zod";

/**
 * Decodes UTF-8, strictly.
 *
 * @param bytes The bytes.
 * @param file The file's name, for the error.
 * @returns The text; a byte order mark stays in it.
 * @throws {MalformedRecordError} If the bytes are not UTF-8.
 */
function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MalformedRecordError(file, undefined, "it is not UTF-8", {
      cause,
    });
  }
}

/**
 * Parses the JSON of a file that others may have written. What has more structure than any record is
 * refused before it is parsed.
 *
 * @param bytes The file's bytes.
 * @param file The file's name, for the error.
 * @returns The value.
 * @throws {MalformedRecordError} If the bytes are not UTF-8 or not JSON, or too much is nested or
 * listed in it.
 */
export function parseJsonBytes(bytes: Uint8Array, file: string): unknown {
  const excess = jsonExcess(bytes);
  if (excess !== undefined) throw new MalformedRecordError(file, undefined, excess);
  const text = decodeUtf8(bytes, file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = text.trim() === "" ? "it is empty" : "it is not JSON";
    throw new MalformedRecordError(file, undefined, reason, { cause });
  }
}

const text = z.string("missing, or not a string");

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, {
    error: (issue) =>
      typeof issue.input === "string"
        ? `expected one of ${values.join(", ")}; got ${quote(issue.input)}`
        : "missing, or not a string",
  });

const proposalCodec = z.codec(
  z.object({
    id: text.refine(isProposalId, "not a proposal id"),
    bottle_slug: text,
    tool: oneOf([
      TOOL_CRED_PROXY_BLOCK,
      TOOL_PIPELOCK_BLOCK,
      TOOL_CAPABILITY_BLOCK,
    ]),
    proposed_file: text,
    justification: text,
    arrival_timestamp: text,
    current_file_hash: text,
  }),
  z.custom<Proposal>(),
  {
    decode: (wire): Proposal => ({
      id: wire.id,
      bottleSlug: wire.bottle_slug,
      tool: wire.tool,
      proposedFile: wire.proposed_file,
      justification: wire.justification,
      arrivalTimestamp: wire.arrival_timestamp,
      currentFileHash: wire.current_file_hash,
    }),
    encode: (record) => ({
      id: record.id,
      bottle_slug: record.bottleSlug,
      tool: record.tool,
      proposed_file: record.proposedFile,
      justification: record.justification,
      arrival_timestamp: record.arrivalTimestamp,
      current_file_hash: record.currentFileHash,
    }),
  },
);

/** A key that the Python original does not know: of another kind, it is somebody else's. */
const ownKey = z.unknown().optional();

const responseCodec = z.codec(
  z.object({
    proposal_id: text.refine(isProposalId, "not a proposal id"),
    status: oneOf([STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED]),
    notes: text,
    // The Python original reads a missing final_file as null.
    final_file: z.string("neither a string nor null").nullable().default(null),
    audit_log: ownKey,
    audit_head: ownKey,
    audit_head_sig: ownKey,
  }),
  z.custom<ProposalResponse>(),
  {
    decode: (wire): ProposalResponse => ({
      proposalId: wire.proposal_id,
      status: wire.status,
      notes: wire.notes,
      finalFile: wire.final_file,
      ...auditHeadOf(wire.audit_log, wire.audit_head, wire.audit_head_sig),
    }),
    encode: (record) => ({
      proposal_id: record.proposalId,
      status: record.status,
      notes: record.notes,
      final_file: record.finalFile,
      audit_log: record.auditHead?.log,
      audit_head: record.auditHead && formatHead(record.auditHead),
      audit_head_sig: record.auditHead?.signature,
    }),
  },
);

/** The head that an answer states, if it states one. Whether it is true is for its signature to say. */
function auditHeadOf(log: unknown, head: unknown, signature: unknown): { auditHead?: SignedHead } {
  const parsed = typeof head === "string" ? parseHead(head) : undefined;
  if (parsed === undefined || typeof log !== "string" || typeof signature !== "string") return {};
  return { auditHead: { ...parsed, log, signature } };
}

const auditEntryCodec = z.codec(
  z.object({
    timestamp: text,
    bottle_slug: text,
    component: text,
    operator_action: text,
    operator_notes: text,
    justification: text,
    diff: text,
    operator: ownKey,
    operator_name: ownKey,
    operator_key: ownKey,
    proposal_id: ownKey,
    proposal_sha256: ownKey,
    final_sha256: ownKey,
    foreign_answer: ownKey,
    repair: ownKey,
    seq: ownKey,
  }),
  z.custom<AuditEntry>(),
  {
    decode: (wire): AuditEntry => ({
      timestamp: wire.timestamp,
      bottleSlug: wire.bottle_slug,
      component: wire.component,
      operatorAction: wire.operator_action,
      operatorNotes: wire.operator_notes,
      justification: wire.justification,
      diff: wire.diff,
      ...(typeof wire.operator === "string" && { operator: wire.operator }),
      ...(typeof wire.operator_name === "string" && { operatorName: wire.operator_name }),
      ...(typeof wire.operator_key === "string" && { operatorKey: wire.operator_key }),
      ...(typeof wire.proposal_id === "string" && { proposalId: wire.proposal_id }),
      ...(typeof wire.proposal_sha256 === "string" && { proposalSha256: wire.proposal_sha256 }),
      ...(typeof wire.final_sha256 === "string" && { finalSha256: wire.final_sha256 }),
      ...(typeof wire.foreign_answer === "string" && { unrecordedResponse: wire.foreign_answer }),
      ...(typeof wire.repair === "string" && { repair: wire.repair }),
      ...(typeof wire.seq === "number" && { seq: wire.seq }),
    }),
    encode: (record) => ({
      timestamp: record.timestamp,
      bottle_slug: record.bottleSlug,
      component: record.component,
      operator_action: record.operatorAction,
      operator_notes: record.operatorNotes,
      justification: record.justification,
      diff: record.diff,
      operator: record.operator,
      operator_name: record.operatorName,
      operator_key: record.operatorKey,
      proposal_id: record.proposalId,
      proposal_sha256: record.proposalSha256,
      final_sha256: record.finalSha256,
      foreign_answer: record.unrecordedResponse,
      repair: record.repair,
    }),
  },
);

function checked<T>(result: z.ZodSafeParseResult<T>, file: string): T {
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined || issue.path.length === 0) {
    throw new MalformedRecordError(file, undefined, "the top level must be a JSON object");
  }
  throw new MalformedRecordError(file, String(issue.path[0]), issue.message);
}

/**
 * Reads a proposal from parsed JSON. Unknown keys are dropped.
 *
 * @param raw The parsed JSON.
 * @param file The file's name, for the error.
 * @returns The proposal.
 * @throws {MalformedRecordError} If a field is missing or of the wrong kind.
 */
export function parseProposal(raw: unknown, file: string): Proposal {
  return checked(proposalCodec.safeDecode(raw as z.input<typeof proposalCodec>), file);
}

/**
 * Reads a response from parsed JSON. Unknown keys are dropped.
 *
 * @param raw The parsed JSON.
 * @param file The file's name, for the error.
 * @returns The response.
 * @throws {MalformedRecordError} If a field is missing or of the wrong kind.
 */
export function parseResponse(raw: unknown, file: string): ProposalResponse {
  return checked(responseCodec.safeDecode(raw as z.input<typeof responseCodec>), file);
}

/**
 * Reads an audit entry from parsed JSON. Unknown keys are dropped.
 *
 * @param raw The parsed JSON.
 * @param file The log's name, for the error.
 * @returns The entry.
 * @throws {MalformedRecordError} If a field is missing or of the wrong kind.
 */
export function parseAuditEntry(raw: unknown, file: string): AuditEntry {
  return checked(auditEntryCodec.safeDecode(raw as z.input<typeof auditEntryCodec>), file);
}

function encoded<T>(result: z.ZodSafeParseResult<T>, what: string, indent?: number): string {
  if (result.success) return asciiJson(result.data, indent) + "\n";
  const issue = result.error.issues[0];
  const field = String(issue?.path[0]);
  throw new TypeError(`Cannot write the ${what}: field "${field}": ${issue?.message}`);
}

/**
 * Encodes a proposal for its file: the bytes that the Python original writes for the same record.
 *
 * @param proposal The proposal.
 * @returns The file's text.
 * @throws {TypeError} If a field is of the wrong kind.
 */
export function encodeProposal(proposal: Proposal): string {
  return encoded(proposalCodec.safeEncode(proposal), "proposal", 2);
}

/**
 * Encodes a response for its file: the bytes that the Python original writes for the same record.
 *
 * @param response The response.
 * @returns The file's text.
 * @throws {TypeError} If a field is of the wrong kind.
 */
export function encodeResponse(response: ProposalResponse): string {
  return encoded(responseCodec.safeEncode(response), "response", 2);
}

/**
 * Encodes an audit entry: one line of JSON, the LF included, not yet chained (no `seq`).
 *
 * @param entry The entry.
 * @returns The line.
 * @throws {TypeError} If a field is of the wrong kind.
 */
export function encodeAuditEntry(entry: AuditEntry): string {
  return encoded(auditEntryCodec.safeEncode(entry), "audit entry");
}
