/**
 * Notifies the receivers of new proposals, for `watch` and `review`. Each receiver has an outbox, which is
 * bounded and which nothing waits for: what a receiver does not take in time is counted and dropped.
 *
 * @module
 */

import { type Changes, type ReceiverRecord, updateReceiverRecord } from "../../internal_mod.ts";
import { type Context, pause } from "../command/context.ts";
import { type Arrival, arrivalKey, arrivalMessage, arrivalOf } from "./message.ts";
import { readReceivers, type Receiver, terminalReceiver } from "./receivers.ts";

/** Remembers how a receiver is doing. If it cannot write, it goes on: messages matter more. */
export function openJournal(receiver: string, root: string) {
  const update = async (change: (record: ReceiverRecord) => ReceiverRecord): Promise<void> => {
    try {
      await updateReceiverRecord(receiver, change, root);
    } catch {
      // Then doctor knows less, and of two programs both may send.
    }
  };
  const now = () => new Date().toISOString();
  return {
    /** Takes the keys that no program has claimed before, and claims them. */
    claim: async (keys: readonly string[]): Promise<ReadonlySet<string>> => {
      let fresh = new Set(keys);
      await update((record) => {
        fresh = fresh.difference(new Set(record.told));
        return { ...record, told: [...record.told, ...fresh] };
      });
      return fresh;
    },
    succeeded: () =>
      update(({ reason: _, ...record }) => {
        return { ...record, lastSuccess: now(), failures: 0, dropped: 0 };
      }),
    failed: (reason: string) =>
      update((record) => {
        return { ...record, lastFailure: now(), reason, failures: record.failures + 1 };
      }),
    /** So many proposals will not be sent. */
    dropped: (count: number) =>
      update((record) => ({ ...record, dropped: record.dropped + count })),
  };
}

const PATIENCE = {
  /** How long an outbox waits for more before it sends: what arrives together is one message. */
  gatherMs: 1_000,
  /** How long it leaves a receiver alone between two messages. */
  betweenMs: 10_000,
  /** How long it waits before each further try. */
  againMs: [2_000, 10_000, 60_000, 300_000],
  /** How long it may take to close. */
  closeMs: 1_000,
};

export type Patience = Readonly<typeof PATIENCE>;

/** How many arrivals wait for their message; of more the oldest are dropped. */
export const MAX_WAITING = 1_000;

/** Opens an outbox. A terminal has no journal: each program in it rings its bell. */
export function openOutbox(
  receiver: Receiver,
  journal?: ReturnType<typeof openJournal>,
  patience: Patience = PATIENCE,
) {
  const arrived = new Map<string, Arrival>();
  let [waiting, dropped, gone] = [0, 0, false];
  let wake = Promise.withResolvers<void>();
  /** Waits for nothing any more, but sends what is there. */
  const closing = new AbortController();
  /** Gives up what is being sent. */
  const over = new AbortController();

  async function run(): Promise<void> {
    while (true) {
      if (arrived.size === 0) {
        if (closing.signal.aborted) return;
        await wake.promise;
        wake = Promise.withResolvers<void>();
        continue;
      }
      await pause(patience.gatherMs, closing.signal);
      await deliver();
      await pause(patience.betweenMs, closing.signal);
    }
  }

  /** Makes one message of all that has arrived, and tries until it is taken or given up. */
  async function deliver(): Promise<void> {
    const batch = new Map(arrived);
    arrived.clear();
    // What is not even tried is not claimed: another program may still send it.
    const keys = over.signal.aborted ? [] : [...batch.keys()];
    const fresh = await journal?.claim(keys) ?? new Set(keys);
    const arrivals = [...batch].filter(([key]) => fresh.has(key)).map(([, arrival]) => arrival);
    if (keys.length === 0) dropped += batch.size;
    else if (arrivals.length > 0 && !await send(arrivals)) dropped += arrivals.length;
    // What overflows while this is written counts for the next time.
    const lost = dropped;
    dropped = 0;
    if (lost > 0) await journal?.dropped(lost);
  }

  async function send(arrivals: readonly Arrival[]): Promise<boolean> {
    const message = arrivalMessage(arrivals, Math.max(waiting, arrivals.length), Date.now());
    for (let tries = 0; !gone && !over.signal.aborted; tries++) {
      const outcome = await receiver.send(message, over.signal);
      if (outcome.told) {
        await journal?.succeeded();
        return true;
      }
      await journal?.failed(outcome.says);
      gone = outcome.again === "never";
      const againMs = patience.againMs[tries];
      if (outcome.again !== true || againMs === undefined || closing.signal.aborted) return false;
      // A random part, so that not all programs of a host try at once.
      const waitMs = Math.max(againMs * (1 + Math.random() / 4), outcome.afterMs ?? 0);
      await pause(waitMs, closing.signal);
    }
    return false;
  }

  // Nothing in it throws. If something did, no message would be sent, and the program would go on.
  const done = run().catch(() => {});
  closing.signal.addEventListener("abort", () => wake.resolve());

  return {
    /** Returns at once, never throws. */
    put: (arrivals: readonly Arrival[], total: number): void => {
      waiting = total;
      for (const arrival of arrivals) arrived.set(arrivalKey(arrival), arrival);
      for (const key of arrived.keys()) {
        if (arrived.size <= MAX_WAITING) break;
        arrived.delete(key);
        dropped++;
      }
      wake.resolve();
    },
    /** Sends what waits, once, and ends within a bounded time. */
    close: async (): Promise<void> => {
      closing.abort();
      const ended = new AbortController();
      done.then(() => ended.abort());
      await pause(patience.closeMs, ended.signal);
      over.abort();
      // What was given up is still noted, unless that takes long too.
      await pause(patience.closeMs / 4, ended.signal);
    },
  };
}

/**
 * Opens the notifier of the receivers that `notify.json` names now; without that file it does nothing.
 * Prints on standard error, once, what is wrong with the file; that stops nothing else.
 */
export function openNotifier(context: Context) {
  const { terminal, remote, problems } = readReceivers(context.root);
  for (const { name, says } of problems) {
    const who = name === "notify.json" ? "nobody" : `not the ${name} receiver`;
    context.complain(`! Notifies ${who}. ${says}`);
  }
  const own = terminal === undefined ? undefined : terminalReceiver(context, terminal);
  const outboxes = [
    ...remote.map((receiver) => openOutbox(receiver, openJournal(receiver.name, context.root))),
    ...(own === undefined ? [] : [openOutbox(own)]),
  ];
  return {
    /**
     * Sends which proposals arrived or changed, and how many wait now. Returns at once, never throws. A
     * proposal that waited already when the program started is on its screen, and is not sent.
     */
    take: ({ events, now }: Changes): void => {
      const arrivals = events.flatMap((event) =>
        "proposal" in event && !event.atStart ? [arrivalOf(event)] : []
      );
      if (arrivals.length === 0) return;
      const waiting = now.unlisted.reduce((sum, { count }) => sum + count, now.pending.length);
      for (const { put } of outboxes) put(arrivals, waiting);
    },
    /** Stops, within a bounded time. */
    close: async (): Promise<void> => {
      await Promise.all(outboxes.map(({ close }) => close()));
    },
  };
}
