/**
 * Decides on a terminal: shows what would be decided, asks a person line by line, and decides that.
 *
 * @module
 */

import { hintsOfPending, visibleLine } from "../../internal_mod.ts";
import {
  type Decision,
  type DecisionDraft,
  type Inspection,
  ObstacleError,
  obstaclesTo,
} from "../../mod.ts";
import type { Context } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { renderProposal } from "../render/proposal.ts";
import { quoteShort } from "../render/quote.ts";
import { versionBlocks } from "../render/version.ts";
import { renderBlocks, wrap } from "../render/wrap.ts";
import { type Ask, type Asker, askOn, clearObstacles } from "./confirm.ts";
import { decideAsShown, type Said, type Seen, seenNow } from "./decision.ts";

/** Asks for the words that a decision needs, each in a line. */
export function askForWords(
  context: Context,
  ask: Ask,
): Pick<Asker, "confirm" | "notes"> {
  const { print } = context;
  return {
    confirm: async ({ sentence, request, word }) => {
      for (const row of wrap("! ", sentence, context.columns, "prose")) print(row);
      if ((await ask(`${request} `))?.trim() === word) return true;
      print(`Not decided: that is not ${word}.`);
      return false;
    },
    notes: async () => {
      const notes = (await ask("Why? The agent reads it: "))?.trim() ?? "";
      if (notes !== "") return notes;
      print("Not rejected: a rejection needs a note.");
      return undefined;
    },
  };
}

/**
 * Has a person type the bottle's name, unless they gave it with `--confirm`.
 *
 * @param sentence What they have to know.
 * @param deed What they do so, for the question.
 * @throws {CancelledError} If they type something else.
 * @throws {UsageError} If there is nobody to ask.
 */
export async function confirmByName(
  context: Context,
  bottle: string,
  sentence: string,
  deed: string,
): Promise<void> {
  const { flags: { confirm, json }, interactive } = context;
  if (confirm.includes(bottle)) return;
  if (!interactive || json) {
    throw new UsageError(`Cannot ${deed} without a person: add --confirm ${bottle}`);
  }
  const request = `Type ${bottle} (the bottle's name) to ${deed}:`;
  const question = { sentence: visibleLine(sentence, "code"), request, word: bottle, gives: {} };
  if (await askForWords(context, askOn(context)).confirm(question)) return;
  throw new CancelledError("Cancelled: nothing was changed");
}

export function printVersion(
  { print, columns, style }: Context,
  inspection: Inspection,
  file: string,
) {
  for (const line of renderBlocks(versionBlocks(inspection, file), columns, style)) print(line);
}

/** Throws if what `show` showed is not what is there now: a person may have that one in mind. */
export function refuseUnlikeShown(
  { inspection, proposalSha256, currentSha256, finalSha256 }: Seen,
  { verdict }: Pick<DecisionDraft, "verdict">,
): void {
  const unlike = obstaclesTo(inspection, { verdict, proposalSha256, currentSha256, finalSha256 })
    .find(({ clearedBy }) => clearedBy.how === "look");
  if (unlike === undefined) return;
  const { bottleSlug, id: proposalId } = inspection.proposal;
  throw new ObstacleError({ bottleSlug, proposalId }, [unlike]);
}

/**
 * Asks for what clears the obstacles to a decision of what is on the screen now, or, if nothing has to be
 * cleared, for a `yes`; then decides. What was shown at another time does not count.
 *
 * @throws {CancelledError} If a question is answered otherwise.
 * @throws {ObstacleError} If no answer clears an obstacle.
 */
export async function decideOnScreen(
  context: Context,
  { inspection }: Seen,
  said: Said,
  question: string,
): Promise<Decision> {
  const { bottleSlug, id: proposalId } = inspection.proposal;
  const ask = askOn(context);
  const words = askForWords(context, ask);
  let agreed = false;
  const cleared = await clearObstacles(inspection, said, {
    ...words,
    confirm: async (question) => agreed = await words.confirm(question),
    refuse: (_, obstacle) => {
      throw new ObstacleError({ bottleSlug, proposalId }, [obstacle]);
    },
  });
  if (cleared === undefined || !agreed && (await ask(question))?.trim() !== "yes") {
    throw new CancelledError(`Cancelled: ${quoteShort(proposalId)} was not decided`);
  }
  return await decideAsShown(context, seenNow(inspection), cleared);
}

/** Shows a proposal, asks, and approves it. */
export async function approveOnScreen(context: Context, seen: Seen, said: Said): Promise<Decision> {
  refuseUnlikeShown(seen, said);
  const { inspection } = seen;
  const { proposal: { bottleSlug, id } } = inspection;
  const { root, columns, style } = context;
  const nowMs = Date.now();
  const hints = hintsOfPending([inspection], root, nowMs).get(inspection);
  for (const line of renderProposal(inspection, nowMs, columns, style, hints)) context.print(line);
  context.print("");
  const { standing } = said;
  if (standing !== undefined) {
    const where = standing.group === undefined ? bottleSlug : `the group ${standing.group}`;
    const until = new Date(nowMs + standing.forMs).toISOString();
    const row = `If you approve it, rules approve the same in ${where} until ${until}.`;
    context.print(visibleLine(row, "prose"));
  }
  return await decideOnScreen(
    context,
    seen,
    said,
    `Type yes to approve ${quoteShort(id)} (${bottleSlug}): `,
  );
}
