/**
 * The audit log: one JSON line for each decision, append-only, one file for each component of a
 * bottle. The first seven fields are the Python original's; ours follow.
 *
 * @module
 */

import { appendEntry } from "./audit_append.ts";
import type { AuditEntry } from "./audit_entry.ts";
import { isBlank, parseAuditLine, reasonOf } from "./audit_line.ts";
import { linesOf } from "./chain.ts";
import { MalformedRecordError } from "./errors.ts";
import { readOwnFile } from "./own_files.ts";
import { auditLogPath, claudeBottleRoot } from "./paths.ts";

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
  const path = auditLogPath(entry.component, entry.bottleSlug, root);
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
  for (const { entry, broken } of readLines(auditLogPath(component, slug, options.root))) {
    if (entry !== undefined) entries.push(entry);
    if (broken !== undefined) options.onBroken?.(broken);
  }
  return entries;
}
