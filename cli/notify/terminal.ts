/**
 * Tells the terminal that a program runs in: with the bell, or with one of the sequences that terminals
 * turn into a notification of the desktop.
 *
 * @module
 */

import type { Context } from "../context.ts";
import type { TerminalSignal } from "./config.ts";
import type { Receiver } from "./receivers.ts";

/** The variables that say which terminal this is; a program that may not read them rings the bell. */
export const TERMINAL_VARIABLES = ["TERM", "TERM_PROGRAM"] as const;

/** What is sent to a terminal. */
export type TerminalForm = Exclude<TerminalSignal, "auto">;

/** What says so for sure, by the beginning of `TERM` or `TERM_PROGRAM`. */
const KNOWN: readonly (readonly [RegExp, TerminalForm])[] = [
  [/^xterm-kitty/, "osc99"],
  [/^(?:xterm-)?ghostty|^wezterm|^foot|^rxvt-unicode/i, "osc777"],
  [/^iTerm\.app|^WarpTerminal/, "osc9"],
];

/**
 * The form that a terminal understands. Within tmux and screen it is the bell, whatever is asked for:
 * they pass on no other.
 *
 * @param signal What is asked for.
 * @param term `TERM`.
 * @param termProgram `TERM_PROGRAM`.
 * @returns The form.
 */
export function terminalForm(
  signal: TerminalSignal,
  term: string,
  termProgram: string,
): TerminalForm {
  if (/^(?:tmux|screen)/.test(term) || termProgram === "tmux") return "bell";
  if (signal !== "auto") return signal;
  const known = KNOWN.find(([pattern]) => pattern.test(term) || pattern.test(termProgram));
  return known?.[1] ?? "bell";
}

/**
 * The bytes that tell a terminal.
 *
 * @param form The form.
 * @param text One line of printable ASCII, without a semicolon.
 * @returns The bytes: they move no cursor, and change no colour.
 */
export function terminalBytes(form: TerminalForm, text: string): Uint8Array {
  // It is so by construction. If ever it is not, a terminal is the wrong place to find out.
  const safe = text.replace(/[^ -:<-~]/g, "?");
  switch (form) {
    case "bell":
      return new TextEncoder().encode("\x07");
    case "osc9":
      // Some terminals take a number right behind the 9 for a command: so there is a word.
      return new TextEncoder().encode(`\x1b]9;supervise: ${safe}\x07`);
    case "osc777":
      return new TextEncoder().encode(`\x1b]777;notify;supervise;${safe}\x07`);
    case "osc99":
      return new TextEncoder().encode(`\x1b]99;;supervise: ${safe}\x1b\\`);
  }
}

function variable(name: string): string {
  try {
    return Deno.env.get(name) ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

/**
 * The terminal of a program, as somebody who is told.
 *
 * Needs `--allow-env=TERM,TERM_PROGRAM` to know which terminal it is.
 *
 * @param context The context.
 * @param signal What is asked for.
 * @returns The receiver; `undefined` where standard output is no terminal, or is for a program.
 */
export function terminalReceiver(context: Context, signal: TerminalSignal): Receiver | undefined {
  if (!context.outIsTerminal || context.flags.json) return undefined;
  const [term, termProgram] = TERMINAL_VARIABLES.map(variable);
  const form = terminalForm(signal, term ?? "", termProgram ?? "");
  return {
    name: "terminal",
    send: ({ text }) => {
      try {
        context.write(terminalBytes(form, text));
        return Promise.resolve({ told: true, says: `it was sent ${form}` });
      } catch {
        const says = "it cannot be written to";
        return Promise.resolve({ told: false, says, again: false });
      }
    },
  };
}
