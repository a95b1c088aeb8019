/**
 * Tells a client that its call is held, and what is being done meanwhile.
 *
 * @module
 */

import type { Underway } from "../sidecar_mod.ts";

/** What the host does with a proposal right now; `failed` if it did something, and there is no answer. */
export type Progress = Underway | "failed" | undefined;

/** The same in words, for an agent. None says "approved": that is not recorded yet. */
export function wordsOfProgress(progress: Progress): string | undefined {
  if (progress === undefined) return undefined;
  if (progress === "failed") return "it did not take effect; waiting for the operator again";
  const { isTakenBack, doing } = progress;
  const state = isTakenBack ? "it did not take effect" : "being put into force, not approved yet";
  return `${state}: the host ${doing}`;
}

/** How often a client that wants to know is told that it waits. */
const TELL_EVERY_MS = 10_000;

/** "3 m 20 s". */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${seconds % 60} s` : `${seconds} s`;
}

function placeWords(ahead: () => number): string {
  try {
    const before = ahead();
    return before === 0 ? ", you are next" : `, ${before} ahead of you`;
  } catch {
    return ""; // The queue cannot be read now. The client must hear that it waits all the same.
  }
}

/**
 * Tells a client that wants to know, every ten seconds, how long it has waited, and what is being done, or how
 * many proposals come before its own.
 */
export function keepTelling(
  tell: (elapsedMs: number, message: string) => Promise<void>,
  signal: AbortSignal,
  progress: () => Progress,
  ahead: () => number,
): () => void {
  const started = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - started;
    const now = progress();
    const place = typeof now === "object" ? "" : placeWords(ahead);
    const words = wordsOfProgress(now) ?? "waiting for the operator";
    tell(elapsedMs, `${words}, ${duration(elapsedMs)}${place}`).catch(() => {
      // The client is gone; its signal says so, or is about to.
      if (signal.aborted) clearInterval(timer);
    });
  }, TELL_EVERY_MS);
  return () => clearInterval(timer);
}
