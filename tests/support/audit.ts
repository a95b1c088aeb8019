/**
 * Sample audit logs.
 *
 * @module
 */

import { type AuditEntry, auditLogPath, verifyAuditLog, writeAuditEntry } from "../../mod.ts";

/**
 * A sample entry.
 *
 * @param change What is different about it.
 * @returns The entry.
 */
export function sampleEntry(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    timestamp: "2026-11-22T10:49:36.924Z",
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: "approved",
    operatorNotes: "fine",
    justification: "The tests read a public gist.",
    diff: "--- a\n+++ b\n@@ -0,0 +1 @@\n+api.github.com\n",
    operator: "ada@host",
    proposalId: "p1",
    ...change,
  };
}

/** A line as the Python original writes it, LF included. */
export const FOREIGN_LINE: string = JSON.stringify({
  timestamp: "2026-11-22T10:49:37.000001+00:00",
  bottle_slug: "dev-1",
  component: "pipelock",
  operator_action: "approved",
  operator_notes: "by hand",
  justification: "",
  diff: "",
}).replaceAll('":', '": ').replaceAll(',"', ', "') + "\n";

/** A log of a root of its own. */
export interface SampleLog {
  readonly root: string;
  readonly path: string;
  /** Its lines, LF included. */
  readonly lines: () => Promise<string[]>;
  /** Replaces what is in it, keeping the file. */
  readonly put: (content: string | Uint8Array) => Promise<void>;
  /** Adds bytes to it, as none of our writers does. */
  readonly add: (content: string) => Promise<void>;
}

/**
 * Makes a log.
 *
 * @param root The root.
 * @param notes The operator's words of each entry.
 * @param slug The bottle.
 * @returns The log.
 */
export async function makeLog(
  root: string,
  notes: readonly string[],
  slug = "dev-1",
): Promise<SampleLog> {
  for (const [n, operatorNotes] of notes.entries()) {
    const change = { operatorNotes, bottleSlug: slug, proposalId: `p${n}` };
    await writeAuditEntry(sampleEntry(change), { root });
  }
  const path = auditLogPath("pipelock", slug, { root });
  return {
    root,
    path,
    lines: async () => (await Deno.readTextFile(path)).split(/(?<=\n)/),
    put: (content) =>
      typeof content === "string"
        ? Deno.writeTextFile(path, content)
        : Deno.writeFile(path, content),
    add: (content) => Deno.writeTextFile(path, content, { append: true }),
  };
}

/**
 * Verifies the log of the sample bottle without this root's memory of it, as a stranger would who has
 * only the log and the key.
 *
 * @param log The log.
 * @param options What is trusted besides.
 * @returns What was found.
 */
export async function verifySample(
  log: SampleLog,
  options: Parameters<typeof verifyAuditLog>[2] = {},
): ReturnType<typeof verifyAuditLog> {
  await Deno.remove(`${log.root}/private/heads`, { recursive: true }).catch(() => {});
  return await verifyAuditLog("pipelock", "dev-1", { root: log.root, ...options });
}
