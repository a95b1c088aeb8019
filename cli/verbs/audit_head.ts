/**
 * `audit head`: the anchors to save elsewhere.
 *
 * @module
 */

import { formatAnchors, formatHead, readAuditHead, readSigningKey } from "../../internal_mod.ts";
import type { Context } from "../command/context.ts";
import { complainOfUnsound, selectLogs } from "../operate/logs.ts";

/** Prints the heads of the logs, as `--anchors` reads them. */
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
