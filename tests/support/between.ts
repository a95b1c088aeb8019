/**
 * Acts between two system calls of a program, as another process may at any time: strace(1) stops the
 * program right behind one of its calls, and it goes on when the other has acted.
 *
 * @module
 */

import { inEnvironment } from "./environment.ts";
import { REPO } from "./run.ts";
import type { TempDir } from "./temp.ts";
import { assertEquals } from "@std/assert";

/** What another process does once the program has made a call. */
export interface Step {
  /** The call's name, such as `statx`. */
  readonly call: string;
  /** Which of those calls on the paths it is, from 1. */
  readonly n: number;
  readonly act: () => void | Promise<void>;
}

/**
 * Runs a program, and acts in between.
 *
 * @param dir Where the program is put.
 * @param code Its text; what it prints is the result. `REPO` in it stands for the checkout.
 * @param path The file or directory that the calls name, or several.
 * @param steps When to do what, in the order of the calls.
 * @returns What the program printed.
 */
export async function actBetween(
  dir: TempDir,
  code: string,
  path: string | readonly string[],
  ...steps: readonly [Step, ...Step[]]
): Promise<string> {
  const [program, trace] = [dir.at("between.ts"), dir.at("between.trace")];
  await Deno.writeTextFile(program, code.replaceAll("REPO", REPO));
  await Deno.writeTextFile(trace, "");
  const child = new Deno.Command("strace", {
    args: [
      ...["-f", "-qq", "-o", trace],
      ...[path].flat().flatMap((each) => ["-P", each]),
      ...["-e", `trace=${steps.map(({ call }) => call)}`],
      ...steps.flatMap(({ call, n }) => ["-e", `inject=${call}:signal=SIGSTOP:when=${n}`]),
      ...[Deno.execPath(), "run", "-A", "--quiet", `--config=${REPO}deno.json`, program],
    ],
    stdout: "piped",
    stderr: "piped",
    ...inEnvironment(),
  }).spawn();
  const output = child.output();
  let ended = false;
  output.then(() => ended = true);
  let done = 0;
  while (!ended) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const stops = [
      ...(await Deno.readTextFile(trace)).matchAll(
        /^(\d+) +--- SIGSTOP .*\n(?:.*\n)*?\1 +--- stopped by SIGSTOP/gm,
      ),
    ];
    const pid = stops[done]?.[1];
    if (pid === undefined) continue;
    try {
      await steps[done++]!.act();
    } finally {
      Deno.kill(Number(pid), "SIGCONT");
    }
  }
  const { stdout, stderr } = await output;
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // A program that did not make all the calls was not disturbed, and shows nothing.
  assertEquals(done, steps.length, `it was not stopped: ${decode(stderr)}`);
  return decode(stdout);
}
