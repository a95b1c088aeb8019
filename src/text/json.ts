/**
 * JSON: how much structure a text may have before it is parsed, and how it is written. Pure.
 *
 * A file within its size can still be made to cost: eight megabytes of `[` keep `JSON.parse` busy for
 * the better part of a second, a million keys make a million objects. The records are flat, and a
 * config file in one of them is a string, so bounds that no record comes near refuse such a file after
 * one pass over its bytes.
 *
 * @module
 */

/** How many arrays and objects may stand in one another. */
export const MAX_JSON_LEVELS = 32;

/** How many values may stand in a text, members and elements alike. */
export const MAX_JSON_VALUES = 10_000;

const QUOTE = 0x22;

const COMMA = 0x2c;

const BACKSLASH = 0x5c;

const OPEN_ARRAY = 0x5b;

const CLOSE_ARRAY = 0x5d;

const OPEN_OBJECT = 0x7b;

const CLOSE_OBJECT = 0x7d;

/**
 * Finds what in a JSON text is too much to parse. It counts the structural characters outside of
 * strings and checks no syntax: of bytes that are not JSON it may say anything, as `JSON.parse` will
 * refuse them. Takes time linear in the bytes, and keeps nothing.
 *
 * @param bytes The text, in UTF-8, in which no byte of a longer character looks like ASCII.
 * @returns What is too much, such as `"it is nested deeper than 32 levels"`; `undefined` if nothing is.
 */
export function jsonExcess(bytes: Uint8Array): string | undefined {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at + 1);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        // Its first element or member; each of the others stands behind a comma.
        values++;
        if (++levels > MAX_JSON_LEVELS) return `it is nested deeper than ${MAX_JSON_LEVELS} levels`;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        levels--;
        break;
      case COMMA:
        values++;
        break;
    }
    if (values > MAX_JSON_VALUES) return `it has more than ${MAX_JSON_VALUES} values`;
  }
  return undefined;
}

/** Where a string ends: its closing quote, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/**
 * Writes JSON in pure ASCII, every other UTF-16 unit as `\uXXXX`, as Python's `json.dumps` does: so a
 * queue file or a log shown with `cat` cannot play tricks on a terminal.
 *
 * @param value The value.
 * @param indent Spaces a level; none puts everything on one line.
 * @returns The JSON.
 */
export function asciiJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
