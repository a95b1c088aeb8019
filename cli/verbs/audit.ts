/**
 * `audit show`, and which logs the `audit` verbs are about.
 *
 * @module
 */

import {
  AUDIT_COMPONENTS,
  type AuditEntry,
  type AuditLogId,
  instantOf,
  listAuditLogs,
  readAuditEntries,
  type TextKind,
  visibleLine,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../flags.ts";
import { trimPlain } from "../render.ts";
import { renderQuoted } from "../render_quoted.ts";
import { visibleJson } from "../visible_json.ts";
import { wrap } from "../wrap.ts";

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
    foreign_answer: entry.foreignAnswer,
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
  if (entry.foreignAnswer !== undefined) line(`  overrode an answer: ${entry.foreignAnswer}`);
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
