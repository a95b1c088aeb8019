/**
 * What every verb is given: where things are, how to print, who asks.
 *
 * @module
 */

import { asciiJson, claudeBottleRoot } from "../mod.ts";
import type { Flags } from "./flags.ts";
import { makeStyle, type Style } from "./style.ts";

/** Where a verb's words go, and what stands at the other end. */
export interface Terminal {
  /** Prints to standard output, with an LF. */
  readonly print: (text: string) => void;
  /** Prints to standard error, with an LF. */
  readonly complain: (text: string) => void;
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
    complain: (text) => console.error(text),
    outIsTerminal,
    interactive: outIsTerminal && Deno.stdin.isTerminal(),
    columns: outIsTerminal ? Deno.consoleSize().columns : 100,
  };
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
    flags,
    root: flags.root ?? claudeBottleRoot(),
    style: makeStyle(colour),
    printJson: (value) => terminal.print(asciiJson({ version: 1, ...value })),
  };
}
