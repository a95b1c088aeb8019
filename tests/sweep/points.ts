/**
 * The points at which a process can be hit: each of its system calls on a file under the root, and around each
 * start of a program.
 *
 * @module
 */

import type { Reply, Target } from "./target.ts";
import { PROGRAM, readTrace, type TracedCall } from "./trace.ts";
import { attach, threadsOf } from "./tracer.ts";

/** A system call. */
export interface Point extends Omit<TracedCall, "thread"> {
  /** Which of those calls on that file it is, from 1, among those of its thread. */
  readonly n: number;
  /** Whether the main thread makes it, or one that does its waiting. */
  readonly thread: "main" | "other";
}

const FAULTS = ["SIGKILL", "EIO", "ENOSPC"] as const;

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
export function faultsAt({ call, path, changes }: Point): readonly Fault[] {
  return FAULTS.filter((fault) =>
    (fault !== "SIGKILL" || call !== "readlink") &&
    (fault !== "ENOSPC" || changes && path !== PROGRAM)
  );
}

/**
 * Chooses faults that find what all of them find, in a fraction of the time.
 *
 * A kill finds what the calls before it left, and a call that only reads leaves what it found: so a kill at
 * each call that changes something, and one at the very last call, meet every disk that a kill can leave. A
 * sync changes nothing that is seen, and counts all the same. An error is given to each call that changes
 * something. Of those that read, the same lines of code read the same file again and again, and the error goes
 * the same way up: the first and the last on each file get one, once for each verb. And where another lane of
 * the verb met a full disk at such a call, EIO stands for both.
 *
 * @param points All points, in the order of the calls.
 * @param before The kinds of calls that were hit in this verb before.
 * @returns The points, each with its faults.
 */
export function chooseFaults(points: readonly Point[], before: ReadonlySet<string> = new Set()) {
  const last = new Map(points.map((point) => [kindOf(point), point]));
  return points.flatMap((point, index) => {
    const kind = kindOf(point);
    const isEnd = index === points.length - 1;
    const isChosen = point.changes || isEnd ||
      !before.has(kind) && (point.n === 1 || last.get(kind) === point);
    if (!isChosen) return [];
    return faultsAt(point).filter((fault) =>
      fault === "SIGKILL" ? point.changes || isEnd : fault === "EIO" || !before.has(kind)
    ).map((fault) => ({ point, fault }));
  });
}

/**
 * What a point has in common with others.
 *
 * @param point The point.
 * @returns The call, the file and the thread.
 */
export function kindOf({ call, path, thread }: Point): string {
  return `${call} ${path} ${thread}`;
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
  const flags = ["-e", "trace=%file,%desc,clone,wait4", "-e", "signal=none"];
  const tracer = await attach({ target: { pid }, cpu, flags });
  const reply = await target.act();
  // A program that was started makes calls of its own, which nobody hits.
  const own = reply === "died" ? [] : threadsOf(pid);
  const points = pointsIn(await tracer.end(), root, pid, (thread) => own.includes(thread));
  return { points, reply };
}

/**
 * Finds the points in the output of strace.
 *
 * @param text The output.
 * @param root The root.
 * @param pid The process, which is the id of its main thread.
 * @param isOwn Whether a thread is the process's.
 * @returns The points, in the order of the calls.
 */
export function pointsIn(
  text: string,
  root: string,
  pid: number,
  isOwn: (thread: number) => boolean = () => true,
): readonly Point[] {
  const seen = new Map<string, number>();
  return readTrace(text, root).flatMap(({ thread = pid, ...traced }): Point[] => {
    if (!isOwn(thread)) return [];
    const key = `${thread} ${traced.call} ${traced.path}`;
    const n = (seen.get(key) ?? 0) + 1;
    seen.set(key, n);
    return [{ ...traced, n, thread: thread === pid ? "main" : "other" }];
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
