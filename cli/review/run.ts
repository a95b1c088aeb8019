/**
 * Wires the full screen to the queue, the decision, the editor and the terminal.
 *
 * @module
 */

import {
  type Changes,
  ownFileStamp,
  privateDir,
  readOverridable,
  visibleLine,
  watchChanges,
} from "../../internal_mod.ts";
import { inspectProposal } from "../../mod.ts";
import { type Context, keepForLater, pause } from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { openNotifier } from "../notify/outbox.ts";
import { decideAsShown } from "../operate/decision.ts";
import { editProposal } from "../operate/editor.ts";
import { type App, openApp } from "./app.ts";
import type { Later } from "./key_guard.ts";
import { pastNotes } from "./prompt.ts";
import { openMarks } from "./queue_updates.ts";
import type { Ports } from "./state.ts";
import { listenForEndings, openTerminal, type Terminal } from "./terminal.ts";
import { fromFileUrl, join } from "@std/path";

/** How long before files in force are kept anew, however fast a queue changes. */
const KEEP_MS = 2_000;

/** What goes on besides the screen. */
export interface Background {
  /** Takes what has changed in the queues. */
  readonly take: (changes: Changes) => void;
  /** Ends it, within a bounded time. */
  readonly close: () => Promise<void>;
}

/**
 * Opens it.
 *
 * @param context The context.
 * @param later Runs something later.
 * @returns The feed.
 */
export function openBackground(context: Context, later: Later): Background {
  const notifier = openNotifier(context);
  let latest: Changes | undefined;
  let keeping = false;

  function keepSoon(delayMs: number): void {
    if (keeping) return;
    keeping = true;
    later(delayMs, () => {
      keeping = false;
      keepForLater(context, latest!.now.pending.map(({ proposal }) => proposal.bottleSlug));
    });
  }

  return {
    take(changes) {
      notifier.take(changes);
      keepSoon(latest === undefined ? 0 : KEEP_MS);
      latest = changes;
    },
    close: () => notifier.close(),
  };
}

/**
 * What tells one state of a file from another, without reading it.
 *
 * Needs `--allow-read` for the file.
 *
 * @param path The file.
 * @returns The state; `""` if there is no such file.
 */
export function stampOf(path: string): string {
  try {
    return ownFileStamp(path)?.text ?? "";
  } catch (error) {
    // A directory that may not be looked into, say, is a state too: whoever reads the file tells of it.
    return String(error);
  }
}

/** How often the clock ticks: countdowns, files in force, ages. */
const TICK_MS = 1_000;

/**
 * How long an overview stands before the next is taken. However fast one bottle's queue changes, keys
 * have their turn, and other bottles theirs.
 */
const REST_MS = 100;

const later: Later = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/** Stops the whole job, as the terminal does where Ctrl-Z is not taken for a key. */
async function stopJob(): Promise<void> {
  const script = fromFileUrl(new URL("../suspend.sh", import.meta.url));
  const command = new Deno.Command(script, { stdin: "null", stdout: "null", stderr: "null" });
  if (!(await command.output()).success) throw new Error("there is no shell to go back to");
}

/**
 * Shows what is pending on the whole screen, until the operator quits.
 *
 * @param context The context; its terminal is one.
 * @returns The exit code.
 */
export async function reviewFullScreen(context: Context): Promise<number> {
  const { root, where, flags, style } = context;
  const stop = new AbortController();
  const changes = watchChanges({ ...where, signal: stop.signal });
  const first = await changes.next();

  let terminal: Terminal | undefined;
  let code = 0;
  let failure: unknown;
  const told: string[] = [];
  const draw = () => terminal?.draw();
  // Ctrl-C and Ctrl-\ are for the program that has the terminal.
  let lent = false;
  async function lend<T>(use: () => Promise<T>): Promise<T> {
    lent = true;
    try {
      return await terminal!.lend(use);
    } finally {
      lent = false;
    }
  }
  const end = (exitCode: number) => {
    if (stop.signal.aborted) return;
    code = exitCode;
    stop.abort();
    terminal?.close();
  };
  const fail = (error: unknown) => {
    failure ??= error;
    end(1);
  };
  // What is said on standard error would tear the screen.
  const quiet: Context = {
    ...context,
    complain: (text) => {
      told.push(text);
      app.say(text);
    },
  };
  const marks = openMarks(root, later, draw);
  const explain = (error: unknown) => failureOf(error, root).message;

  const ports: Ports = {
    now: Date.now,
    elapsedMs: () => performance.now(),
    later,
    inspect: ({ proposal: { bottleSlug, id: proposalId } }) =>
      inspectProposal({ root, bottleSlug, proposalId }),
    decide: (seen, say) => decideAsShown(quiet, seen, say),
    edit: (inspection, start) => lend(() => editProposal(context, inspection, start)),
    overridable: ({ bottleSlug, proposalId }) => readOverridable({ root, bottleSlug, proposalId }),
    marksOf: marks.of,
    pastNotes: (entry) => Promise.resolve(pastNotes(entry, root)),
    stampOf,
    explain,
    suspend: () => {
      lend(stopJob).catch((error) => app.say(`Cannot stop here: ${explain(error)}`));
    },
    repaint: () => terminal?.repaint(),
    quit: () => end(0),
  };
  const app: App = openApp(ports, { style, notes: flags.notes ?? "", changed: draw });

  const stopListening = listenForEndings(
    (signal, exitCode) => {
      const isKey = signal === "SIGINT" || signal === "SIGQUIT";
      if (!isKey || !lent) end(exitCode);
    },
    fail,
  );
  const background = openBackground(quiet, later);
  function take(changed: Changes): void {
    background.take(changed);
    marks.forget();
    app.take(changed);
  }

  try {
    if (!first.done) take(first.value);
    terminal = openTerminal(app, end);
    const ticking = setInterval(app.tick, TICK_MS);
    const watching = (async () => {
      for await (const changed of changes) {
        take(changed);
        await pause(REST_MS, stop.signal);
      }
    })().catch(fail);
    await untilAborted(stop.signal);
    clearInterval(ticking);
    await watching;
  } finally {
    stop.abort();
    terminal?.close();
    stopListening();
    await background.close();
  }
  for (const line of app.end()) context.print(visibleLine(line));
  for (const line of told) context.complain(line);
  if (lent) context.complain(`! what was being edited is in ${join(privateDir(root), "edit")}`);
  if (failure !== undefined) throw failure;
  return code;
}
