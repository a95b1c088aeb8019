/**
 * What a verb runs in: the terminal, the root, who the operator is, and the files it was named.
 *
 * @module
 */

import { asciiJson, readOwnFile, visibleLine } from "../../internal_mod.ts";
import { claudeBottleRoot } from "../../mod.ts";
import { makeStyle, type Style } from "../render/style.ts";
import { wrap } from "../render/wrap.ts";
import { type Flags, UsageError } from "./flags.ts";
import { hostname, userInfo } from "node:os";

/** Where a verb's words go, and what stands at the other end. */
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
  /** Whether a person can be asked: standard input and output are a terminal. */
  readonly interactive: boolean;
  /** How wide the terminal is, in columns. */
  readonly columns: number;
}

/** What every verb is given. */
export interface Context extends Terminal {
  /** The flags. */
  readonly flags: Flags;
  /** The root. */
  readonly root: string;
  /** Colours, or none. */
  readonly style: Style;
  /** Prints an object as one line of ASCII JSON, with `"version": 1`. */
  readonly printJson: (value: object) => void;
}

/**
 * Looks at the process's own terminal.
 *
 * @returns The terminal.
 */
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
    errIsTerminal: Deno.stderr.isTerminal(),
    interactive: outIsTerminal && Deno.stdin.isTerminal(),
    // What is printed elsewhere is likely to be looked at in a terminal later.
    columns: outIsTerminal ? Deno.consoleSize().columns || 80 : 80,
  };
}

/**
 * Prints a sentence to standard error. It may quote what somebody else wrote, so it goes on behind a
 * margin where it is too long for the screen.
 *
 * @param terminal Where to print.
 * @param text The sentence.
 */
export function complainIn(terminal: Terminal, text: string): void {
  if (!terminal.errIsTerminal) terminal.complain(visibleLine(text));
  else {for (const row of wrap("", visibleLine(text), terminal.columns, "prose")) {
      terminal.complain(row);
    }}
}

/**
 * Makes the context of a verb.
 *
 * @param flags The flags.
 * @param terminal Where to print.
 * @returns The context.
 */
export function makeContext(flags: Flags, terminal: Terminal): Context {
  const colour = terminal.outIsTerminal && !flags.plain && !Deno.env.get("NO_COLOR");
  return {
    ...terminal,
    complain: (text) => complainIn(terminal, text),
    flags,
    root: flags.root ?? claudeBottleRoot(),
    style: makeStyle(colour),
    printJson: (value) => terminal.print(asciiJson({ version: 1, ...value })),
  };
}

/**
 * The operator as the audit log names them, `user@host`: what the system says of the process, not what
 * a variable says.
 *
 * Needs `--allow-sys=hostname,uid,gid,userInfo`.
 *
 * @returns The name; the user's number where the system knows no name for it.
 */
export function operatorAccount(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid${Deno.uid()}`;
  }
}

/**
 * Waits, or until it is told to hurry.
 *
 * @param ms How long, in milliseconds.
 * @param hurry Ends it at once, without an error.
 * @returns When the time is up, or there is no time.
 */
export function pause(ms: number, hurry: AbortSignal): Promise<void> {
  if (hurry.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(end, ms);
  hurry.addEventListener("abort", end);
  function end(): void {
    clearTimeout(timer);
    hurry.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}

/**
 * Reads a file that was named on the command line.
 *
 * @param file Its path, or `-` for standard input.
 * @returns Its bytes.
 * @throws {UsageError} If it is not there, or may not be read.
 */
export async function readNamedFile(file: string): Promise<Uint8Array> {
  if (file === "-") return await new Response(Deno.stdin.readable).bytes();
  try {
    const bytes = readOwnFile(file);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new UsageError(
        `Cannot read ${file}: this tool may read nothing but the root and the files its flags name; ` +
          `hand it over with - < ${file}`,
        { cause },
      );
    }
    throw cause;
  }
  throw new UsageError(`Cannot read ${file}: there is no such file`);
}
