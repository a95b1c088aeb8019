/**
 * Waiting that can be cut short.
 *
 * @module
 */

/**
 * Waits, or until it is told to hurry.
 *
 * @param ms How long, in milliseconds.
 * @param hurry Ends it at once, without an error.
 * @returns When the time is up, or there is no time.
 */
export function pause(ms: number, hurry: AbortSignal): Promise<void> {
  if (hurry.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(end, ms);
  hurry.addEventListener("abort", end);
  function end(): void {
    clearTimeout(timer);
    hurry.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}
