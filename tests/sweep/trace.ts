/**
 * Reads what strace writes.
 *
 * @module
 */

/** A system call on a file under a root. */
export interface TracedCall {
  /** The thread's id; `undefined` if only one was traced. */
  readonly thread: number | undefined;
  /** The system call's name. */
  readonly call: string;
  /** The file's path from the root, `.` for the root itself. Of two paths, the first. */
  readonly path: string;
}

/** A line that begins a call; what is resumed has begun on another line. */
const CALL = /^(?:\[pid +(\d+)\] )?(\w+)\((.*)$/;

/** What `-y` says of a descriptor that is the first argument. */
const DESCRIPTOR = /^\d+<(\/.*?)(?: \(deleted\))?>[,) ]/;

/** A path as the first argument but for the directory that it starts from. */
const PATH = /^(?:AT_FDCWD<[^>]*>, )?"(\/[^"]*)"/;

/**
 * Finds the calls on files under a root in the output of `strace -y`.
 *
 * @param text The output.
 * @param root The root.
 * @returns The calls, in the order in which they began.
 */
export function readTrace(text: string, root: string): TracedCall[] {
  const calls: TracedCall[] = [];
  for (const line of text.split("\n")) {
    const [, thread, call, args] = CALL.exec(line) ?? [];
    if (call === undefined || args === undefined) continue;
    const file = (PATH.exec(args) ?? DESCRIPTOR.exec(args))?.[1];
    if (file !== root && !file?.startsWith(`${root}/`)) continue;
    const path = file === root ? "." : file.slice(root.length + 1);
    calls.push({ thread: thread === undefined ? undefined : Number(thread), call, path });
  }
  return calls;
}

/**
 * Whether strace says that it injected something.
 *
 * @param text Its output.
 * @returns Whether a call failed, or killed the process, because of it.
 */
export function wasInjected(text: string): boolean {
  return text.includes("(INJECTED)") || text.includes("+++ killed by SIGKILL +++");
}
