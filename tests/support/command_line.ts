/**
 * The operator's command line, run in the test's own process.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { TextLineStream } from "./lines.ts";
import type { RunResult } from "./run.ts";

/** How a command line is run. */
export interface CommandOptions {
  /** Its environment, besides the root and `NO_COLOR`; the test's own is left out. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input. */
  readonly input?: string;
}

/** How a command ended, and the bytes that it wrote to standard output. */
export interface CommandResult extends RunResult {
  readonly bytes: Uint8Array;
}

/** No test of this kind has a terminal. */
const NO_TERMINAL = {
  errIsTerminal: false,
  outIsTerminal: false,
  interactive: false,
  columns: 80,
} as const;

/**
 * Runs a command as `cli/supervise.sh` would, but in this process, with its permissions. What it prints
 * goes nowhere but into the result.
 */
export async function supervise(
  root: string,
  args: readonly string[],
  { env = {}, input = "" }: CommandOptions = {},
): Promise<CommandResult> {
  const chunks: Uint8Array[] = [];
  const encoder = new TextEncoder();
  const variables: Readonly<Record<string, string>> = {
    CLAUDE_BOTTLE_ROOT: root,
    NO_COLOR: "1",
    ...env,
  };
  let err = "";
  const code = await main(args, {
    ...NO_TERMINAL,
    print: (text) => void chunks.push(encoder.encode(`${text}\n`)),
    write: (bytes) => void chunks.push(bytes.slice()),
    complain: (text) => void (err += `${text}\n`),
    readInput: () => Promise.resolve(encoder.encode(input)),
    env: (name) => variables[name],
  });
  const bytes = await new Blob(chunks as BlobPart[]).bytes();
  return { code, bytes, out: new TextDecoder().decode(bytes), err };
}

/** Shows proposals: a script can approve what was shown. */
export async function showAll(root: string, ...ids: string[]): Promise<void> {
  for (const id of ids) await supervise(root, ["show", id]);
}

/** A `watch` that runs until it is ended. */
export interface RunningWatch {
  /** The next line that it writes; `""` once it ended. */
  readonly next: () => Promise<string>;
  /** Ends it, as Ctrl-C does; gives its exit code. */
  readonly end: () => Promise<number>;
}

/** Starts `watch` in this process. */
export function startWatch(
  root: string,
  args: readonly string[],
  columns: number = NO_TERMINAL.columns,
): RunningWatch {
  const { readable, writable } = new TransformStream<string, string>(undefined, {
    highWaterMark: Infinity,
  }, { highWaterMark: Infinity });
  const writer = writable.getWriter();
  const ending = new AbortController();
  const lines = readable.pipeThrough(new TextLineStream()).getReader();
  const decoder = new TextDecoder();
  const ended = main(["watch", ...args], {
    ...NO_TERMINAL,
    columns,
    print: (text) => void writer.write(`${text}\n`),
    write: (bytes) => void writer.write(decoder.decode(bytes)),
    complain: (text) => void writer.write(`2> ${text}\n`),
    env: (name) => name === "CLAUDE_BOTTLE_ROOT" ? root : undefined,
    signal: ending.signal,
  });
  const closed = ended.finally(() => writer.close());
  return {
    next: async () => (await lines.read()).value ?? "",
    end: async () => {
      ending.abort();
      await closed;
      return await ended;
    },
  };
}
