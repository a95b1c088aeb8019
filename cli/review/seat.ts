/**
 * The operator's seat: keys and news come in, a screen comes out. It knows nothing of terminals.
 *
 * @module
 */

import type { Overview } from "../../mod.ts";
import { confirmBatch, openBatch } from "./batch.ts";
import { type Action, bindingOf } from "./bindings.ts";
import { openDesk, type Pending, type Ports } from "./desk.ts";
import { answerWithEdit, approve, isOpen, modify, reject, undo, write } from "./flows.ts";
import { renderFrame, type Size } from "./frame.ts";
import { helpBlocks } from "./help.ts";
import { openProposal } from "./look.ts";
import { openPages, type Pages } from "./pages.ts";
import { open, type Row } from "./row.ts";
import type { Edit } from "../editor.ts";
import type { Style } from "../style.ts";

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
  /** Takes what is pending now. */
  readonly overview: (overview: Overview) => void;
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
  let alarms: Overview = { pending: [], foreignAnswers: [], unlisted: [], unreadable: [] };
  let drawnMs = ports.now();
  let height = 1;

  /** The text on the screen that keys scroll, if it is not the list. */
  const pages = (): Pages | undefined => "pages" in desk.view ? desk.view.pages : undefined;

  function move(rows: number): void {
    const text = pages();
    if (text !== undefined) text.scroll(rows);
    else if (desk.view.place === "batch") {
      desk.offset = Math.max(0, Math.min(desk.view.items.length - 1, desk.offset + rows));
    } else table.move(rows);
  }

  /** Looks first: nobody decides what was never on their screen. */
  async function onCurrent(decide: (row: Row) => Promise<void>, verb: string): Promise<void> {
    const row = table.current();
    if (!isOpen(desk, row)) return;
    const look = desk.looks.get(row.key);
    if (look?.pages !== undefined) {
      if (mayBeDecided(look.pages, verb)) return await decide(row);
      const { message } = desk;
      desk.show({ place: "proposal", key: row.key, look, pages: look.pages });
      return desk.tell(message);
    }
    await openProposal(desk, row);
    if (desk.view.place === "proposal") desk.tell(`Look first, then ${verb}.`);
  }

  /** The proposal that a key is about, wherever it was pressed. */
  async function onProposal(decide: (row: Row) => Promise<void>, verb: string): Promise<void> {
    if (desk.view.place !== "proposal") return await onCurrent(decide, verb);
    const row = table.row(desk.view.key);
    if (!isOpen(desk, row)) return;
    if (desk.looks.get(row.key) !== desk.view.look) {
      return await openProposal(desk, row, "It may have changed meanwhile: look again.");
    }
    if (mayBeDecided(desk.view.pages, verb)) await decide(row);
  }

  let warnedOf: Pages | undefined;
  function mayBeDecided(text: Pages, verb: string): boolean {
    if (!verb.startsWith("a") || text.endWasSeen() || warnedOf === text) return true;
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

  /** What is said at the foot of the screen is soon gone; where an edit is must not be. */
  function keep({ kept }: Edit): void {
    desk.report.push(kept);
    desk.tell(kept);
  }

  function back(): void {
    const { view } = desk;
    if (view.place === "help") return desk.show(view.behind);
    if (view.place === "edit") keep(view.edit);
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
  const look = (row: Row) => desk.looks.get(row.key)!;

  const acts: Readonly<Record<Action, () => unknown>> = {
    up: () => move(-1),
    down: () => move(1),
    halfUp: () => move(-Math.ceil(height / 2)),
    halfDown: () => move(Math.ceil(height / 2)),
    pageUp: () => move(-Math.max(1, height - 1)),
    pageDown: () => move(Math.max(1, height - 1)),
    top: () => pages()?.toStart() ?? move(-Infinity),
    bottom: () => pages()?.toEnd() ?? move(Infinity),
    open: () => {
      const row = table.current();
      if (isOpen(desk, row)) return openProposal(desk, row);
    },
    approve: () => {
      const { view } = desk;
      if (view.place === "edit") return answerWithEdit(desk, view);
      if (several()) return openBatch(desk, "approved");
      return onProposal((row) => approve(desk, row.key, look(row), notes), "a approves it");
    },
    reject: () =>
      several()
        ? openBatch(desk, "rejected")
        : onProposal((row) => reject(desk, row, look(row)), "r rejects it"),
    modify: () => {
      const { view } = desk;
      if (view.place === "edit") return modify(desk, view.key, view.look, view.edit);
      return onProposal((row) => modify(desk, row.key, look(row)), "m modifies it");
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

  /** A question about a row that changed is withdrawn, and so is a decision that was not written. */
  function withdraw(keys: ReadonlySet<string>, why: string): void {
    if (desk.prompt?.question.about.some((key) => keys.has(key))) {
      desk.prompt.withdraw();
      desk.tell(why);
    }
    for (const { edit } of held.drop(({ key }) => keys.has(key))) {
      if (edit !== undefined) keep(edit);
    }
    for (const key of keys) desk.looks.delete(key);
  }

  /** Shows anew what is on the screen and is no longer what was shown. */
  function refreshView(keys: ReadonlySet<string>, because: string): void {
    const { view } = desk;
    if (view.place !== "proposal" && view.place !== "edit" || !keys.has(view.key)) return;
    const row = table.row(view.key);
    if (row?.standing.kind !== "open") return;
    if (view.place === "edit") keep(view.edit);
    void openProposal(desk, row, because);
  }

  function overview(now: Overview): void {
    alarms = now;
    const before = new Map(table.visible().map((row) => [row.key, row]));
    for (const key of desk.looks.keys()) {
      const row = table.row(key);
      if (row !== undefined) before.set(key, row);
    }
    table.merge(now.pending, ports.becameOf);
    const changedKeys = new Set<string>();
    for (const [key, row] of before) {
      const after = table.row(key);
      if (after === row) continue;
      const isOver = after === undefined ||
        after.standing.kind === "over" && row.standing.kind !== "over";
      if (isOver || after.entry.proposalSha256 !== row.entry.proposalSha256) changedKeys.add(key);
    }
    if (changedKeys.size > 0) {
      withdraw(changedKeys, "Withdrawn: the proposal changed, or somebody else decided.");
      refreshView(changedKeys, "The proposal changed while you looked. This is the new one.");
    }
    changed();
  }

  /** The file in force is ours, so no event tells of it; but only what was looked at matters. */
  function checkFilesInForce(): void {
    const stamps = new Map<string, string>();
    const stampOf = (path: string) => {
      const known = stamps.get(path) ?? ports.stampOf(path);
      stamps.set(path, known);
      return known;
    };
    const changedKeys = new Set<string>();
    for (const [key, { inspection, stamp }] of desk.looks) {
      if (stampOf(inspection.currentPath) !== stamp) changedKeys.add(key);
    }
    if (changedKeys.size === 0) return;
    for (const key of changedKeys) {
      const kind = table.row(key)?.standing.kind;
      if (kind === "open" || kind === "held") {
        table.set(key, open("the file in force changed: look again"));
      }
    }
    withdraw(changedKeys, "Withdrawn: the file in force changed.");
    refreshView(
      changedKeys,
      "The file in force changed while you looked. This is what would change now.",
    );
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
    overview,
    say: desk.tell,
    tick() {
      table.sweep();
      checkFilesInForce();
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
