/**
 * Tells a key that was meant from one that came by accident: out of a paste, out of a burst, or pressed
 * for a row that has just moved.
 *
 * @module
 */

/** How long keys that decide are ignored after the screen has changed. */
const SETTLE_MS = 300;

/** How long a key that decides must come alone, before it and after it. A held key repeats faster. */
const ALONE_MS = 40;

/** What is said of keys that came at once and do more than move and open. */
export const BURST = "Several keys at once decide nothing.";

/** Runs something later. The function that it returns cancels that. */
export type Later = (delayMs: number, run: () => void) => () => void;

/** Makes a guard before keys that decide. `refused` gets the reason why a key is not acted on. */
export function openKeyGuard(now: () => number, later: Later, refused: (why: string) => void) {
  let shiftedMs = -Infinity;
  let lastKeyMs = -Infinity;
  let cancel: (() => void) | undefined;

  /** Drops the key that waits to be acted on, if there is one. */
  function drop(why: string): boolean {
    if (cancel === undefined) return false;
    cancel();
    cancel = undefined;
    refused(why);
    return true;
  }

  return {
    /** What keys are about has moved. */
    shifted(): void {
      drop("The list has just moved: look, and press it again.");
      shiftedMs = now();
    },
    /** A key came that decides nothing. */
    otherKey(): void {
      drop(BURST);
      lastKeyMs = now();
    },
    /** A key came that decides: it is acted on in a moment, if no other key comes until then. */
    deciding(act: () => void): void {
      const alone = now() - lastKeyMs >= ALONE_MS;
      const settled = now() - shiftedMs >= SETTLE_MS;
      lastKeyMs = now();
      if (drop(BURST)) return;
      if (!settled) return refused("The screen has just changed: look, and press it again.");
      if (!alone) return refused(BURST);
      cancel = later(ALONE_MS, () => {
        cancel = undefined;
        act();
      });
    },
  };
}
