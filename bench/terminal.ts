/**
 * Programs in a terminal, as a person would start them: what they paint, and how soon.
 *
 * @module
 */

/** A program in a terminal. */
export interface TerminalProgram extends AsyncDisposable {
  /** Waits until this has been painted since the last wait, and says how long after the start. */
  readonly paints: (text: string) => Promise<number>;
  /** Types, and waits for whatever is painted next: the time until then, in milliseconds. */
  readonly answers: (keys: string) => Promise<number>;
  /** Types. */
  readonly type: (keys: string) => Promise<void>;
  /** Waits until nothing has been painted for a while. */
  readonly rest: (quietMs: number) => Promise<void>;
}

/** How long a screen may take before the bench is given up. */
const PATIENCE_MS = 30_000;

/**
 * Starts a program in a terminal of 120 columns and 40 rows.
 *
 * @param command A shell command.
 * @param env Its environment, besides the bench's own.
 * @returns The program. At the end of the block its terminal is taken away.
 */
export function startInTerminal(command: string, env: Record<string, string>): TerminalProgram {
  const startedAt = performance.now();
  const child = new Deno.Command("script", {
    args: ["-qefc", `stty cols 120 rows 40 && ${command}`, "/dev/null"],
    env: { TERM: "xterm-256color", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  const decoder = new TextDecoder();
  let painted = "";
  let paintedAt = startedAt;
  let woken = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of child.stdout) {
      painted += decoder.decode(chunk, { stream: true });
      paintedAt = performance.now();
      woken.resolve();
      woken = Promise.withResolvers();
    }
  })();
  const type = (keys: string) => keyboard.write(new TextEncoder().encode(keys));
  async function next(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Cannot go on: ${painted}`)), PATIENCE_MS);
    });
    await Promise.race([woken.promise, late]).finally(() => clearTimeout(timer));
  }
  return {
    async paints(text) {
      while (!painted.includes(text)) await next();
      painted = "";
      return paintedAt - startedAt;
    },
    async answers(keys) {
      const typedAt = performance.now();
      const answered = next();
      await type(keys);
      await answered;
      return paintedAt - typedAt;
    },
    type,
    async rest(quietMs) {
      while (performance.now() - paintedAt < quietMs) {
        await new Promise((resolve) => setTimeout(resolve, quietMs / 4));
      }
      painted = "";
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
      await keyboard.abort().catch(() => {});
    },
  };
}
