/**
 * Reads what strace writes.
 *
 * @module
 */

/** A system call on a file under a root, or one that starts a program or waits for it. */
export interface TracedCall {
  /** The thread's id; `undefined` if only one was traced. */
  readonly thread: number | undefined;
  /** The system call's name. */
  readonly call: string;
  /** The file's path from the root, `.` for the root itself. Of two paths, the first. Or {@linkcode PROGRAM}. */
  readonly path: string;
  /** Whether it can change what is on the disk, or what runs. */
  readonly changes: boolean;
}

/** What stands for the path of a call on a program: no file of a root has that name. */
export const PROGRAM = "program";

/**
 * Calls on programs that Deno starts and does not wait for at once: before it, just begun, ended. One that it
 * waits for, such as ls, makes it call `wait4` without WNOHANG.
 */
const ON_PROGRAM = /^(?:clone|pidfd_open|wait4)$/;

/** Calls that read, or give something back: no full disk makes them fail, and the disk is the same after them. */
const READS =
  /^(?:statx|stat|lstat|fstat|newfstatat|readlink|access|faccessat2?|read|pread64|lseek|getdents64|flock|close)$/;

/** What makes an `open` change something. */
const MAKES = /\bO_(?:CREAT|TRUNC)\b/;

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
    const isProgram = ON_PROGRAM.test(call);
    if (!isProgram && file !== root && !file?.startsWith(`${root}/`)) continue;
    const path = isProgram ? PROGRAM : file === root ? "." : file!.slice(root.length + 1);
    const changes = call === "openat"
      ? MAKES.test(args)
      : call === "wait4"
      ? args.includes("WNOHANG")
      : !READS.test(call);
    calls.push({ thread: thread === undefined ? undefined : Number(thread), call, path, changes });
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
