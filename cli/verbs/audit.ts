/**
 * The verbs that save the audit logs and their heads. `audit show` and `audit verify` have their own files.
 *
 * @module
 */

import {
  type AuditLogId,
  ensureSigningKey,
  exportAuditLogs,
  formatAnchors,
  formatHead,
  readAuditHead,
  readSigningKey,
} from "../../internal_mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { complainOfUnsound, nameOfLog, noAuditLog, selectLogs } from "../operate/logs.ts";

/**
 * `audit export`: writes lines, public key and heads into one archive, on standard output. The exit code is 1
 * if a log is not sound, or is gone.
 */
export async function auditExport(context: Context): Promise<number> {
  if (context.flags.json) {
    throw new UsageError("Cannot export as JSON: the archive has its own form");
  }
  if (context.outIsTerminal) {
    throw new UsageError("Cannot export to a terminal: write audit export > FILE");
  }
  const { root } = context;
  const logs = selectLogs(context);
  const code = await complainOfUnsound(context);
  if (logs.length === 0) throw noAuditLog(context, "export");
  const onUnreadable = (log: AuditLogId) =>
    context.complain(`! ${nameOfLog(log)} is not in the archive: it cannot be read`);
  context.write(await exportAuditLogs(logs, { root, onUnreadable }));
  const { fingerprint } = await ensureSigningKey(root);
  context.complain(`! signed with ${fingerprint}; tell the reader this fingerprint some other way`);
  return code;
}

/** `audit head`: prints the heads of the logs, as `--anchors` reads them. The exit code is as for `export`. */
export async function auditHead(context: Context): Promise<number> {
  const { root, flags } = context;
  const logs = selectLogs(context);
  const code = await complainOfUnsound(context);
  if (logs.length === 0) throw noAuditLog(context, "print a head");
  const heads = [];
  for (const id of logs) {
    try {
      heads.push(await readAuditHead(id, { root }));
    } catch (error) {
      // A log that cannot be read failed its check, which is said; the heads of the others are needed.
      if (code === 0 || error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  const fingerprint = readSigningKey(root)?.fingerprint;
  if (flags.json) {
    const rows = heads.map((head) => ({ log: head.log, head: formatHead(head) }));
    context.printJson({ key: fingerprint ?? null, heads: rows });
    return code;
  }
  const key = fingerprint === undefined ? "no key is here" : `signed with ${fingerprint}`;
  context.printToCopy(`# ${new Date().toISOString()}, ${key}`);
  context.printToCopy(formatAnchors(heads).trimEnd());
  return code;
}

if (import.meta.main) {
  await runAlone({ "audit export": auditExport, "audit head": auditHead });
}
