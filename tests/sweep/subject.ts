/**
 * What is swept.
 *
 * @module
 */

import type { Target } from "./target.ts";

/** What became of something that was hit, and what is wrong. */
export interface Judgement {
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** Something that is done with a root, and hit while it is. */
export interface Subject<T> {
  /** Its name in the report. */
  readonly name: string;
  /** Makes the root that it starts from. */
  readonly prepare: (root: string) => Promise<void>;
  /** Writes what has the root's own path in it, each time that the root was put back. */
  readonly settle?: (root: string) => void;
  /** Starts a process that does it. */
  readonly start: (cpu: number, root: string) => Promise<Target<T>>;
  /** Whether one process can do it many times, on roots that are put back. */
  readonly canRepeat: boolean;
  /** Whether that is what it says when nothing goes wrong. */
  readonly isDone: (said: T) => boolean;
  /**
   * The files and directories that must be synced before it may say that it is done. That a sync
   * failed cannot be seen on the disk afterwards, only in what is said.
   */
  readonly promised: RegExp;
  /** Judges what it said and left, does it again, and judges again. */
  readonly judge: (root: string, said: T | "died") => Promise<Judgement>;
}
