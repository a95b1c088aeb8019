/**
 * A lane of the sweep: a processor, a root, and the process that is hit. Lanes run side by side.
 *
 * @module
 */

import { inject, type Injection } from "./inject.ts";
import { type Fault, findPoints, type Point } from "./points.ts";
import type { Reply, Target } from "./target.ts";

/** Whether the process must not have done it before, must have, or either. */
export type Freshness = "fresh" | "warm" | "any";

/** A lane. */
export interface Lane<T> extends AsyncDisposable {
  /** Its root. */
  readonly root: string;
  /** Finds the points of what its process does. */
  readonly findPoints: (
    process: Freshness,
  ) => Promise<{ readonly points: readonly Point[]; readonly reply: Reply<T> }>;
  /** Hits its process; what was hit holds nothing any more when this returns. */
  readonly hit: (point: Point, fault: Fault, process: Freshness) => Promise<Injection<T>>;
}

/**
 * Opens a lane.
 *
 * @param cpu Its processor.
 * @param root Its root.
 * @param putBack Makes the root what it was.
 * @param start Starts its process.
 * @returns The lane.
 */
export function openLane<T>(
  cpu: number,
  root: string,
  putBack: () => void,
  start: (cpu: number, root: string) => Promise<Target<T>>,
): Lane<T> {
  let starting: Promise<Target<T>> | undefined;
  let isFresh = true;

  async function target(process: Freshness): Promise<Target<T>> {
    if (process === "fresh" && !isFresh) await end();
    starting ??= start(cpu, root);
    const started = await starting;
    if (process === "warm" && isFresh) {
      await started.act();
      putBack();
    }
    isFresh = false;
    return started;
  }

  async function end(): Promise<void> {
    const ended = await starting;
    starting = undefined;
    isFresh = true;
    await ended?.end();
  }

  return {
    root,
    findPoints: async (process) => await findPoints(await target(process), cpu, root),
    async hit(point, fault, process) {
      const injection = await inject(await target(process), cpu, root, point, fault);
      const { reply } = injection;
      // A descriptor whose close failed stays open, and may be a lock.
      const isSpoilt = reply === "died" || reply === "hung" || point.call === "close";
      if (isSpoilt || process === "fresh") {
        await end();
        // The next one starts while what this one left is judged.
        starting = start(cpu, root);
      }
      return injection;
    },
    [Symbol.asyncDispose]: end,
  };
}
