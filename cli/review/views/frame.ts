/**
 * The screen: a heading, alarms, what is looked at, a question or a message, the keys.
 *
 * @module
 */

import { visibleLine } from "../../../internal_mod.ts";
import type { Overview } from "../../../mod.ts";
import { unlistedLine, unreadableLine, unrecordedLine } from "../../render/pending.ts";
import type { Style } from "../../render/style.ts";
import { cut, fill, wrap } from "../../render/wrap.ts";
import { type Binding, BINDINGS, written } from "../keymap.ts";
import { secondsLeft, wordsOf } from "../list.ts";
import type { State } from "../state.ts";
import { batchRows } from "./batch.ts";
import { listRows } from "./list.ts";

/** How large the screen is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A screen. */
export interface Frame {
  /** As many rows as the screen has, each within its width. */
  readonly rows: readonly string[];
  /** How many of them scroll. */
  readonly bodyHeight: number;
}

/** How many alarms stand on the screen. */
const MOST_ALARMS = 3;

/** How many rows a message or a question takes, at most. */
const MOST_MESSAGE_ROWS = 4;

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
  if ("viewport" in view) {
    const percent = Math.floor(view.viewport.progress() * 100);
    parts.push(view.viewport.endWasSeen() ? "all seen" : `${percent} %`);
  }
  const text = cut(` supervise  ${parts.join(" · ")}`, columns - 1);
  return style.inverse(fill(text, columns - 1));
}

function alarmRows(overview: Overview, columns: number, style: Style): string[] {
  const { unrecordedResponses, unlisted, unreadable } = overview;
  const lines = [
    ...unrecordedResponses.map(unrecordedLine),
    ...unlisted.map(unlistedLine),
    ...unreadable.map(unreadableLine),
  ];
  const shown = lines.length > MOST_ALARMS
    ? [...lines.slice(0, MOST_ALARMS - 1), `! and ${lines.length - MOST_ALARMS + 1} more: see list`]
    : lines;
  return shown.map((line) => style.magenta(cut(line, columns - 1)));
}

/** The keys of a place, as many as there is room for. The one for help is always there. */
function hints(state: State, columns: number): string {
  const { view, style, undoBuffer, list } = state;
  const isUseful = ({ hint, action }: Binding) => {
    if (action === "undo") return undoBuffer.count() > 0;
    if (action === "confirm") return view.place === "batch" && view.step === "asked";
    return hint !== undefined;
  };
  const all = BINDINGS[view.place]
    .filter(isUseful)
    .map(({ keys: [key], hint, action }) => ({
      text: `${written(key!)} ${hint}`,
      kept: action === "help" || action === "back" || action === "quit",
    }));
  if (view.place === "list" && list.counts().snoozed > 0) {
    all.push({ text: "S show hidden", kept: false });
  }
  if (view.place === "list" && list.filter() !== "") all.push({ text: "Esc all", kept: true });
  let room = columns - 2;
  for (const { text, kept } of all) if (kept) room -= text.length + 2;
  const fitting = all.filter(({ text, kept }) => kept || (room -= text.length + 2) >= 0);
  return style.dim(cut(` ${fitting.map(({ text }) => text).join("  ")}`, columns - 1));
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

/** What was said last. */
function messageRows({ message, style }: State, columns: number): string[] {
  if (message === "") return [];
  const rows = wrap(" ", visibleLine(message), columns, "prose");
  return rows.slice(0, MOST_MESSAGE_ROWS).map(style.magenta);
}

/** What can still be undone, and for how long: whatever else is said, that has to be known. */
function heldRows({ undoBuffer, style, ports, list }: State, columns: number): string[] {
  const items = undoBuffer.items();
  if (items.length === 0) return [];
  // By their rows, those too that a filter hides.
  const untils = items.flatMap(({ key }) => {
    const stage = list.row(key)?.stage;
    return stage?.kind === "held" ? [stage.untilMs] : [];
  });
  const seconds = secondsLeft(Math.max(0, ...untils), ports.now());
  const what = items.length === 1 ? "1 decision is" : `${items.length} decisions are`;
  return wrap(" ", `${what} written in ${seconds} s: u undoes`, columns, "prose").map(style.bold);
}

function body(state: State, height: number, columns: number): readonly string[] {
  const { view } = state;
  if (view.place === "list") return listRows(state, height, columns);
  if (view.place === "batch") return batchRows(state, view, height, columns);
  const stage = view.place === "help" ? undefined : state.list.row(view.key)?.stage;
  if (stage === undefined || stage.kind === "open") return view.viewport.rows(height, columns);
  const words = wordsOf(stage, state.ports.now()) ?? "";
  const banner = wrap("! ", `It waits no more: ${visibleLine(words)}`, columns, "prose").slice(
    0,
    3,
  );
  return [
    ...banner.map(state.style.magenta),
    ...view.viewport.rows(Math.max(1, height - banner.length), columns),
  ];
}

/**
 * Draws the screen.
 *
 * @param state The state.
 * @param overview What the list cannot show as rows: alarms.
 * @param size How large the screen is.
 * @returns The screen.
 */
export function renderFrame(state: State, overview: Overview, size: Size): Frame {
  const columns = Math.max(20, size.columns);
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
    ...(state.prompt === undefined ? [hints(state, columns)] : []),
  ];
  const bodyHeight = Math.max(1, size.rows - 1 - alarms.length - below.length);
  const rows = [...body(state, bodyHeight, columns)];
  while (rows.length < bodyHeight) rows.push("");
  // After the body, which counts what was seen.
  const above = [heading(state, columns), ...alarms];
  // On the smallest screens the question, and what is typed, come before everything else.
  return {
    rows: [...above, ...rows.slice(0, bodyHeight), ...below].slice(-size.rows),
    bodyHeight,
  };
}
