/**
 * `approve ID...`: accepts proposals as they are.
 *
 * @module
 */

import type { Context } from "../command/context.ts";
import { decideWords } from "../operate/batch.ts";
import { refuseContradiction } from "../operate/confirm.ts";

/** Approves proposals as they are. */
export async function approve(context: Context, words: readonly string[]): Promise<number> {
  refuseContradiction(context.flags);
  return await decideWords(context, words, { status: "approved" });
}
