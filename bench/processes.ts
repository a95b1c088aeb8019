/**
 * Processes, as the bench starts them.
 *
 * @module
 */

import { sleep } from "./fixtures.ts";
import { fromFileUrl } from "@std/path";

const POLL_MS = 2;

/** The path of a program of this repository. */
export function here(path: string): string {
  return fromFileUrl(import.meta.resolve(path));
}

/** A port that was free a moment ago: the permission to listen must name it. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until a server answers 200. */
export async function firstAnswer(url: string, giveUpAt: number): Promise<void> {
  while (true) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch (error) {
      // Nobody listens yet.
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(POLL_MS);
  }
}

/** What a process holds in memory, in MiB. */
export async function residentMib(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Runs a program to its end, with a root and little else in its environment; returns what it complained. */
export async function run(
  program: string,
  args: readonly string[],
  root: string,
): Promise<string> {
  const { code, stderr } = await new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      CLAUDE_BOTTLE_ROOT: root,
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR")! }),
    },
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stderr);
  if (code === 0) return said;
  throw new Error(`${program} ${args.join(" ")}: ${said}`);
}
