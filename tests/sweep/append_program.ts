/**
 * Appends lines to a log until it is killed, small ones and large ones in turn, and notes each that
 * it was told is written.
 *
 * Usage: `append_program.ts ROOT NAME RECEIPTS`.
 *
 * @module
 */

import { type AuditEntry, writeAuditEntry } from "../../mod.ts";

/** How long the agent's words are, so that a line has about 300 bytes, or a megabyte. */
export const BOUNDS = { small: 100, large: 1_000_000 };

/** A line that was acknowledged. */
export interface Receipt {
  readonly name: string;
  readonly n: number;
  readonly bytes: number;
}

/**
 * A writer's entry.
 *
 * @param name The writer.
 * @param n Which of its entries.
 * @param bytes How long the agent's words are.
 * @returns The entry.
 */
export function entryOf(name: string, n: number, bytes: number): AuditEntry {
  return {
    timestamp: new Date().toISOString(),
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: "operator-edit",
    operatorNotes: `${name} ${n}`,
    justification: name[0]!.repeat(bytes),
    diff: "",
    operator: "ada@host",
  };
}

if (import.meta.main) {
  const [root, name, path] = Deno.args as [string, string, string];
  using receipts = Deno.openSync(path, { append: true });
  for (let n = 0;; n++) {
    const bytes = n % 2 === 0 ? BOUNDS.small : BOUNDS.large;
    await writeAuditEntry(entryOf(name, n, bytes), { root });
    const receipt: Receipt = { name, n, bytes };
    receipts.writeSync(new TextEncoder().encode(JSON.stringify(receipt) + "\n"));
  }
}
