/**
 * Finds bottles, proposals by the beginning of their id, and what lies in a queue longer than it should.
 *
 * @module
 */

import { claudeBottleRoot, processedDir, queueDirForSlug, queueRoot } from "../disk/layout.ts";
import { directoryIdentity, listNames, sizeAndChange } from "../disk/read_untrusted.ts";
import { UnsafeFileError } from "../records/errors.ts";
import { isBottleSlug, isProposalId, PROPOSAL_SUFFIX, RESPONSE_SUFFIX } from "../records/names.ts";
import { isUnfinished } from "./files.ts";

/** Something under `queue/` that is no bottle's queue directory. */
export interface RefusedQueue {
  /** Its name. */
  readonly name: string;
  /** Why it is passed over. */
  readonly reason: string;
}

/** What is under `queue/`. */
export interface BottleListing {
  /** The bottles that have a queue directory, by name. */
  readonly slugs: readonly string[];
  /** What else is there. */
  readonly refused: readonly RefusedQueue[];
}

/**
 * Lists the bottles that have a queue directory. A link, a file, or a name that is no slug is
 * refused, and reported.
 *
 * Needs `--allow-read` for the root.
 */
export function listBottles(root: string): BottleListing {
  const slugs: string[] = [];
  const refused: RefusedQueue[] = [];
  for (const name of [...listNames(queueRoot(root))].sort()) {
    if (!isBottleSlug(name)) {
      refused.push({ name, reason: "its name is no bottle slug" });
      continue;
    }
    try {
      if (directoryIdentity(queueDirForSlug(name, { root })) !== undefined) slugs.push(name);
    } catch (error) {
      if (!(error instanceof UnsafeFileError)) throw error;
      refused.push({ name, reason: error.reason });
    }
  }
  return { slugs, refused };
}

/** Where a proposal is, and whether it waits for an answer. */
export interface FoundProposal {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The proposal's whole id. */
  readonly proposalId: string;
  /** Whether it has no response file yet. */
  readonly pending: boolean;
}

/** Where to look. */
export interface FindOptions {
  /** One bottle only. */
  readonly bottleSlug?: string;
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

function idsIn(names: readonly string[], prefix: string): string[] {
  return names
    .filter((name) => name.endsWith(PROPOSAL_SUFFIX) && name.startsWith(prefix))
    .map((name) => name.slice(0, -PROPOSAL_SUFFIX.length))
    .filter(isProposalId);
}

/** One bottle's trouble must not keep another's proposals from being found. */
function namesOrNone(dir: string): readonly string[] {
  try {
    return listNames(dir);
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    return [];
  }
}

/**
 * Finds the proposals whose id begins with a text. If one has exactly this id, it alone is found. No
 * file is opened: what is found may be malformed.
 *
 * Needs `--allow-read` for the root.
 *
 * @returns What is found, pending ones first.
 */
export function findProposals(prefix: string, options: FindOptions = {}): FoundProposal[] {
  const { root = claudeBottleRoot(), bottleSlug } = options;
  const found: FoundProposal[] = [];
  for (const slug of listBottles(root).slugs) {
    if (bottleSlug !== undefined && slug !== bottleSlug) continue;
    const queueDir = queueDirForSlug(slug, { root });
    const names = namesOrNone(queueDir);
    const present = new Set(names);
    for (const proposalId of idsIn(names, prefix)) {
      const pending = !present.has(`${proposalId}.response.json`);
      found.push({ bottleSlug: slug, proposalId, pending });
    }
    for (const proposalId of idsIn(namesOrNone(processedDir(queueDir)), prefix)) {
      if (present.has(proposalId + PROPOSAL_SUFFIX)) continue;
      found.push({ bottleSlug: slug, proposalId, pending: false });
    }
  }
  const exact = found.filter(({ proposalId }) => proposalId === prefix);
  return (exact.length > 0 ? exact : found).sort((a, b) => Number(b.pending) - Number(a.pending));
}

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
 * @param writtenBefore Only what was written before then, each in milliseconds since 1970.
 * @throws {InvalidNameError} If the slug is not valid.
 * @throws {UnsafeFileError} If the queue directory is a link, or none.
 */
export function findLeftovers(
  bottleSlug: string,
  root: string,
  writtenBefore: { readonly uncollectedMs: number; readonly unfinishedMs: number },
): QueueLeftovers {
  const queueDir = queueDirForSlug(bottleSlug, { root });
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
