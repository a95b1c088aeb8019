/**
 * The help page.
 *
 * @module
 */

import { type Block, cut, wrap } from "../../render/wrap.ts";
import { BINDINGS, type Place, written } from "../keymap.ts";

const TITLES: Readonly<Record<Place, string>> = {
  list: "In the list",
  proposal: "Looking at a proposal",
  edit: "Looking at your version",
  batch: "Deciding several",
  help: "Here",
};

/** On a narrower screen the words come below the keys. */
const NARROW = 80;

const RULES: readonly string[] = [
  "The agent's words are behind a bar or a sign at the left margin; the rest is this program's.",
  "⟨U+202E⟩ is a character that would hide, move or imitate text. [3 escaped] counts them.",
  "You decide what you saw: if it changes, you look at it again.",
  "To let in a change with a high mark, you type the bottle's name.",
  "For 5 seconds u undoes a decision; then it is recorded, and the agent gets the answer.",
  "Keys in a burst, in a paste, or just after the screen has changed decide nothing.",
];

/** The help page of a place. */
export function helpBlocks(place: Place): Block[] {
  const keys = BINDINGS[place].map(({ keys, help }): Block => (columns) => {
    const names = `  ${keys.map(written).join(" ")}`;
    return columns < NARROW
      ? [names, ...wrap("    ", help, columns, "prose")]
      : [`${names.padEnd(20)} ${help}`.slice(0, columns - 1)];
  });
  return [
    (columns, style) => [style.bold(cut(TITLES[place], columns - 1)), ""],
    ...keys,
    () => [""],
    ...RULES.map((rule): Block => (columns) => wrap("  ", rule, columns, "prose")),
  ];
}
