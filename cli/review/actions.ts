/**
 * What keys do, wherever they are pressed.
 *
 * @module
 */

import { confirmBatch, openBatch } from "./batch.ts";
import type { Action } from "./bindings.ts";
import { type Desk, keepEdit, type Look } from "./desk.ts";
import { answerWithEdit, approve, isOpen, modify, reject, undo, write } from "./flows.ts";
import { helpBlocks } from "./help.ts";
import { openProposal } from "./look.ts";
import { openPages, type Pages } from "./pages.ts";
import type { Row } from "./row.ts";

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
      if (view.place === "edit") return answerWithEdit(desk, view);
      if (several()) return openBatch(desk, "approved");
      return onProposal("approve", ({ key }, look) => approve(desk, key, look, notes));
    },
    reject: () =>
      several()
        ? openBatch(desk, "rejected")
        : onProposal("reject", (row, look) => reject(desk, row, look)),
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
