/**
 * A process that is hit while it does something.
 *
 * @module
 */

/** What came of it: what it said, or that it died, or that it did not come to an end. */
export type Reply<T> = T | "died" | "hung";

/** A process that does one thing, perhaps again and again. */
export interface Target<T> {
  /** Its id. */
  readonly pid: number;
  /** Does it. */
  readonly act: () => Promise<Reply<T>>;
  /** Ends it, and with it whatever lock it holds. */
  readonly end: () => Promise<void>;
}

/** How long it may take before it counts as hung; a hundred times what it takes. */
const PATIENCE_MS = 20_000;

/**
 * Waits for something, but not for ever.
 *
 * @param promise For what.
 * @returns What came, or `"hung"`.
 */
export async function orHung<T>(promise: Promise<T>): Promise<T | "hung"> {
  const { promise: late, resolve } = Promise.withResolvers<"hung">();
  const timer = setTimeout(() => resolve("hung"), PATIENCE_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts Deno with everything of it on one processor, which strace shares: a stop is then no trip
 * from one processor to another, and costs a quarter.
 *
 * @param cpu The processor.
 * @param args What follows `deno`.
 * @param options What to do with its streams.
 * @returns The process.
 */
export function spawnDeno(
  cpu: number,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args">,
): Deno.ChildProcess {
  return new Deno.Command("taskset", { args: ["-c", String(cpu), "deno", ...args], ...options })
    .spawn();
}

/**
 * Kills a process, and waits for its end.
 *
 * @param process The process.
 */
export async function kill(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch {
    // It is dead already.
  }
  await process.status;
}
