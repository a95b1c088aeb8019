/**
 * `audit verify`: checks whether the audit logs were changed.
 *
 * @module
 */

import {
  parseAnchors,
  parseAuditLogName,
  readSigningKey,
  verifyAuditArchive,
  verifyAuditLogs,
  visibleLine,
} from "../../internal_mod.ts";
import type { Anchor, AuditVerification } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { isSelected, logsThatMayBe, nameOfLog, noAuditLog, selectLogs } from "../operate/logs.ts";
import { alignColumns, wrap } from "../render/wrap.ts";

interface Verified {
  readonly logs: readonly AuditVerification[];
  /** The fingerprints of the trusted keys. */
  readonly keys: readonly string[];
  /** Whether those keys came with the logs. */
  readonly ownKey: boolean;
  /** What is wrong with an archive as a whole; `""` if nothing is. */
  readonly problem: string;
  /** The fingerprint of the key that signed an archive as a whole. */
  readonly signedBy?: string;
}

async function readText(context: Context, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return new TextDecoder().decode(await readNamedFile(context, file));
}

/** Refuses anchors that would check nothing: comments alone, empty or other logs, a wrong name. */
async function readAnchors(
  context: Context,
  file: string | undefined,
): Promise<readonly Anchor[]> {
  const { flags } = context;
  const text = await readText(context, file);
  if (text === undefined) return [];
  const anchors = parseAnchors(text, file!);
  const stray = anchors.find(({ log }) => parseAuditLogName(log) === undefined);
  if (stray !== undefined) {
    throw new UsageError(`Cannot use ${stray.source}: ${stray.log} is no name of an audit log`);
  }
  const isWanted = isSelected(context);
  const checks = anchors.some(({ seq, log }) => seq > 0 && isWanted(parseAuditLogName(log)!));
  if (checks) return anchors;
  const selected = flags.bottle === undefined && flags.component === undefined
    ? "no head of a log with lines"
    : "no head of a log with lines that --bottle and --component select";
  throw new UsageError(
    `Cannot use ${file} as --anchors: it has ${selected}, so it would check nothing; see ${context.supervise} audit head`,
  );
}

/** What the logs are checked with; without public keys, with the key that is with them. */
interface Trusted {
  readonly anchors: readonly Anchor[];
  readonly publicKeys?: string;
}

async function verifyRoot(context: Context, trusted: Trusted): Promise<Verified> {
  const { anchors, publicKeys } = trusted;
  const { root } = context;
  const present = selectLogs(context).map(nameOfLog);
  // A log must be there if an anchor names it.
  const expected = new Set([...present, ...anchors.map(({ log }) => log)]);
  const named = anchors.flatMap(({ log }) => parseAuditLogName(log) ?? []);
  const all = [...logsThatMayBe(root), ...named].filter(isSelected(context));
  const logs: AuditVerification[] = [];
  const ids = new Map(all.map((id) => [nameOfLog(id), id])).values();
  for await (const log of verifyAuditLogs(ids, { root, ...trusted })) {
    // Of a removed log only the heads in responses may be left. Then the check of those fails.
    if (expected.has(nameOfLog(log)) || !log.ok) logs.push(log);
  }
  const signed = logs.some(({ chained }) => chained > 0);
  const keys: string[] = [];
  try {
    const own = publicKeys === undefined && signed ? readSigningKey(root) : undefined;
    if (own !== undefined) keys.push(own.fingerprint);
  } catch (error) {
    // Another key is in the key's place. What each log lacks is still told.
    context.complain(`! ${error instanceof Error ? error.message : error}`);
  }
  return { logs, keys, ownKey: false, problem: "" };
}

/** The largest archive that is read, in bytes. */
const MAX_ARCHIVE_BYTES = 2 ** 31;

async function verifyArchive(
  context: Context,
  file: string,
  trusted: Trusted,
): Promise<Verified> {
  const archive = await readNamedFile(context, file, MAX_ARCHIVE_BYTES);
  const { logs, ...rest } = verifyAuditArchive(archive, { file, ...trusted });
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
  const [header = "", ...lines] = alignColumns(rows, 5);
  const { dim, green, red } = context.style;
  context.print(`${dim("    ")}  ${header}`);
  for (const [n, log] of logs.entries()) {
    context.print(`${log.ok ? green("ok  ") : red("FAIL")}  ${lines[n]}`);
    for (
      const row of notes(context, log).flatMap((note) => wrap("      ", note, context.columns))
    ) {
      context.print(row);
    }
  }
}

function notes(
  { visible }: Context,
  { firstError, broken, uncovered, lines }: AuditVerification,
): string[] {
  const said: string[] = [];
  if (firstError !== "") said.push(visible(firstError, "code"));
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
 * Checks the audit logs of the root, or of an archive. The exit code is 1 if one fails.
 *
 * @throws {NotFoundError} If there is nothing to check, also where nothing was decided yet: a script with
 * another root than it means, or another bottle, would pass for ever.
 */
export async function auditVerify(context: Context): Promise<number> {
  const { flags } = context;
  const publicKeys = await readText(context, flags.publicKey);
  const anchors = await readAnchors(context, flags.anchors);
  const trusted = { anchors, ...(publicKeys !== undefined && { publicKeys }) };
  const { logs, keys, ownKey, problem, signedBy } = flags.archive === undefined
    ? await verifyRoot(context, trusted)
    : await verifyArchive(context, flags.archive, trusted);
  const isEmpty = logs.every(({ ok, lines }) => ok && lines === 0);
  if (problem === "" && isEmpty) throw noAuditLog(context, "verify");
  const sound = problem === "" && logs.every(({ ok }) => ok);
  if (flags.json) {
    context.printJson({
      ok: sound,
      keys,
      own_key: ownKey,
      ...(signedBy !== undefined && { archive_key: signedBy }),
      archive_error: problem,
      logs: logs.map(logJson),
    });
    return sound ? 0 : 1;
  }
  if (logs.length > 0) printTable(context, logs);
  if (problem !== "") {
    context.print(`${context.style.red("FAIL")}  the archive as a whole`);
    for (const row of wrap("      ", problem, context.columns)) context.print(row);
  }
  // Of several trusted keys, one signed the archive; the others can have signed lines only.
  for (const key of signedBy ? [signedBy] : keys) {
    context.print(context.style.dim(`signed with ${key}`));
  }
  if (ownKey) {
    context.complain(
      "! that key came with the archive: compare it with the fingerprint that you saved, " +
        "or name the key with --public-key",
    );
  }
  return sound ? 0 : 1;
}

if (import.meta.main) await runAlone({ "audit verify": auditVerify });
