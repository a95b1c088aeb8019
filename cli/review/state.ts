/**
 * The state of the full screen: the list, the proposals that were looked at, the question, the decisions
 * that can still be undone; and the calls to the outside.
 *
 * @module
 */

import type { Decision, Inspection, Mark, Obstacle, Overview, PendingProposal } from "../../mod.ts";
import type { Hints } from "../../internal_mod.ts";
import type { Said, Seen } from "../operate/decision.ts";
import type { Edit } from "../operate/editor.ts";
import type { Style } from "../render/style.ts";
import type { Block } from "../render/wrap.ts";
import { type Later, openKeyGuard } from "./key_guard.ts";
import { openList, type Overridable } from "./list.ts";
import { openPrompt, type Prompt, type Question } from "./prompt.ts";
import { openUndoBuffer } from "./undo_buffer.ts";
import type { Viewport } from "./viewport.ts";

/** The calls to the outside. A test passes its own. */
export interface Ports {
  /** The time, in milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsedMs: () => number;
  /** Runs something later. */
  readonly later: Later;
  /** Reads a proposal and the file in force beside it. */
  readonly inspect: (entry: PendingProposal) => Promise<Inspection>;
  /** Decides, records and responds. */
  readonly decide: (seen: Seen, said: Said) => Promise<Decision>;
  /** Lets the operator change a file in an editor, which uses the terminal until it ends. */
  readonly edit: (inspection: Inspection, start: string) => Promise<Edit>;
  /** Reads the proposal that an unrecorded response is for, if it can be decided. */
  readonly overridable: Overridable;
  /** The marks of a proposal, for the list; `undefined` until they are worked out. */
  readonly marksOf: (entry: PendingProposal) => readonly Mark[] | undefined;
  /** The hints to a proposal; they are not late. */
  readonly hintsOf: (entry: PendingProposal) => Hints;
  /** The operators' last notes to rejected proposals of a bottle, the latest first. */
  readonly pastNotes: (entry: PendingProposal) => Promise<readonly string[]>;
  /** The bottles whose files in force are not changed now. */
  readonly held: () => Overview["held"];
  /** A text that differs between any two states of a file. */
  readonly stampOf: (path: string) => string;
  /** An error in words. */
  readonly explain: (error: unknown) => string;
  /** A sentence made visible. */
  readonly visible: (sentence: string) => string;
  /** Gives the terminal to the shell until the operator comes back with `fg`. */
  readonly suspend: () => void;
  /** Clears the terminal, so that the next frame is drawn whole. */
  readonly repaint: () => void;
  /** Ends the program. */
  readonly quit: () => void;
}

/** A proposal that an operator has looked at. */
export interface Look extends Seen {
  /** The state of the file in force at that time. */
  readonly stamp: string;
  /** The whole proposal, in blocks: those that were seen are remembered. */
  readonly page: readonly Block[];
  /** The proposal on the screen; left out if it was opened in a batch alone. */
  readonly viewport?: Viewport;
}

/** A decision that can still be undone. */
export interface HeldDecision {
  /** The row. */
  readonly key: string;
  readonly seen: Seen;
  readonly said: Said;
  /** The operator's version, if the decision is to modify. */
  readonly edit?: Edit;
}

/** One proposal of several that are decided together. */
export interface BatchItem {
  /** The row. */
  readonly key: string;
  /** What the operator sees in the table; left out if it cannot be read. */
  readonly look?: Look;
  /** Why it is left out, if it is. */
  readonly leftOut?: string;
  /** The high marks that the operator has to confirm. */
  readonly unconfirmed?: Extract<Obstacle, { code: "unconfirmed" }>;
}

/** Several proposals that are decided together. */
export interface Batch {
  readonly status: "approved" | "rejected";
  readonly notes: string;
  readonly items: readonly BatchItem[];
}

/** What is on the screen. */
export type View =
  | { readonly place: "list" }
  | {
    readonly place: "proposal";
    readonly key: string;
    readonly look: Look;
    readonly viewport: Viewport;
  }
  | {
    readonly place: "edit";
    readonly key: string;
    readonly look: Look;
    readonly edit: Edit;
    readonly viewport: Viewport;
  }
  | Batch & { readonly place: "pages"; readonly viewport: Viewport }
  | Batch & { readonly place: "batch"; readonly step: "asked" | "decided" }
  | { readonly place: "help"; readonly behind: View; readonly viewport: Viewport };

/** The state of the full screen, and what every part of it may do. */
export type State = ReturnType<typeof openState>;

/** The state at the start. `due` gets the decisions that can no longer be undone; `changed` draws. */
export function openState(
  ports: Ports,
  style: Style,
  due: (group: readonly HeldDecision[]) => void,
  changed: () => void,
) {
  const guard = openKeyGuard(ports.elapsedMs, ports.later, tell);

  /** Shows a message at the foot of the screen, until a key is pressed. */
  function tell(message: string): void {
    state.message = message;
    changed();
  }

  const list = openList(ports.elapsedMs, guard.shifted, (key) => {
    const view = state.view.place === "help" ? state.view.behind : state.view;
    return "key" in view && view.key === key;
  });
  const state = {
    ports,
    style,
    list,
    guard,
    undoBuffer: openUndoBuffer<HeldDecision>({
      now: ports.elapsedMs,
      later: ports.later,
      due,
      held: (decisions, untilMs) => {
        for (const { key, said: { verdict: { status } } } of decisions) {
          list.set(key, { kind: "held", status, untilMs });
        }
      },
    }),
    /** The decisions that can no longer be undone, and are not written yet. */
    unwritten: new Set<HeldDecision>(),
    /** The writes that are under way. */
    writes: new Set<Promise<void>>(),
    /** What the operator has looked at, by row. */
    looks: new Map<string, Look>(),
    /** The notes of this session, the latest first. */
    notes: [] as string[],
    /** What is printed when the screen is closed. */
    report: [] as string[],
    /** What is on the screen. */
    view: { place: "list" } as View,
    /** The first item of a table that is on the screen. */
    offset: 0,
    /** How many items of a table have been on the screen, from the first one on without a gap. */
    seen: 0,
    /** The item of a table after the last one that is in the frame. */
    pageEnd: 0,
    /** The question on the screen, if there is one. */
    prompt: undefined as Prompt | undefined,
    /** The message at the foot of the screen. */
    message: "",
    /** Whether `q` was pressed while something could be undone. */
    quitAsked: false,
    /** Whether keys came before a question was on the screen: they were not meant for it. */
    distracted: false,
    /** Shows something else. Keys that decide are ignored for a moment: they meant what was there before. */
    show(view: View): void {
      state.view = view;
      state.offset = 0;
      state.seen = 0;
      state.pageEnd = 0;
      guard.shifted();
      changed();
    },
    tell,
    /** Asks, and waits for the answer. */
    async ask(question: Question): Promise<string | undefined> {
      if (state.distracted) return undefined;
      const prompt = openPrompt(question, tell);
      state.prompt = prompt;
      // A key is a letter of the answer now, and undoes nothing.
      const resume = state.undoBuffer.pause();
      changed();
      const answer = await prompt.answered;
      state.prompt = undefined;
      resume();
      guard.shifted();
      changed();
      return answer;
    },
    /** Draws the screen. */
    changed,
  };
  return state;
}

/** Says where an operator's version is: on the screen, and again when the screen is closed. */
export function keepEdit(state: State, { kept }: Edit): void {
  state.report.push(kept);
  state.tell(kept);
}
