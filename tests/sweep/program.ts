/**
 * A process that does one thing again and again; see `repeat.ts` for its inside.
 *
 * @module
 */

import { TextLineStream } from "../support/lines.ts";
import { REPO } from "../support/run.ts";
import { kill, orHung, spawnDeno, type Target } from "./target.ts";
import { fromFileUrl, join } from "@std/path";

/**
 * Starts a program.
 *
 * @param cpu The processor to run on.
 * @param flags Its permissions.
 * @param name Its file, beside this one.
 * @param args Its arguments.
 * @returns The process, once it is ready.
 */
export async function startProgram<T>(
  cpu: number,
  flags: readonly string[],
  name: string,
  args: readonly string[],
): Promise<Target<T>> {
  const process = spawnDeno(cpu, [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    "--config",
    join(REPO, "deno.json"),
    ...flags,
    fromFileUrl(new URL(name, import.meta.url)),
    ...args,
    // Where a directory cannot be closed, Deno itself gives up, at length.
  ], { stdin: "piped", stdout: "piped", stderr: "null" });
  const input = process.stdin.getWriter();
  const output = process.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  if ((await output.read()).value !== "ready") {
    throw new Error(`Cannot start ${name}: it ended before it was ready`);
  }
  return {
    pid: process.pid,
    async act() {
      // It may be dead by the time that it would read this.
      await input.write(new TextEncoder().encode("go\n")).catch(() => {});
      const reply = await orHung(output.read());
      if (reply === "hung") return "hung";
      return reply.value === undefined ? "died" : JSON.parse(reply.value);
    },
    async end() {
      await kill(process);
      await input.close().catch(() => {});
      await output.cancel().catch(() => {});
    },
  };
}
