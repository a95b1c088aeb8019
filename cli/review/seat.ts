/**
 * The operator's seat: keys and news come in, a screen comes out. It knows nothing of terminals.
 *
 * @module
 */

import type { Overview } from "../../mod.ts";
import type { Style } from "../style.ts";
import { openActions } from "./actions.ts";
import { type Action, bindingOf } from "./bindings.ts";
import { openDesk, type Pending, type Ports } from "./desk.ts";
import { write } from "./flows.ts";
import { renderFrame, type Size } from "./frame.ts";
import { checkFilesInForce, takeOverview } from "./news.ts";

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
    overview(now) {
      alarms = now;
      takeOverview(desk, now);
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
