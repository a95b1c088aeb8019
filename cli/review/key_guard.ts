/**
 * Tells a key that was meant from one that came by accident: out of a paste, out of a burst, or pressed
 * for a row that has just moved.
 *
 * @module
 */

/** How long keys that decide are ignored after what they are about has moved. */
const SETTLE_MS = 300;

/** How long a key that decides must stand alone, before it and after it. A held key repeats faster. */
const ALONE_MS = 40;

/** The guard before keys that decide. */
export interface KeyGuard {
  /** Says that what keys are about has moved. */
  readonly shifted: () => void;
  /** Says that some key came that decides nothing. */
  readonly otherKey: () => void;
  /** Hands over a key that decides; it is acted on in a moment, if it was meant. */
  readonly deciding: (act: () => void) => void;
}

/** Runs something later, unless it is told not to. */
export type Later = (delayMs: number, run: () => void) => () => void;

/**
 * Makes a guard.
 *
 * @param now Gives the time, in milliseconds.
 * @param later Runs something later.
 * @param refused Called with the reason if a key is not acted on.
 * @returns The guard.
 */
export function openKeyGuard(
  now: () => number,
  later: Later,
  refused: (why: string) => void,
): KeyGuard {
  let shiftedMs = -Infinity;
  let lastKeyMs = -Infinity;
  let cancel: (() => void) | undefined;

  /** A key is waiting to be acted on: then it was not alone. */
  function drop(why: string): boolean {
    if (cancel === undefined) return false;
    cancel();
    cancel = undefined;
    refused(why);
    return true;
  }

  return {
    shifted() {
      drop("The list has just moved: look, and press it again.");
      shiftedMs = now();
    },
    otherKey() {
      drop("Several keys at once decide nothing.");
      lastKeyMs = now();
    },
    deciding(act) {
      const alone = now() - lastKeyMs >= ALONE_MS;
      const settled = now() - shiftedMs >= SETTLE_MS;
      lastKeyMs = now();
      if (drop("Several keys at once decide nothing.")) return;
      if (!settled) return refused("The screen has just changed: look, and press it again.");
      if (!alone) return refused("Several keys at once decide nothing.");
      cancel = later(ALONE_MS, () => {
        cancel = undefined;
        act();
      });
    },
  };
}
