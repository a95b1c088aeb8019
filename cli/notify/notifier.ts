/**
 * What is remembered of a receiver between programs: of what it was told, and how that went.
 *
 * @module
 */

import { type Changes, type ReceiverRecord, updateReceiverRecord } from "../../internal_mod.ts";
import type { Context } from "../command/context.ts";
import { arrivalOf } from "./message.ts";
import { openOutbox } from "./outbox.ts";
import { readReceivers, terminalReceiver } from "./receivers.ts";

/** Remembers, or fails to in silence: that a disk is full must not keep anybody from being told. */
export interface Journal {
  /** Of some keys, those that no program has claimed before. They are claimed now. */
  readonly claim: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** A message was taken. */
  readonly succeeded: () => Promise<void>;
  /** A try failed, for a reason in words of ours. */
  readonly failed: (reason: string) => Promise<void>;
  /** So many proposals will not be told of. */
  readonly dropped: (count: number) => Promise<void>;
}

/**
 * Opens the journal of a receiver.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param receiver The receiver's name.
 * @param root The root.
 * @returns The journal.
 */
export function openJournal(receiver: string, root: string): Journal {
  const update = async (change: (record: ReceiverRecord) => ReceiverRecord): Promise<void> => {
    try {
      await updateReceiverRecord(receiver, change, root);
    } catch {
      // Then doctor knows less, and of two programs both may tell.
    }
  };
  const now = () => new Date().toISOString();
  return {
    claim: async (keys) => {
      let fresh = new Set(keys);
      await update((record) => {
        fresh = fresh.difference(new Set(record.told));
        return { ...record, told: [...record.told, ...fresh] };
      });
      return fresh;
    },
    succeeded: () =>
      update(({ reason: _, ...record }) => ({
        ...record,
        lastSuccess: now(),
        failures: 0,
        dropped: 0,
      })),
    failed: (reason) =>
      update((record) => ({
        ...record,
        lastFailure: now(),
        reason,
        failures: record.failures + 1,
      })),
    dropped: (count) => update((record) => ({ ...record, dropped: record.dropped + count })),
  };
}

/** Notifies the receivers that `notify.json` names. */
export interface Notifier {
  /**
   * Sends which proposals arrived or changed, and how many wait now. Returns at once, never throws. A
   * proposal that waited already when the program started is on its screen, and is not sent.
   */
  readonly take: (changes: Changes) => void;
  /** Stops, within a bounded time. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the notifier of the receivers that `notify.json` names now; without that file it does nothing.
 * What is wrong with the file is said once on standard error, and stops nothing else.
 *
 * Needs `--allow-read` and `--allow-write` for the root, `--allow-sys=uid`, `--allow-net` for the hosts
 * that `notify.json` names.
 *
 * @param context The context.
 * @param signal Gives up what is being sent.
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
    take: ({ events, now }) => {
      const arrivals = events.flatMap((event) =>
        "proposal" in event && !event.atStart ? [arrivalOf(event)] : []
      );
      if (arrivals.length === 0) return;
      const waiting = now.unlisted.reduce((sum, { count }) => sum + count, now.pending.length);
      for (const { put } of outboxes) put(arrivals, waiting);
    },
    close: async () => {
      await Promise.all(outboxes.map(({ close }) => close()));
    },
  };
}
