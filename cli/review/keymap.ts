/**
 * Which key does what, where, as tables. The hints at the foot of the screen and the help page are made
 * from them, and so cannot say anything else.
 *
 * @module
 */

import { type Block, cut, wrap } from "../render/wrap.ts";

/** What a key can do. */
export type Action =
  | "up"
  | "down"
  | "top"
  | "bottom"
  | "halfUp"
  | "halfDown"
  | "pageDown"
  | "pageUp"
  | "nextUnseen"
  | "open"
  | "approve"
  | "modify"
  | "reject"
  | "snooze"
  | "wake"
  | "select"
  | "undo"
  | "filter"
  | "help"
  | "back"
  | "confirm"
  | "quit"
  | "quitNow"
  | "suspend"
  | "repaint";

/** What keys do at a place. */
export interface Binding {
  /** The names of the keys. All of them do the same. */
  readonly keys: readonly string[];
  readonly action: Action;
  /** What they do, for the help. */
  readonly help: string;
  /** What they do, in a word or two, for the foot of the screen. */
  readonly hint?: string;
}

/** What decides something: its key must come alone, and the screen must have been still. */
export const DECIDING: ReadonlySet<Action> = new Set([
  "approve",
  "modify",
  "reject",
  "snooze",
  "confirm",
]);

/** What moves or opens: its keys do so in a burst too. */
export const MOVES: ReadonlySet<Action> = new Set([
  "up",
  "down",
  "top",
  "bottom",
  "halfUp",
  "halfDown",
  "pageUp",
  "pageDown",
  "nextUnseen",
  "open",
]);

/** Where keys are pressed. */
export type Place = "list" | "proposal" | "edit" | "pages" | "batch" | "help";

/** What works everywhere. */
const MOVING: readonly Binding[] = [
  { keys: ["j", "down"], action: "down", help: "down" },
  { keys: ["k", "up"], action: "up", help: "up" },
  { keys: ["ctrl-d"], action: "halfDown", help: "half a screen down" },
  { keys: ["ctrl-u"], action: "halfUp", help: "half a screen up" },
  { keys: ["space", "pagedown"], action: "pageDown", help: "a screen down" },
  { keys: ["b", "pageup"], action: "pageUp", help: "a screen up" },
  { keys: ["g", "home"], action: "top", help: "to the beginning" },
  { keys: ["G", "end"], action: "bottom", help: "to the end" },
  { keys: ["ctrl-l"], action: "repaint", help: "draw the screen again" },
  { keys: ["ctrl-z"], action: "suspend", help: "back to the shell; fg comes back here" },
  { keys: ["ctrl-c"], action: "quitNow", help: "quit; decisions that can be undone are dropped" },
];

const UNDO: Binding = {
  keys: ["u"],
  action: "undo",
  help: "undo the last decision: for 5 seconds nothing is recorded",
  hint: "undo",
};

const NEXT_UNSEEN: Binding = {
  keys: ["n"],
  action: "nextUnseen",
  help: "to the next changed line or mark that you have not seen",
  hint: "next unseen",
};

const HELP: Binding = { keys: ["?"], action: "help", help: "this page", hint: "help" };

const BACK_KEYS = ["q", "escape", "left", "h"];

/** What can be done with the proposal that keys are about. */
const ONE: readonly Binding[] = [
  {
    keys: ["a"],
    action: "approve",
    help: "approve the file as it is, or all that are selected",
    hint: "approve",
  },
  {
    keys: ["m"],
    action: "modify",
    help: "change the file in your editor, then look at the difference",
    hint: "modify",
  },
  {
    keys: ["r"],
    action: "reject",
    help: "reject, with a note that the agent reads",
    hint: "reject",
  },
  {
    keys: ["s"],
    action: "snooze",
    help: "not now: hide it for 15 minutes, on this screen only",
    hint: "not now",
  },
];

/** The keys of each place, in the order of the help and the hints. */
export const BINDINGS: Readonly<Record<Place, readonly Binding[]>> = {
  list: [
    { keys: ["return", "right", "l"], action: "open", help: "look at the proposal", hint: "look" },
    ...ONE,
    {
      keys: ["x"],
      action: "select",
      help: "select several; a and r then decide all of them",
      hint: "select",
    },
    UNDO,
    {
      keys: ["/"],
      action: "filter",
      help: "show only proposals with a text in id, bottle, tool or justification",
      hint: "filter",
    },
    HELP,
    { keys: ["q"], action: "quit", help: "quit", hint: "quit" },
    { keys: ["S"], action: "wake", help: "show again what you hid with s" },
    { keys: ["escape"], action: "back", help: "clear the filter and the selection" },
    ...MOVING,
  ],
  proposal: [
    ...ONE,
    NEXT_UNSEEN,
    {
      keys: ["q", "escape", "return", "left", "h"],
      action: "back",
      help: "back to the list",
      hint: "list",
    },
    UNDO,
    HELP,
    ...MOVING,
  ],
  edit: [
    { keys: ["a"], action: "approve", help: "answer with your version", hint: "answer with it" },
    { keys: ["m"], action: "modify", help: "edit it again", hint: "edit again" },
    NEXT_UNSEEN,
    {
      keys: BACK_KEYS,
      action: "back",
      help: "back; your version is kept in a file",
      hint: "leave",
    },
    UNDO,
    HELP,
    ...MOVING,
  ],
  pages: [
    { keys: ["return"], action: "open", help: "to the table of what will happen", hint: "table" },
    NEXT_UNSEEN,
    { keys: BACK_KEYS, action: "back", help: "back to the list", hint: "list" },
    UNDO,
    HELP,
    ...MOVING,
  ],
  batch: [
    { keys: ["return"], action: "confirm", help: "do what the table says", hint: "do it" },
    UNDO,
    { keys: BACK_KEYS, action: "back", help: "back to the list", hint: "list" },
    HELP,
    ...MOVING,
  ],
  help: [
    {
      keys: ["q", "escape", "return", "?", "left", "h"],
      action: "back",
      help: "back",
      hint: "back",
    },
    UNDO,
    ...MOVING,
  ],
};

/** How keys are written for people. */
const WRITTEN: Readonly<Record<string, string>> = {
  return: "Enter",
  escape: "Esc",
  space: "Space",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  home: "Home",
  end: "End",
  pageup: "PgUp",
  pagedown: "PgDn",
};

/** A key's name as people write it. */
export function written(key: string): string {
  return WRITTEN[key] ?? key.replace(/^ctrl-(.)$/, (_, letter) => `Ctrl-${letter.toUpperCase()}`);
}

/** What a key does at a place; `undefined` if it does nothing there. */
export function actionOf(place: Place, key: string): Action | undefined {
  return BINDINGS[place].find(({ keys }) => keys.includes(key))?.action;
}

const TITLES: Readonly<Record<Place, string>> = {
  list: "In the list",
  proposal: "Looking at a proposal",
  edit: "Looking at your version",
  pages: "Looking at several",
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
  "You approve what was on the screen: a shows what was not, and decides then.",
  "Keys that decide do nothing in a burst, in a paste, or just after the screen has changed.",
];

/** The help page of a place. */
export function helpBlocks(place: Place): Block[] {
  const keys = BINDINGS[place].map(({ keys, help }): Block => (columns) => {
    const names = `  ${keys.map(written).join(" ")}`;
    return columns < NARROW
      ? [names, ...wrap("    ", help, columns, "prose")]
      : wrap(`${names.padEnd(20)} `, help, columns, "prose");
  });
  return [
    (columns, style) => [style.bold(cut(TITLES[place], columns - 1)), ""],
    ...keys,
    () => [""],
    ...RULES.map((rule): Block => (columns) => wrap("  ", rule, columns, "prose")),
  ];
}
