/**
 * Attaches strace to a process that runs: to see its system calls, or to make one of them fail.
 *
 * @module
 */

/** An strace that is attached. */
export interface Tracer {
  /** Detaches it, and gives everything that it wrote. Where its target is dead it ends by itself. */
  readonly end: (targetIsDead?: boolean) => Promise<string>;
}

/** What to trace. */
export interface TraceOptions {
  /** The process, with all its threads; or the threads, without any others. */
  readonly target: { readonly pid: number } | { readonly threads: readonly number[] };
  /** The processor to run on. It is the target's: a stop is then no trip from one to another. */
  readonly cpu: number;
  /** Which calls, and what to do to them. */
  readonly flags: readonly string[];
}

/**
 * Attaches strace.
 *
 * @param options What to trace.
 * @returns The tracer, once it is attached.
 * @throws {Error} If it cannot be attached; says why.
 */
export async function attach({ target, cpu, flags }: TraceOptions): Promise<Tracer> {
  const whom = "pid" in target
    ? ["-f", "-p", String(target.pid)]
    : target.threads.flatMap((thread) => ["-p", String(thread)]);
  const strace = new Deno.Command("taskset", {
    args: ["-c", String(cpu), "strace", "-y", ...flags, ...whom],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();

  let text = "";
  let missing = "pid" in target ? 1 : target.threads.length;
  const attached = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of strace.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (missing === 0) continue;
      missing = Math.max(
        0,
        expected(target) - (text.match(/: Process \d+ attached/g)?.length ?? 0),
      );
      if (missing === 0) attached.resolve();
    }
    attached.reject(new Error(`Cannot attach strace: ${text.trim()}`));
  })();
  await attached.promise;
  return {
    async end(targetIsDead = false) {
      try {
        if (!targetIsDead) strace.kill("SIGTERM");
      } catch {
        // It has ended with what it traced.
      }
      await reading;
      await strace.status;
      return text;
    },
  };
}

function expected(target: TraceOptions["target"]): number {
  return "pid" in target ? 1 : target.threads.length;
}

/**
 * The threads of a process. The main thread has the id of the process.
 *
 * @param pid The process.
 * @returns Their ids.
 */
export function threadsOf(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => Number(name));
}
