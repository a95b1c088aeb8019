/**
 * Reads one line of an audit log. The first seven fields are the Python original's; ours follow.
 *
 * @module
 */

import type { AuditEntry } from "../records/audit_entry.ts";
import { parseAuditEntry, parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { type Link, LINK_KEYS, linkOf } from "./chain.ts";

/** What is on a line: nothing if it is blank. */
export interface AuditLine {
  /** The entry. */
  readonly entry?: AuditEntry;
  /** The line's place in the chain, if it is chained. Its signature tells whether that is true. */
  readonly link?: Link;
  /** Why it is not an entry; or, of an entry that is not chained, why it looks as if it was. */
  readonly problem?: string;
}

/**
 * Reads a line. Where it is not chained, anyone may have written it: then the entry has no key, no
 * repair note and no number, because only the log itself states these.
 *
 * @param line The line's bytes, with its LF if it has one.
 */
export function readLine(line: Uint8Array, file: string): AuditLine {
  // The Python original passes over blank lines.
  if (line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a)) {
    return {};
  }
  try {
    const raw = parseJsonBytes(line, file);
    const entry = parseAuditEntry(raw, file);
    const link = linkOf(line);
    if (link !== undefined) return { entry, link };
    const { operatorKey: _, repair: __, seq: ___, ...said } = entry;
    if (!LINK_KEYS.some((key) => Object.hasOwn(raw as object, key))) return { entry: said };
    const problem = "its seq, prev and sig are not in the form in which they are written";
    return { entry: said, problem };
  } catch (error) {
    if (!(error instanceof MalformedRecordError)) throw error;
    const field = error.field === undefined ? "" : `field "${error.field}": `;
    return { problem: `${field}${error.reason}` };
  }
}
