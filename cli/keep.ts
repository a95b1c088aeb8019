/**
 * Keeps what a later look at a proposal needs.
 *
 * @module
 */

import { keepFilesInForce } from "../mod.ts";
import type { Context } from "./context.ts";

/**
 * Keeps copies of the config files in force of some bottles, for when a proposal turns out to have
 * started from one that is no longer in force.
 *
 * @param context The context.
 * @param bottleSlugs The bottles, perhaps several times.
 */
export function keepForLater({ root }: Context, bottleSlugs: Iterable<string>): void {
  for (const slug of new Set(bottleSlugs)) {
    try {
      keepFilesInForce(slug, root);
    } catch {
      // On a full disk, say. A copy that is missing costs a diff, and the screen says that.
    }
  }
}
