/**
 * What the host is doing right now with a file that was approved, for the sidecar of the agent that waits: one
 * small file in the queue, which is there while programs run. Who can write the queue can plant one, and
 * so tell the bottle's own agent that something is being done. No answer and no record is made of it.
 *
 * @module
 */

import { underwayPath } from "../disk/layout.ts";
import { readUntrusted, sizeAndChange } from "../disk/read_untrusted.ts";
import { handOver, removeQuietly } from "../disk/write.ts";
import { parseJsonBytes } from "../records/codec.ts";
import { isFlag, isText, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";

/** What is being done, and for which proposal. */
export interface Underway {
  readonly proposalId: string;
  /** Whether the file did not take effect, and the one before is put back. */
  readonly isTakenBack: boolean;
  /** What the host does for it, such as `reloads the proxy`. */
  readonly doing: string;
}

/** No line break and nothing that does not show. */
const FEW_WORDS = /^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;

const UNDERWAY = shapeOf<Underway>("work", {
  proposalId: { wire: "proposal_id", check: isText },
  isTakenBack: { wire: "taken_back", check: isFlag },
  doing: {
    wire: "doing",
    check: (value) =>
      isText(value) ?? (FEW_WORDS.test(String(value)) ? undefined : "not a few words"),
  },
});

const MAX_BYTES = 4 * 1024;

/** Older words are from a crash: no program of `apply.json` may take longer than an hour. */
const MAX_AGE_MS = 61 * 60 * 1000;

/** What is being done for a proposal; `undefined` if nothing is, or nobody can tell. */
export function readUnderway(queueDir: string, proposalId: string): Underway | undefined {
  const path = underwayPath(queueDir);
  const { changed } = sizeAndChange(path) ?? {};
  if (changed === undefined || Date.now() - changed * 1000 > MAX_AGE_MS) return undefined;
  try {
    const { bytes } = readUntrusted(path, { maxBytes: MAX_BYTES });
    const underway = UNDERWAY.read(parseJsonBytes(bytes, path), path);
    return underway.proposalId === proposalId ? underway : undefined;
  } catch {
    return undefined; // It is gone by now, or something else was planted.
  }
}

/** Leaves what is being done where the sidecar reads it. The caller holds the bottle's lock. */
export function leaveUnderway(queueDir: string, underway: Underway, stagingDir: string): void {
  try {
    const text = asciiJson(UNDERWAY.write(underway)) + "\n";
    handOver(underwayPath(queueDir), new TextEncoder().encode(text), stagingDir, { isCopy: true });
  } catch {
    // The disk may be full. Then the agent hears that it waits, which is true too.
  }
}

/** Removes it, or what was planted in its place. */
export function clearUnderway(queueDir: string): void {
  removeQuietly(underwayPath(queueDir));
}
