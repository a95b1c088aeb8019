/**
 * `list`: what is pending.
 *
 * @module
 */

import {
  type ForeignAnswer,
  listBottles,
  marksOfPending,
  type PendingProposal,
  readOverview,
  type UnlistedInBottle,
  unlistedReason,
  type UnreadableInBottle,
  visibleLine,
} from "../../mod.ts";
import type { Context } from "../context.ts";
import { keepForLater } from "../keep.ts";
import { renderPending } from "../render_pending.ts";
import { shortIds } from "../resolve.ts";
import { countMarks, isWanted, sortPending } from "../select_pending.ts";
import { visibleJson } from "../visible_json.ts";

/**
 * A pending proposal as JSON, without its marks.
 *
 * @param entry The proposal.
 * @returns The fields, in the wire's snake_case.
 */
export function pendingJson({ proposal, proposalSha256 }: PendingProposal): object {
  return {
    bottle_slug: proposal.bottleSlug,
    id: proposal.id,
    tool: proposal.tool,
    arrival_timestamp: proposal.arrivalTimestamp,
    justification: proposal.justification,
    ...visibleJson({ justification: proposal.justification }, "prose"),
    proposal_sha256: proposalSha256,
  };
}

/**
 * A file that cannot be read as JSON.
 *
 * @param file The file.
 * @returns The fields, in snake_case.
 */
export function unreadableJson({ bottleSlug, file, reason }: UnreadableInBottle): object {
  return { bottle_slug: bottleSlug, file, reason };
}

/**
 * A file that cannot be read, in words.
 *
 * @param problem The file.
 * @returns One line.
 */
export function unreadableLine({ bottleSlug, file, reason }: UnreadableInBottle): string {
  return `! unreadable: ${visibleLine(`${bottleSlug}/${file}: ${reason}`, "code")}`;
}

/**
 * How much of a bottle is not listed as JSON.
 *
 * @param bottle The bottle.
 * @returns The fields, in snake_case.
 */
export function unlistedJson({ bottleSlug, count }: UnlistedInBottle): object {
  return { bottle_slug: bottleSlug, count };
}

/**
 * How much of a bottle is not listed, in words.
 *
 * @param bottle The bottle.
 * @returns One line.
 */
export function unlistedLine({ bottleSlug, count }: UnlistedInBottle): string {
  return `! ${bottleSlug}: ${unlistedReason(count)}`;
}

/**
 * An answer without a record as JSON.
 *
 * @param answer The answer.
 * @returns The fields, in snake_case.
 */
export function foreignJson({ bottleSlug, proposalId, says }: ForeignAnswer): object {
  return { bottle_slug: bottleSlug, id: proposalId, says };
}

/**
 * An answer without a record, in words.
 *
 * @param answer The answer.
 * @returns One line.
 */
export function foreignLine({ bottleSlug, proposalId, says }: ForeignAnswer): string {
  return `! answered without a record: ${bottleSlug}/${proposalId}: ${visibleLine(says, "code")}`;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Lists what is pending in all bottles, or in one, as the flags say. What is wrong in the queues is told
 * whatever they say.
 *
 * @param context The context.
 */
export function list(context: Context): void {
  const { root, flags, style, columns } = context;
  const nowMs = Date.now();
  const wanted = isWanted(flags, nowMs);
  const where = flags.bottle === undefined ? { root } : { root, bottleSlug: flags.bottle };
  const { pending: all, foreignAnswers, unlisted, unreadable } = readOverview(where);
  keepForLater(context, all.map(({ proposal }) => proposal.bottleSlug));
  const chosen = all.filter(wanted);
  const marks = marksOfPending(chosen, root);
  const pending = sortPending(chosen, flags.sort, marks);
  if (flags.json) {
    context.printJson({
      pending: pending.map((entry) => ({
        ...pendingJson(entry),
        marks: countMarks(marks.get(entry)),
      })),
      foreign_answers: foreignAnswers.map(foreignJson),
      unlisted: unlisted.map(unlistedJson),
      unreadable: unreadable.map(unreadableJson),
    });
    return;
  }
  if (!isDirectory(root)) context.complain(`! there is no ${root}`);
  else if (flags.bottle !== undefined && !listBottles(root).slugs.includes(flags.bottle)) {
    context.complain(`! bottle ${flags.bottle} has no queue under ${root}`);
  }
  if (all.length === 0) context.print("Nothing is pending.");
  else if (pending.length === 0) {
    context.print("Nothing that is pending matches.");
  } else {
    const shorts = shortIds(all.map(({ proposal }) => proposal.id));
    for (const line of renderPending(pending, { shorts, marks, columns, nowMs, style })) {
      context.print(line);
    }
  }
  for (const answer of foreignAnswers) context.complain(foreignLine(answer));
  for (const bottle of unlisted) context.complain(unlistedLine(bottle));
  for (const problem of unreadable) context.complain(unreadableLine(problem));
}
