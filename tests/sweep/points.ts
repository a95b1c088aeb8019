/**
 * The points of a command at which it can be hit: each of its system calls on a file under the root.
 *
 * @module
 */

import type { Operator } from "./operator.ts";
import { readTrace } from "./trace.ts";
import { attach } from "./tracer.ts";

/** A system call of a command. */
export interface Point {
  /** The system call's name. */
  readonly call: string;
  /** The file's path from the root. */
  readonly path: string;
  /** Which of those calls on that file it is, from 1, among those of its thread. */
  readonly n: number;
  /** Whether the main thread makes it, or one that does its waiting. */
  readonly thread: "main" | "other";
}

/** What can happen at a point. */
export const FAULTS = ["SIGKILL", "EIO", "ENOSPC"] as const;

/** What can happen at a point. */
export type Fault = (typeof FAULTS)[number];

/**
 * Runs a command undisturbed, and finds its points.
 *
 * @param operator The process to run it in.
 * @param cpu Its processor.
 * @param root The root.
 * @param args The command line.
 * @returns The points, in the order of the calls.
 * @throws {Error} If the command fails: then there is nothing to learn from it.
 */
export async function findPoints(
  operator: Operator,
  cpu: number,
  root: string,
  args: readonly string[],
): Promise<readonly Point[]> {
  const { pid } = operator;
  const flags = ["-e", "trace=%file,%desc", "-e", "signal=none"];
  const tracer = await attach({ target: { pid }, cpu, flags });
  const said = await operator.run(args);
  const text = await tracer.end();
  if (said === "hung" || said.exit !== 0) {
    const how = JSON.stringify(said);
    throw new Error(`Cannot sweep ${args.join(" ")}: undisturbed, it ended with ${how}`);
  }
  return pointsIn(text, root, pid);
}

/**
 * Finds the points in the output of strace.
 *
 * @param text The output.
 * @param root The root.
 * @param pid The process, which is the id of its main thread.
 * @returns The points, in the order of the calls.
 */
export function pointsIn(text: string, root: string, pid: number): readonly Point[] {
  const seen = new Map<string, number>();
  return readTrace(text, root).map(({ call, path, thread = pid }) => {
    const key = `${thread} ${call} ${path}`;
    const n = (seen.get(key) ?? 0) + 1;
    seen.set(key, n);
    return { call, path, n, thread: thread === pid ? "main" : "other" };
  });
}

/**
 * A point in words that name it, and nothing else.
 *
 * @param point The point.
 * @returns Its name.
 */
export function nameOf({ call, path, n, thread }: Point): string {
  return `${call} ${path} ${n}${thread === "main" ? "" : " other-thread"}`;
}
