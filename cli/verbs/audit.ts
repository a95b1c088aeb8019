/**
 * `audit show`, `head`, `export` and `verify`.
 *
 * @module
 */

import {
  AUDIT_COMPONENTS,
  type AuditLogId,
  ensureSigningKey,
  exportAuditLogs,
  formatAnchors,
  formatHead,
  instantOf,
  listAuditLogs,
  listBottles,
  parseAnchors,
  parseAuditLogName,
  readAuditHead,
  readSigningKey,
  type TextKind,
  verifyAuditArchive,
  visibleLine,
} from "../../internal_mod.ts";
import {
  type Anchor,
  type AuditEntry,
  type AuditVerification,
  readAuditEntries,
  verifyAuditLog,
} from "../../mod.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { visibleJson } from "../render/json.ts";
import { renderQuoted } from "../render/quote.ts";
import { trimPlain } from "../render/style.ts";
import { wrap } from "../render/wrap.ts";

/**
 * Whether the flags name a log.
 *
 * @param context The context.
 * @returns A test for a log.
 * @throws {UsageError} If `--component` is none.
 */
export function isSelected({ flags }: Context): (id: AuditLogId) => boolean {
  const { bottle, component } = flags;
  if (component !== undefined && !AUDIT_COMPONENTS.includes(component)) {
    throw new UsageError(
      `Cannot use ${component} as --component: expected one of ${AUDIT_COMPONENTS.join(", ")}`,
    );
  }
  return (id) =>
    (component === undefined || id.component === component) &&
    (bottle === undefined || id.slug === bottle);
}

/**
 * The logs of the root that the flags name, by name.
 *
 * @param context The context.
 * @returns The logs.
 */
export function selectLogs(context: Context): AuditLogId[] {
  return listAuditLogs(context.root).filter(isSelected(context));
}

function entryJson(entry: AuditEntry): object {
  return {
    timestamp: entry.timestamp,
    bottle_slug: entry.bottleSlug,
    component: entry.component,
    operator_action: entry.operatorAction,
    operator_notes: entry.operatorNotes,
    justification: entry.justification,
    diff: entry.diff,
    ...visibleJson(
      { operator_notes: entry.operatorNotes, justification: entry.justification },
      "prose",
    ),
    ...visibleJson({ diff: entry.diff }, "code"),
    operator: entry.operator,
    operator_name: entry.operatorName,
    operator_key: entry.operatorKey,
    proposal_id: entry.proposalId,
    proposal_sha256: entry.proposalSha256,
    final_sha256: entry.finalSha256,
    foreign_answer: entry.unrecordedResponse,
    repair: entry.repair,
    seq: entry.seq,
  };
}

function printEntry(context: Context, entry: AuditEntry): void {
  const bar = (label: string, text: string, kind: TextKind) => {
    if (trimPlain(text) === "") return;
    const quotation = { heading: `  ${label}:`, text, kind };
    for (const line of renderQuoted(quotation, context.columns, context.style)) context.print(line);
  };
  const line = (text: string) => {
    for (const row of wrap("", visibleLine(text), context.columns)) context.print(row);
  };
  const { operatorAction, timestamp, component, bottleSlug, operator, operatorName } = entry;
  line(`${operatorAction}  ${timestamp}  ${component}  ${bottleSlug}`);
  const name = operatorName === undefined ? "" : ` (${operatorName})`;
  if (operator !== undefined) line(`  by ${operator}${name}`);
  line(entry.operatorKey === undefined ? "  not signed" : `  key ${entry.operatorKey}`);
  if (entry.proposalId !== undefined) line(`  proposal ${entry.proposalId}`);
  if (entry.unrecordedResponse !== undefined) {
    line(`  overrode an answer: ${entry.unrecordedResponse}`);
  }
  if (entry.repair !== undefined) line(`  repair: ${entry.repair}`);
  bar("notes", entry.operatorNotes, "prose");
  bar("the agent said", entry.justification, "prose");
  bar("diff", entry.diff, "code");
}

/**
 * Shows the entries of the audit logs.
 *
 * @param context The context.
 */
export async function auditShow(context: Context): Promise<void> {
  const { root, flags } = context;
  const entries: AuditEntry[] = [];
  for (const { component, slug } of selectLogs(context)) {
    let broken = 0;
    entries.push(...await readAuditEntries(component, slug, { root, onBroken: () => broken++ }));
    if (broken > 0) {
      context.complain(
        `! ${component}-${slug}.log: passed over ${broken} broken lines; run audit verify`,
      );
    }
  }
  entries.sort((a, b) => instantOf(a.timestamp) - instantOf(b.timestamp));
  if (flags.json) {
    context.printJson({ entries: entries.map(entryJson) });
    return;
  }
  if (entries.length === 0) context.print("Nothing is recorded.");
  for (const entry of entries) printEntry(context, entry);
}

/** What is kept elsewhere is kept as it is; that it is not sound must not go unsaid. */
async function complainOfUnsound(context: Context): Promise<void> {
  const { root } = context;
  for (const { component, slug } of selectLogs(context)) {
    const { ok, firstError } = await verifyAuditLog(component, slug, { root });
    if (!ok) {
      context.complain(`! ${component}-${slug} is not sound: ${firstError}; see audit verify`);
    }
  }
}

/**
 * Writes an archive of the logs to standard output: lines, public key, heads.
 *
 * @param context The context.
 */
export async function auditExport(context: Context): Promise<void> {
  if (context.flags.json) {
    throw new UsageError("Cannot export as JSON: the archive has its own form");
  }
  if (context.outIsTerminal) {
    throw new UsageError("Cannot export to a terminal: write audit export > FILE");
  }
  const { root } = context;
  await complainOfUnsound(context);
  context.write(await exportAuditLogs(selectLogs(context), { root }));
  const { fingerprint } = await ensureSigningKey(root);
  context.complain(`! signed with ${fingerprint}; tell the reader this fingerprint some other way`);
}

/**
 * Prints the heads of the logs, as `--anchors` reads them.
 *
 * @param context The context.
 */
export async function auditHead(context: Context): Promise<void> {
  const { root, flags } = context;
  await complainOfUnsound(context);
  const heads = [];
  for (const id of selectLogs(context)) heads.push(await readAuditHead(id, { root }));
  const fingerprint = readSigningKey(root)?.fingerprint;
  if (flags.json) {
    const rows = heads.map((head) => ({ log: head.log, head: formatHead(head) }));
    context.printJson({ key: fingerprint ?? null, heads: rows });
    return;
  }
  const key = fingerprint === undefined ? "no key is here" : `signed with ${fingerprint}`;
  context.print(`# ${new Date().toISOString()}, ${key}`);
  if (heads.length > 0) context.print(formatAnchors(heads).trimEnd());
}

interface Verified {
  readonly logs: readonly AuditVerification[];
  /** The keys that were trusted, and whether they came with the logs. */
  readonly keys: readonly string[];
  readonly ownKey: boolean;
}

function nameOfLog({ component, slug }: AuditLogId): string {
  return `${component}-${slug}`;
}

async function readText(context: Context, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return new TextDecoder().decode(await readNamedFile(context, file));
}

/** What was to be checked must not pass for checked: neither an empty file, nor an anchor of no log. */
async function readAnchors(
  context: Context,
  file: string | undefined,
): Promise<readonly Anchor[]> {
  const text = await readText(context, file);
  if (text === undefined) return [];
  if (text.trim() === "") {
    throw new UsageError(`Cannot use ${file} as --anchors: it is empty; see audit head`);
  }
  const anchors = parseAnchors(text, file!);
  const stray = anchors.find(({ log }) => parseAuditLogName(log) === undefined);
  if (stray === undefined) return anchors;
  throw new UsageError(`Cannot use ${stray.source}: ${stray.log} is no name of an audit log`);
}

async function verifyRoot(
  context: Context,
  publicKeys: string | undefined,
  anchors: readonly Anchor[],
): Promise<Verified> {
  const { root } = context;
  const isMeant = isSelected(context);
  const selected = new Map(selectLogs(context).map((id) => [nameOfLog(id), id]));
  // A log that an anchor knows must be there.
  for (const { log } of anchors) {
    const id = parseAuditLogName(log);
    if (id !== undefined && isMeant(id)) selected.set(log, id);
  }
  const trusted = publicKeys === undefined ? {} : { publicKeys };
  const verify = ({ component, slug }: AuditLogId) =>
    verifyAuditLog(component, slug, { root, anchors, ...trusted });
  const logs: AuditVerification[] = [];
  // One after the other: each is in memory as a whole.
  for (const id of selected.values()) logs.push(await verify(id));
  // One that was removed, and this root's memory of it too, is known to the answers alone.
  for (const slug of listBottles(root).slugs) {
    for (const component of AUDIT_COMPONENTS) {
      const id = { component, slug };
      if (selected.has(nameOfLog(id)) || !isMeant(id)) continue;
      const found = await verify(id);
      if (!found.ok) logs.push(found);
    }
  }
  const signed = logs.some(({ chained }) => chained > 0);
  const own = publicKeys === undefined && signed ? readSigningKey(root) : undefined;
  const keys = own === undefined ? [] : [own.fingerprint];
  return { logs, keys, ownKey: false };
}

async function verifyArchive(
  context: Context,
  file: string,
  publicKeys: string | undefined,
  anchors: readonly Anchor[],
): Promise<Verified> {
  const archive = await readNamedFile(context, file);
  const trusted = publicKeys === undefined ? {} : { publicKeys };
  const { logs, ...rest } = verifyAuditArchive(archive, { file, anchors, ...trusted });
  const selected = isSelected(context);
  return {
    ...rest,
    logs: logs.filter((log) => {
      const id = parseAuditLogName(nameOf(log));
      return id === undefined || selected(id);
    }),
  };
}

function nameOf({ file }: AuditVerification): string {
  return file.replace(/^.*\//, "").replace(/\.log$/, "");
}

function logJson(log: AuditVerification): object {
  const { ok, file, lines, chained, foreign, torn, signatures, uncovered, head, broken } = log;
  return {
    ok,
    file,
    lines,
    chained,
    foreign,
    torn,
    signatures,
    uncovered,
    head,
    first_error: log.firstError,
    broken,
  };
}

function printTable(context: Context, logs: readonly AuditVerification[]): void {
  const rows = [
    ["LINES", "CHAINED", "FOREIGN", "TORN", "SIGNATURES", "HEAD", "LOG"],
    ...logs.map((log) => [
      String(log.lines),
      String(log.chained),
      String(log.foreign),
      String(log.torn),
      String(log.signatures),
      log.head.slice(0, log.head.indexOf(":") + 13),
      visibleLine(nameOf(log), "code"),
    ]),
  ];
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => row[n]!.length)));
  const print = (word: string, row: readonly string[]) =>
    context.print(
      `${word}  ${
        row.map((cell, n) => n < 5 ? cell.padStart(widths[n]!) : cell.padEnd(widths[n]!)).join("  ")
          .trimEnd()
      }`,
    );
  print(context.style.dim("    "), rows[0]!);
  for (const [n, log] of logs.entries()) {
    print(log.ok ? context.style.green("ok  ") : context.style.red("FAIL"), rows[n + 1]!);
    for (const row of notes(log).flatMap((note) => wrap("      ", note, context.columns))) {
      context.print(row);
    }
  }
}

function notes({ firstError, broken, uncovered, lines }: AuditVerification): string[] {
  const said: string[] = [];
  if (firstError !== "") said.push(visibleLine(firstError, "code"));
  if (broken.length > 1) said.push(`and ${broken.length - 1} more, see --json`);
  if (uncovered > 0 && lines > 0) {
    const which = uncovered === 1 ? "the last line is" : `the last ${uncovered} lines are`;
    said.push(
      `${which} not signed, and no signed line covers ${uncovered === 1 ? "it" : "them"} yet`,
    );
  }
  return said;
}

/**
 * Checks the audit logs of the root, or those in an archive.
 *
 * @param context The context.
 * @returns The exit code: 1 if any log is not sound.
 */
export async function auditVerify(context: Context): Promise<number> {
  const { flags } = context;
  const publicKeys = await readText(context, flags.publicKey);
  const { archive } = flags;
  const anchors = await readAnchors(context, flags.anchors);
  const { logs, keys, ownKey } = archive === undefined
    ? await verifyRoot(context, publicKeys, anchors)
    : await verifyArchive(context, archive, publicKeys, anchors);
  const sound = logs.every(({ ok }) => ok);
  if (flags.json) {
    context.printJson({ ok: sound, keys, own_key: ownKey, logs: logs.map(logJson) });
    return sound ? 0 : 1;
  }
  if (logs.length === 0) context.print("There is no audit log.");
  else printTable(context, logs);
  for (const key of keys) context.print(context.style.dim(`signed with ${key}`));
  if (ownKey) {
    context.complain(
      "! that key came with the archive: compare it with the fingerprint that was kept, " +
        "or name the key with --public-key",
    );
  }
  return sound ? 0 : 1;
}
