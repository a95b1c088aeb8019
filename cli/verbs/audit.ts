/**
 * The verbs that print or save the audit logs. `audit verify`, which checks them, has its own file.
 *
 * @module
 */

import {
  ensureSigningKey,
  exportAuditLogs,
  formatAnchors,
  formatHead,
  instantOf,
  readAuditHead,
  readSigningKey,
  type TextKind,
  visibleLine,
} from "../../internal_mod.ts";
import { type AuditEntry, readAuditEntries } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { complainOfUnsound, selectLogs } from "../operate/logs.ts";
import { renderQuoted, visibleJson } from "../render/quote.ts";
import { trimPlain } from "../render/style.ts";
import { wrap } from "../render/wrap.ts";

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

/** `audit show`: prints the entries of the audit logs, the oldest first. */
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

/** `audit export`: writes lines, public key and heads into one archive, on standard output. */
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

/** `audit head`: prints the heads of the logs, as `--anchors` reads them. */
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

if (import.meta.main) {
  await runAlone({ "audit show": auditShow, "audit export": auditExport, "audit head": auditHead });
}
