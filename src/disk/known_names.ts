/**
 * Tells whether a directory may have other names than those that were listed last, so that it need not be
 * listed for every look.
 *
 * @module
 */

import { listNames, stampOfFile } from "./read_untrusted.ts";
import type { ChangeNames } from "./write_together.ts";

/**
 * How long a directory's stamp must have been the same when the directory was listed, for that list to
 * hold as long as the stamp does: the coarsest file systems tell two seconds apart.
 */
const SETTLED_MS = 2_500;

/** How often a directory is listed whatever its stamp says: some mounts keep no time for directories. */
const LISTED_EVERY_MS = 10_000;

/** The names in one directory, as far as they are known. */
export interface KnownNames {
  /** Whether the names must be listed again: for another stamp, or because the list is old. */
  readonly mayDiffer: () => boolean;
  /** Lists the names; throws what `listNames()` throws. */
  readonly list: () => ReadonlySet<string>;
  /**
   * Whether {@linkcode KnownNames.mayDiffer} misses nothing. It can until the directory has had the same
   * stamp for a while: two changes within one tick of its clock have the same stamp.
   */
  readonly isSettled: () => boolean;
  /** Makes a change of the caller's own, which the caller takes into account itself. */
  readonly change: ChangeNames;
  /** Has the names listed again, because the caller does not know what came of a change. */
  readonly forget: () => void;
}

/** Opens the names of a directory, which may be created later. Nothing is listed yet. */
export function openNames(dir: string): KnownNames {
  let stamp: string | undefined;
  // On a clock that nobody sets.
  let changedAt = -Infinity;
  let listedAt = -Infinity;

  return {
    mayDiffer() {
      if (stampOfFile(dir) !== stamp) return true;
      return performance.now() - listedAt >= LISTED_EVERY_MS;
    },
    list() {
      // The stamp first: a change while the names are read must make a difference to it.
      const now = stampOfFile(dir);
      const names = new Set(listNames(dir));
      listedAt = performance.now();
      if (now !== stamp) changedAt = listedAt;
      stamp = now;
      return names;
    },
    isSettled: () => listedAt - changedAt >= SETTLED_MS,
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
      listedAt = -Infinity;
    },
  };
}
