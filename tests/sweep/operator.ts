/**
 * An operator's process that takes one command line after another.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { TextLineStream } from "../support/lines.ts";
import { REPO } from "../support/run.ts";
import type { Said } from "./invariants.ts";

/** How long a command may take before it counts as hung; a hundred times what it takes. */
const PATIENCE_MS = 20_000;

/** The process. */
export interface Operator {
  /** Its id. */
  readonly pid: number;
  /** How many commands it has run. */
  readonly commands: () => number;
  /** Runs a command. `"hung"` if it does not end; the process can then only be ended. */
  readonly run: (args: readonly string[]) => Promise<Said | "hung">;
  /** Ends it, and with it whatever lock it holds. */
  readonly end: () => Promise<void>;
}

/**
 * Starts an operator's process with the permissions of cli/supervise.sh.
 *
 * @param cpu The processor to run on.
 * @param root The root.
 * @param readable What else it may read.
 * @returns The process, once it is ready.
 */
export async function startOperator(
  cpu: number,
  root: string,
  readable: string,
): Promise<Operator> {
  const process = new Deno.Command("taskset", {
    args: [
      "-c",
      String(cpu),
      "deno",
      "run",
      "--quiet",
      "--no-prompt",
      "--frozen",
      "--config",
      join(REPO, "deno.json"),
      `--allow-read=${root},${readable}`,
      `--allow-write=${root}`,
      "--allow-run=vi",
      "--allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR",
      "--allow-sys=hostname,uid,gid,userInfo",
      fromFileUrl(new URL("operator_program.ts", import.meta.url)),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = process.stdin.getWriter();
  const output = process.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  if ((await output.read()).value !== "ready") {
    throw new Error("Cannot start the operator's process: it ended before it was ready");
  }
  let commands = 0;
  return {
    pid: process.pid,
    commands: () => commands,
    async run(args) {
      commands++;
      // It may be dead by the time that it would read this.
      await input.write(new TextEncoder().encode(JSON.stringify(args) + "\n")).catch(() => {});
      const read = output.read();
      const reply = await within(PATIENCE_MS, read);
      if (reply === "late") return "hung";
      if (reply.value === undefined) return { exit: undefined, code: undefined };
      const { exit, words } = JSON.parse(reply.value);
      return { exit, code: codeIn(words) };
    },
    async end() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It is dead already.
      }
      await input.close().catch(() => {});
      await output.cancel().catch(() => {});
      await process.status;
    },
  };
}

/**
 * Waits for something, but not for ever.
 *
 * @param ms How long, in milliseconds.
 * @param promise For what.
 * @returns What came, or `"late"`.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), ms));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The word in `error.code` of what `--json` printed.
 *
 * @param words What was printed.
 * @returns The word, or `undefined` if nothing failed.
 */
export function codeIn(words: readonly string[]): string | undefined {
  return words.map((word) => JSON.parse(word).error?.code).find((code) => code !== undefined);
}
