/**
 * What a program that is going to be killed was told is done. It notes it in a file that outlives it.
 *
 * @module
 */

/** The notes. */
export interface Receipts<T> {
  /** All of them, up to now. */
  readonly read: () => readonly T[];
  /** Waits until they are as wanted. */
  readonly until: (isEnough: (all: readonly T[]) => boolean) => Promise<void>;
}

/** How long until they must be as wanted. */
const PATIENCE_MS = 20_000;

/**
 * Begins a file of notes.
 *
 * @param path The file.
 * @returns What is in it.
 */
export function openReceipts<T>(path: string): Receipts<T> {
  Deno.writeTextFileSync(path, "");
  const read = (): readonly T[] => {
    const lines = Deno.readTextFileSync(path).split("\n");
    lines.pop();
    return lines.map((line) => JSON.parse(line));
  };
  return {
    read,
    async until(isEnough) {
      if (isEnough(read())) return;
      const deadline = AbortSignal.timeout(PATIENCE_MS);
      using watcher = Deno.watchFs(path);
      deadline.addEventListener("abort", () => watcher.close());
      for await (const _ of watcher) {
        if (isEnough(read())) return;
      }
      throw new Error(`Cannot go on: ${path} did not fill within ${PATIENCE_MS} ms`);
    },
  };
}
