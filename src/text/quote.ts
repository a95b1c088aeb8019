/**
 * Quotes what was found in a message, and says on which line it stands. Pure.
 *
 * @module
 */

/**
 * Quotes what was found so that it can stand in a message: a JSON string of printable ASCII, every
 * other character as `\uXXXX`, with `...` behind it when it was cut.
 *
 * @param text What was found.
 * @param max How many UTF-16 code units of it to keep.
 * @returns The quoted text.
 */
export function quote(text: string, max = 80): string {
  const kept = JSON.stringify(text.slice(0, max)).replace(
    /[^\x20-\x7e]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  return text.length > max ? `${kept}...` : kept;
}

/**
 * Says on which line of a text a position is.
 *
 * @param text The text.
 * @param index The position, in UTF-16 code units.
 * @returns The line, counted from 1; only LF ends a line.
 */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < index; i = text.indexOf("\n", i + 1)) line++;
  return line;
}
