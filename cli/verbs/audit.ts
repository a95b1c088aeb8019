/**
 * `audit show` and `audit verify`.
 *
 * @module
 */

import {
  auditDir,
  type AuditEntry,
  checkBottleSlug,
  instantOf,
  isBottleSlug,
  readAuditEntries,
  verifyAuditLog,
  visibleLine,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../flags.ts";
import { renderQuoted } from "../render.ts";
import { wrap } from "../wrap.ts";

const COMPONENTS = ["cred-proxy", "pipelock", "rebuild"];

/** A log, by the two halves of its name. */
interface LogName {
  readonly component: string;
  readonly slug: string;
}

/** The logs that the flags name, by file name. A file that is no log of ours is not looked at. */
async function selectLogs(context: Context): Promise<LogName[]> {
  const { bottle, component } = context.flags;
  if (component !== undefined && !COMPONENTS.includes(component)) {
    throw new UsageError(
      `Cannot use ${component} as --component: expected one of ${COMPONENTS.join(", ")}`,
    );
  }
  const logs: LogName[] = [];
  for await (const { name } of readDirIfAny(auditDir(context.root))) {
    const owner = COMPONENTS.find((prefix) => name.startsWith(`${prefix}-`));
    const slug = owner === undefined ? "" : name.slice(owner.length + 1).replace(/\.log$/, "");
    if (owner === undefined || !name.endsWith(".log") || !isBottleSlug(slug)) continue;
    if (component !== undefined && component !== owner) continue;
    if (bottle === undefined || checkBottleSlug(bottle) === slug) {
      logs.push({ component: owner, slug });
    }
  }
  const nameOf = ({ component, slug }: LogName) => `${component}-${slug}`;
  return logs.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

async function* readDirIfAny(dir: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
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
    operator: entry.operator,
    proposal_id: entry.proposalId,
    proposal_sha256: entry.proposalSha256,
    final_sha256: entry.finalSha256,
  };
}

function printEntry(context: Context, entry: AuditEntry): void {
  const bar = (label: string, text: string) => {
    if (text.trim() === "") return;
    context.print(`  ${label}:`);
    for (const line of renderQuoted(text, "  │ ", context.columns)) context.print(line);
  };
  const line = (text: string) => {
    for (const row of wrap("", visibleLine(text), context.columns)) context.print(row);
  };
  const { operatorAction, timestamp, component, bottleSlug, operator, proposalId } = entry;
  line(`${operatorAction}  ${timestamp}  ${component}  ${bottleSlug}`);
  if (operator !== undefined) line(`  by ${operator}`);
  if (proposalId !== undefined) line(`  proposal ${proposalId}`);
  bar("notes", entry.operatorNotes);
  bar("the agent said", entry.justification);
  bar("diff", entry.diff);
}

/**
 * Shows the entries of the audit logs.
 *
 * @param context The context.
 */
export async function auditShow(context: Context): Promise<void> {
  const { root, flags } = context;
  const entries: AuditEntry[] = [];
  for (const { component, slug } of await selectLogs(context)) {
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

/**
 * Checks that every line of the audit logs is an entry of its log.
 *
 * @param context The context.
 * @returns The exit code: 1 if any log is not sound.
 */
export async function auditVerify(context: Context): Promise<number> {
  const logs = await selectLogs(context);
  const results = await Promise.all(
    logs.map(({ component, slug }) => verifyAuditLog(component, slug, { root: context.root })),
  );
  const sound = results.every(({ ok }) => ok);
  if (context.flags.json) {
    context.printJson({ ok: sound, logs: results });
    return sound ? 0 : 1;
  }
  if (results.length === 0) context.print("There is no audit log.");
  for (const { ok, file, lines, foreign, broken } of results) {
    const word = ok ? context.style.green("ok  ") : context.style.red("FAIL");
    const count = `${lines} ${lines === 1 ? "line" : "lines"}`;
    context.print(`${word} ${file}: ${count}, ${foreign} foreign, ${broken.length} broken`);
    for (const { line, reason } of broken) {
      context.print(`     line ${line}: ${visibleLine(reason)}`);
    }
  }
  return sound ? 0 : 1;
}
