/**
 * Whether the audit logs are sound, and the key that signs them is there.
 *
 * @module
 */

import {
  AUDIT_COMPONENTS,
  type AuditLogId,
  listAuditLogs,
  listBottles,
  readSigningKey,
  verifyAuditLog,
} from "../../mod.ts";
import { counted, type Finding, named, type Subject } from "./finding.ts";

/** The logs that are there, and those that a bottle could have: one that was removed is one of these. */
function* logsToCheck(root: string): Generator<AuditLogId> {
  const there = listAuditLogs(root);
  yield* there;
  const names = new Set(there.map(({ component, slug }) => `${component}-${slug}`));
  for (const slug of listBottles(root).slugs) {
    for (const component of AUDIT_COMPONENTS) {
      if (!names.has(`${component}-${slug}`)) yield { component, slug };
    }
  }
}

/**
 * Checks every audit log: chain, signatures, and the heads that this root and the answers remember.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export async function checkLogs({ root }: Pick<Subject, "root">): Promise<Finding[]> {
  const found: Finding[] = [];
  const bare: string[] = [];
  let [logs, lines, chained] = [0, 0, 0];
  for (const { component, slug } of logsToCheck(root)) {
    const name = `${component}-${slug}`;
    const log = await verifyAuditLog(component, slug, { root });
    if (!log.ok) {
      found.push({
        check: "logs",
        state: "bad",
        says: `${name} is not sound: ${log.firstError}`,
        todo: `supervise audit verify --bottle ${slug}; then compare with the heads kept elsewhere`,
      });
    }
    if (log.lines > 0) logs++;
    if (log.uncovered > 0 && log.ok) bare.push(name);
    lines += log.lines;
    chained += log.chained;
  }
  if (bare.length > 0) {
    found.push({
      check: "logs",
      state: "warn",
      says: `the last lines of ${named(bare)} are not signed: by the Python original, or by hand`,
      todo: "supervise audit show; the next decision there covers them with its signature",
    });
  }
  if (found.length === 0) {
    const says = logs === 0
      ? "nothing is recorded yet"
      : `${counted(logs, "log")} with ${counted(lines, "line")} ${logs === 1 ? "is" : "are"} sound`;
    found.push({ check: "logs", state: "ok", says });
  }
  return [...found, checkKey(root, chained)];
}

function checkKey(root: string, chained: number): Finding {
  const key = readSigningKey(root);
  if (key !== undefined) {
    return { check: "signing-key", state: "ok", says: `the key is ${key.fingerprint}` };
  }
  return chained === 0
    ? {
      check: "signing-key",
      state: "ok",
      says: "there is no key yet; the first decision makes it",
    }
    : {
      check: "signing-key",
      state: "bad",
      says: "lines are signed, and the key that signed them is not here",
      todo:
        "put private/audit-signing-key.pem back from a copy; the next decision would make another",
    };
}
