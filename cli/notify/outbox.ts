/**
 * What is on its way to one receiver. It is bounded, and nobody waits for it: whoever puts something in
 * goes on at once, and what a receiver does not take in time is counted and forgotten.
 *
 * @module
 */

import { pause } from "../pause.ts";
import type { Journal } from "./journal.ts";
import { type Arrival, arrivalKey, tellArrivals } from "./message.ts";
import type { Receiver } from "./receivers.ts";

/** How patient an outbox is, in milliseconds. */
export interface Patience {
  /** How long it waits for more before it sends: what comes at once is told at once. */
  readonly gatherMs: number;
  /** How long it leaves a receiver alone between two messages. */
  readonly betweenMs: number;
  /** How long it waits before each further try. */
  readonly againMs: readonly number[];
  /** How long it may take to close. */
  readonly closeMs: number;
}

const PATIENCE: Patience = {
  gatherMs: 1_000,
  betweenMs: 10_000,
  againMs: [2_000, 10_000, 60_000, 300_000],
  closeMs: 1_000,
};

/** How many arrivals wait for their message; of more the oldest are dropped. */
export const MAX_WAITING = 1_000;

/** What is on its way to one receiver. */
export interface Outbox {
  /** Puts arrivals in; returns at once, never throws. */
  readonly put: (arrivals: readonly Arrival[], waiting: number) => void;
  /** Sends what waits, once more, and ends, within a bounded time. */
  readonly close: () => Promise<void>;
}

/**
 * Opens an outbox.
 *
 * @param receiver Whom to tell.
 * @param journal What to remember of it; nothing unless given, as for a terminal, which is told by each
 * program that runs in it.
 * @param signal Gives up what is on its way.
 * @param patience How patient to be.
 * @returns The outbox.
 */
export function openOutbox(
  receiver: Receiver,
  journal?: Journal,
  signal?: AbortSignal,
  patience: Patience = PATIENCE,
): Outbox {
  const arrived = new Map<string, Arrival>();
  let [waiting, dropped, gone] = [0, 0, false];
  let wake = Promise.withResolvers<void>();
  const closing = new AbortController();
  const over = new AbortController();
  const giveUp = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const hurry = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);

  async function run(): Promise<void> {
    while (true) {
      if (arrived.size === 0) {
        if (hurry.aborted) return;
        await wake.promise;
        wake = Promise.withResolvers<void>();
        continue;
      }
      await pause(patience.gatherMs, hurry);
      await deliver();
      await pause(patience.betweenMs, hurry);
    }
  }

  /** Makes one message of all that has arrived, and tries until it is taken or given up. */
  async function deliver(): Promise<void> {
    const batch = new Map(arrived);
    arrived.clear();
    // What is not even tried is not claimed: another program may still tell of it.
    const keys = giveUp.aborted ? [] : [...batch.keys()];
    const fresh = await journal?.claim(keys) ?? new Set(keys);
    const arrivals = [...batch].filter(([key]) => fresh.has(key)).map(([, arrival]) => arrival);
    if (keys.length === 0) dropped += batch.size;
    else if (arrivals.length > 0 && !await tell(arrivals)) dropped += arrivals.length;
    // What overflows meanwhile counts for the next time.
    const lost = dropped;
    dropped = 0;
    if (lost > 0) await journal?.dropped(lost);
  }

  async function tell(arrivals: readonly Arrival[]): Promise<boolean> {
    const message = tellArrivals(arrivals, Math.max(waiting, arrivals.length), Date.now());
    for (let tries = 0; !gone && !giveUp.aborted; tries++) {
      const outcome = await receiver.send(message, giveUp);
      if (outcome.told) {
        await journal?.succeeded();
        return true;
      }
      await journal?.failed(outcome.says);
      gone = outcome.again === "never";
      const againMs = patience.againMs[tries];
      if (outcome.again !== true || againMs === undefined || hurry.aborted) return false;
      // Not all programs of a host at once.
      await pause(Math.max(againMs * (1 + Math.random() / 4), outcome.afterMs ?? 0), hurry);
    }
    return false;
  }

  // Nothing in it throws. If ever something does, nobody is told, and nothing else is harmed.
  const done = run().catch(() => {});
  hurry.addEventListener("abort", () => wake.resolve());

  return {
    put: (arrivals, total) => {
      waiting = total;
      for (const arrival of arrivals) arrived.set(arrivalKey(arrival), arrival);
      for (const key of arrived.keys()) {
        if (arrived.size <= MAX_WAITING) break;
        arrived.delete(key);
        dropped++;
      }
      wake.resolve();
    },
    close: async () => {
      closing.abort();
      const ended = new AbortController();
      done.then(() => ended.abort());
      await pause(patience.closeMs, ended.signal);
      over.abort();
      // What was given up is still remembered, unless that takes long too.
      await pause(patience.closeMs / 4, ended.signal);
    },
  };
}
