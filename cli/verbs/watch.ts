/**
 * `watch`: what arrives, as it arrives.
 *
 * @module
 */

import {
  findDecision,
  makeVisible,
  type Overview,
  type PendingProposal,
  watchOverview,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { keepForLater } from "../keep.ts";
import { openNotifier } from "../notify/notifier.ts";
import { badge, trimPlain } from "../render.ts";
import { cut } from "../wrap.ts";
import {
  foreignJson,
  foreignLine,
  pendingJson,
  unlistedJson,
  unlistedLine,
  unreadableJson,
  unreadableLine,
} from "./list.ts";

function keyOf({ proposal, proposalSha256 }: PendingProposal): string {
  return `${proposal.bottleSlug}/${proposal.id}/${proposalSha256}`;
}

/**
 * Prints what is pending, then what arrives and what leaves, until it is ended. Whoever is to be told is
 * told of what arrives.
 *
 * @param context The context.
 * @param signal Ends it.
 */
export async function watch(context: Context, signal: AbortSignal): Promise<void> {
  const { root, flags } = context;
  const where = flags.bottle === undefined ? { root } : { root, bottleSlug: flags.bottle };
  let before: Overview = { pending: [], foreignAnswers: [], unlisted: [], unreadable: [] };
  let first = true;
  const notifier = openNotifier(context);
  for await (const now of watchOverview({ ...where, signal })) {
    const present = new Set(now.pending.map(keyOf));
    for (const entry of before.pending) {
      if (!present.has(keyOf(entry))) printGone(context, entry, now);
    }
    const known = new Set(before.pending.map(keyOf));
    const arrived = now.pending.filter((entry) => !known.has(keyOf(entry)));
    for (const entry of arrived) printArrived(context, entry);
    // What was there at the start is on the screen, and no news.
    if (!first) notifier.arrived(arrived, waitingIn(now));
    first = false;
    printForeign(context, before, now);
    printUnlisted(context, before, now);
    printUnreadable(context, before, now);
    before = now;
  }
  await notifier.close();
}

function waitingIn({ pending, unlisted }: Overview): number {
  return unlisted.reduce((sum, { count }) => sum + count, pending.length);
}

function printArrived(context: Context, entry: PendingProposal): void {
  keepForLater(context, [entry.proposal.bottleSlug]);
  if (context.flags.json) {
    context.printJson({ event: "arrived", ...pendingJson(entry) });
    return;
  }
  const { id, bottleSlug, tool, justification } = entry.proposal;
  const { text, escaped } = makeVisible(trimPlain(justification), { oneLine: true });
  // Behind the bar are the agent's words, the badge before it is ours.
  const words = [id, bottleSlug, tool, badge(escaped)].filter((word) => word !== "");
  context.print(cut(`arrived    ${words.join("  ")}  │ ${text}`, context.columns - 1));
}

/**
 * It was decided, or it is gone: taken back, or changed in place and then listed anew. Only the log
 * says what was decided; an answer without a record is told as that.
 */
function printGone(context: Context, entry: PendingProposal, now: Overview): void {
  const { root } = context;
  const { id, bottleSlug } = entry.proposal;
  const status = findDecision({ root, bottleSlug, proposalId: id })?.operatorAction;
  const planted = now.foreignAnswers.some((answer) =>
    answer.bottleSlug === bottleSlug && answer.proposalId === id
  );
  if (status === undefined && planted) return;
  if (context.flags.json) {
    const event = status === undefined ? { event: "withdrawn" } : { event: "decided", status };
    context.printJson({ ...event, bottle_slug: bottleSlug, id });
    return;
  }
  context.print(`${(status ?? "withdrawn").padEnd(10)} ${id}  ${bottleSlug}`);
}

function printForeign(context: Context, before: Overview, now: Overview): void {
  const known = new Set(before.foreignAnswers.map(foreignLine));
  for (const answer of now.foreignAnswers) {
    if (known.has(foreignLine(answer))) continue;
    if (context.flags.json) context.printJson({ event: "foreign_answer", ...foreignJson(answer) });
    else context.print(cut(foreignLine(answer), context.columns - 1));
  }
}

/** Says how much is not listed where that has changed, and where it is over. */
function printUnlisted(context: Context, before: Overview, now: Overview): void {
  const counts = new Map(before.unlisted.map(({ bottleSlug, count }) => [bottleSlug, count]));
  for (const bottle of now.unlisted) {
    const known = counts.get(bottle.bottleSlug);
    counts.delete(bottle.bottleSlug);
    if (known === bottle.count) continue;
    if (context.flags.json) context.printJson({ event: "unlisted", ...unlistedJson(bottle) });
    else context.print(cut(unlistedLine(bottle), context.columns - 1));
  }
  for (const bottleSlug of counts.keys()) {
    const over = { event: "unlisted", ...unlistedJson({ bottleSlug, count: 0 }) };
    if (context.flags.json) context.printJson(over);
    else context.print(cut(`! ${bottleSlug}: all that is pending is listed`, context.columns - 1));
  }
}

function printUnreadable(context: Context, before: Overview, now: Overview): void {
  const known = new Set(before.unreadable.map(unreadableLine));
  for (const file of now.unreadable) {
    if (known.has(unreadableLine(file))) continue;
    if (context.flags.json) context.printJson({ event: "unreadable", ...unreadableJson(file) });
    else context.print(cut(unreadableLine(file), context.columns - 1));
  }
}
