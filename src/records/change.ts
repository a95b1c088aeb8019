/**
 * A change that an agent asks for, and the whole file that it makes. Pure.
 *
 * @module
 */

import type { ConfigProblem } from "./problem.ts";

/** What an agent wants changed; the elements may be of any type. */
export interface Change {
  /** What to add: hosts, or routes. */
  readonly add?: readonly unknown[];
  /** What to remove: hosts, or the paths of routes. */
  readonly remove?: readonly unknown[];
  /** A unified diff. */
  readonly patch?: string;
}

/** The whole new file, or why there is none; `where` of a problem names a part of the change. */
export type Changed = { readonly text: string } | { readonly problems: readonly ConfigProblem[] };
