/**
 * The screen: a heading, alarms, what is looked at, a question or a message, the keys.
 *
 * @module
 */

import { visibleLine } from "../../../internal_mod.ts";
import type { Overview } from "../../../mod.ts";
import { alarmLines } from "../../render/pending.ts";
import type { Style } from "../../render/style.ts";
import { cut, fill, wrap } from "../../render/wrap.ts";
import { type Action, BINDINGS, written } from "../keymap.ts";
import { secondsLeft, wordsOf } from "../list.ts";
import type { State } from "../state.ts";
import type { Size } from "../terminal.ts";
import { batchRows } from "./batch.ts";
import { listRows } from "./list.ts";

/** How many alarms are on the screen, at most, and how many rows they take. */
const [MOST_ALARMS, MOST_ALARM_ROWS] = [3, 4];

/** How many rows a message takes, at most. */
const MOST_MESSAGE_ROWS = 4;

const MOST_BANNER_ROWS = 3;

/** On a narrower screen the ends of rows are cut off, and so nothing on it counts as seen. */
const LEAST_COLUMNS = 20;

/** On a narrower screen the heading goes without the name of the program. */
const NARROW = 40;

function heading(state: State, columns: number): string {
  const { view, list, style } = state;
  const { waiting, bottles, snoozed } = list.counts();
  const words = [`${waiting} pending`];
  if (bottles > 1) words.push(`in ${bottles} bottles`);
  const parts = [words.join(" ")];
  if (snoozed > 0) parts.push(`${snoozed} not now`);
  const selected = list.selected().length;
  if (selected > 0) parts.push(`${selected} selected`);
  if (list.filter() !== "") parts.push(`only "${visibleLine(list.filter(), "code")}"`);
  if (view.place !== "help" && "viewport" in view) parts.unshift(view.viewport.seenInWords());
  const name = columns < NARROW ? "" : "supervise  ";
  const text = cut(` ${name}${parts.join(" · ")}`, columns - 1);
  return style.inverse(fill(text, columns - 1));
}

function alarmRows(overview: Overview, columns: number, style: Style): string[] {
  const lines = alarmLines(overview);
  const shown = lines.length > MOST_ALARMS
    ? [...lines.slice(0, MOST_ALARMS - 1), `! and ${lines.length - MOST_ALARMS + 1} more: see list`]
    : lines;
  const rows = shown.flatMap((line) =>
    wrap("! ", visibleLine(line.slice(2), "code"), columns, "prose")
  );
  if (rows.length > MOST_ALARM_ROWS) rows.splice(MOST_ALARM_ROWS - 1, Infinity, "! more: see list");
  return rows.map(style.magenta);
}

/** What has its key at the foot of the screen in any case, in as many rows as it takes. */
const ALWAYS: readonly Action[] = ["approve", "reject", "confirm", "open", "back", "help"];

/** What has its key there if there is room, the first one longest. */
const KEPT_LONGEST: readonly Action[] = ["undo", "quit", "nextUnseen"];

/** What does nothing where no proposal waits. */
const ABOUT_A_ROW: readonly Action[] = ["open", "approve", "modify", "reject", "snooze", "select"];

/** Puts hints beside each other, in rows of so many cells. */
function pack(hints: readonly string[], room: number): readonly string[] {
  const rows: string[] = [];
  for (const hint of hints) {
    const row = rows.at(-1);
    if (row !== undefined && row.length + 2 + hint.length <= room) {
      rows.push(`${rows.pop()}  ${hint}`);
    } else rows.push(hint);
  }
  return rows;
}

/** The keys of a place, as many as there is room for. */
function hints(state: State, columns: number): readonly string[] {
  const { view, style, undoBuffer, list } = state;
  const row = view.place === "proposal" ? list.row(view.key) : list.current();
  const areSelected = view.place === "list" && list.selected().length > 0;
  const isUseful = (action: Action) => {
    if (action === "undo") return undoBuffer.count() > 0;
    if (action === "confirm") return view.place === "batch" && view.step === "asked";
    if (action === "nextUnseen") return "viewport" in view && view.viewport.hasUnseen();
    if (view.place !== "list" && view.place !== "proposal" || !ABOUT_A_ROW.includes(action)) {
      return true;
    }
    return row?.stage.kind === "open" ||
      areSelected && (action === "approve" || action === "reject");
  };
  const rankOf = (action: Action) => {
    if (ALWAYS.includes(action)) return -1;
    const at = KEPT_LONGEST.indexOf(action);
    return at === -1 ? KEPT_LONGEST.length : at;
  };
  const all = BINDINGS[view.place].flatMap(({ keys: [key], hint, action }) =>
    hint === undefined
      ? []
      : [{ text: `${written(key!)} ${hint}`, rank: rankOf(action), isUseful: isUseful(action) }]
  );
  if (view.place === "list") {
    const isHiding = list.counts().snoozed > 0;
    all.unshift({ text: "S show hidden", rank: KEPT_LONGEST.length, isUseful: isHiding });
    if (list.filter() !== "") all.unshift({ text: "Esc all", rank: -1, isUseful: true });
  }
  const packed = (shown: typeof all) => pack(shown.map(({ text }) => text), columns - 2);
  const always = all.filter(({ rank }) => rank === -1);
  // As many as if all were useful: a decision elsewhere must not move the list.
  const count = packed(always).length;
  let shown = always.filter(({ isUseful }) => isUseful);
  for (const hint of all.filter(({ isUseful }) => isUseful).toSorted((a, b) => a.rank - b.rank)) {
    const more = all.filter((other) => other === hint || shown.includes(other));
    if (packed(more).length <= count) shown = more;
  }
  const rows = packed(shown).map((row) => style.dim(` ${row}`));
  return [...Array(count - rows.length).fill(""), ...rows];
}

/** What was typed, with its end and a cursor always in view. */
function inputRow(text: string, columns: number, style: Style): string {
  const room = Math.max(4, columns - 5);
  const shown = [...visibleLine(text)];
  let end = "";
  while (shown.length > 0 && cut(shown.at(-1)! + end, room) === shown.at(-1)! + end) {
    end = shown.pop()! + end;
  }
  return ` > ${end}${style.inverse("_")}`;
}

function promptRows(state: State, columns: number, roomy: boolean): string[] {
  const { prompt, style } = state;
  if (prompt === undefined) return [];
  const { text, offers = [] } = prompt.question;
  const offered = roomy && offers.length > 0
    ? [
      ...offers.map((offer, n) =>
        cut(` ${n === prompt.offer() ? ">" : " "} ${visibleLine(offer)}`, columns - 1)
      ),
      style.dim(cut("   ↑ ↓ take one of your last notes", columns - 1)),
    ]
    : [];
  return [
    ...offered,
    ...text.split("\n").flatMap((line) => wrap(" ", line, columns, "prose")).map(style.bold),
    inputRow(prompt.text(), columns, style),
    style.dim(cut(" Enter answers · Esc leaves", columns - 1)),
  ];
}

function messageRows({ message, style, ports }: State, columns: number): string[] {
  if (message === "") return [];
  const rows = wrap(" ", ports.visible(message), columns, "prose");
  return rows.slice(0, MOST_MESSAGE_ROWS).map(style.magenta);
}

/** What can still be undone, and for how long. It is shown beside any other message. */
function heldRows({ undoBuffer, style, ports, list }: State, columns: number): string[] {
  const items = undoBuffer.items();
  const untils = items.flatMap(({ key }) => {
    const stage = list.row(key)?.stage;
    return stage?.kind === "held" && stage.untilMs !== Infinity ? [stage.untilMs] : [];
  });
  if (untils.length === 0) return [];
  const seconds = secondsLeft(Math.min(...untils), ports.elapsedMs());
  const what = items.length === 1 ? "recorded" : `${items.length} decisions recorded`;
  // The key first: no screen is so narrow that it breaks there.
  const words = undoBuffer.groupCount() === 1
    ? `u to undo: ${what} in ${seconds} s`
    : `u to undo the last: ${what}, the first in ${seconds} s`;
  return wrap(" ", words, columns, "prose").map(style.bold);
}

function body(
  state: State,
  overview: Overview,
  height: number,
  columns: number,
): readonly string[] {
  const { view } = state;
  if (view.place === "list") return listRows(state, overview, height, columns);
  if (view.place === "batch") return batchRows(state, view, height, columns);
  const stage = "key" in view ? state.list.row(view.key)?.stage : undefined;
  if (stage === undefined || stage.kind === "open") return view.viewport.rows(height, columns);
  const words = wordsOf(stage, state.ports.elapsedMs()) ?? "";
  const banner = wrap("! ", `It is no longer pending: ${visibleLine(words)}`, columns, "prose");
  banner.splice(Math.min(MOST_BANNER_ROWS, height));
  const rows = banner.length === height ? [] : view.viewport.rows(height - banner.length, columns);
  return [...banner.map(state.style.magenta), ...rows];
}

/**
 * Draws the screen: as many rows as it has, each within its width. `bodyHeight` is how many of them
 * scroll.
 */
export function renderFrame(state: State, overview: Overview, size: Size) {
  const columns = Math.max(LEAST_COLUMNS, size.columns);
  const alarms = alarmRows(overview, columns, state.style);
  const roomy = size.rows >= 16;
  const said = [
    ...messageRows(state, columns),
    ...(state.prompt === undefined ? heldRows(state, columns) : []),
    ...promptRows(state, columns, roomy),
  ];
  const below = [
    ...(said.length > 0 && roomy ? [""] : []),
    ...said,
  ];
  const belowRows = below.length + (state.prompt === undefined ? hints(state, columns).length : 0);
  // As many as are shown: what scrolls counts them as seen.
  const bodyHeight = Math.min(
    Math.max(1, size.rows - 1 - alarms.length - belowRows),
    Math.max(0, size.rows - belowRows),
  );
  const rows = bodyHeight === 0
    ? []
    : size.columns < columns
    ? ["Too narrow."]
    : [...body(state, overview, bodyHeight, columns)];
  while (rows.length < bodyHeight) rows.push("");
  // After the body, which counts what was seen.
  const above = [heading(state, columns), ...alarms];
  if (state.prompt === undefined) below.push(...hints(state, columns));
  // On the smallest screens the question, and what is typed, come before everything else.
  return {
    rows: [...above, ...rows.slice(0, bodyHeight), ...below].slice(-size.rows),
    bodyHeight,
  };
}
