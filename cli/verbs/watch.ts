/**
 * `watch`: prints what happens in the queues.
 *
 * @module
 */

import {
  asciiJson,
  type Changes,
  instantOf,
  makeVisible,
  marksOfPending,
  visibleLine,
  watchChanges,
} from "../../internal_mod.ts";
import {
  decideByRule,
  NotAppliedError,
  type PendingProposal,
  type Proposal,
  type QueueEvent,
} from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import {
  type Context,
  KEEP_MS,
  keepForLater,
  openApplier,
  operatorAccount,
  pause,
} from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { isWanted } from "../command/resolve.ts";
import { openNotifier } from "../notify/outbox.ts";
import { sayNewKey, warningOf } from "../operate/decision.ts";
import { openExpiry } from "../operate/expiry.ts";
import { type DueProposal, openTurns } from "../operate/turns.ts";
import { beginningOf, quoteFile, quoteId, visibleJson } from "../render/quote.ts";
import {
  countMarks,
  marksInShort,
  pendingJson,
  unlistedJson,
  unlistedLine,
  unreadableJson,
  unreadableLine,
  unrecordedJson,
  unrecordedLine,
} from "../render/pending.ts";
import { badge } from "../render/style.ts";
import { localTime } from "../render/time.ts";
import { cut, wrap } from "../render/wrap.ts";

/** An event in words that are already visible. */
interface Words {
  readonly event: string;
  readonly marks?: string;
  /** What follows the proposal's id, if there is one. */
  readonly id?: string;
  readonly rest?: readonly string[];
  /** When it was; now unless given, or if it cannot be read. */
  readonly timestamp?: string;
}

/** Prints one event: as a line of JSON, or in words. */
type Print = (event: object, words: Words) => void;

/** On a terminal that is narrower a line has no time: the marks and the bottle stay longer. */
const WIDE = 72;

/** On a terminal a line has the beginning of the id, so that the bottle still fits. */
const ID_CELLS = 8;

/**
 * An event in a line that begins with a time of this host's zone, or in several on a terminal that has no
 * room for it. What is not this program's, such as the agent's words, comes last, and is cut.
 */
function lineOf({ event, marks = "", id = "", rest = [], timestamp = "" }: Words, columns: number) {
  const known = instantOf(timestamp) !== Infinity;
  const time = columns < WIDE ? "" : localTime(known ? timestamp : new Date().toISOString());
  // An id that reads like words stays whole, in quotes.
  const quoted = id && quoteId(id);
  const short = columns === Infinity || quoted !== id ? quoted : id.slice(0, ID_CELLS);
  const join = (...words: readonly string[]) => words.filter((word) => word !== "").join("  ");
  // The bottle is never cut; two cells are left for the ellipsis behind it.
  const [bottle = "", ...others] = rest;
  const rows = wrap("", join(time, event.padEnd(10), marks, short, bottle), columns - 2);
  const end = cut(join(rows.pop()!, ...others), columns - 1);
  return [...rows, end].join("\n");
}

/**
 * Prints what is pending, then what happens, until it is interrupted or standard output is closed. Each
 * line is written whole, at once. New proposals are sent to the receivers of `notify.json`.
 */
export async function watch(context: Context): Promise<void> {
  const { where, flags } = context;
  if (flags.dryRun && !flags.decide) {
    throw new UsageError("Cannot use --dry-run without --decide: it says what rules would decide");
  }
  const { signal = interrupted() } = context;
  const wanted = isWanted(flags, Date.now());
  const encoder = new TextEncoder();
  const print: Print = (event, words) => {
    const line = flags.json ? asciiJson({ version: 1, ...event }) : lineOf(words, context.columns);
    // context.print would hide that standard output was closed.
    context.write(encoder.encode(`${line}\n`));
  };
  const notifier = openNotifier(context);
  keepForLater(context);
  const expiry = flags.decide && !flags.dryRun ? openExpiry(context, context.complain) : undefined;
  expiry?.tick();
  const keeping = setInterval(() => {
    keepForLater(context);
    expiry?.tick();
  }, KEEP_MS);
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const rules = flags.decide ? runRules(context, print, until) : undefined;
  rules?.ended.catch(() => over.abort());
  try {
    for await (const changes of watchChanges({ ...where, wanted, signal: until })) {
      printChanges(context, print, changes);
      notifier.take(changes);
      rules?.take(changes);
    }
    await rules?.ended;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    clearInterval(keeping);
    over.abort();
    await rules?.ended.catch(() => {});
    await expiry?.ended();
  }
  await notifier.close();
}

/** How long there is for a look, the notifications and signals between two proposals. */
const BETWEEN_MS = 10;

/** How long a proposal is left alone that the rules could not be asked about: a disk may be full for long. */
const AGAIN_MS = 60_000;

/** Asks the rules about proposals, one at a time, until `signal` ends it. */
function runRules(context: Context, print: Print, signal: AbortSignal) {
  const turns = openTurns();
  let wake = new AbortController();
  signal.addEventListener("abort", () => wake.abort());

  async function run(): Promise<void> {
    while (!signal.aborted) {
      wake = new AbortController();
      await pause(Math.min(AGAIN_MS, turns.waitMs(Date.now())), wake.signal);
      await pause(BETWEEN_MS, signal);
      const due = signal.aborted ? undefined : turns.next(Date.now());
      if (due === undefined) continue;
      const again = await askRules(context, print, due, signal);
      if (again !== undefined) turns.again(due, again.atMs, again.said);
    }
  }
  return {
    take(changes: Changes): void {
      turns.take(changes);
      wake.abort();
    },
    ended: run(),
  };
}

/**
 * Asks the rules about a proposal, and prints what they said, unless it is what they said last. Gives when to
 * ask again, if they could not be asked, or may not decide more now.
 */
async function askRules(
  context: Context,
  print: Print,
  { bottleSlug, proposalId, said: last }: DueProposal,
  signal: AbortSignal,
): Promise<{ readonly atMs: number; readonly said: string } | undefined> {
  const { root, flags: { dryRun } } = context;
  try {
    const applier = dryRun ? undefined : await openApplier(context, { stopOnSignals: false });
    const ref = { root, bottleSlug, proposalId, applier };
    const ruled = await decideByRule(ref, {
      dryRun,
      signal,
      operator: operatorAccount(),
      onNewKey: (fingerprint) => sayNewKey(context, fingerprint),
    });
    const { outcome, rule, why, until, againAt } = ruled;
    const said = { outcome, rule: rule ?? null, why, until: until ?? null, dry_run: dryRun };
    const json = { event: "ruled", bottle_slug: bottleSlug, id: proposalId, ...said };
    const end = until === undefined ? "" : ` until ${until}`;
    const would = dryRun && outcome !== "ask" ? `would ${outcome}` : outcome;
    const words = visibleLine(`${would}${end}: ${why}`, "code");
    if (ruled.decision !== undefined) warningOf(ruled.decision).forEach(context.complain);
    if (words !== last) print(json, { event: "ruled", id: proposalId, rest: [bottleSlug, words] });
    return againAt === undefined ? undefined : { atMs: Date.parse(againAt), said: words };
  } catch (error) {
    const { NotCapable, BrokenPipe } = Deno.errors;
    if (error instanceof NotCapable || error instanceof BrokenPipe) throw error;
    if (signal.aborted && error === signal.reason) return undefined;
    // Somebody was faster, the disk is full, or a log cannot be read: others can be decided all the same.
    const failed = error instanceof NotAppliedError;
    const what = `${quoteId(proposalId)}: ${failureOf(error, context).message}`;
    const said = failed ? `${what}; rules leave it to a person now` : what;
    if (said !== last) context.complain(said);
    // It was in force, for a moment.
    if (failed) return undefined;
    return { atMs: Date.now() + AGAIN_MS, said };
  }
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => controller.abort());
  Deno.addSignalListener("SIGTERM", () => controller.abort());
  return controller.signal;
}

/**
 * Prints the events of one look as version 1 of the output has them: a proposal that changed is
 * `withdrawn` and `arrived`, and unreadable files come before those that are readable again.
 */
function printChanges(context: Context, print: Print, { events, now }: Changes): void {
  const fresh = new Set<Proposal>();
  for (const event of events) {
    if ("proposal" in event) fresh.add(event.proposal);
    if (event.event === "decided") printDecided(print, event);
    else if (event.event === "withdrawn" || event.event === "changed") {
      const { bottleSlug, proposalId: id } = event;
      const withdrawn = { event: "withdrawn", bottle_slug: bottleSlug, id };
      print(withdrawn, { event: "withdrawn", id, rest: [bottleSlug] });
    }
  }
  printArrived(context, print, now.pending.filter(({ proposal }) => fresh.has(proposal)));
  const stillUnreadable = new Set(now.unreadable.map(fileOf));
  const readable = new Map<string, { readonly bottleSlug: string; readonly file: string }>();
  for (const event of events) {
    const { bottleSlug } = event;
    if (event.event === "unrecorded") {
      const line = visibleLine(unrecordedLine(event), "code");
      print({ event: "foreign_answer", ...unrecordedJson(event) }, { event: line });
    } else if (event.event === "unlisted") {
      print({ event: "unlisted", ...unlistedJson(event) }, { event: unlistedLine(event) });
    } else if (event.event === "unreadable") {
      const line = visibleLine(unreadableLine(event), "code");
      print({ event: "unreadable", ...unreadableJson(event) }, { event: line });
    } else if (event.event === "over" && event.was === "unlisted") {
      const over = { event: "unlisted", ...unlistedJson({ bottleSlug, count: 0 }) };
      print(over, { event: `! ${bottleSlug}: all that is pending is listed` });
    } else if (event.event === "over" && event.was === "unreadable") {
      if (!stillUnreadable.has(fileOf(event))) readable.set(fileOf(event), event);
    }
  }
  for (const { bottleSlug, file } of readable.values()) {
    const name = visibleLine(`${bottleSlug}/${quoteFile(file)}`, "code");
    const words = { event: "cleared", rest: [name] };
    print({ event: "cleared", bottle_slug: bottleSlug, file }, words);
  }
}

function printArrived(
  context: Context,
  print: Print,
  arrived: readonly PendingProposal[],
): void {
  const judged = marksOfPending(arrived, context.root);
  for (const entry of arrived) {
    const { id, bottleSlug, tool, justification, arrivalTimestamp } = entry.proposal;
    const said = beginningOf(justification);
    const { text, escaped } = makeVisible(said.text, { oneLine: true });
    const marks = judged.get(entry);
    // The agent's text comes after the bar. The marks and the badge before it are this program's.
    print({ event: "arrived", ...pendingJson(entry), marks: countMarks(marks) }, {
      event: "arrived",
      marks: marksInShort(marks),
      id,
      rest: [bottleSlug, tool, badge(escaped), said.tooLong, `│ ${text}`],
      timestamp: arrivalTimestamp,
    });
  }
}

function printDecided(
  print: Print,
  { bottleSlug, proposalId, decision }: Extract<QueueEvent, { event: "decided" }>,
): void {
  const { operatorAction: status, operator, operatorNotes: notes, applied, effect } = decision;
  const event = { event: "decided", status, bottle_slug: bottleSlug, id: proposalId, applied };
  const who = operator === undefined ? "" : `by ${visibleLine(operator, "code")}`;
  const beginning = beginningOf(notes);
  const { text, escaped } = makeVisible(beginning.text, { oneLine: true });
  const badges = [badge(escaped), beginning.tooLong].filter((word) => word !== "");
  const said = text === "" ? "" : `${[...badges, "│"].join(" ")} ${text}`;
  print(
    { ...event, operator: operator ?? null, notes, ...visibleJson({ notes }, "prose") },
    {
      event: status,
      id: proposalId,
      rest: [bottleSlug, who, effect === "file" ? "file alone" : "", said],
      timestamp: decision.timestamp,
    },
  );
}

function fileOf({ bottleSlug, file }: { bottleSlug: string; file: string }): string {
  return `${bottleSlug}/${file}`;
}

if (import.meta.main) await runAlone({ watch });
