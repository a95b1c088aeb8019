/**
 * The operator's seat without a terminal: its queue and its decisions are real, its clock is ours, so
 * that what happens between two keys can be chosen.
 *
 * @module
 */

import {
  decide,
  inspectProposal,
  marksFor,
  type PendingProposal,
  readOverview,
} from "../../mod.ts";
import type { Ports } from "../../cli/review/desk.ts";
import { openSeat, type Seat } from "../../cli/review/seat.ts";
import { WITHDRAWN } from "../../cli/review/row.ts";
import { failureOf } from "../../cli/exit.ts";
import { makeStyle } from "../../cli/style.ts";

/** A seat, and a clock that stands still. */
export interface AttackSeat {
  readonly seat: Seat;
  /** Presses keys, each alone and on a screen that has stood still; types a text in a question. */
  readonly keys: (...keys: readonly string[]) => Promise<void>;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** Takes what is pending now. */
  readonly look: () => Promise<void>;
  /** The screen. */
  readonly screen: (columns?: number, rows?: number) => string;
  /** How often it was asked to end. */
  readonly quits: () => number;
}

/** Lets what was started go on until it waits for a key, a timer, or the disk. */
async function settle(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Opens a seat on a root.
 *
 * @param root The root.
 * @param change Ports that are different.
 * @returns The seat.
 */
export function attackSeat(root: string, change: Partial<Ports> = {}): AttackSeat {
  let nowMs = Date.now();
  let quits = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const ref = (
    { proposal: { bottleSlug, id: proposalId } }: Pick<PendingProposal, "proposal">,
  ) => ({
    root,
    bottleSlug,
    proposalId,
  });
  const ports: Ports = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    later: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    inspect: (entry) => inspectProposal(ref(entry)),
    decide: ({ inspection, currentSha256 }, { verdict, notes, allowStale }) =>
      decide({
        ...ref(inspection),
        proposalSha256: inspection.proposalSha256,
        currentSha256,
        verdict,
        notes,
        allowStale,
        operator: "ada@host",
      }),
    edit: () => Promise.reject(new Error("there is no editor")),
    becameOf: () => WITHDRAWN,
    marksOf: ({ proposal: { tool, proposedFile } }) => marksFor(tool, null, proposedFile),
    pastNotes: () => Promise.resolve([]),
    stampOf: () => "",
    explain: (error) => failureOf(error, root).message,
    suspend: () => {},
    repaint: () => {},
    quit: () => void quits++,
    ...change,
  };
  const seat = openSeat(ports, { style: makeStyle(false), notes: "", changed: () => {} });

  async function pass(ms: number): Promise<void> {
    const untilMs = nowMs + ms;
    while (true) {
      const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      timers.delete(next);
      nowMs = next.atMs;
      next.run();
      await settle();
    }
    nowMs = untilMs;
  }

  const screen = (columns = 100, rows = 30) => seat.frame({ columns, rows }).join("\n");
  return {
    seat,
    async keys(...keys) {
      for (const key of keys) {
        await pass(400);
        screen();
        if (key.startsWith("'")) { for (const letter of key.slice(1)) seat.press(letter); }
        else seat.press(key);
        await pass(50);
        await settle();
      }
    },
    pass,
    async look() {
      seat.overview(readOverview({ root }));
      await settle();
    },
    screen,
    quits: () => quits,
  };
}
