/**
 * Which bottles there are.
 *
 * @module
 */

import { UnsafeFileError } from "./errors.ts";
import { claudeBottleRoot, isBottleSlug, queueDirForSlug, queueRoot } from "./paths.ts";
import { directoryIdentity, listNames } from "./untrusted.ts";

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
 *
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The bottles.
 */
export function listBottles(root: string = claudeBottleRoot()): BottleListing {
  const slugs: string[] = [];
  const refused: RefusedQueue[] = [];
  for (const name of [...listNames(queueRoot(root))].sort()) {
    if (!isBottleSlug(name)) {
      refused.push({ name, reason: "its name is no bottle slug" });
      continue;
    }
    try {
      if (directoryIdentity(queueDirForSlug(name, root)) !== undefined) slugs.push(name);
    } catch (error) {
      if (!(error instanceof UnsafeFileError)) throw error;
      refused.push({ name, reason: error.reason });
    }
  }
  return { slugs, refused };
}
