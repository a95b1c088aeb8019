/**
 * Tells an operator who does not look that somebody waits.
 *
 * @module
 */

import type { Overview, PendingProposal } from "../../mod.ts";
import type { Context } from "../context.ts";
import { openJournal } from "./journal.ts";
import { arrivalOf } from "./message.ts";
import { openOutbox } from "./outbox.ts";
import { readReceivers } from "./receivers.ts";
import { terminalReceiver } from "./terminal.ts";

/** What waits: what is listed, and how many are not. */
type Waiting = Pick<Overview, "pending" | "unlisted">;

/** Tells of what arrives, to whoever `notify.json` names. */
export interface Notifier {
  /**
   * Tells of what arrived since the last call; returns at once, never throws. What stood on the screen
   * when a program started is no news, and is not handed over.
   *
   * @param pending What arrived.
   * @param now All that waits, what is not listed too.
   */
  readonly arrived: (pending: readonly PendingProposal[], now: Waiting) => void;
  /** Stops, within a bounded time. */
  readonly close: () => Promise<void>;
}

/**
 * Opens what tells of arrivals, as `notify.json` has it now. Without one it does nothing. What is wrong
 * with it is said once, on standard error, and keeps nobody from working.
 *
 * Needs `--allow-read` and `--allow-write` for the root, `--allow-sys=uid`, `--allow-net` for the hosts
 * that `notify.json` names.
 *
 * @param context The context.
 * @param signal Ends it: what is on its way is given up.
 * @returns The notifier, to be closed.
 */
export function openNotifier(context: Context, signal?: AbortSignal): Notifier {
  const { terminal, remote, problems } = readReceivers(context.root);
  for (const { name, says } of problems) {
    const who = name === "notify.json" ? "nobody" : `no ${name}`;
    context.complain(`! ${who} is told of what arrives. ${says}`);
  }
  const own = terminal === undefined ? undefined : terminalReceiver(context, terminal);
  const outboxes = [
    ...remote.map((receiver) =>
      openOutbox(receiver, openJournal(receiver.name, context.root), signal)
    ),
    ...(own === undefined ? [] : [openOutbox(own, undefined, signal)]),
  ];
  return {
    arrived: (pending, now) => {
      if (pending.length === 0) return;
      const total = now.unlisted.reduce((sum, { count }) => sum + count, now.pending.length);
      const arrivals = pending.map(arrivalOf);
      for (const { put } of outboxes) put(arrivals, total);
    },
    close: async () => {
      await Promise.all(outboxes.map(({ close }) => close()));
    },
  };
}
