/**
 * `audit export` and `audit head`: what to keep elsewhere.
 *
 * @module
 */

import {
  ensureSigningKey,
  exportAuditLogs,
  formatAnchors,
  formatHead,
  readAuditHead,
  readSigningKey,
  verifyAuditLog,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../flags.ts";
import { selectLogs } from "./audit.ts";

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
