/**
 * The ways in which a program ends that nobody typed `q` for.
 *
 * @module
 */

import process from "node:process";

/** Signals that end a program, and the exit code that says so. */
const SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;

/** A signal that ends a program. */
export type EndingSignal = keyof typeof SIGNALS;

/**
 * Listens for signals that end the program, and for errors that nobody caught.
 *
 * @param onSignal Called with the signal, and the exit code that says so.
 * @param onError Called with the error.
 * @returns A function that listens no more.
 */
export function listenForEndings(
  onSignal: (signal: EndingSignal, exitCode: number) => void,
  onError: (error: unknown) => void,
): () => void {
  const offs = Object.entries(SIGNALS).map(([signal, exitCode]) => {
    // Through Node's process: Ink listens there, and leaves alone what somebody else listens for.
    const listener = () => onSignal(signal as EndingSignal, exitCode);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const listener = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    onError("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", listener);
  globalThis.addEventListener("unhandledrejection", listener);
  return () => {
    for (const off of offs) off();
    globalThis.removeEventListener("error", listener);
    globalThis.removeEventListener("unhandledrejection", listener);
  };
}
