/**
 * One line that an operator types.
 *
 * @module
 */

/** The most that one line takes, in characters. */
const MOST = 4_000;

/**
 * What a line is after a key.
 *
 * @param line The line before.
 * @param key A key by its name, or a character.
 * @returns The line after.
 */
export function editLine(line: string, key: string): string {
  switch (key) {
    case "backspace":
    case "delete":
      return [...line].slice(0, -1).join("");
    case "ctrl-u":
      return "";
    case "ctrl-w":
      return line.replace(/\S*\s*$/, "");
    default:
      return [...key].length === 1 ? addText(line, key) : line;
  }
}

/**
 * What a line is after a text was typed at once, or pasted: it stays one line.
 *
 * @param line The line before.
 * @param text The text.
 * @returns The line after.
 */
export function addText(line: string, text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/[\r\n\t]+/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, "");
  return (line + plain).slice(0, MOST);
}
