/**
 * Asks, decides and appends until it is killed, and notes each thing that it was told is done.
 *
 * Usage: `power_program.ts ROOT RECEIPTS`.
 *
 * @module
 */

import {
  decide,
  newProposal,
  queueDirForSlug,
  sha256Hex,
  type Verdict,
  writeAuditEntry,
  writeProposal,
} from "../../mod.ts";
import { entryOf } from "./append_program.ts";
import type { Decision } from "./invariants.ts";

/** Something that was acknowledged. */
export type Receipt =
  | { readonly kind: "proposal"; readonly id: string; readonly file: string }
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "line"; readonly notes: string }
  /** Written and never synced: what a real cut takes. */
  | { readonly kind: "unsynced"; readonly text: string };

/**
 * The file that is never synced.
 *
 * @param root The root.
 * @returns Its path.
 */
export function unsyncedPath(root: string): string {
  return `${root}.unsynced`;
}

const VERDICTS: readonly Verdict[] = [
  { status: "approved" },
  { status: "modified", finalFile: "mine.example\n" },
  { status: "rejected" },
];

if (import.meta.main) {
  const [root, path] = Deno.args as [string, string];
  using receipts = Deno.openSync(path, { append: true });
  const note = (receipt: Receipt) =>
    receipts.writeSync(new TextEncoder().encode(JSON.stringify(receipt) + "\n"));
  const bottleSlug = "dev-1";
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const notes = "So be it.";
  const pending: { readonly id: string; readonly file: string; readonly sha256: string }[] = [];

  for (let n = 0;; n++) {
    const file = `host-${n}.example\n`;
    const proposal = newProposal({
      bottleSlug,
      tool: "pipelock-block",
      proposedFile: file,
      justification: `For ${n}.`,
      currentFileHash: "",
    });
    const written = await writeProposal(queueDir, proposal);
    note({ kind: "proposal", id: proposal.id, file });
    pending.push({ id: proposal.id, file, sha256: sha256Hex(await Deno.readFile(written)) });

    // One of three stays pending.
    if (n % 3 !== 0) {
      const next = pending.shift()!;
      const verdict = VERDICTS[n % 2 === 0 ? 0 : 1 + n % 3 % 2]!;
      await decide({
        root,
        bottleSlug,
        proposalId: next.id,
        proposalSha256: next.sha256,
        verdict,
        notes,
        operator: "ada@host",
      });
      const { status } = verdict;
      const finalFile = status === "modified"
        ? verdict.finalFile
        : status === "approved"
        ? next.file
        : null;
      note({ kind: "decision", decision: { id: next.id, status, notes, finalFile } });
    }
    const entry = entryOf("line", n, 100);
    await writeAuditEntry(entry, { root });
    note({ kind: "line", notes: entry.operatorNotes });

    const text = `${n}\n`;
    Deno.writeTextFileSync(unsyncedPath(root), text, { append: true });
    note({ kind: "unsynced", text });
  }
}
