/**
 * What keys do, wherever they are pressed.
 *
 * @module
 */

import type { Changes } from "../../internal_mod.ts";
import type { Overview } from "../../mod.ts";
import { quoteId } from "../render/quote.ts";
import type { Style } from "../render/style.ts";
import { confirmBatch, openBatch, openTable } from "./batch.ts";
import { answerWithEdit, decideOn, isOpen, modify, undo, write } from "./decide_actions.ts";
import { type Action, actionOf, DECIDING, helpBlocks, MOVES } from "./keymap.ts";
import { BURST } from "./key_guard.ts";
import { nameOf } from "./keys.ts";
import type { Row } from "./list.ts";
import { openProposal } from "./open_proposal.ts";
import { checkFilesInForce, takeChanges } from "./queue_updates.ts";
import {
  type HeldDecision,
  keepEdit,
  type Look,
  openState,
  type Ports,
  type State,
} from "./state.ts";
import { openViewport, type Viewport } from "./viewport.ts";
import type { Size } from "./terminal.ts";
import { renderFrame } from "./views/frame.ts";

/** What the keys that decide one proposal do, in words. */
const DOES = {
  approve: "a approves it",
  modify: "m modifies it",
  reject: "r rejects it",
} as const satisfies Partial<Record<Action, string>>;

type Deciding = keyof typeof DOES;

type Decide = (row: Row, look: Look) => Promise<void>;

/** What each action does. Some end only once a question was answered. */
function openActions(
  state: State,
  notes: string,
  height: () => number,
): Readonly<Record<Action, () => unknown>> {
  const { ports, style, list, undoBuffer, guard } = state;

  function move(rows: number): void {
    const { view } = state;
    if ("viewport" in view) view.viewport.scroll(rows);
    else if (view.place === "batch") {
      state.offset = Math.max(0, Math.min(view.items.length - 1, state.offset + rows));
    } else list.move(rows);
  }

  /** The row that a key is about, in the list or on an open proposal. */
  function rowOfKey(): Row | undefined {
    return state.view.place === "proposal" ? list.row(state.view.key) : list.current();
  }

  /** Decides a proposal that was shown to the operator; shows it if it was not, or has changed. */
  async function onProposal(action: Deciding, decide: Decide): Promise<void> {
    const { view } = state;
    const row = rowOfKey();
    if (!isOpen(state, row)) return;
    const look = state.looks.get(row.key);
    if (view.place === "proposal" && look !== view.look) {
      return await openProposal(state, row, "It may have changed meanwhile: look again.");
    }
    if (look?.viewport === undefined) {
      await openProposal(state, row);
      if (state.view.place === "proposal") state.tell(`Look first, then ${DOES[action]}.`);
      return;
    }
    const { viewport } = look;
    if (action !== "approve" || !showUnseen(viewport)) return await decide(row, look);
    const { message } = state;
    state.show({ place: "proposal", key: row.key, look, viewport });
    state.tell(message);
  }

  /** Shows the next changed line that was not on the screen; `false` if all were. */
  function showUnseen(viewport: Viewport): boolean {
    if (!viewport.toUnseen()) return false;
    guard.shifted();
    state.tell("Not decided: this part was not on the screen yet.");
    return true;
  }

  async function chooseFilter(): Promise<void> {
    const question = { text: "Show only:", about: [], initial: list.filter() };
    const answer = await state.ask({ ...question, typing: list.setFilter });
    if (answer === undefined) list.setFilter("");
  }

  function snooze(): void {
    const row = rowOfKey();
    if (!isOpen(state, row)) return;
    list.snooze(row.key);
    if (state.view.place !== "list") state.show({ place: "list" });
    state.tell("Hidden here for 15 minutes; the agent does not learn of it. S shows it again.");
  }

  function back(): void {
    const { view } = state;
    if (view.place === "help") return state.show(view.behind);
    if (view.place === "edit") keepEdit(state, view.edit);
    if (view.place === "list") {
      list.selectNone();
      list.setFilter("");
    } else {
      const { message } = state;
      state.show({ place: "list" });
      state.tell(message);
    }
  }

  function quit(): void {
    const count = undoBuffer.count();
    if (count === 0 && state.writes.size === 0) return ports.quit();
    if (count === 0) state.tell("Still being recorded; the screen closes when that is done.");
    else if (!state.quitAsked) {
      state.quitAsked = true;
      const what = count === 1 ? "One decision is" : `${count} decisions are`;
      return state.tell(`${what} not recorded yet: q again records now and quits, u to undo.`);
    }
    void write(state, undoBuffer.takeAll()).then(ports.quit);
  }

  const decideAs = (status: "approved" | "rejected"): Decide => (row, look) =>
    decideOn(state, { row, look }, { status }, notes);

  const several = () => state.view.place === "list" && list.selected().length > 0;

  return {
    up: () => move(-1),
    down: () => move(1),
    halfUp: () => move(-Math.ceil(height() / 2)),
    halfDown: () => move(Math.ceil(height() / 2)),
    pageUp: () => move(-Math.max(1, height() - 1)),
    pageDown: () => {
      const { view } = state;
      if (view.place === "pages" && !view.viewport.hasMore()) return openTable(state, view);
      // Its rows are not all one screen row, and some of the screen is its heading.
      if (view.place === "batch") return move(Math.max(1, state.pageEnd - state.offset));
      move(Math.max(1, height() - 1));
    },
    top: () => move(-Infinity),
    bottom: () => move(Infinity),
    nextUnseen: () => {
      const { view } = state;
      if (!("viewport" in view) || view.viewport.toUnseen()) return;
      state.tell("Every changed line was on the screen.");
    },
    open: () => {
      if (state.view.place === "pages") return openTable(state, state.view);
      const row = list.current();
      if (isOpen(state, row)) return openProposal(state, row);
    },
    approve: () => {
      const { view } = state;
      if (view.place === "edit") {
        return showUnseen(view.viewport) ? undefined : answerWithEdit(state, view, notes);
      }
      if (several()) return openBatch(state, "approved", notes);
      return onProposal("approve", decideAs("approved"));
    },
    reject: () =>
      several() ? openBatch(state, "rejected", notes) : onProposal("reject", decideAs("rejected")),
    modify: () => {
      const { view } = state;
      if (view.place === "edit") return modify(state, view.key, view.look, view.edit);
      return onProposal("modify", ({ key }, look) => modify(state, key, look));
    },
    snooze,
    wake: () => list.wake(),
    select: () => {
      const row = list.current();
      if (!isOpen(state, row)) return;
      list.toggle(row.key);
      list.move(1);
    },
    undo: () => undo(state),
    filter: chooseFilter,
    help: () => {
      const behind = state.view;
      state.show({
        place: "help",
        behind,
        viewport: openViewport(helpBlocks(behind.place), style),
      });
    },
    back,
    confirm: () => state.view.place === "batch" && confirmBatch(state, state.view),
    quit,
    quitNow: () => ports.quit(),
    suspend: () => ports.suspend(),
    repaint: () => ports.repaint(),
  };
}

/** How often ages, in seconds, are drawn again. */
const REDRAW_MS = 10_000;

/** The actions that may ask a question first. */
const ASKING: ReadonlySet<Action> = new Set(["approve", "modify", "reject", "confirm", "filter"]);

/** The full screen without a terminal: takes keys and changes, gives rows. */
export type App = ReturnType<typeof openApp>;

/**
 * Makes the app.
 *
 * @param notes The operator's words for approvals, from the command line.
 */
export function openApp(
  ports: Ports,
  { style, notes, changed }: {
    readonly style: Style;
    readonly notes: string;
    readonly changed: () => void;
  },
) {
  const state = openState(ports, style, (group) => void write(state, group), changed);
  const { list, undoBuffer, guard } = state;
  let alarms: Overview = {
    pending: [],
    unrecordedResponses: [],
    unlisted: [],
    unreadable: [],
    held: [],
  };
  let drawnMs = ports.elapsedMs();
  let height = 1;
  let framed: Viewport | undefined;
  const acts = openActions(state, notes, () => height);

  let busy = 0;
  let underWay = 0;
  async function act(action: Action): Promise<void> {
    const asks = ASKING.has(action) ? 1 : 0;
    if (asks > 0) state.distracted = false;
    busy += asks;
    underWay++;
    try {
      await acts[action]();
    } catch (error) {
      state.tell(ports.explain(error));
    } finally {
      busy -= asks;
      underWay--;
    }
    changed();
  }

  /** Does what moves or opens, key by key. No other key does anything. */
  async function moveBy(keys: readonly string[]): Promise<void> {
    let refused = false;
    for (const key of keys) {
      const action = actionOf(state.view.place, key);
      if (action === undefined || !MOVES.has(action)) refused = true;
      // Moves are made at once: what lies between does not stay on the screen, and so was not seen.
      else if (action === "open") await act(action);
      else void act(action);
    }
    if (refused) state.tell(BURST);
    changed();
  }

  /** Whether a question is on its way: keys that come before it are not meant for it. */
  function isDistraction(action?: Action): boolean {
    if (busy === 0 || state.prompt !== undefined || action === "quitNow") return false;
    state.distracted = true;
    state.tell("Wait a moment, then press it again.");
    return true;
  }

  function press(key: string): void {
    state.message = "";
    if (state.prompt !== undefined) {
      guard.otherKey();
      state.prompt.press(key);
      return changed();
    }
    const action = actionOf(state.view.place, key);
    if (isDistraction(action)) return guard.otherKey();
    if (action !== "quit") state.quitAsked = false;
    const writes = action === "quit" && undoBuffer.count() > 0 && state.quitAsked;
    if (action !== undefined && (DECIDING.has(action) || writes)) {
      guard.deciding(() => void act(action));
    } else {
      guard.otherKey();
      if (action !== undefined) void act(action);
      else state.tell(`${JSON.stringify(key)} does nothing here; ? lists the keys.`);
    }
    changed();
  }

  return {
    press,
    /** Takes characters that came at once: keys pressed fast, or a paste that is not marked as one. */
    burst(text: string): void {
      state.message = "";
      guard.otherKey();
      if (state.prompt !== undefined) {
        state.prompt.burst(text);
        return changed();
      }
      if (isDistraction()) return;
      void moveBy([...text].map(nameOf));
    },
    paste(text: string): void {
      guard.otherKey();
      if (isDistraction()) return;
      if (state.prompt === undefined) state.tell("A paste decides nothing.");
      else state.prompt.paste(text);
      changed();
    },
    /** Takes what has changed in the queues. */
    take(changes: Changes): void {
      alarms = changes.now;
      takeChanges(state, changes);
    },
    say: state.tell,
    /** Another program gets the terminal: the time to undo stands still. What this returns begins it anew. */
    away: undoBuffer.away,
    /** To be called once a second. */
    tick(): void {
      list.sweep();
      const held = ports.held();
      if (JSON.stringify(held) !== JSON.stringify(alarms.held)) {
        alarms = { ...alarms, held };
        changed();
      }
      checkFilesInForce(state);
      const nowMs = ports.elapsedMs();
      if (undoBuffer.count() > 0 || nowMs - drawnMs >= REDRAW_MS) {
        drawnMs = nowMs;
        changed();
      }
    },
    /** The rows of a screen of that size. */
    frame(size: Size): readonly string[] {
      state.pageEnd = 0;
      framed?.begin();
      framed = "viewport" in state.view ? state.view.viewport : undefined;
      framed?.begin();
      const { rows, bodyHeight } = renderFrame(state, alarms, size);
      height = bodyHeight;
      return rows;
    },
    /** Counts what the last frame shows as seen, unless what a key does is not over: it may show another. */
    stood(): void {
      if (underWay > 0) return;
      if (state.offset <= state.seen) state.seen = Math.max(state.seen, state.pageEnd);
      // The heading says how much was seen.
      if (framed?.stood()) changed();
    },
    /** Drops what can still be undone. Gives the lines to print once the screen is closed. */
    end(): readonly string[] {
      const view = state.view.place === "help" ? state.view.behind : state.view;
      if (view.place === "edit") state.report.push(view.edit.kept);
      const told: [string, readonly HeldDecision[]][] = [
        ["! not decided, nothing was written", undoBuffer.takeAll()],
        ["! was being written, see audit show", [...state.unwritten]],
      ];
      for (const [words, group] of told) {
        for (const { seen: { inspection: { proposal } }, edit } of group) {
          state.report.push(`${words}: ${quoteId(proposal.id)} (${proposal.bottleSlug})`);
          if (edit !== undefined) state.report.push(`  ${edit.kept}`);
        }
      }
      return state.report;
    },
  };
}
