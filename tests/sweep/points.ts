/**
 * The points at which a process can be hit: each of its system calls on a file under the root.
 *
 * @module
 */

import type { Reply, Target } from "./target.ts";
import { readTrace } from "./trace.ts";
import { attach } from "./tracer.ts";

/** A system call. */
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

const FAULTS = ["SIGKILL", "EIO", "ENOSPC"] as const;

/** Calls that no full disk makes fail: they read, or give something back. */
const TAKES_NO_ROOM =
  /^(?:statx|stat|lstat|fstat|newfstatat|readlink|access|faccessat2?|read|pread64|lseek|getdents64|flock|close)$/;

/** What can happen at a point. */
export type Fault = (typeof FAULTS)[number];

/**
 * What is to happen at a point. `readlink` is Deno's own look at each part of a path, before it lets
 * the call through that was meant. It fails like any other call; but a process that is killed there
 * leaves what it leaves at the call that follows, and most of all calls are of this kind.
 *
 * @param point The point.
 * @returns The faults.
 */
export function faultsAt({ call }: Point): readonly Fault[] {
  return FAULTS.filter((fault) =>
    (fault !== "SIGKILL" || call !== "readlink") &&
    (fault !== "ENOSPC" || !TAKES_NO_ROOM.test(call))
  );
}

/**
 * Lets a process act undisturbed, and finds its points.
 *
 * @param target The process.
 * @param cpu Its processor.
 * @param root The root.
 * @returns The points, in the order of the calls, and what it said.
 */
export async function findPoints<T>(
  target: Target<T>,
  cpu: number,
  root: string,
): Promise<{ readonly points: readonly Point[]; readonly reply: Reply<T> }> {
  const { pid } = target;
  const flags = ["-e", "trace=%file,%desc", "-e", "signal=none"];
  const tracer = await attach({ target: { pid }, cpu, flags });
  const reply = await target.act();
  return { points: pointsIn(await tracer.end(), root, pid), reply };
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
