/**
 * The walk through what is pending, one proposal after the other, at a prompt.
 *
 * @module
 */

import { hintsOfPending, readOverridable } from "../../internal_mod.ts";
import {
  type Inspection,
  inspectProposal,
  ObstacleError,
  type PendingProposal,
  readOverview,
  type Verdict,
} from "../../mod.ts";
import { type Context, KEEP_MS, keepForLater, lastLines } from "../command/context.ts";
import { CancelledError, failureOf } from "../command/exit.ts";
import { askForWords, printVersion } from "../operate/asking.ts";
import { type Ask, clearObstacles } from "../operate/confirm.ts";
import { decideAsShown, decideEdit, printDecision, seenNow } from "../operate/decision.ts";
import { editProposal } from "../operate/editor.ts";
import { openExpiry } from "../operate/expiry.ts";
import { alarmLines, nothingListed } from "../render/pending.ts";
import { proposalBlocks } from "../render/proposal.ts";
import { renderBlocks, wrap } from "../render/wrap.ts";
import { countedInWords } from "./viewport.ts";

const HELP = `a  approve the file as it is
m  modify it in your editor, see the difference, then decide
r  reject it, with a note for the agent
s  skip it, for now
q  quit`;

const APPROVED = { status: "approved" } as const;

const REJECTED = { status: "rejected" } as const;

/** What came of one proposal. */
type Outcome = "next" | "again" | "quit";

/**
 * Walks through what is pending, oldest first, then what is answered without a record, until nothing is
 * left that was not skipped, or the operator quits. What arrives meanwhile comes at the end.
 */
export async function reviewPlain(context: Context, ask: Ask): Promise<void> {
  // Agents ask for changes of these copies while the operator reads.
  const expiry = openExpiry(context, context.complain);
  const keeping = setInterval(() => {
    keepForLater(context);
    expiry.tick();
  }, KEEP_MS);
  try {
    await reviewAll(context, ask);
  } finally {
    clearInterval(keeping);
    await expiry.ended();
  }
}

async function reviewAll(context: Context, ask: Ask): Promise<void> {
  const { root, where } = context;
  const seen = new Set<string>();
  const isNew = ({ proposal }: PendingProposal) =>
    !seen.has(`${proposal.bottleSlug}/${proposal.id}`);
  let told = "";
  while (true) {
    const overview = readOverview(where);
    const { pending, unrecordedResponses } = overview;
    keepForLater(context);
    const alarms = alarmLines(overview);
    if (alarms.join() !== told) alarms.forEach(context.complain);
    told = alarms.join();
    let left = pending.filter(isNew);
    if (left.length === 0) {
      left = unrecordedResponses
        .flatMap(({ bottleSlug, proposalId }) =>
          readOverridable({ root, bottleSlug, proposalId }) ?? []
        ).filter(isNew);
    }
    const [next] = left;
    if (next === undefined) {
      const still = pending.length === 0 ? "" : ` Still pending: ${pending.length}.`;
      context.print(
        seen.size === 0 ? nothingListed(overview) : `Nothing is left to review.${still}`,
      );
      return;
    }
    context.print(context.style.dim(`── ${left.length} to review ──`));
    const outcome = await reviewOne(context, ask, next);
    if (outcome === "quit") return;
    if (outcome === "next") seen.add(`${next.proposal.bottleSlug}/${next.proposal.id}`);
  }
}

async function reviewOne(
  context: Context,
  ask: Ask,
  { proposal: { bottleSlug, id: proposalId } }: PendingProposal,
): Promise<Outcome> {
  try {
    const inspection = await inspectProposal({ root: context.root, bottleSlug, proposalId });
    const hints = hintsOfPending([inspection], context.root, Date.now()).get(inspection);
    const blocks = proposalBlocks(inspection, Date.now, () => hints);
    for (const line of renderBlocks(blocks, context.columns, context.style)) context.print(line);
    context.print("");
    // A terminal scrolls: whether all of it was on the screen is for the operator to know.
    context.print(`${countedInWords(blocks)} above.`);
    return await decideAtPrompt(context, ask, inspection);
  } catch (error) {
    // Somebody else decided, or the disk is full: say so, and go on with the next one.
    const { message, output = "" } = failureOf(error, context);
    for (const line of [message, ...lastLines(output)]) context.complain(line);
    const mustLook = error instanceof ObstacleError && error.obstacles[0].clearedBy.how === "look";
    return mustLook ? "again" : "next";
  }
}

async function decideAtPrompt(
  context: Context,
  ask: Ask,
  inspection: Inspection,
): Promise<Outcome> {
  while (true) {
    const answer = (await ask("approve, modify, reject, skip, quit? [a/m/r/s/q] "))?.trim();
    try {
      switch (answer) {
        case "a":
          if (await decideOn(context, ask, inspection, APPROVED)) return "next";
          break;
        case "m":
          if (await modify(context, ask, inspection)) return "next";
          break;
        case "r":
          if (await decideOn(context, ask, inspection, REJECTED)) return "next";
          break;
        case "s":
          return "next";
        case undefined:
        case "q":
          return "quit";
        default:
          context.print(HELP);
      }
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      context.complain(error.message);
    }
  }
}

/** Asks for all that has to be asked, and decides. `false` if the operator left a question. */
async function decideOn(
  context: Context,
  ask: Ask,
  inspection: Inspection,
  verdict: Verdict,
): Promise<boolean> {
  const { notes: written } = context.flags;
  const draft = { verdict, notes: written ?? "" };
  const cleared = await clearObstacles(inspection, draft, {
    ...askForWords(context, ask),
    refuse: (sentence) =>
      wrap("! ", `Not decided. ${sentence}`, context.columns, "prose").forEach(context.print),
  });
  if (cleared === undefined) return false;
  const notes = verdict.status === "modified" && written === undefined
    ? await ask("Notes for the agent (Enter for none): ")
    : cleared.notes;
  if (notes === undefined) return false;
  const decision = await decideAsShown(context, seenNow(inspection), { ...cleared, notes });
  printDecision(context, decision);
  return true;
}

async function modify(context: Context, ask: Ask, inspection: Inspection): Promise<boolean> {
  const edit = await editProposal(context, inspection);
  return await decideEdit(context, edit, async (finalFile) => {
    printVersion(context, inspection, finalFile);
    if ((await ask("Type yes to answer with this version: "))?.trim() !== "yes") return false;
    return await decideOn(context, ask, inspection, { status: "modified", finalFile });
  });
}
