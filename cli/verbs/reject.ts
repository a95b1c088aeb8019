/**
 * `reject ID...`: changes nothing, and tells the agent why.
 *
 * @module
 */

import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { decideWords } from "../operate/batch.ts";

/** Rejects proposals; needs `--notes`. */
export async function reject(context: Context, words: readonly string[]): Promise<number> {
  if ((context.flags.notes ?? "").trim() === "") {
    throw new UsageError("Cannot reject without --notes: say why, the agent reads it");
  }
  return await decideWords(context, words, { status: "rejected" });
}
