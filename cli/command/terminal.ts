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
  /** How wide the terminal is, in columns. */
  readonly columns: number;
  /** Reads standard input to its end, for `--file -` and the like; the process's own unless given. */
  readonly readInput?: () => Promise<Uint8Array>;
  /** A variable of the environment; the process's own unless given. */
  readonly env?: (name: string) => string | undefined;
  /** Ends `watch`; SIGINT and SIGTERM unless given. */
  readonly signal?: AbortSignal;
}

/** The process's own terminal, as it is now. */
export function processTerminal(): Terminal {
  const outIsTerminal = Deno.stdout.isTerminal();
  return {
    print: (text) => console.log(text),
    write: (bytes) => {
      for (let written = 0; written < bytes.length;) {
        written += Deno.stdout.writeSync(bytes.subarray(written));
      }
    },
    complain: (text) => console.error(text),
    outIsTerminal,
    outFd: 1,
    errIsTerminal: Deno.stderr.isTerminal(),
    interactive: outIsTerminal && Deno.stdin.isTerminal(),
    // A person will probably read a file or a pipe in a terminal later.
    columns: outIsTerminal ? Deno.consoleSize().columns || 80 : 80,
  };
}
