/**
 * Times as a person reads them.
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
 * `2026-11-22 20:40:02 +01:00`. One that cannot be read is quoted, made visible and cut: a sidecar can write
 * any words there.
 */
export function localTime(timestamp: string): string {
  const date = new Date(instantOf(timestamp) / 1000);
  const minutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + minutes * 60_000);
  if (Number.isNaN(local.getTime())) {
    return `"${cut(visibleLine(timestamp, "code"), ODD_TIME_CELLS)}"`;
  }
  const two = (count: number) => String(Math.floor(count)).padStart(2, "0");
  const ahead = Math.abs(minutes);
  const offset = `${minutes < 0 ? "-" : "+"}${two(ahead / 60)}:${two(ahead % 60)}`;
  return `${local.toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} ${offset}`;
}
