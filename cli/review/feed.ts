/**
 * What goes on besides the screen when the queues change: whoever is to be told is told, and the files in
 * force are kept for later.
 *
 * @module
 */

import type { Overview, PendingProposal } from "../../mod.ts";
import type { Context } from "../context.ts";
import { keepForLater } from "../keep.ts";
import { openNotifier } from "../notify/notifier.ts";
import type { Later } from "./guard.ts";
import { keyOf } from "./row.ts";

/** How long before files in force are kept anew, however fast a queue changes. */
const KEEP_MS = 2_000;

/** What goes on besides the screen. */
export interface Feed {
  /** Takes what is pending now. */
  readonly take: (now: Overview) => void;
  /** Ends it, within a bounded time. */
  readonly close: () => Promise<void>;
}

function arrivedSince(before: Overview, now: Overview): readonly PendingProposal[] {
  const known = new Set(before.pending.map(keyOf));
  return now.pending.filter((entry) => !known.has(keyOf(entry)));
}

/**
 * Opens it.
 *
 * @param context The context.
 * @param later Runs something later.
 * @returns The feed. What is pending at its first overview is on the screen, and no news.
 */
export function openFeed(context: Context, later: Later): Feed {
  const notifier = openNotifier(context);
  let latest: Overview | undefined;
  let keeping = false;

  function keepSoon(delayMs: number): void {
    if (keeping) return;
    keeping = true;
    later(delayMs, () => {
      keeping = false;
      keepForLater(context, latest!.pending.map(({ proposal }) => proposal.bottleSlug));
    });
  }

  return {
    take(now) {
      if (latest !== undefined) notifier.arrived(arrivedSince(latest, now), now);
      keepSoon(latest === undefined ? 0 : KEEP_MS);
      latest = now;
    },
    close: () => notifier.close(),
  };
}
