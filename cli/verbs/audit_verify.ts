/**
 * `audit verify`: whether anybody changed the logs.
 *
 * @module
 */

import {
  type Anchor,
  AUDIT_COMPONENTS,
  type AuditLogId,
  type AuditVerification,
  listBottles,
  parseAnchors,
  parseAuditLogName,
  readSigningKey,
  verifyAuditArchive,
  verifyAuditLog,
  visibleLine,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../flags.ts";
import { readNamedFile } from "../read_file.ts";
import { wrap } from "../wrap.ts";
import { isSelected, selectLogs } from "./audit.ts";

interface Verified {
  readonly logs: readonly AuditVerification[];
  /** The keys that were trusted, and whether they came with the logs. */
  readonly keys: readonly string[];
  readonly ownKey: boolean;
}

function nameOfLog({ component, slug }: AuditLogId): string {
  return `${component}-${slug}`;
}

async function readText(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return new TextDecoder().decode(await readNamedFile(file));
}

/** What was to be checked must not pass for checked: neither an empty file, nor an anchor of no log. */
async function readAnchors(file: string | undefined): Promise<readonly Anchor[]> {
  const text = await readText(file);
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
  const archive = await readNamedFile(file);
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
  const publicKeys = await readText(flags.publicKey);
  const { archive } = flags;
  const anchors = await readAnchors(flags.anchors);
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
