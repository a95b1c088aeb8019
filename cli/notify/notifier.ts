/**
 * Tells an operator who does not look that somebody waits.
 *
 * @module
 */

import type { PendingProposal } from "../../mod.ts";
import type { Context } from "../context.ts";

/** Tells of what arrives, to whoever `notify.json` names. */
export interface Notifier {
  /**
   * Tells of what arrived since the last call; returns at once, never throws.
   *
   * @param pending What arrived.
   * @param total How many wait, these and others.
   */
  readonly arrived: (pending: readonly PendingProposal[], total: number) => void;
  /** Stops, within a bounded time. */
  readonly close: () => Promise<void>;
}

/**
 * Opens what tells of arrivals. Without a `notify.json` it does nothing.
 *
 * @param _context The context.
 * @param _signal Ends it: what is on its way is given up.
 * @returns The notifier, to be closed.
 */
export function openNotifier(_context: Context, _signal?: AbortSignal): Notifier {
  return { arrived: () => {}, close: () => Promise.resolve() };
}
