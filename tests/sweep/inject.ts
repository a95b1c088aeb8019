/**
 * Runs a command while one of its system calls fails, or is its last.
 *
 * @module
 */

import { join } from "@std/path";
import type { Said } from "./invariants.ts";
import type { Operator } from "./operator.ts";
import type { Fault, Point } from "./points.ts";
import { wasInjected } from "./trace.ts";
import { attach, threadsBeside } from "./tracer.ts";

/** How that went. */
export interface Injection {
  /** What the command said; `"hung"` if it did not end. */
  readonly said: Said | "hung";
  /** Whether the call was made, and hit. */
  readonly hit: boolean;
}

/**
 * Runs a command with a fault at a point. A call that fails is not made at all; one that kills is not
 * made either.
 *
 * @param operator The process to run it in.
 * @param cpu Its processor.
 * @param root The root.
 * @param args The command line.
 * @param point Where.
 * @param fault What.
 * @returns How that went.
 */
export async function inject(
  operator: Operator,
  cpu: number,
  root: string,
  args: readonly string[],
  { call, path, n, thread }: Point,
  fault: Fault,
): Promise<Injection> {
  const { pid } = operator;
  const what = fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault}`;
  const tracer = await attach({
    // strace counts for each thread, so those that are not meant must not be counted.
    target: { threads: thread === "main" ? [pid] : threadsBeside(pid) },
    cpu,
    flags: [
      ...["-P", path === "." ? root : join(root, path)],
      ...["-e", `trace=${call}`],
      ...["-e", `inject=${call}:${what}:when=${n}`],
    ],
  });
  const said = await operator.run(args);
  const isDead = said !== "hung" && said.exit === undefined;
  return { said, hit: wasInjected(await tracer.end(isDead)) };
}
