/**
 * Lets a process do its thing while one of its system calls fails, or is its last.
 *
 * @module
 */

import type { Fault, Point } from "./points.ts";
import type { Reply, Target } from "./target.ts";
import { PROGRAM, wasInjected } from "./trace.ts";
import { attach, threadsOf } from "./tracer.ts";
import { join } from "@std/path";

/** How that went. */
export interface Injection<T> {
  /** What it said. */
  readonly reply: Reply<T>;
  /** Whether the call was made, and hit. */
  readonly hit: boolean;
}

/**
 * Lets a process act with a fault at a point. A call that fails is not made at all; one that kills is
 * not made either.
 *
 * @param target The process.
 * @param cpu Its processor.
 * @param root The root.
 * @param point Where.
 * @param fault What.
 * @returns How that went.
 */
export async function inject<T>(
  target: Target<T>,
  cpu: number,
  root: string,
  { call, path, n, thread }: Point,
  fault: Fault,
): Promise<Injection<T>> {
  const { pid } = target;
  const what = fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault}`;
  const tracer = await attach({
    // strace counts for each thread, so those that are not meant must not be counted.
    target: { threads: thread === "main" ? [pid] : threadsOf(pid).filter((one) => one !== pid) },
    cpu,
    flags: [
      ...(path === PROGRAM ? [] : ["-P", path === "." ? root : join(root, path)]),
      ...["-e", `trace=${call}`],
      ...["-e", `inject=${call}:${what}:when=${n}`],
    ],
  });
  const reply = await target.act();
  return { reply, hit: wasInjected(await tracer.end(reply === "died")) };
}
