/**
 * Keeps track of the names in a directory for a process that changes it often itself: a change of its
 * own is no reason to list the directory again.
 *
 * @module
 */

import { listNames, stampOfFile } from "./read_untrusted.ts";
import type { ChangeNames } from "./write_together.ts";

/**
 * How long a directory's stamp must have been the same when the directory was listed, for that list to
 * hold as long as the stamp does: the coarsest file systems tell two seconds apart.
 */
export const SETTLED_MS = 2_500;

/** The names in one directory, as far as they are known. */
export interface KnownNames {
  /** Lists the names, if another process may have changed them since the last list. */
  readonly listIfChanged: () => ReadonlySet<string> | undefined;
  /** Lists the names. */
  readonly list: () => ReadonlySet<string>;
  /** Makes a change of the caller's own, which the caller takes into account itself. */
  readonly change: ChangeNames;
  /** Has the names listed again, because the caller does not know what came of a change. */
  readonly forget: () => void;
  /**
   * Whether {@linkcode KnownNames.listIfChanged} can miss nothing. It can until the directory has had
   * the same stamp for a while: two changes within one tick of its clock have the same stamp.
   */
  readonly isSettled: () => boolean;
}

/**
 * Opens the names of a directory. Nothing is listed yet.
 *
 * @returns The names. They hold no resource; listing throws what `listNames()` throws.
 */
export function openNames(dir: string): KnownNames {
  let stamp: string | undefined;
  let changedAt = -Infinity;
  let listedAt: number | undefined;

  function list(): ReadonlySet<string> {
    // The stamp first: what changes while the names are read must make a difference to it.
    const now = stampOfFile(dir);
    const names = new Set(listNames(dir));
    listedAt = performance.now();
    if (now !== stamp) changedAt = listedAt;
    stamp = now;
    return names;
  }

  return {
    list,
    listIfChanged: () => listedAt === undefined || stampOfFile(dir) !== stamp ? list() : undefined,
    change(make) {
      // Somebody else's change before it must still show afterwards.
      const isKnown = stampOfFile(dir) === stamp;
      try {
        return make();
      } finally {
        changedAt = performance.now();
        if (isKnown) stamp = stampOfFile(dir);
      }
    },
    forget() {
      listedAt = undefined;
    },
    isSettled: () => listedAt !== undefined && listedAt - changedAt >= SETTLED_MS,
  };
}
