/**
 * The system calls that a program makes on the files under a directory, in their order.
 *
 * @module
 */

import { readTrace } from "../sweep/trace.ts";
import { inEnvironment } from "./environment.ts";
import { REPO } from "./run.ts";
import type { TempDir } from "./temp.ts";
import { assertEquals } from "@std/assert";

/** What writes, what makes it durable, and what others see. */
const CALLS =
  "write,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat";

/**
 * Runs a program under strace(1).
 *
 * @param dir Where the program is put.
 * @param root The directory.
 * @param code Its text. `REPO` in it stands for the checkout.
 * @returns Each call and its path from the directory, such as `fsync audit`.
 */
export async function callsOf(dir: TempDir, root: string, code: string): Promise<string[]> {
  const [program, trace] = [dir.at("calls.ts"), dir.at("calls.trace")];
  await Deno.writeTextFile(program, code.replaceAll("REPO", REPO));
  const { code: exit, stderr } = await new Deno.Command("strace", {
    args: [
      ...["-f", "-y", "-qq", "-e", `trace=${CALLS}`, "-o", trace],
      ...[Deno.execPath(), "run", "-A", "--quiet", `--config=${REPO}deno.json`, program],
    ],
    stdout: "null",
    stderr: "piped",
    ...inEnvironment(),
  }).output();
  assertEquals(exit, 0, new TextDecoder().decode(stderr));
  // In a file, a thread's number precedes its calls in another form.
  const lines = (await Deno.readTextFile(trace)).replace(/^(\d+) +/gm, "[pid $1] ");
  return readTrace(lines, root).map(({ call, path }) => `${call.replace(/at2?$/, "")} ${path}`);
}
