/**
 * Colours, badges and ages.
 *
 * @module
 */

import { instantOf } from "../../read_mod.ts";

/**
 * How long ago something was.
 *
 * @param timestamp ISO 8601.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns `12 s`, `3 m`, `2 h`, `5 d`; `?` for what is no timestamp or in the future.
 */
export function age(timestamp: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - instantOf(timestamp) / 1000) / 1000);
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * How many characters were escaped, to stand where no agent writes: before its words, or in a heading.
 *
 * @param escaped How many.
 * @returns `[3 escaped]`; nothing for none.
 */
export function badge(escaped: number): string {
  return escaped === 0 ? "" : `[${escaped} escaped]`;
}

/**
 * A text without the blank lines and spaces around it. What else leaves a blank is a trick, to be shown.
 *
 * @param text The text.
 * @returns Its middle.
 */
export function trimPlain(text: string): string {
  const isPlain = (at: number) => text[at] === " " || text[at] === "\n";
  let [from, to] = [0, text.length];
  while (from < to && isPlain(from)) from++;
  while (from < to && isPlain(to - 1)) to--;
  return text.slice(from, to);
}

/** Paints text, or leaves it as it is. */
export interface Style {
  /** What matters most in a line. */
  readonly bold: (text: string) => string;
  /** What matters least, and a hunk's header. */
  readonly dim: (text: string) => string;
  /** An added line, an approval. */
  readonly green: (text: string) => string;
  /** A removed line, a rejection, something wrong. */
  readonly red: (text: string) => string;
  /** Something to look at twice. Yellow cannot be read on a light screen. */
  readonly magenta: (text: string) => string;
  /** The row that keys are about. */
  readonly inverse: (text: string) => string;
}

/**
 * Makes a style.
 *
 * @param colour Whether to paint.
 * @returns The style.
 */
export function makeStyle(colour: boolean): Style {
  const paint = (on: number, off: number) => (text: string) =>
    colour ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    green: paint(32, 39),
    red: paint(31, 39),
    magenta: paint(35, 39),
    inverse: paint(7, 27),
  };
}
