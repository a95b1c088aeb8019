/**
 * The entries of the audit logs: which logs there are, all entries of one, one entry appended.
 *
 * @module
 */

import { auditDir, auditLogPath, claudeBottleRoot, type RootOptions } from "../disk/layout.ts";
import { openOwnFile } from "../disk/lock.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { type AuditEntry, checkNoRule } from "../records/audit_entry.ts";
import { isBottleSlug } from "../records/names.ts";
import { AUDIT_COMPONENTS } from "../records/proposal.ts";
import { appendEntry } from "./append.ts";
import { linesOf } from "./chain.ts";
import { readLine } from "./lines.ts";
import { writtenRoot } from "./written.ts";

/** A line that is not an audit entry. */
export interface BrokenLine {
  /** The line's number, from 1. */
  readonly line: number;
  /** What is wrong with it. */
  readonly reason: string;
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
 * @throws {InvalidNameError} If the component or the slug is not valid, or the operator's name that of a rule;
 * nothing is written.
 * @throws {TypeError} If a field is of the wrong kind; nothing is written.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is written.
 * @throws {MalformedRecordError} If the record of what was written last is damaged; nothing is written.
 * @throws {Error} If the signing key's file is not an Ed25519 key, is gone though logs were signed, is not
 * the one that signed them, or others may read it; nothing is written.
 */
export async function writeAuditEntry(
  entry: AuditEntry,
  options: RootOptions = {},
): Promise<string> {
  const { root = claudeBottleRoot() } = options;
  const path = auditLogPath(entry.component, entry.bottleSlug, { root });
  for (const name of [entry.operator, entry.operatorName]) checkNoRule(name);
  await appendEntry(entry, root);
  return path;
}

/**
 * Reads the audit entries of one component of one bottle, in the order of the file. Lines of the
 * Python original are entries too. A line that is not an entry is passed over, and reported through
 * `onBroken`. The log is read piece by piece; the entries are all kept.
 *
 * Needs `--allow-read` for `<root>/audit`.
 *
 * @param component The component.
 * @param slug The bottle's slug.
 * @param options Where the log is, and what to do with lines that are not entries.
 * @returns The entries; an empty array if there is no log.
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
// deno-lint-ignore require-await
export async function readAuditEntries(
  component: string,
  slug: string,
  options: RootOptions & {
    /** Called for every line that is not an audit entry and not blank. */
    readonly onBroken?: (line: BrokenLine) => void;
  } = {},
): Promise<AuditEntry[]> {
  const path = auditLogPath(component, slug, options);
  const entries: AuditEntry[] = [];
  using file = openOwnFile(path);
  let line = 0;
  for (const bytes of linesOf(file?.chunks() ?? [])) {
    line++;
    const { entry, problem: reason } = readLine(bytes, path);
    if (entry !== undefined) entries.push(entry);
    else if (reason !== undefined) options.onBroken?.({ line, reason });
  }
  return entries;
}

/** An audit log, by the two halves of its name. */
export interface AuditLogId {
  /** The component. */
  readonly component: string;
  /** The bottle's slug. */
  readonly slug: string;
}

/** Splits `<component>-<slug>`; `undefined` if that is not the name of a log. */
export function parseAuditLogName(name: string): AuditLogId | undefined {
  const component = AUDIT_COMPONENTS.find((component) => name.startsWith(`${component}-`));
  if (component === undefined) return undefined;
  const slug = name.slice(component.length + 1);
  return isBottleSlug(slug) ? { component, slug } : undefined;
}

/**
 * Lists the audit logs of a root by name: those that exist, and those that this root wrote to, which
 * should exist. Other files in the directory are passed over.
 */
export function listAuditLogs(root: string): AuditLogId[] {
  const names = new Set(listNames(writtenRoot(root)));
  for (const name of listNames(auditDir({ root }))) {
    if (name.endsWith(".log")) names.add(name.slice(0, -".log".length));
  }
  return [...names].sort().flatMap((name) => parseAuditLogName(name) ?? []);
}
