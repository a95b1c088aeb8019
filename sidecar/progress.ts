/**
 * What a client is told while its call is held.
 *
 * @module
 */

import type { HeldCall } from "./hold.ts";

/** How often a client that wants to know is told. */
const TELL_EVERY_MS = 10_000;

/** "3 m 20 s". */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${seconds % 60} s` : `${seconds} s`;
}

/**
 * Tells a client that wants to know, every ten seconds, how long it has waited and for whom.
 *
 * @param call The client's side of the call.
 * @param ahead How many proposals the operator sees before this one.
 * @returns A function that ends it.
 */
export function keepTelling({ tell, signal }: HeldCall, ahead: () => number): () => void {
  if (tell === undefined) return () => {};
  const started = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - started;
    const before = ahead();
    const place = before === 0 ? "you are next" : `${before} ahead of you`;
    tell(elapsedMs, `waiting for the operator, ${duration(elapsedMs)}, ${place}`).catch(() => {
      // The client is gone; its signal says so, or is about to.
      if (signal.aborted) clearInterval(timer);
    });
  }, TELL_EVERY_MS);
  return () => clearInterval(timer);
}
