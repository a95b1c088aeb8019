/**
 * What lies in a queue longer than it should: the signs that nobody works there any more.
 *
 * @module
 */

import { isProposalId, PROPOSAL_SUFFIX, queueDirForSlug, RESPONSE_SUFFIX } from "./paths.ts";
import { isUnfinished } from "./queue.ts";
import { listNames, sizeAndChange } from "./untrusted.ts";

/** How many files there are, and since when. */
export interface OldFiles {
  /** How many. */
  readonly count: number;
  /** When the oldest of them was written, in milliseconds since 1970, as its owner has it. */
  readonly oldestMs: number;
}

/** What lies in a queue. */
export interface QueueLeftovers {
  /** Answered proposals that no call has collected: a sidecar archives what it has returned. */
  readonly uncollected: OldFiles | undefined;
  /** What a sidecar that died while it wrote left behind; it clears that up when it starts. */
  readonly unfinished: OldFiles | undefined;
}

/**
 * Looks for what lies in a bottle's queue. No file is opened; the times are whatever the files' owner
 * says.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param bottleSlug The bottle.
 * @param root The root; the default one unless given.
 * @param writtenBefore Only what was written before then, each in milliseconds since 1970.
 * @returns What there is.
 * @throws {InvalidNameError} If the slug is none.
 * @throws {UnsafeFileError} If the queue directory is a link, or none.
 */
export function findLeftovers(
  bottleSlug: string,
  root: string | undefined,
  writtenBefore: { readonly uncollectedMs: number; readonly unfinishedMs: number },
): QueueLeftovers {
  const queueDir = queueDirForSlug(bottleSlug, root);
  const names = listNames(queueDir);
  const present = new Set(names);
  const isAnswer = (name: string) => {
    if (!name.endsWith(RESPONSE_SUFFIX)) return false;
    const id = name.slice(0, -RESPONSE_SUFFIX.length);
    return isProposalId(id) && present.has(id + PROPOSAL_SUFFIX);
  };
  const old = (isOne: (name: string) => boolean, beforeMs: number): OldFiles | undefined => {
    const times = names.filter(isOne)
      .map((name) => sizeAndChange(`${queueDir}/${name}`)?.writtenMs ?? Infinity)
      .filter((writtenMs) => writtenMs < beforeMs);
    if (times.length === 0) return undefined;
    return { count: times.length, oldestMs: times.reduce((a, b) => Math.min(a, b)) };
  };
  return {
    uncollected: old(isAnswer, writtenBefore.uncollectedMs),
    unfinished: old(isUnfinished, writtenBefore.unfinishedMs),
  };
}
