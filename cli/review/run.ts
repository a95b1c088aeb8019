/**
 * Wires the full screen to the queue, the decision, the editor and the terminal.
 *
 * @module
 */

import {
  type Changes,
  listHeld,
  ownFileStamp,
  privateDir,
  readOverridable,
  watchChanges,
} from "../../internal_mod.ts";
import { inspectProposal } from "../../mod.ts";
import { type Context, keepForLater, pause } from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { openNotifier } from "../notify/outbox.ts";
import { decideAsShown } from "../operate/decision.ts";
import { editProposal } from "../operate/editor.ts";
import { openExpiry } from "../operate/expiry.ts";
import { type App, openApp } from "./app.ts";
import type { Later } from "./key_guard.ts";
import { pastNotes } from "./prompt.ts";
import { openJudged } from "./queue_updates.ts";
import type { Ports } from "./state.ts";
import { listenForEndings, openTerminal, type Terminal } from "./terminal.ts";
import { fromFileUrl, join } from "@std/path";

/** A text that differs between any two states of a file; `""` if there is no file. */
export function stampOf(path: string): string {
  try {
    return ownFileStamp(path)?.text ?? "";
  } catch (error) {
    // That a directory may not be read is a state too. Who opens the proposal is told of the error.
    return String(error);
  }
}

/** How often the clock ticks: countdowns, files in force, ages. */
const TICK_MS = 1_000;

/** For how long no changes are taken after some were: keys and other bottles have their turn. */
const REST_MS = 100;

const later: Later = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

/** Stops the whole job, as Ctrl-Z does in a terminal where it is a signal and no key. */
async function stopJob(): Promise<void> {
  const url = new URL("../suspend.sh", import.meta.url);
  if (url.protocol !== "file:") throw new Error("only a checkout has the script that stops a job");
  const script = fromFileUrl(url);
  const command = new Deno.Command(script, { stdin: "null", stdout: "null", stderr: "null" });
  if (!(await command.output()).success) throw new Error("there is no shell to go back to");
}

/** How late the signal of a Ctrl-C may be that ended an editor. */
const LATE_SIGNAL_MS = 1_000;

/** Shows what is pending on the whole screen, until the operator quits. Gives the exit code. */
export async function reviewFullScreen(context: Context): Promise<number> {
  const { root, where, flags, style } = context;
  const stop = new AbortController();
  const changes = watchChanges({ ...where, signal: stop.signal });
  const first = await changes.next();

  let terminal: Terminal | undefined;
  let ticking: ReturnType<typeof setInterval> | undefined;
  let code = 0;
  let failure: unknown;
  const complaints: string[] = [];
  const draw = () => terminal?.draw();
  // While an editor has the terminal, Ctrl-C and Ctrl-\ are for the editor. On a busy machine their signal
  // reaches this program after the end of the editor.
  let isLent = false;
  let returnedMs = -Infinity;
  async function lend<T>(use: () => Promise<T>): Promise<T> {
    isLent = true;
    try {
      return await terminal!.lend(use);
    } finally {
      isLent = false;
      returnedMs = performance.now();
    }
  }
  const end = (exitCode: number) => {
    if (stop.signal.aborted) return;
    code = exitCode;
    stop.abort();
    // What can be undone is dropped when the rest has ended: until then its time must not run out.
    app.away();
    terminal?.close();
  };
  const fail = (error: unknown) => {
    failure ??= error;
    end(1);
  };
  // A line on standard error would tear the screen: it is printed when the screen is closed.
  const quiet: Context = {
    ...context,
    complain: (text) => {
      complaints.push(text);
      app.say(text);
    },
  };
  const outside = { now: Date.now, elapsedMs: () => performance.now(), later, stampOf };
  const judged = openJudged(root, outside, draw);
  const explain = (error: unknown) => failureOf(error, context).message;

  const ports: Ports = {
    ...outside,
    inspect: ({ proposal: { bottleSlug, id: proposalId } }) =>
      inspectProposal({ root, bottleSlug, proposalId }),
    decide: (seen, said) => decideAsShown(quiet, seen, said),
    edit: (inspection, start) => lend(() => editProposal(context, inspection, start)),
    held: () => listHeld(root, context.where.bottleSlug),
    overridable: ({ bottleSlug, proposalId }) => readOverridable({ root, bottleSlug, proposalId }),
    marksOf: judged.marksOf,
    hintsOf: judged.hintsOf,
    pastNotes: (entry) => Promise.resolve(pastNotes(entry, root)),
    explain,
    visible: context.visible,
    suspend: () => {
      lend(stopJob).catch((error) => app.say(`Cannot stop here: ${explain(error)}`));
    },
    repaint: () => terminal?.repaint(),
    quit: () => end(0),
  };
  const app: App = openApp(ports, { style, notes: flags.notes ?? "", changed: draw });

  const stopListening = listenForEndings((signal, exitCode) => {
    const isKey = signal === "SIGINT" || signal === "SIGQUIT";
    if (isKey && (isLent || performance.now() - returnedMs < LATE_SIGNAL_MS)) return;
    end(exitCode);
  }, fail);
  const notifier = openNotifier(quiet);
  const expiry = openExpiry(quiet, quiet.complain);
  function take(changed: Changes): void {
    notifier.take(changed);
    judged.forget();
    app.take(changed);
  }

  try {
    if (!first.done) take(first.value);
    terminal = openTerminal(app, end);
    ticking = setInterval(() => {
      judged.lookAgain();
      app.tick();
      keepForLater(context);
      expiry.tick();
    }, TICK_MS);
    for await (const changed of changes) {
      take(changed);
      await pause(REST_MS, stop.signal);
    }
  } catch (error) {
    fail(error);
  } finally {
    clearInterval(ticking);
    stop.abort();
    terminal?.close();
    stopListening();
    await notifier.close();
    await expiry.ended();
  }
  for (const line of app.end()) context.print(context.visible(line));
  for (const line of complaints) context.complain(line);
  if (isLent) {
    context.complain(`! the file that was being edited is in ${join(privateDir(root), "edit")}`);
  }
  if (failure !== undefined) throw failure;
  return code;
}
