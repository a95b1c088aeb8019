/**
 * One line of an audit log, read.
 *
 * @module
 */

import type { AuditEntry } from "./audit_entry.ts";
import { linkOf } from "./chain.ts";
import { MalformedRecordError } from "./errors.ts";
import { parseJsonBytes } from "./untrusted.ts";
import { parseAuditEntry } from "./wire.ts";

/**
 * Whether a line has nothing but blanks. The Python original passes over such lines.
 *
 * @param line The line's bytes.
 * @returns Whether it is blank.
 */
export function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a);
}

/**
 * Reads the entry on a line. What the log itself says on a line, its key above all, is passed over
 * where the line is not chained: anybody can write that. Whether it is true of a chained line is for
 * its signature to say.
 *
 * @param line The line's bytes, with its LF if it has one.
 * @param file The log's name, for the error.
 * @returns The entry.
 * @throws {MalformedRecordError} If it is no audit entry.
 */
export function parseAuditLine(line: Uint8Array, file: string): AuditEntry {
  const entry = parseAuditEntry(parseJsonBytes(line, file), file);
  if (linkOf(line) !== undefined) return entry;
  const { operatorKey: _, repair: __, seq: ___, ...said } = entry;
  return said;
}

/**
 * The entry on a line, if there is one.
 *
 * @param line The line's bytes.
 * @param file The log's name.
 * @returns The entry, or `undefined` if the line is none.
 */
export function entryOn(line: Uint8Array, file: string): AuditEntry | undefined {
  try {
    return parseAuditLine(line, file);
  } catch (error) {
    if (error instanceof MalformedRecordError) return undefined;
    throw error;
  }
}

/**
 * Why a line is no entry, in words.
 *
 * @param error What reading it threw.
 * @returns The reason, without the file's name.
 */
export function reasonOf(error: MalformedRecordError): string {
  const field = error.field === undefined ? "" : `field "${error.field}": `;
  return `${field}${error.reason}`;
}
