/**
 * What keys do, wherever they are pressed.
 *
 * @module
 */

import type { Changes } from "../../internal_mod.ts";
import type { Overview } from "../../mod.ts";
import type { Style } from "../render/style.ts";
import { confirmBatch, openBatch } from "./batch.ts";
import { answerWithEdit, approve, isOpen, modify, reject, undo, write } from "./decide_actions.ts";
import { type Action, bindingOf } from "./keymap.ts";
import type { Row } from "./list.ts";
import { openProposal } from "./open_proposal.ts";
import { checkFilesInForce, takeChanges } from "./queue_updates.ts";
import { type Desk, keepEdit, type Look, openDesk, type Pending, type Ports } from "./state.ts";
import { openPages, type Pages } from "./viewport.ts";
import { renderFrame, type Size } from "./views/frame.ts";
import { helpBlocks } from "./views/help.ts";

/** The actions that decide one proposal, and what their keys do, in words. */
const DECIDING = {
  approve: "a approves it",
  modify: "m modifies it",
  reject: "r rejects it",
} as const satisfies Partial<Record<Action, string>>;

type Deciding = keyof typeof DECIDING;

type Decide = (row: Row, look: Look) => Promise<void>;

/**
 * Makes what keys do.
 *
 * @param desk The desk.
 * @param notes The operator's words for approvals, from the command line.
 * @param height How many rows scroll.
 * @returns What each action does; some are done only once a question was answered.
 */
export function openActions(
  desk: Desk,
  notes: string,
  height: () => number,
): Readonly<Record<Action, () => unknown>> {
  const { ports, style, table, held } = desk;

  function move(rows: number): void {
    const { view } = desk;
    if ("pages" in view) {
      if (Number.isFinite(rows)) view.pages.scroll(rows);
      else if (rows < 0) view.pages.toStart();
      else view.pages.toEnd();
    } else if (view.place === "batch") {
      desk.offset = Math.max(0, Math.min(view.items.length - 1, desk.offset + rows));
    } else table.move(rows);
  }

  /** Looks first: nobody decides what was never on their screen. */
  async function onCurrent(action: Deciding, decide: Decide): Promise<void> {
    const row = table.current();
    if (!isOpen(desk, row)) return;
    const look = desk.looks.get(row.key);
    if (look?.pages !== undefined) {
      if (mayBeDecided(look.pages, action)) return await decide(row, look);
      const { message } = desk;
      desk.show({ place: "proposal", key: row.key, look, pages: look.pages });
      return desk.tell(message);
    }
    await openProposal(desk, row);
    if (desk.view.place === "proposal") desk.tell(`Look first, then ${DECIDING[action]}.`);
  }

  /** The proposal that a key is about, wherever it was pressed. */
  async function onProposal(action: Deciding, decide: Decide): Promise<void> {
    if (desk.view.place !== "proposal") return await onCurrent(action, decide);
    const { key, look, pages } = desk.view;
    const row = table.row(key);
    if (!isOpen(desk, row)) return;
    if (desk.looks.get(key) !== look) {
      return await openProposal(desk, row, "It may have changed meanwhile: look again.");
    }
    if (mayBeDecided(pages, action)) await decide(row, look);
  }

  let warnedOf: Pages | undefined;
  function mayBeDecided(text: Pages, action: Deciding): boolean {
    if (action !== "approve" || text.endWasSeen() || warnedOf === text) return true;
    warnedOf = text;
    const percent = Math.floor(text.progress() * 100);
    desk.tell(`You have seen ${percent} % of it; Space goes on. a again approves all the same.`);
    return false;
  }

  async function chooseFilter(): Promise<void> {
    const before = table.filter();
    const typing = (text: string) => table.setFilter(text);
    const question = { text: "Show only:", about: [], initial: before, typing };
    if (await desk.ask(question) === undefined) table.setFilter("");
  }

  function snooze(): void {
    const row = desk.view.place === "proposal" ? table.row(desk.view.key) : table.current();
    if (!isOpen(desk, row)) return;
    table.snooze(row.key);
    if (desk.view.place !== "list") desk.show({ place: "list" });
    desk.tell("Hidden here for 15 minutes; the agent is told nothing. S shows it again.");
  }

  function back(): void {
    const { view } = desk;
    if (view.place === "help") return desk.show(view.behind);
    if (view.place === "edit") keepEdit(desk, view.edit);
    if (view.place === "list") {
      table.selectNone();
      table.setFilter("");
    } else {
      const { message } = desk;
      desk.show({ place: "list" });
      desk.tell(message);
    }
  }

  function quit(): void {
    const count = held.count();
    if (count === 0 && desk.writes.size === 0) return ports.quit();
    if (count === 0) desk.tell("Being written; it ends when that is done.");
    else if (!desk.quitAsked) {
      desk.quitAsked = true;
      const what = count === 1 ? "One decision is" : `${count} decisions are`;
      return desk.tell(`${what} not written yet: q again writes now and quits, u undoes.`);
    }
    void write(desk, held.takeAll()).then(ports.quit);
  }

  const several = () => desk.view.place === "list" && table.selected().length > 0;

  return {
    up: () => move(-1),
    down: () => move(1),
    halfUp: () => move(-Math.ceil(height() / 2)),
    halfDown: () => move(Math.ceil(height() / 2)),
    pageUp: () => move(-Math.max(1, height() - 1)),
    pageDown: () => move(Math.max(1, height() - 1)),
    top: () => move(-Infinity),
    bottom: () => move(Infinity),
    open: () => {
      const row = table.current();
      if (isOpen(desk, row)) return openProposal(desk, row);
    },
    approve: () => {
      const { view } = desk;
      if (view.place === "edit") return answerWithEdit(desk, view, notes);
      if (several()) return openBatch(desk, "approved", notes);
      return onProposal("approve", (row, look) => approve(desk, row, look, notes));
    },
    reject: () =>
      several()
        ? openBatch(desk, "rejected", notes)
        : onProposal("reject", (row, look) => reject(desk, row, look, notes)),
    modify: () => {
      const { view } = desk;
      if (view.place === "edit") return modify(desk, view.key, view.look, view.edit);
      return onProposal("modify", ({ key }, look) => modify(desk, key, look));
    },
    snooze,
    wake: () => table.wake(),
    select: () => {
      const row = table.current();
      if (!isOpen(desk, row)) return;
      table.toggle(row.key);
      table.move(1);
    },
    undo: () => undo(desk),
    filter: chooseFilter,
    help: () => {
      const behind = desk.view;
      desk.show({ place: "help", behind, pages: openPages(helpBlocks(behind.place), style) });
    },
    back,
    confirm: () => desk.view.place === "batch" && confirmBatch(desk, desk.view),
    quit,
    quitNow: () => ports.quit(),
    suspend: () => ports.suspend(),
    repaint: () => ports.repaint(),
  };
}

/** Ages are told in seconds, and drawn anew this often. */
const REDRAW_MS = 10_000;

/** What may ask before it is done. */
const ASKING: ReadonlySet<Action> = new Set(["approve", "modify", "reject", "confirm", "filter"]);

/** The operator's seat. */
export interface Seat {
  /** Takes a key by its name. */
  readonly press: (key: string) => void;
  /** Takes several characters that came at once: keys pressed fast, or a paste nobody marked as one. */
  readonly burst: (text: string) => void;
  /** Takes a paste. */
  readonly paste: (text: string) => void;
  /** Takes what has changed in the queues. */
  readonly take: (changes: Changes) => void;
  /** To be called once a second. */
  readonly tick: () => void;
  /** Says something at the foot of the screen. */
  readonly say: (message: string) => void;
  /** The screen. */
  readonly frame: (size: Size) => readonly string[];
  /** Gives up what can be undone, and says what the terminal shows when the screen is gone. */
  readonly end: () => readonly string[];
}

/** What the seat is given besides the ways to the outside. */
export interface SeatOptions {
  /** Colours. */
  readonly style: Style;
  /** The operator's words for approvals, from the command line. */
  readonly notes: string;
  /** Draws the screen. */
  readonly changed: () => void;
}

/**
 * Makes the operator's seat.
 *
 * @param ports The ways to the outside.
 * @param options Colours, notes, and how to draw.
 * @returns The seat.
 */
export function openSeat(ports: Ports, { style, notes, changed }: SeatOptions): Seat {
  const desk = openDesk(ports, style, (group) => void write(desk, group), changed);
  const { table, held, guard } = desk;
  let alarms: Overview = { pending: [], unrecordedResponses: [], unlisted: [], unreadable: [] };
  let drawnMs = ports.now();
  let height = 1;
  const acts = openActions(desk, notes, () => height);

  let busy = 0;
  async function act(action: Action): Promise<void> {
    const asks = ASKING.has(action) ? 1 : 0;
    if (asks > 0) desk.distracted = false;
    busy += asks;
    try {
      await acts[action]();
    } catch (error) {
      desk.tell(ports.explain(error));
    } finally {
      busy -= asks;
    }
    changed();
  }

  /** One thing at a time: a question that comes late must not meet keys that were for something else. */
  function isDistraction(action?: Action): boolean {
    if (busy === 0 || desk.prompt !== undefined || action === "quitNow") return false;
    desk.distracted = true;
    desk.tell("Wait a moment, then press it again.");
    return true;
  }

  function press(key: string): void {
    desk.message = "";
    if (desk.prompt !== undefined) {
      guard.otherKey();
      desk.prompt.press(key);
      return changed();
    }
    const binding = bindingOf(desk.view.place, key);
    if (isDistraction(binding?.action)) return guard.otherKey();
    if (binding?.action !== "quit") desk.quitAsked = false;
    const writes = binding?.action === "quit" && held.count() > 0 && desk.quitAsked;
    if (binding?.decides || writes) guard.deciding(() => void act(binding.action));
    else {
      guard.otherKey();
      if (binding !== undefined) void act(binding.action);
      else desk.tell(`${JSON.stringify(key)} does nothing here; ? lists the keys.`);
    }
    changed();
  }

  return {
    press,
    burst(text) {
      desk.message = "";
      if (desk.prompt !== undefined) {
        guard.otherKey();
        desk.prompt.burst(text);
        return changed();
      }
      if (isDistraction()) return guard.otherKey();
      const [key] = text;
      const binding = key === undefined ? undefined : bindingOf(desk.view.place, key);
      guard.otherKey();
      // Fast fingers and a held key move as far as they were pressed; nothing else is taken in a row.
      const isRun = [...text].every((character) => character === key);
      if (isRun && ["up", "down", "pageUp", "pageDown"].includes(binding?.action ?? "")) {
        for (const _ of text) void acts[binding!.action]();
      } else desk.tell("Several keys at once decide nothing.");
      changed();
    },
    paste(text) {
      guard.otherKey();
      if (isDistraction()) return;
      if (desk.prompt === undefined) desk.tell("A paste decides nothing.");
      else desk.prompt.paste(text);
      changed();
    },
    take(changes) {
      alarms = changes.now;
      takeChanges(desk, changes);
    },
    say: desk.tell,
    tick() {
      table.sweep();
      checkFilesInForce(desk);
      const nowMs = ports.now();
      if (held.count() > 0 || nowMs - drawnMs >= REDRAW_MS) {
        drawnMs = nowMs;
        changed();
      }
    },
    frame(size) {
      const { rows, bodyHeight } = renderFrame(desk, alarms, size);
      height = bodyHeight;
      return rows;
    },
    end() {
      const view = desk.view.place === "help" ? desk.view.behind : desk.view;
      if (view.place === "edit") desk.report.push(view.edit.kept);
      const told: [string, readonly Pending[]][] = [
        ["! not decided, nothing was written", held.takeAll()],
        ["! was being written, see audit show", [...desk.unwritten]],
      ];
      for (const [words, group] of told) {
        for (const { seen: { inspection: { proposal } }, edit } of group) {
          desk.report.push(`${words}: ${proposal.id} (${proposal.bottleSlug})`);
          if (edit !== undefined) desk.report.push(`  ${edit.kept}`);
        }
      }
      return desk.report;
    },
  };
}
