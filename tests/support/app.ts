/**
 * The app without a terminal: real files, the real door, a clock that the test moves.
 *
 * @module
 */

import { makeContext } from "../../cli/command/context.ts";
import { failureOf } from "../../cli/command/exit.ts";
import { readFlags } from "../../cli/command/flags.ts";
import { decideAsShown } from "../../cli/operate/decision.ts";
import { type Edit, editProposal } from "../../cli/operate/editor.ts";
import { makeStyle } from "../../cli/render/style.ts";
import { type App, openApp } from "../../cli/review/app.ts";
import { pastNotes } from "../../cli/review/prompt.ts";
import { stampOf } from "../../cli/review/run.ts";
import type { Ports } from "../../cli/review/state.ts";
import type { Size } from "../../cli/review/terminal.ts";
import {
  decidedAmong,
  hintsOfPending,
  listHeld,
  marksOfPending,
  readOverridable,
} from "../../internal_mod.ts";
import { type Inspection, inspectProposal, type Overview, readOverview } from "../../mod.ts";
import { changesBetween } from "../../src/decision/events.ts";
import { type Clock, openClock } from "./clock.ts";
import type { TempDir } from "./temp.ts";

/** How long the screen must be still before a key decides, and how long the key must stand alone. */
const [SETTLED_MS, ALONE_MS] = [300, 40];

/** An app, and the operator at it. */
export interface TestApp {
  readonly app: App;
  readonly clock: Clock;
  /** How the app was left: not yet, or by `quit`; and how often it gave the terminal away. */
  readonly left: { quit: number; suspended: number; repainted: number };
  /** Presses keys that decide nothing, each alone. */
  readonly press: (...keys: string[]) => Promise<void>;
  /** Presses a key that decides, once the screen is still, and waits until it is acted on. */
  readonly decide: (key: string) => Promise<void>;
  /** Presses keys as somebody does who looks at each screen: alone, and once it has stood still. */
  readonly keys: (...keys: string[]) => Promise<void>;
  /** Types a line by hand, and Enter. */
  readonly answer: (line: string) => Promise<void>;
  /** Lets time pass, with a tick each second, and waits for what that started. */
  readonly wait: (ms: number) => Promise<void>;
  /** Looks what is pending on the disk now. */
  readonly look: () => Promise<void>;
  /** Takes an overview that is not on the disk. */
  readonly take: (overview: Overview) => void;
  /** Waits until nothing is under way, and the screen is drawn. */
  readonly idle: () => Promise<void>;
  /** The screen, without blanks at its rows' ends. */
  readonly screen: (size?: Partial<Size>) => string;
  /** The row that keys are about, as the screen shows it. */
  readonly cursor: () => string | undefined;
}

/** What may be different about an app. */
export interface AppOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly colour?: boolean;
  /** A shell script that is the operator's editor. */
  readonly editor?: string;
  /** The operator's words for approvals. */
  readonly notes?: string;
  /** What the app is wired to instead, so that what happens between two keys can be chosen. */
  readonly ports?: Partial<Ports>;
}

const NOBODY = {
  write: () => {},
  errIsTerminal: false,
  outIsTerminal: false,
  interactive: true,
  columns: 80,
};

/**
 * Sits down, and looks at what is pending.
 *
 * @param dir The root.
 * @param options The size of the screen, the editor, the notes.
 * @returns The app.
 */
export async function openTestApp(dir: TempDir, options: AppOptions = {}): Promise<TestApp> {
  const { columns = 80, rows = 24, editor, notes = "", colour = false } = options;
  const root = dir.path;
  const clock = openClock();
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const context = makeContext(readFlags(["review", "--root", root, "--plain"]), {
    ...NOBODY,
    env: (name) => name === "VISUAL" ? dir.at("editor") : undefined,
    print: say,
    complain: say,
  });
  const left = { quit: 0, suspended: 0, repainted: 0 };
  const underWay = new Set<Promise<unknown>>();
  const follow = <T>(promise: Promise<T>): Promise<T> => {
    underWay.add(promise);
    promise.catch(() => {}).finally(() => underWay.delete(promise));
    return promise;
  };
  const ports: Ports = {
    now: clock.now,
    elapsedMs: clock.now,
    later: clock.later,
    inspect: ({ proposal: { bottleSlug, id: proposalId } }) =>
      follow(inspectProposal({ root, bottleSlug, proposalId })),
    decide: (seen, say) => follow(decideAsShown(context, seen, say)),
    edit: (inspection, start) => follow(edit(inspection, start)),
    overridable: ({ bottleSlug, proposalId }) => readOverridable({ root, bottleSlug, proposalId }),
    hintsOf: (entry) => hintsOfPending([entry], root, clock.now()).get(entry)!,
    marksOf: (entry) => marksOfPending([entry], root).get(entry),
    pastNotes: (entry) => follow(Promise.resolve(pastNotes(entry, root))),
    stampOf,
    held: () => listHeld(root),
    explain: (error) => failureOf(error, { root }).message,
    visible: context.visible,
    suspend: () => void left.suspended++,
    repaint: () => void left.repainted++,
    quit: () => void left.quit++,
    ...options.ports,
  };
  /** The editor is found where the program finds it. */
  async function edit(inspection: Inspection, start: string): Promise<Edit> {
    await Deno.writeTextFile(dir.at("editor"), `#!/bin/sh\n${editor}\n`, { mode: 0o755 });
    const version = await editProposal(context, inspection, start);
    return { ...version, discard: () => follow(version.discard()) };
  }

  let drawing = false;
  /** As the terminal does it: soon, and once for several calls. */
  function draw(): void {
    if (drawing) return;
    drawing = true;
    queueMicrotask(() => {
      drawing = false;
      app.frame({ columns, rows });
    });
  }
  const app = openApp(ports, { style: makeStyle(colour), notes, changed: draw });
  async function idle(): Promise<void> {
    do {
      await Promise.allSettled(underWay);
      await new Promise((resolve) => setTimeout(resolve, 0));
    } while (underWay.size > 0);
    // By now the terminal would show it.
    app.frame({ columns, rows });
    app.stood();
  }
  let before: Overview | undefined;
  function take(overview: Overview): void {
    const changes = changesBetween(
      before,
      overview,
      (ids, slug) => decidedAmong(ids, slug, root),
    );
    before = changes.now;
    app.take(changes);
  }
  async function look(): Promise<void> {
    take(readOverview({ root }));
    await idle();
  }
  async function press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      clock.pass(ALONE_MS);
      app.press(key);
      await idle();
    }
  }
  async function decide(key: string): Promise<void> {
    clock.pass(SETTLED_MS);
    app.press(key);
    clock.pass(ALONE_MS);
    await idle();
  }
  function screen(size: Partial<Size> = {}): string {
    app.frame({ columns, rows, ...size });
    app.stood();
    // The terminal draws it again: the heading says how much was seen.
    const frame = app.frame({ columns, rows, ...size });
    return frame.map((row) => row.trimEnd()).join("\n");
  }
  await look();
  return {
    app,
    clock,
    left,
    press,
    decide,
    async keys(...keys) {
      for (const key of keys) await decide(key);
    },
    async answer(line) {
      for (const character of line) await press(character === " " ? "space" : character);
      await press("return");
    },
    async wait(ms) {
      for (let left = ms; left > 0; left -= 1_000) {
        clock.pass(Math.min(left, 1_000));
        await idle();
        app.tick();
        await idle();
      }
    },
    look,
    take,
    idle,
    screen,
    cursor: () => screen().split("\n").find((row) => row.startsWith(">")),
  };
}
