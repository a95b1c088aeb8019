/**
 * The door of `log/`: the audit log of a bottle.
 *
 * @module
 */

export type { Anchor } from "./log/anchors.ts";
export { type AuditVerification, verifyAuditLog } from "./log/check.ts";
export { findDecision, type UnrecordedResponse } from "./log/decisions.ts";
export { type BrokenLine, readAuditEntries, writeAuditEntry } from "./log/entries.ts";
