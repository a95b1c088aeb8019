/**
 * Colours, badges, and times as a person reads them.
 *
 * @module
 */

import { instantOf, visibleLine } from "../../read_mod.ts";
import { cut } from "./wrap.ts";

/** How long ago a timestamp was: `12 s`, `3 m`, `2 h`, `5 d`; `?` if it cannot be read or is in the future. */
export function age(timestamp: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - instantOf(timestamp) / 1000) / 1000);
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** The most cells that a timestamp gets which cannot be read. */
const ODD_TIME_CELLS = 40;

/**
 * A timestamp in the time zone of this process, which is `$TZ` or the system's, with its offset:
 * `2026-11-22 20:40:02 +01:00`. One that cannot be read stays as it is, made visible and cut.
 */
export function localTime(timestamp: string): string {
  const date = new Date(instantOf(timestamp) / 1000);
  const minutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + minutes * 60_000);
  if (Number.isNaN(local.getTime())) return cut(visibleLine(timestamp, "code"), ODD_TIME_CELLS);
  const two = (count: number) => String(Math.floor(count)).padStart(2, "0");
  const ahead = Math.abs(minutes);
  const offset = `${minutes < 0 ? "-" : "+"}${two(ahead / 60)}:${two(ahead % 60)}`;
  return `${local.toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} ${offset}`;
}

/** `[3 escaped]`, or nothing. It goes where no agent writes: before the text, or into a heading. */
export function badge(escaped: number): string {
  return escaped === 0 ? "" : `[${escaped} escaped]`;
}

/** Trims spaces and newlines only: any other blank has to be shown as an escape. */
export function trimPlain(text: string): string {
  const isPlain = (at: number) => text[at] === " " || text[at] === "\n";
  let [from, to] = [0, text.length];
  while (from < to && isPlain(from)) from++;
  while (from < to && isPlain(to - 1)) to--;
  return text.slice(from, to);
}

/** Paints text, or leaves it as it is. Magenta means "look twice": yellow is hard to read on white. */
export type Style = ReturnType<typeof makeStyle>;

export function makeStyle(colour: boolean) {
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
