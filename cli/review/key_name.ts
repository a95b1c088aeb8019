/**
 * Keys by the names that our tables use.
 *
 * @module
 */

import type { Key } from "ink";

/** What Ink says of a key besides its character, and our name for it. */
const NAMED: readonly (readonly [keyof Key, string])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageup"],
  ["pageDown", "pagedown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "return"],
  ["escape", "escape"],
  ["tab", "tab"],
  ["backspace", "backspace"],
  ["delete", "delete"],
];

/**
 * A key's name.
 *
 * @param input The characters that came.
 * @param key What else Ink says of them.
 * @returns The name; `undefined` for several characters at once.
 */
export function keyName(input: string, key: Key): string | undefined {
  const named = NAMED.find(([property]) => key[property] === true);
  if (named !== undefined) return named[1];
  if (key.ctrl) return `ctrl-${input}`;
  if (key.meta) return `alt-${input}`;
  if (input === " ") return "space";
  return [...input].length === 1 ? input : undefined;
}
