/**
 * Quotes untrusted text in messages, and counts lines. Pure.
 *
 * @module
 */

import { asciiJson } from "./json.ts";

/** Quotes text as JSON in printable ASCII, followed by `...` if it was cut to `max` UTF-16 code units. */
export function quote(text: string, max = 80): string {
  const kept = asciiJson(text.slice(0, max));
  return text.length > max ? `${kept}...` : kept;
}

/** The line of a position in UTF-16 code units, counted from 1. Only LF ends a line. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < index; i = text.indexOf("\n", i + 1)) line++;
  return line;
}
