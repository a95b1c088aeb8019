/**
 * An operator's process that runs one command line again and again.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { TextLineStream } from "../support/lines.ts";
import { REPO } from "../support/run.ts";
import type { Said } from "./invariants.ts";
import { kill, orHung, spawnDeno, type Target } from "./target.ts";

/**
 * Starts an operator's process with the permissions of cli/supervise.sh.
 *
 * @param cpu The processor to run on.
 * @param root The root.
 * @param readable What else it may read.
 * @param args The command line.
 * @returns The process, once it is ready.
 */
export async function startOperator(
  cpu: number,
  root: string,
  readable: string,
  args: readonly string[],
): Promise<Target<Said>> {
  const process = spawnDeno(cpu, [
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
    ...args,
    // Where a directory cannot be closed, Deno itself gives up, at length.
  ], { stdin: "piped", stdout: "piped", stderr: "null" });
  const input = process.stdin.getWriter();
  const output = process.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  if ((await output.read()).value !== "ready") {
    throw new Error("Cannot start the operator's process: it ended before it was ready");
  }
  return {
    pid: process.pid,
    async act() {
      // It may be dead by the time that it would read this.
      await input.write(new TextEncoder().encode("go\n")).catch(() => {});
      const reply = await orHung(output.read());
      if (reply === "hung") return "hung";
      if (reply.value === undefined) return "died";
      const { exit, words } = JSON.parse(reply.value);
      return { exit, code: codeIn(words) };
    },
    async end() {
      await kill(process);
      await input.close().catch(() => {});
      await output.cancel().catch(() => {});
    },
  };
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
