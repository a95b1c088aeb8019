/**
 * Reach: what a config file lets a bottle do, and what a change of the file adds to it. Pure.
 *
 * @module
 */

import type { Mark } from "./mark.ts";

/**
 * One thing that a config file lets a bottle do or have, read as the program that enforces the file reads
 * it. Two items with the same kind and value are the same reach, however they are spelt and wherever they
 * are in the file.
 */
export interface ReachItem {
  readonly kind: ReachKind;
  /**
   * What it is, in one spelling: `*.example.com` of a `host`, `https://api.example.com:8443` of an
   * `upstream`, `npm:left-pad@1.3.0` of a `package`. Bytes of an agent: quote it before you show it.
   */
  readonly value: string;
  /** The line in its file, counted from 1. */
  readonly line: number;
}

/** The kinds of reach. An allowlist has hosts; routes have the next five; a Dockerfile has the others. */
export type ReachKind =
  | "host"
  | "route"
  | "upstream"
  | "token"
  | "role"
  | "key"
  | "image"
  | "frontend"
  | "package"
  | "download"
  | "command"
  | "variable"
  | "user"
  | "start"
  | "file"
  | "mount"
  | "privilege"
  | "protection";

/**
 * What a change adds to the reach of a file. `no-new-reach` is proven: whatever the proposed file allows,
 * the file in force allows too. `unknown` says that this could not be worked out, and nothing else.
 */
export type ReachVerdict = "no-new-reach" | "new-reach" | "unknown";

/** Two config files compared by their reach. */
export interface Comparison {
  readonly verdict: ReachVerdict;
  /** What the proposed file would add, in the order of that file. */
  readonly added: readonly ReachItem[];
  /** What would go, in the order of the file in force. */
  readonly removed: readonly ReachItem[];
  /** What a reviewer should notice, the most severe first: at least one mark for each added item. */
  readonly marks: readonly Mark[];
}

/** What one format finds in a change. Marks are in no order; `isUnknown` if the proof fails. */
export interface Findings extends Omit<Comparison, "verdict"> {
  readonly isUnknown: boolean;
}
