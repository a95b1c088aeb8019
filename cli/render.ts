/**
 * The small words of every surface: ages, badges.
 *
 * @module
 */

import { instantOf } from "../mod.ts";

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
