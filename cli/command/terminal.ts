/**
 * Where a command prints, and what it reads.
 *
 * @module
 */

/** Where a verb's words go, and what is at the other end. */
export interface Terminal {
  /** Prints to standard output, with an LF. */
  readonly print: (text: string) => void;
  /** Writes bytes to standard output as they are. */
  readonly write: (bytes: Uint8Array) => void;
  /** Prints to standard error, with an LF. */
  readonly complain: (text: string) => void;
  /** Whether standard error is a terminal. */
  readonly errIsTerminal: boolean;
  /** Whether standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** The number of standard output, if it is the process's own. */
  readonly outFd?: number;
  /** Whether a person can be asked: standard input and output are a terminal. */
  readonly interactive: boolean;
  /** How many columns a row of standard output may have; `Infinity`: no row is cut or broken. */
  readonly columns: number;
  /** The same of standard error; `columns` on a terminal, else `Infinity`, unless given. */
  readonly errColumns?: number;
  /** Reads standard input to its end, for `--file -` and the like; the process's own unless given. */
  readonly readInput?: () => Promise<Uint8Array>;
  /** A variable of the environment; the process's own unless given. */
  readonly env?: (name: string) => string | undefined;
  /** Ends `watch`; SIGINT and SIGTERM unless given. */
  readonly signal?: AbortSignal;
  /** Why something could not be printed, if it could not: a person has not seen it. */
  readonly unprinted?: () => unknown;
}

/** A terminal with other parts. It is asked how wide it is each time: a person can make it narrower. */
export function withParts<P extends object>(terminal: Terminal, parts: P): Terminal & P {
  return Object.defineProperties({ ...terminal, ...parts }, {
    columns: { get: () => terminal.columns },
    errColumns: { get: () => terminal.errColumns },
  });
}

/** What `COLUMNS` asks for, a whole number from 20 to 9999; `Infinity` for anything else. */
function askedColumns(): number {
  // A caller of `main` may have granted other variables alone. Columns are no reason to fail.
  const { state } = Deno.permissions.querySync({ name: "env", variable: "COLUMNS" });
  const asked = state === "granted" ? Deno.env.get("COLUMNS") ?? "" : "";
  return /^([2-9]\d|[1-9]\d{2,3})$/.test(asked) ? Number(asked) : Infinity;
}

/**
 * How many columns a row may have. On a terminal never more than it has: the terminal itself would break
 * the row, without the sign that an agent's words are behind.
 */
function columnsOf(isTerminal: boolean): number {
  if (!isTerminal) return askedColumns();
  try {
    return Math.min(askedColumns(), Deno.consoleSize().columns || 80);
  } catch {
    return 80; // The terminal is gone. What cannot be printed is no reason to fail.
  }
}

/** How long to wait for room in a terminal that takes no more. */
const FULL_MS = 5;

/** Writes all of a text or of some bytes, however little of it the output takes at once. */
export function writeAll(
  output: Pick<typeof Deno.stdout, "writeSync">,
  all: string | Uint8Array,
): void {
  const bytes = typeof all === "string" ? new TextEncoder().encode(all) : all;
  for (let written = 0; written < bytes.length;) {
    try {
      written += output.writeSync(bytes.subarray(written));
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) continue;
      // Another program that has this terminal open made it non-blocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
    }
  }
}

/** The process's own terminal. */
export function processTerminal(): Terminal {
  const outIsTerminal = Deno.stdout.isTerminal();
  const errIsTerminal = Deno.stderr.isTerminal();
  return {
    print: (text) => writeAll(Deno.stdout, `${text}\n`),
    write: (bytes) => writeAll(Deno.stdout, bytes),
    complain: (text) => writeAll(Deno.stderr, `${text}\n`),
    outIsTerminal,
    outFd: 1,
    errIsTerminal,
    interactive: outIsTerminal && Deno.stdin.isTerminal(),
    get columns() {
      return columnsOf(outIsTerminal);
    },
    get errColumns() {
      return columnsOf(errIsTerminal);
    },
  };
}
