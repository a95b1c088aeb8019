/**
 * The entries of the audit logs: which logs there are, one line read, all entries of a log, one entry
 * appended. The first seven fields of a line are the Python original's; ours follow.
 *
 * @module
 */

import { auditDir, auditLogPath, claudeBottleRoot, privateDir } from "../disk/layout.ts";
import { readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { parseAuditEntry, parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { isBottleSlug } from "../records/names.ts";
import { COMPONENT_FOR_TOOL, COMPONENT_REBUILD, TOOLS } from "../records/proposal.ts";
import { appendEntry } from "./append.ts";
import { linesOf, linkOf } from "./chain.ts";
import { join } from "@std/path";

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

/**
 * Appends an entry to the audit log of its component and bottle: chained to the lines before it and
 * signed, under `flock(2)`, as one write, synced before this returns. The file has mode 0600. The
 * signing key is made on first use, in `<root>/private`.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/audit` and `<root>/private`.
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
 * const [read] = await readAuditEntries("pipelock", "dev-1", { root });
 * assertEquals([read?.seq, read?.operatorNotes], [0, "Removed the old mirror."]);
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param entry The entry.
 * @param options Where the log is.
 * @returns The log's path.
 * @throws {InvalidNameError} If the component or the slug is none; nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is written.
 * @throws {MalformedRecordError} If the record of what was written last is damaged; nothing is written.
 * @throws {Error} If the signing key's file is no Ed25519 key, or others may read it.
 */
export async function writeAuditEntry(
  entry: AuditEntry,
  options: WriteAuditOptions = {},
): Promise<string> {
  const { root = claudeBottleRoot() } = options;
  const path = auditLogPath(entry.component, entry.bottleSlug, { root });
  await appendEntry(entry, root);
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
  for (const raw of linesOf(bytes)) {
    line++;
    if (isBlank(raw)) continue;
    try {
      yield { line, entry: parseAuditLine(raw, file) };
    } catch (error) {
      if (!(error instanceof MalformedRecordError)) throw error;
      yield { line, broken: { line, reason: reasonOf(error) } };
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
  for (const { entry, broken } of readLines(auditLogPath(component, slug, options))) {
    if (entry !== undefined) entries.push(entry);
    if (broken !== undefined) options.onBroken?.(broken);
  }
  return entries;
}

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

/** The components that have an audit log. */
export const AUDIT_COMPONENTS: readonly string[] = TOOLS.map((tool) =>
  COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD
);

/** An audit log, by the two halves of its name. */
export interface AuditLogId {
  /** The component. */
  readonly component: string;
  /** The bottle's slug. */
  readonly slug: string;
}

/**
 * Takes a log's name apart.
 *
 * @param name `<component>-<slug>`.
 * @returns Its halves, or `undefined` if it is no name of a log.
 */
export function parseAuditLogName(name: string): AuditLogId | undefined {
  const component = AUDIT_COMPONENTS.find((component) => name.startsWith(`${component}-`));
  if (component === undefined) return undefined;
  const slug = name.slice(component.length + 1);
  return isBottleSlug(slug) ? { component, slug } : undefined;
}

/**
 * Lists the audit logs of a root by name: those that are there, and those that this root wrote to
 * and that should be there. What else lies in the directory is passed over.
 *
 * Needs `--allow-read` for the root.
 *
 * @param root The root.
 * @returns The logs.
 */
export function listAuditLogs(root: string): AuditLogId[] {
  const names = new Set(listNames(join(privateDir(root), "heads")));
  for (const name of listNames(auditDir({ root }))) {
    if (name.endsWith(".log")) names.add(name.slice(0, -".log".length));
  }
  return [...names].sort().flatMap((name) => parseAuditLogName(name) ?? []);
}
