/**
 * The door of `log/`: the audit log of a bottle.
 *
 * @module
 */

export type { Anchor } from "./log/anchors.ts";
export { type AuditVerification, verifyAuditLog, type VerifyAuditOptions } from "./log/check.ts";
export { findDecision, type StandingResponse, type UnrecordedResponse } from "./log/decisions.ts";
export {
  type BrokenLine,
  readAuditEntries,
  type ReadAuditOptions,
  writeAuditEntry,
  type WriteAuditOptions,
} from "./log/entries.ts";
