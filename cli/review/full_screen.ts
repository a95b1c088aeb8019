/**
 * `review` on the whole screen: the seat, wired to the queue, the decision, the editor and the terminal.
 *
 * @module
 */

import process from "node:process";
import { fromFileUrl } from "@std/path";
import {
  findDecision,
  inspectProposal,
  type Overview,
  type PendingProposal,
  watchOverview,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { decideAsShown } from "../decision.ts";
import { editProposal } from "../editor.ts";
import { failureOf } from "../exit.ts";
import { keepForLater } from "../keep.ts";
import { openNotifier } from "../notify/notifier.ts";
import type { Ports } from "./desk.ts";
import type { Later } from "./guard.ts";
import { openMarks } from "./marks.ts";
import { pastNotes } from "./past_notes.ts";
import { keyOf, WITHDRAWN } from "./row.ts";
import { openSeat, type Seat } from "./seat.ts";
import type { Screen } from "./screen.ts";

/** How often the clock ticks: countdowns, files in force, ages. */
const TICK_MS = 1_000;

/** Signals that end a program, and the exit code that says so. */
const ENDING = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;

const later: Later = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

/**
 * Ink takes longer to load than a thousand proposals to read. React is twice as fast for production, and
 * asks the environment once; the editor, which inherits it, should find it as it was.
 */
async function loadScreen(): Promise<typeof import("./screen.ts")> {
  const asked = "NODE_ENV";
  const before = process.env[asked];
  process.env[asked] ??= "production";
  try {
    return await import("./screen.ts");
  } finally {
    if (before === undefined) delete process.env[asked];
  }
}

/** What tells one state of a file of ours from another. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtime } = Deno.statSync(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Stops the whole job, as the terminal does where Ctrl-Z is not taken for a key. */
async function stopJob(): Promise<void> {
  const script = fromFileUrl(new URL("../suspend.sh", import.meta.url));
  await new Deno.Command(script, { stdin: "null", stdout: "null", stderr: "null" }).output();
}

/** What became of a proposal that is pending no more. Only the log says what was decided. */
function becameOf({ proposal }: PendingProposal, root: string): string {
  const { bottleSlug, id: proposalId } = proposal;
  const entry = findDecision({ root, bottleSlug, proposalId });
  if (entry === undefined) return WITHDRAWN;
  return `${entry.operatorAction} by ${entry.operator ?? "somebody"}`;
}

/** What has come since the overview before. */
function arrivedSince(before: Overview, now: Overview): readonly PendingProposal[] {
  const known = new Set(before.pending.map(keyOf));
  return now.pending.filter((entry) => !known.has(keyOf(entry)));
}

/**
 * Shows what is pending on the whole screen, until the operator quits.
 *
 * @param context The context; its terminal is one.
 * @returns The exit code.
 */
export async function reviewFullScreen(context: Context): Promise<number> {
  const { root, flags, style } = context;
  const where = flags.bottle === undefined ? { root } : { root, bottleSlug: flags.bottle };
  const stop = new AbortController();
  const overviews = watchOverview({ ...where, signal: stop.signal });
  const loading = loadScreen();
  const first = await overviews.next();
  const { openScreen } = await loading;

  let screen: Screen | undefined;
  let seat: Seat | undefined = undefined;
  let code = 0;
  let editing = false;
  let failure: unknown;
  const told: string[] = [];
  const draw = () => screen?.draw();
  const end = (exitCode: number) => {
    code = exitCode;
    stop.abort();
    screen?.close();
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
      seat?.say(text);
    },
  };
  const marks = openMarks(root, later, draw);
  const explain = (error: unknown) => failureOf(error, root).message;

  const ports: Ports = {
    now: Date.now,
    later,
    inspect: ({ proposal: { bottleSlug, id: proposalId } }) =>
      inspectProposal({ root, bottleSlug, proposalId }),
    decide: (seen, say) => decideAsShown(quiet, seen, say),
    edit: async (inspection, start) => {
      editing = true;
      try {
        return await screen!.lend(() => editProposal(context, inspection, start));
      } finally {
        editing = false;
      }
    },
    becameOf: (entry) => becameOf(entry, root),
    marksOf: marks.of,
    pastNotes: (entry) => pastNotes(entry, root),
    stampOf,
    explain,
    suspend: () => {
      screen!.lend(stopJob).catch((error) => seat?.say(`Cannot stop here: ${explain(error)}`));
    },
    repaint: () => screen?.repaint(),
    quit: () => end(0),
  };
  seat = openSeat(ports, { style, notes: flags.notes ?? "", changed: draw });

  const listeners = Object.entries(ENDING).map(([signal, exitCode]) => {
    // Ctrl-C reaches the editor, and us; it is meant for the editor.
    const listener = () => editing && signal === "SIGINT" ? undefined : end(exitCode);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const onError = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    fail("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onError);

  let latest: Overview | undefined;
  const notifier = openNotifier(quiet);
  function take(now: Overview): void {
    if (latest !== undefined) {
      const arrived = arrivedSince(latest, now);
      if (arrived.length > 0) notifier.arrived(arrived, now.pending.length);
    }
    latest = now;
    marks.forget();
    seat!.overview(now);
    later(0, () => keepForLater(context, now.pending.map(({ proposal }) => proposal.bottleSlug)));
  }

  try {
    if (!first.done) take(first.value);
    screen = openScreen(seat);
    const ticking = setInterval(seat.tick, TICK_MS);
    const watching = (async () => {
      for await (const now of overviews) take(now);
    })().catch(fail);
    await screen.closed.catch(fail);
    clearInterval(ticking);
    stop.abort();
    await watching;
  } finally {
    stop.abort();
    for (const off of listeners) off();
    globalThis.removeEventListener("error", onError);
    globalThis.removeEventListener("unhandledrejection", onError);
    await notifier.close();
  }
  for (const line of seat.end()) context.print(line);
  for (const line of told) context.complain(line);
  if (failure !== undefined) throw failure;
  return code;
}
