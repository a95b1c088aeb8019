/**
 * What a check of `doctor` found.
 *
 * @module
 */

/** What a check found, and what to do about it. */
export interface Finding {
  /** Which check: a word or two. */
  readonly check: string;
  /** Whether all is well, something is to be looked at, or something is wrong. */
  readonly state: "ok" | "warn" | "bad";
  /** What was found, in one sentence. */
  readonly says: string;
  /** What to do, where there is something to do. */
  readonly todo?: string;
}
