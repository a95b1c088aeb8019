/**
 * `audit export`: the logs in one file, to verify them elsewhere.
 *
 * @module
 */

import { ensureSigningKey, exportAuditLogs } from "../../internal_mod.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { complainOfUnsound, selectLogs } from "../operate/logs.ts";

/** Writes an archive of the logs to standard output: lines, public key, heads. */
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
