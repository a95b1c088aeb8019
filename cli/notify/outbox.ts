/**
 * What is on its way to one receiver. It is bounded, and nobody waits for it: whoever puts something in
 * goes on at once, and what a receiver does not take in time is counted and forgotten.
 *
 * @module
 */

import { pause } from "../command/context.ts";
import type { ReceiverUrl } from "./config.ts";
import { type Arrival, arrivalKey, tellArrivals } from "./message.ts";
import type { Journal } from "./notifier.ts";
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

/** What came of a try. */
export type Outcome =
  | {
    readonly told: true;
    /** What was said, in words of ours. */
    readonly says: string;
  }
  | {
    readonly told: false;
    /** Why not, in words of ours: neither the receiver's, nor any of the address. */
    readonly says: string;
    /** Whether another try may do better; `"never"`: no message will. */
    readonly again: boolean | "never";
    /** How long the receiver wants to be left alone, in milliseconds. */
    readonly afterMs?: number;
  };

/** A request, but for its address. */
export interface PostRequest {
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: string;
}

/** How long a try may take. */
export const TRY_MS = 5_000;

/** However long a receiver wants to be left alone. */
const MAX_AFTER_MS = 300_000;

/** What the runtime says, and what we say: its own words have the address in them. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/dns error|lookup address/i, "its name is not known here"],
  [/connection refused/i, "it refused the connection"],
  [/certificate|UnknownIssuer/i, "its certificate is not accepted"],
];

/**
 * Posts a message, once. Follows no redirect, and reads nothing of what comes behind the status line and
 * the headers.
 *
 * Needs `--allow-net` for the receiver's host and port.
 *
 * @param url The address.
 * @param request What to post.
 * @param signal Gives it up.
 * @param tryMs How long it may take; {@linkcode TRY_MS} unless given.
 * @returns What came of it; never throws.
 */
export async function post(
  url: ReceiverUrl,
  request: PostRequest,
  signal: AbortSignal,
  tryMs: number = TRY_MS,
): Promise<Outcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), tryMs);
  try {
    const response = await fetch(url.href, {
      method: "POST",
      headers: { "user-agent": "supervise", ...request.headers },
      body: request.body,
      redirect: "manual",
      signal: AbortSignal.any([signal, late.signal]),
    });
    // Not awaited: what comes is dropped, and the connection with it.
    response.body?.cancel().catch(() => {});
    return outcomeOf(response);
  } catch (error) {
    if (signal.aborted) {
      return { told: false, says: "no answer before the program ended", again: false };
    }
    if (late.signal.aborted) {
      return { told: false, says: `no answer within ${tryMs / 1000} s`, again: true };
    }
    return failureOf(error, url);
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf({ status, headers }: Response): Outcome {
  if (status >= 200 && status < 300) return { told: true, says: `it answered ${status}` };
  if (status >= 300 && status < 400) {
    const says =
      `it redirects (${status}), which is not followed; write the address it redirects to`;
    return { told: false, says, again: false };
  }
  if (status === 410) {
    return { told: false, says: "it answered 410: it wants no more messages", again: "never" };
  }
  const again = status >= 500 || status === 408 || status === 425 || status === 429;
  const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
  const after = seconds === undefined
    ? {}
    : { afterMs: Math.min(Number(seconds) * 1000, MAX_AFTER_MS) };
  return { told: false, says: `it answered ${status}`, again, ...after };
}

function failureOf(error: unknown, { hostPort }: ReceiverUrl): Outcome {
  if (error instanceof Deno.errors.NotCapable) {
    const says = `this program may not reach it; start it anew through cli/supervise.sh, or with ` +
      `--allow-net=${hostPort}`;
    return { told: false, says, again: false };
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const words = `${error} ${cause}`;
  if (/Requests to port \d+ are blocked/.test(words)) {
    return { told: false, says: "its port is one that no HTTP client uses", again: false };
  }
  const says = REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? "the connection failed";
  return { told: false, says, again: true };
}
