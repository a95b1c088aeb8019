/**
 * JSON: how much structure a text may have before it is parsed, and how it is written. Pure.
 *
 * A file of allowed size can still be expensive: eight megabytes of `[` keep `JSON.parse` busy for the
 * better part of a second, and a million keys make a million objects. One pass over the bytes refuses
 * such a file. Records are flat, and a config file inside a record is one string, so no record comes
 * near the bounds.
 *
 * @module
 */

/** How deep arrays and objects may nest in a record. */
export const MAX_JSON_LEVELS = 32;

/** How many values a record may have, members and elements alike. */
export const MAX_JSON_VALUES = 10_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Finds what makes a JSON text too expensive to parse, such as `"it is nested deeper than 32 levels"`.
 * Counts the structural characters outside strings and checks no syntax: the answer for bytes that are
 * not JSON has no meaning, and `JSON.parse` refuses those. Takes time linear in the bytes.
 */
export function jsonExcess(
  bytes: Uint8Array,
  maxLevels = MAX_JSON_LEVELS,
  maxValues = MAX_JSON_VALUES,
): string | undefined {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at + 1);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        // Counts the first element or member; a comma precedes each of the others.
        values++;
        if (++levels > maxLevels) return `it is nested deeper than ${maxLevels} levels`;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        levels--;
        break;
      case COMMA:
        values++;
        break;
    }
    if (values > maxValues) return `it has more than ${maxValues} values`;
  }
  return undefined;
}

/** The index of a string's closing quote, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

const PIECE_UNITS = 4096;

/**
 * Writes JSON in ASCII, with every other UTF-16 unit as `\uXXXX`, as Python's `json.dumps` does. So a
 * queue file or a log printed by `cat` cannot send control sequences to a terminal.
 */
export function asciiJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  let ascii = "";
  // A piece at a time: the engine keeps every match until the last one is found.
  for (let at = 0; at < json.length; at += PIECE_UNITS) {
    ascii += json.slice(at, at + PIECE_UNITS).replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }
  return ascii;
}
