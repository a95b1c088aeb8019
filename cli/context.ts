/**
 * What every verb is given: where things are, how to print, who asks.
 *
 * @module
 */

import { asciiJson, claudeBottleRoot, visibleLine } from "../mod.ts";
import type { Flags } from "./flags.ts";
import { makeStyle, type Style } from "./style.ts";
import { wrap } from "./wrap.ts";

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
