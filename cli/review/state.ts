/**
 * What the parts of the full screen share: the list, what is looked at, what is asked, what can still be
 * undone, and the ways to the outside.
 *
 * @module
 */

import type { Decision, Inspection, Mark, Obstacle, PendingProposal } from "../../mod.ts";
import type { Said, Seen } from "../operate/decision.ts";
import type { Edit } from "../operate/editor.ts";
import type { Style } from "../render/style.ts";
import { type Guard, type Later, openGuard } from "./key_guard.ts";
import { openTable, type Overridable, type Table } from "./list.ts";
import { openPrompt, type Prompt, type Question } from "./prompt.ts";
import { type Held, openHeld } from "./undo_buffer.ts";
import type { Pages } from "./viewport.ts";

/** The ways to the outside. */
export interface Ports {
  /** The time, in milliseconds since 1970. */
  readonly now: () => number;
  /** The time since something, in milliseconds, by a clock that nobody sets. */
  readonly elapsedMs: () => number;
  /** Runs something later. */
  readonly later: Later;
  /** Reads a proposal and the file in force beside it. */
  readonly inspect: (entry: PendingProposal) => Promise<Inspection>;
  /** Decides, through the one door. */
  readonly decide: (seen: Seen, said: Said) => Promise<Decision>;
  /** Lets the operator change a file in an editor, which has the terminal meanwhile. */
  readonly edit: (inspection: Inspection, start: string) => Promise<Edit>;
  /** Reads the proposal that an unrecorded response is for, if it can be decided. */
  readonly overridable: Overridable;
  /** What a reviewer should notice, for the list; `undefined` until it was judged. */
  readonly marksOf: (entry: PendingProposal) => readonly Mark[] | undefined;
  /** The operators' last notes to rejected proposals of a bottle, the latest first. */
  readonly pastNotes: (entry: PendingProposal) => Promise<readonly string[]>;
  /** What tells one state of a file from another. */
  readonly stampOf: (path: string) => string;
  /** An error in words. */
  readonly explain: (error: unknown) => string;
  /** Hands the terminal back to the shell until it calls. */
  readonly suspend: () => void;
  /** Clears the terminal, so that the next frame is drawn whole. */
  readonly repaint: () => void;
  /** Ends it. */
  readonly quit: () => void;
}

/** A proposal that an operator has looked at. */
export interface Look extends Seen {
  /** The file in force then. */
  readonly stamp: string;
  /** All of it on the screen; nothing if it was no more than a row of a table. */
  readonly pages?: Pages;
}

/** A decision that can still be undone. */
export interface Pending {
  /** The row. */
  readonly key: string;
  /** What the operator saw. */
  readonly seen: Seen;
  /** What the operator says. */
  readonly said: Said;
  /** The operator's version, where there is one. */
  readonly edit?: Edit;
}

/** One proposal of several that are decided together. */
export interface BatchItem {
  /** The row. */
  readonly key: string;
  /** What the operator sees in the table, if it can be read. */
  readonly look?: Look;
  /** Why it is left out, if it is. */
  readonly leftOut?: string;
  /** The high marks that the operator has to confirm. */
  readonly unconfirmed?: Extract<Obstacle, { code: "unconfirmed" }>;
}

/** What is on the screen. */
export type View =
  | { readonly place: "list" }
  | {
    readonly place: "proposal";
    readonly key: string;
    readonly look: Look;
    readonly pages: Pages;
  }
  | {
    readonly place: "edit";
    readonly key: string;
    readonly look: Look;
    readonly edit: Edit;
    readonly pages: Pages;
  }
  | {
    readonly place: "batch";
    readonly status: "approved" | "rejected";
    readonly notes: string;
    readonly items: readonly BatchItem[];
    readonly step: "asked" | "decided";
  }
  | { readonly place: "help"; readonly behind: View; readonly pages: Pages };

/** What the parts of the full screen share. */
export interface Desk {
  readonly ports: Ports;
  readonly style: Style;
  readonly table: Table;
  readonly guard: Guard;
  readonly held: Held<Pending>;
  /** Whose time to be undone is up, and who are not written yet. */
  readonly unwritten: Set<Pending>;
  /** What is being written, until it is. */
  readonly writes: Set<Promise<void>>;
  /** What the operator looked at, by row. */
  readonly looks: Map<string, Look>;
  /** Notes of this session, the latest first. */
  readonly notes: string[];
  /** What is told on the terminal when the screen is gone. */
  readonly report: string[];
  /** What is on the screen. */
  view: View;
  /** The first item of a table that is on the screen. */
  offset: number;
  /** How many items of a table have been on the screen. */
  seen: number;
  /** What is asked, if anything is. */
  prompt: Prompt | undefined;
  /** The last thing that was said. */
  message: string;
  /** Whether `q` was pressed while something could be undone. */
  quitAsked: boolean;
  /** Whether keys came while a question was on its way: they were not meant for it. */
  distracted: boolean;
  /** Shows something else. What keys are about has changed, so those that decide wait. */
  readonly show: (view: View) => void;
  /** Says something at the foot of the screen, until a key is pressed. */
  readonly tell: (message: string) => void;
  /** Asks, and waits for the answer. */
  readonly ask: (question: Question) => Promise<string | undefined>;
  /** Draws the screen. */
  readonly changed: () => void;
}

/**
 * Makes an empty desk.
 *
 * @param ports The ways to the outside.
 * @param style Colours.
 * @param due Called with decisions whose time to be undone is up.
 * @param changed Draws the screen.
 * @returns The desk.
 */
export function openDesk(
  ports: Ports,
  style: Style,
  due: (group: readonly Pending[]) => void,
  changed: () => void,
): Desk {
  const tell = (message: string) => {
    desk.message = message;
    changed();
  };
  const guard = openGuard(ports.elapsedMs, ports.later, tell);
  const desk: Desk = {
    ports,
    style,
    table: openTable(ports.now, guard.shifted),
    guard,
    held: openHeld<Pending>(ports.later, due),
    unwritten: new Set(),
    writes: new Set(),
    looks: new Map(),
    notes: [],
    report: [],
    view: { place: "list" },
    offset: 0,
    seen: 0,
    prompt: undefined,
    message: "",
    quitAsked: false,
    distracted: false,
    show(view) {
      desk.view = view;
      desk.offset = 0;
      desk.seen = 0;
      guard.shifted();
      changed();
    },
    tell,
    async ask(question) {
      if (desk.distracted) return undefined;
      const prompt = openPrompt(question, tell);
      desk.prompt = prompt;
      changed();
      const answer = await prompt.answered;
      desk.prompt = undefined;
      guard.shifted();
      changed();
      return answer;
    },
    changed,
  };
  return desk;
}

/**
 * Says where an operator's version is. What is said at the foot of the screen is soon gone; where an edit
 * is must not be.
 *
 * @param desk The desk.
 * @param edit The version.
 */
export function keepEdit(desk: Desk, { kept }: Edit): void {
  desk.report.push(kept);
  desk.tell(kept);
}
