/**
 * Many sound proposals at once, as somebody who floods a queue would write them.
 *
 * @module
 */

import { encodeProposal } from "../../src/records/codec.ts";
import { sampleProposal } from "./records.ts";

/**
 * Writes sound proposals without syncing them; their ids are `p0`, `p1` and so on, and each arrived
 * before the next.
 *
 * @param queueDir The queue directory; created if missing.
 * @param count How many.
 * @param bottleSlug The bottle that asks.
 */
export function flood(queueDir: string, count: number, bottleSlug = "dev-1"): void {
  Deno.mkdirSync(queueDir, { recursive: true });
  const text = encodeProposal(sampleProposal({ id: "ID", arrivalTimestamp: "AT", bottleSlug }));
  for (let n = 0; n < count; n++) {
    const own = text.replace("ID", `p${n}`).replace("AT", new Date(n).toISOString());
    Deno.writeTextFileSync(`${queueDir}/p${n}.proposal.json`, own);
  }
}
