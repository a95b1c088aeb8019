/**
 * The audit log: one JSON line for each decision, append-only, one file for each component of a
 * bottle. The first seven fields are the Python original's; ours follow.
 *
 * @module
 */

import type { AuditEntry } from "./audit_entry.ts";
import { appendLine } from "./durable.ts";
import { quote } from "./config/problem.ts";
import { MalformedRecordError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogPath } from "./paths.ts";
import { parseJsonBytes } from "./untrusted.ts";
import { encodeAuditEntry, parseAuditEntry } from "./wire.ts";

/** A line that is no audit entry. */
export interface BrokenLine {
  /** The line's number, from 1. */
  readonly line: number;
  /** What is wrong with it. */
  readonly reason: string;
}

/** Where the log is. */
export interface WriteAuditOptions {
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

/** Where the log is, and who is told of what is passed over. */
export interface ReadAuditOptions extends WriteAuditOptions {
  /** Called for every line that is no audit entry. */
  readonly onBroken?: (line: BrokenLine) => void;
}

/** What {@linkcode verifyAuditLog} found. */
export interface AuditVerification {
  /** Whether every line is an audit entry of this log. */
  readonly ok: boolean;
  /** The log. */
  readonly file: string;
  /** How many lines there are, blank ones not counted. */
  readonly lines: number;
  /** How many of them were written by the Python original, without our fields. */
  readonly foreign: number;
  /** The lines that are no entries of this log. */
  readonly broken: readonly BrokenLine[];
}

/**
 * Appends an entry to the audit log of its component and bottle, under `flock(2)`, as one write,
 * synced before this returns. The file has mode 0600.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/audit`.
 *
 * @example Append and read back
 * ```ts
 * import { readAuditEntries, writeAuditEntry } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const entry = {
 *   timestamp: "2026-11-22T10:49:36.924Z",
 *   bottleSlug: "dev-1",
 *   component: "pipelock",
 *   operatorAction: "operator-edit",
 *   operatorNotes: "Removed the old mirror.",
 *   justification: "",
 *   diff: "",
 * };
 * await writeAuditEntry(entry, { root });
 * assertEquals(await readAuditEntries("pipelock", "dev-1", { root }), [entry]);
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param entry The entry.
 * @param options Where the log is.
 * @returns The log's path.
 * @throws {InvalidNameError} If the component or the slug is none; nothing is written.
 */
export async function writeAuditEntry(
  entry: AuditEntry,
  options: WriteAuditOptions = {},
): Promise<string> {
  const path = auditLogPath(entry.component, entry.bottleSlug, options.root);
  await appendLine(path, new TextEncoder().encode(encodeAuditEntry(entry)));
  return path;
}

interface ReadLine {
  readonly line: number;
  readonly entry?: AuditEntry;
  readonly broken?: BrokenLine;
}

/** Reads every line of a log that is not blank. A log that does not exist has none. */
function* readLines(file: string): Generator<ReadLine> {
  const bytes = readOwnFile(file);
  if (bytes === undefined) return;
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(0x0a, start);
    const end = lf === -1 ? bytes.length : lf;
    const raw = bytes.subarray(start, end);
    start = end + 1;
    line++;
    if (raw.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue;
    try {
      yield { line, entry: parseAuditEntry(parseJsonBytes(raw, file), file) };
    } catch (error) {
      if (!(error instanceof MalformedRecordError)) throw error;
      const field = error.field === undefined ? "" : `field "${error.field}": `;
      yield { line, broken: { line, reason: `${field}${error.reason}` } };
    }
  }
}

/**
 * Reads the audit entries of one component of one bottle, in the order of the file. Lines of the
 * Python original are entries too; a line that is none is passed over, and reported through
 * `onBroken`.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param component The component.
 * @param slug The bottle's slug.
 * @param options Where the log is, and who is told of broken lines.
 * @returns The entries; none if there is no log.
 * @throws {InvalidNameError} If the component or the slug is none.
 */
// deno-lint-ignore require-await
export async function readAuditEntries(
  component: string,
  slug: string,
  options: ReadAuditOptions = {},
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (const { entry, broken } of readLines(auditLogPath(component, slug, options.root))) {
    if (entry !== undefined) entries.push(entry);
    if (broken !== undefined) options.onBroken?.(broken);
  }
  return entries;
}

/**
 * Checks that every line of an audit log is an entry of that component and bottle.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param component The component.
 * @param slug The bottle's slug.
 * @param options Where the log is.
 * @returns What was found; a log that does not exist is sound and empty.
 * @throws {InvalidNameError} If the component or the slug is none.
 */
// deno-lint-ignore require-await
export async function verifyAuditLog(
  component: string,
  slug: string,
  options: WriteAuditOptions = {},
): Promise<AuditVerification> {
  const file = auditLogPath(component, slug, options.root);
  const broken: BrokenLine[] = [];
  let lines = 0;
  let foreign = 0;
  for (const read of readLines(file)) {
    lines++;
    if (read.broken !== undefined) broken.push(read.broken);
    if (read.entry === undefined) continue;
    if (read.entry.operator === undefined) foreign++;
    if (read.entry.component !== component || read.entry.bottleSlug !== slug) {
      const owner = `${read.entry.component}-${read.entry.bottleSlug}`;
      broken.push({ line: read.line, reason: `it is an entry of ${quote(owner)}` });
    }
  }
  return { ok: broken.length === 0, file, lines, foreign, broken };
}
