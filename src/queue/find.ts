/**
 * Finds bottles, proposals by the beginning of their id, and files that are in a queue for too long.
 *
 * @module
 */

import {
  claudeBottleRoot,
  processedDir,
  queueDirForSlug,
  queueRoot,
  removedRoot,
} from "../disk/layout.ts";
import { namesInOwn, ownFileStamp } from "../disk/read_own.ts";
import { directoryIdentity, listNames, sizeAndChange } from "../disk/read_untrusted.ts";
import { UnsafeFileError } from "../records/errors.ts";
import { isBottleSlug, PROPOSAL_SUFFIX, proposalIdIn, RESPONSE_SUFFIX } from "../records/names.ts";
import { isUnfinished } from "./files.ts";
import { join, relative } from "@std/path";

/** What cannot be looked into: something under `queue/` that is no queue directory, a queue, its archive. */
export interface RefusedQueue {
  /** The path below `queue/`. */
  readonly name: string;
  /** Why it is skipped. */
  readonly reason: string;
}

/** What is under `queue/`. */
export interface BottleListing {
  /** The bottles that have a queue directory, sorted. */
  readonly slugs: readonly string[];
  readonly refused: readonly RefusedQueue[];
}

/**
 * Lists the bottles that have a queue directory. A link, a file, or a name that is not a valid slug is
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

/** The names of the directories in one: an operator packs removed queues there, and leaves notes. */
function directoriesIn(dir: string): readonly string[] {
  const isDirectory = (path: string) => ownFileStamp(path)?.isDirectory === true;
  return isDirectory(dir) ? namesInOwn(dir).filter((name) => isDirectory(join(dir, name))) : [];
}

/** The queue directory of a bottle, then those of removed bottles of that name. */
export function queueDirsEver(slug: string, root: string): readonly string[] {
  const queueDir = queueDirForSlug(slug, { root });
  const removed = join(removedRoot(root), slug);
  return [queueDir, ...directoriesIn(removed).map((name) => join(removed, name))];
}

/** The bottles that have a queue directory, and those that had one when they were removed. */
export function slugsEver(root: string): readonly string[] {
  const removed = directoriesIn(removedRoot(root)).filter(isBottleSlug);
  return [...new Set([...listBottles(root).slugs, ...removed])];
}

/** Where a proposal is, and whether it has a response. */
export interface FoundProposal {
  readonly bottleSlug: string;
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
  /** Called for each place that cannot be looked into: what is there is not found. */
  readonly onRefused?: (place: RefusedQueue) => void;
}

function idsIn(names: readonly string[], prefix: string): string[] {
  return names.flatMap((name) => proposalIdIn(name, PROPOSAL_SUFFIX) ?? [])
    .filter((id) => id.startsWith(prefix));
}

/**
 * Finds the proposals whose id begins with a text, pending ones first. If one has exactly this id, it alone
 * is found. No file is opened: a proposal that is found may be malformed.
 *
 * Needs `--allow-read` for the root.
 */
export function findProposals(prefix: string, options: FindOptions = {}): FoundProposal[] {
  const { root = claudeBottleRoot(), bottleSlug, onRefused = () => {} } = options;
  const isMeant = (name: string) => bottleSlug === undefined || name === bottleSlug;
  /** A broken queue directory of one bottle must not hide another bottle's proposals. */
  const namesUnlessRefused = (dir: string) => {
    try {
      return listNames(dir);
    } catch (error) {
      if (!(error instanceof UnsafeFileError)) throw error;
      onRefused({ name: relative(queueRoot(root), dir), reason: error.reason });
      return undefined;
    }
  };
  const { slugs, refused } = listBottles(root);
  refused.filter(({ name }) => isMeant(name)).forEach(onRefused);
  const found: FoundProposal[] = [];
  for (const slug of slugs.filter(isMeant)) {
    const queueDir = queueDirForSlug(slug, { root });
    const names = namesUnlessRefused(queueDir);
    if (names === undefined) continue;
    const present = new Set(names);
    for (const proposalId of idsIn(names, prefix)) {
      const pending = !present.has(proposalId + RESPONSE_SUFFIX);
      found.push({ bottleSlug: slug, proposalId, pending });
    }
    for (const proposalId of idsIn(namesUnlessRefused(processedDir(queueDir)) ?? [], prefix)) {
      if (present.has(proposalId + PROPOSAL_SUFFIX)) continue;
      found.push({ bottleSlug: slug, proposalId, pending: false });
    }
  }
  const exact = found.filter(({ proposalId }) => proposalId === prefix);
  return (exact.length > 0 ? exact : found).sort((a, b) => Number(b.pending) - Number(a.pending));
}

/** How many files there are, and since when. */
export interface OldFiles {
  readonly count: number;
  /** When the oldest of them was written, in milliseconds since 1970. Its owner can set any time. */
  readonly oldestMs: number;
}

/** What is in a queue for too long. */
export interface QueueLeftovers {
  /** Responses that no call has collected: a sidecar archives what it has returned. */
  readonly uncollected: OldFiles | undefined;
  /** Files that a sidecar did not finish before it died; it removes them when it starts. */
  readonly unfinished: OldFiles | undefined;
}

/**
 * Finds the files that were written before a time, in milliseconds since 1970. No file is opened.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @throws {InvalidNameError} If the slug is not valid.
 * @throws {UnsafeFileError} If the queue directory is a link, or not a directory.
 */
export function findLeftovers(
  bottleSlug: string,
  root: string,
  writtenBefore: { readonly uncollectedMs: number; readonly unfinishedMs: number },
): QueueLeftovers {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const names = listNames(queueDir);
  const present = new Set(names);
  const isUncollected = (name: string) => {
    const id = proposalIdIn(name, RESPONSE_SUFFIX);
    return id !== undefined && present.has(id + PROPOSAL_SUFFIX);
  };
  const old = (isOne: (name: string) => boolean, beforeMs: number): OldFiles | undefined => {
    const times = names.filter(isOne)
      .map((name) => sizeAndChange(`${queueDir}/${name}`)?.writtenMs ?? Infinity)
      .filter((writtenMs) => writtenMs < beforeMs);
    if (times.length === 0) return undefined;
    return { count: times.length, oldestMs: times.reduce((a, b) => Math.min(a, b)) };
  };
  return {
    uncollected: old(isUncollected, writtenBefore.uncollectedMs),
    unfinished: old(isUnfinished, writtenBefore.unfinishedMs),
  };
}
