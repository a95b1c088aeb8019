/**
 * Python, where there is one.
 *
 * @module
 */

import { run, type RunResult } from "./run.ts";
import { mustSkip } from "./skip.ts";

/** Whether the tests that need Python are left out, because no Python here can lock a file. */
export const PYTHON_MISSING: boolean = mustSkip(
  canLock() ? undefined : "there is no python3 with fcntl on this machine",
);

function canLock(): boolean {
  try {
    const args = ["-c", "import fcntl, json"];
    return new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

/**
 * Runs a Python program to its end.
 *
 * @param program The program's text.
 * @param args Its arguments.
 * @returns How it ended.
 */
export function python(program: string, args: readonly string[]): Promise<RunResult> {
  return run("python3", ["-c", program, ...args]);
}

/** A program that is ready and has not begun. */
export interface Appender {
  /** Lets it begin, and waits for its end. */
  readonly go: () => Promise<Deno.CommandStatus>;
}

/**
 * Starts a program that says "ready" and begins when its input ends.
 *
 * @param program The program.
 * @param args Its arguments.
 * @returns The program, once it is ready.
 */
export async function startAppender(program: string, args: readonly string[]): Promise<Appender> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("ready")) {
    const { done, value } = await said.read();
    if (done) throw new Error(`Cannot start ${program}: it ended before it was ready`);
    text += value;
  }
  return {
    go: async () => {
      await child.stdin.close();
      while (!(await said.read()).done);
      return await child.status;
    },
  };
}
