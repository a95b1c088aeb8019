/**
 * Reads what somebody swaps meanwhile. Run as a program, which must end by itself:
 *
 * ```sh
 * deno run --allow-read=<queueDir> tests/support/raced_reader.ts file <queueDir> <milliseconds>
 * ```
 *
 * It prints how often it read something sound, was refused, and saw what lies outside of the queue.
 *
 * @module
 */

import { readAnswer } from "../../internal_mod.ts";
import { readUntrusted } from "../../src/disk/read_untrusted.ts";
import { SECRET, TARGET } from "./attack.ts";

/** What came of all reads. */
export interface RaceResult {
  readonly read: number;
  readonly refused: number;
  readonly leaked: number;
}

const [what, queueDir = "", forMs] = Deno.args;

/** One read: what was seen, as text; nothing if there was nothing. */
type Look = () => string | undefined | Promise<string | undefined>;

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const LOOKS: Readonly<Record<string, readonly Look[]>> = {
  file: [false, true].map((allowHardLinks) => () =>
    decode(readUntrusted(`${queueDir}/${TARGET}`, { maxBytes: 10_000, allowHardLinks }).bytes)
  ),
  directory: [
    async () => (await readAnswer(queueDir, "p1"))?.notes,
  ],
};

async function race(looks: readonly Look[]): Promise<RaceResult> {
  const result = { read: 0, refused: 0, leaked: 0 };
  const end = performance.now() + Number(forMs);
  while (performance.now() < end) {
    for (const look of looks) {
      try {
        const seen = await look();
        if (seen?.includes(SECRET)) result.leaked++;
        else if (seen !== undefined) result.read++;
      } catch {
        result.refused++;
      }
    }
  }
  return result;
}

if (import.meta.main) console.log(JSON.stringify(await race(LOOKS[what!]!)));
