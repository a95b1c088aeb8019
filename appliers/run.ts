/**
 * Runs one of the operator's programs, bounded in time and in what it prints.
 *
 * @module
 */

import { type HookProgram, requireOwn } from "./config.ts";
import { ApplyError, type ApplyStage } from "../mod.ts";

/** All that a program gets of the environment: nothing that a proxy or a loader would obey. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/** How much of its output is kept, the end of it: programs say last why they end. */
const MAX_OUTPUT_BYTES = 4 * 1024;

/** For how long output is read after the end. A daemon that it started may hold the pipe for ever. */
const DRAIN_MS = 200;

/** The signals by which people and terminals end a command. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How a program ended. */
export interface Ran {
  /** The exit code; `undefined` if the time was over, or a signal came. */
  readonly exitCode: number | undefined;
  /** Whether a signal to this process ended it. */
  readonly isInterrupted: boolean;
  /** What it printed to standard output and standard error, cut to its last bytes. */
  readonly output: string;
}

/** The last bytes of what is added. */
function openTail() {
  let kept: Uint8Array<ArrayBuffer> = new Uint8Array();
  let isCut = false;
  return {
    add: (chunk: Uint8Array<ArrayBuffer>) => {
      const all = new Uint8Array(kept.length + chunk.length);
      all.set(kept);
      all.set(chunk, kept.length);
      isCut ||= all.length > MAX_OUTPUT_BYTES;
      kept = all.slice(-MAX_OUTPUT_BYTES);
    },
    text: () => (isCut ? "..." : "") + new TextDecoder().decode(kept),
  };
}

/** Ends a program, and what it started, as far as Deno's permissions let this process. */
function kill(child: Deno.ChildProcess): void {
  try {
    // The child leads a group of its own. With a scoped grant Deno lets a process end its children alone.
    Deno.kill(-child.pid, "SIGKILL");
  } catch {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has just ended.
    }
  }
}

/** Has signals end a program, and not this process, until it is disposed of. */
function openInterrupt(signals: readonly Deno.Signal[]) {
  const interrupt = {
    child: undefined as Deno.ChildProcess | undefined,
    isInterrupted: false,
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, end);
    },
  };
  const end = () => {
    interrupt.isInterrupted = true;
    if (interrupt.child !== undefined) kill(interrupt.child);
  };
  for (const signal of signals) Deno.addSignalListener(signal, end);
  return interrupt;
}

/**
 * Runs a program to its end, or for its time: with no input, no environment but a PATH, and no shell. It leads
 * a session of its own, so Ctrl-C at the terminal does not end a reload in the middle.
 *
 * What it started and left behind does not prolong this: a `start` leaves a daemon. If the time is over, the
 * program is killed; what it started is killed too only where this process may run every program.
 *
 * @param program The program.
 * @param values What its placeholders become.
 * @param stopOnSignals Whether Ctrl-C, SIGTERM or SIGHUP ends it, and not this process: what it was to do is then
 * not done later, behind the back of who takes it back.
 * @throws {Error} If it cannot be started, or another account could replace it; names it.
 */
export async function runProgram(
  { argv, timeoutMs }: HookProgram,
  values: Readonly<Record<string, string>>,
  stopOnSignals = false,
): Promise<Ran> {
  const [path, ...args] = argv.map((word) => Object.hasOwn(values, word) ? values[word]! : word);
  requireOwn(path!);
  // Before it runs: a signal that came in between would end this process alone.
  using interrupt = openInterrupt(stopOnSignals ? SIGNALS : []);
  const child = new Deno.Command(path!, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    env: ENVIRONMENT,
    cwd: "/",
    detached: true,
  }).spawn();
  interrupt.child = child;
  const tail = openTail();
  const readers = [child.stdout, child.stderr].map((stream) => stream.getReader());
  const read = Promise.all(readers.map(async (reader) => {
    for (let next; !(next = await reader.read()).done;) tail.add(next.value);
  }));
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    kill(child);
  }, timeoutMs);
  const { code } = await child.status;
  clearTimeout(timer);
  const drained = Promise.withResolvers<void>();
  const drain = setTimeout(drained.resolve, DRAIN_MS);
  await Promise.race([read, drained.promise]);
  clearTimeout(drain);
  await Promise.all(readers.map((reader) => reader.cancel()));
  const { isInterrupted } = interrupt;
  const exitCode = isOver || isInterrupted ? undefined : code;
  return { exitCode, isInterrupted, output: tail.text() };
}

/**
 * Runs a program that must succeed.
 *
 * @param stage What it is run for.
 * @param program The program.
 * @param values What its placeholders become.
 * @param stopOnSignals As for {@linkcode runProgram}.
 * @throws {ApplyError} If it cannot be started, takes too long, or ends with another exit code than 0.
 */
export async function mustRun(
  stage: ApplyStage,
  program: HookProgram,
  values: Readonly<Record<string, string>>,
  stopOnSignals = false,
): Promise<void> {
  const path = program.argv[0]!;
  let ran: Ran;
  try {
    ran = await runProgram(program, values, stopOnSignals);
  } catch (cause) {
    const way = cause instanceof Deno.errors.NotCapable
      ? "this verb may not start it; use cli/supervise.sh"
      : (cause as Error).message;
    throw new ApplyError(stage, `cannot start ${path}: ${way}`, { cause });
  }
  const { exitCode, isInterrupted, output } = ran;
  if (exitCode === 0) return;
  const reason = isInterrupted
    ? `${path} was interrupted`
    : exitCode === undefined
    ? `${path} was ended after ${program.timeoutMs / 1_000} s`
    : `${path} ended with exit code ${exitCode}`;
  const how = { output, isInterrupted, ...(exitCode !== undefined && { exitCode }) };
  throw new ApplyError(stage, reason, how);
}
