/**
 * `watch`: what arrives, as it arrives.
 *
 * @module
 */

import { asciiJson, makeVisible, marksOfPending, visibleLine } from "../../internal_mod.ts";
import {
  type AuditEntry,
  findDecision,
  type Overview,
  type PendingProposal,
  type UnreadableInBottle,
  watchOverview,
} from "../../mod.ts";
import type { Context } from "../command/context.ts";
import { countMarks, isWanted } from "../command/resolve.ts";
import { openNotifier } from "../notify/notifier.ts";
import { keepForLater } from "../operate/decision.ts";
import { visibleJson } from "../render/json.ts";
import {
  marksInShort,
  pendingJson,
  unlistedJson,
  unlistedLine,
  unreadableJson,
  unreadableLine,
  unrecordedJson,
  unrecordedLine,
} from "../render/pending.ts";
import { badge, trimPlain } from "../render/style.ts";
import { cut } from "../render/wrap.ts";

/** Which file of which bottle. */
interface InBottle {
  readonly bottleSlug: string;
  readonly proposalId: string;
}

/** Prints one event: as a line of JSON, or as words that are already visible. */
type Tell = (event: object, words: string) => void;

function keyOf({ proposal, proposalSha256 }: PendingProposal): string {
  return `${proposal.bottleSlug}/${proposal.id}/${proposalSha256}`;
}

/**
 * Prints what is pending, then what arrives and what leaves, until it is ended, or nobody reads any
 * more. Each line is written as a whole, at once. Whoever is to be told is told of what arrives.
 *
 * @param context The context.
 * @param signal Ends it.
 */
export async function watch(context: Context, signal: AbortSignal): Promise<void> {
  const { root, flags, columns } = context;
  const wanted = isWanted(flags, Date.now());
  const where = flags.bottle === undefined ? { root } : { root, bottleSlug: flags.bottle };
  const encoder = new TextEncoder();
  const tell: Tell = (event, words) => {
    const line = flags.json ? asciiJson({ version: 1, ...event }) : cut(words, columns - 1);
    // Not as other verbs print: this one has to learn that its reader is gone.
    context.write(encoder.encode(`${line}\n`));
  };
  let before: Overview = { pending: [], unrecordedResponses: [], unlisted: [], unreadable: [] };
  let first = true;
  const notifier = openNotifier(context);
  try {
    for await (const latest of watchOverview({ ...where, signal })) {
      const now = { ...latest, pending: latest.pending.filter(wanted) };
      tellGone(context, tell, before, now);
      const arrived = tellArrived(context, tell, before, now);
      // What was there at the start is on the screen, and no news.
      if (!first) notifier.arrived(arrived, now);
      first = false;
      tellUnrecorded(tell, before, now);
      tellUnlisted(tell, before, now);
      tellUnreadable(tell, before, now);
      before = now;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  await notifier.close();
}

function tellArrived(
  context: Context,
  tell: Tell,
  before: Overview,
  now: Overview,
): readonly PendingProposal[] {
  const { root } = context;
  const known = new Set(before.pending.map(keyOf));
  const planted = new Set(before.unrecordedResponses.map(nameOf));
  // A planted answer is moved away after its decision is recorded, and before that is answered.
  const isOverridden = ({ proposal: { bottleSlug, id: proposalId } }: PendingProposal) =>
    planted.has(nameOf({ bottleSlug, proposalId })) &&
    findDecision({ root, bottleSlug, proposalId }) !== undefined;
  const arrived = now.pending.filter((entry) => !known.has(keyOf(entry)) && !isOverridden(entry));
  keepForLater(context, arrived.map(({ proposal }) => proposal.bottleSlug));
  const judged = marksOfPending(arrived, root);
  for (const entry of arrived) {
    const { id, bottleSlug, tool, justification } = entry.proposal;
    const { text, escaped } = makeVisible(trimPlain(justification), { oneLine: true });
    const marks = judged.get(entry);
    // Behind the bar are the agent's words, the marks and the badge before it are ours.
    const words = [id, bottleSlug, tool, marksInShort(marks), badge(escaped)]
      .filter((word) => word !== "");
    const event = { event: "arrived", ...pendingJson(entry), marks: countMarks(marks) };
    tell(event, `arrived    ${words.join("  ")}  │ ${text}`);
  }
  return arrived;
}

function tellDecided(tell: Tell, { bottleSlug, proposalId }: InBottle, entry: AuditEntry): void {
  const { operatorAction: status, operator, operatorNotes: notes } = entry;
  const event = { event: "decided", status, bottle_slug: bottleSlug, id: proposalId };
  const who = operator === undefined ? "" : `  by ${visibleLine(operator, "code")}`;
  const { text, escaped } = makeVisible(trimPlain(notes), { oneLine: true });
  const said = text === "" ? "" : `  ${[badge(escaped), "│"].join(" ").trim()} ${text}`;
  tell(
    { ...event, operator: operator ?? null, notes, ...visibleJson({ notes }, "prose") },
    `${status.padEnd(10)} ${proposalId}  ${bottleSlug}${who}${said}`,
  );
}

/**
 * What was pending was decided, or it is gone: taken back, or changed in place and then listed anew.
 * Only the log says what was decided; an answer without a record is told as that, and once a decision
 * overrides it, as decided.
 */
function tellGone(context: Context, tell: Tell, before: Overview, now: Overview): void {
  const { root } = context;
  const present = new Set(now.pending.map(keyOf));
  const planted = new Set(now.unrecordedResponses.map(nameOf));
  const pending = new Set(
    now.pending.map(({ proposal: { bottleSlug, id } }) => nameOf({ bottleSlug, proposalId: id })),
  );
  for (const entry of before.pending) {
    if (present.has(keyOf(entry))) continue;
    const { id, bottleSlug } = entry.proposal;
    const ref = { root, bottleSlug, proposalId: id };
    const decision = findDecision(ref);
    if (decision !== undefined) tellDecided(tell, ref, decision);
    else if (!planted.has(nameOf(ref))) {
      const event = { event: "withdrawn", bottle_slug: bottleSlug, id };
      tell(event, `withdrawn  ${id}  ${bottleSlug}`);
    }
  }
  for (const { bottleSlug, proposalId } of before.unrecordedResponses) {
    const ref = { root, bottleSlug, proposalId };
    if (planted.has(nameOf(ref)) || pending.has(nameOf(ref))) continue;
    const decision = findDecision(ref);
    if (decision !== undefined) tellDecided(tell, ref, decision);
  }
}

function nameOf({ bottleSlug, proposalId }: InBottle): string {
  return `${bottleSlug}/${proposalId}`;
}

function tellUnrecorded(tell: Tell, before: Overview, now: Overview): void {
  const known = new Set(before.unrecordedResponses.map(unrecordedLine));
  for (const answer of now.unrecordedResponses) {
    if (known.has(unrecordedLine(answer))) continue;
    tell({ event: "foreign_answer", ...unrecordedJson(answer) }, unrecordedLine(answer));
  }
}

/** Says how much is not listed where that has changed, and where it is over. */
function tellUnlisted(tell: Tell, before: Overview, now: Overview): void {
  const counts = new Map(before.unlisted.map(({ bottleSlug, count }) => [bottleSlug, count]));
  for (const bottle of now.unlisted) {
    const known = counts.get(bottle.bottleSlug);
    counts.delete(bottle.bottleSlug);
    if (known === bottle.count) continue;
    tell({ event: "unlisted", ...unlistedJson(bottle) }, unlistedLine(bottle));
  }
  for (const bottleSlug of counts.keys()) {
    const over = { event: "unlisted", ...unlistedJson({ bottleSlug, count: 0 }) };
    tell(over, `! ${bottleSlug}: all that is pending is listed`);
  }
}

/** Says what cannot be read, and what can be again, or is gone. */
function tellUnreadable(tell: Tell, before: Overview, now: Overview): void {
  const known = new Set(before.unreadable.map(unreadableLine));
  const still = new Set(now.unreadable.map(fileOf));
  for (const file of now.unreadable) {
    if (known.has(unreadableLine(file))) continue;
    tell({ event: "unreadable", ...unreadableJson(file) }, unreadableLine(file));
  }
  const over = new Map(before.unreadable.map((file) => [fileOf(file), file]));
  for (const [name, { bottleSlug, file }] of over) {
    if (still.has(name)) continue;
    tell(
      { event: "cleared", bottle_slug: bottleSlug, file },
      `cleared    ${visibleLine(name, "code")}`,
    );
  }
}

function fileOf({ bottleSlug, file }: UnreadableInBottle): string {
  return `${bottleSlug}/${file}`;
}
