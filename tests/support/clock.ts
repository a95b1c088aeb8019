/**
 * A clock that only moves when it is told to.
 *
 * @module
 */

import type { Later } from "../../cli/review/key_guard.ts";

/** A clock. */
export interface Clock {
  /** The time, in milliseconds since 1970. */
  readonly now: () => number;
  /** Runs something later. */
  readonly later: Later;
  /** Lets time pass, and runs what is due meanwhile, each at its own time. */
  readonly pass: (ms: number) => void;
}

/**
 * Makes a clock.
 *
 * @param startMs What it shows at first; the machine's time unless given.
 * @returns The clock.
 */
export function openClock(startMs: number = Date.now()): Clock {
  let nowMs = startMs;
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  return {
    now: () => nowMs,
    later(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass(ms) {
      const endMs = nowMs + ms;
      while (true) {
        const [next] = [...timers].filter(({ dueMs }) => dueMs <= endMs)
          .sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = next.dueMs;
        next.run();
      }
      nowMs = endMs;
    },
  };
}
