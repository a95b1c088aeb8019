/**
 * `list`: prints what is pending.
 *
 * @module
 */

import {
  hintsOfPending,
  listBottles,
  marksOfPending,
  ownFileStamp,
  reachOfPending,
  readOpenGrants,
  readOverview,
} from "../../read_mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater } from "../command/context.ts";
import { isWanted, shortIds, sortPending } from "../command/resolve.ts";
import { writeJsonList } from "../operate/pager.ts";
import {
  alarmLines,
  countMarks,
  heldJson,
  hintsJson,
  nothingListed,
  overdueJson,
  overdueLines,
  pendingJson,
  renderPending,
  unlistedJson,
  unreadableJson,
  unrecordedJson,
} from "../render/pending.ts";
import { join } from "@std/path";

/**
 * Lists the proposals that the flags select. What is wrong in the queues is printed whatever they select. The
 * exit code is 1 if a queue could not be looked into: anything may be pending there.
 */
export function list(context: Context): number {
  const { root, where, flags, style, columns } = context;
  const nowMs = Date.now();
  const wanted = isWanted(flags, nowMs);
  const overview = readOverview(where);
  const { pending: all, unrecordedResponses, unlisted, unreadable } = overview;
  const exit = unreadable.some(({ isWholeQueue }) => isWholeQueue) ? 1 : 0;
  keepForLater(context);
  const chosen = all.filter(wanted);
  const marks = marksOfPending(chosen, root);
  const hints = hintsOfPending(chosen, root, nowMs);
  const pending = sortPending(chosen, flags.sort, marks);
  if (flags.json) {
    const entries = pending.values().map((entry) => ({
      ...pendingJson(entry),
      ...hintsJson(hints.get(entry)!),
      marks: countMarks(marks.get(entry)),
      reach: reachOfPending(entry) ?? null,
    }));
    writeJsonList(context, "pending", entries, {
      foreign_answers: unrecordedResponses.map(unrecordedJson),
      unlisted: unlisted.map(unlistedJson),
      unreadable: unreadable.map(unreadableJson),
      held: overview.held.map((one) => ({
        bottle_slug: one.bottleSlug,
        ...heldJson(one),
        problem: one.problem ?? null,
      })),
      overdue_grants: overdueJson(readOpenGrants(where)),
    });
    return exit;
  }
  if (flags.bottle !== undefined && !listBottles(root).slugs.includes(flags.bottle)) {
    context.complain(`! bottle ${flags.bottle} has no queue under ${root}`);
  }
  // A path that was typed wrongly must not look like a root where nothing is pending.
  const queues = join(root, "queue");
  if (ownFileStamp(queues) === undefined) {
    context.complain(
      `! there is no ${queues}: no bottle was ever added here, or this is not the root`,
    );
  }
  if (all.length === 0) context.print(nothingListed(overview));
  else if (pending.length === 0) context.print("Nothing that is pending matches.");
  else {
    const shorts = shortIds(all.map(({ proposal }) => proposal.id));
    for (const line of renderPending(pending, { shorts, marks, hints, columns, nowMs, style })) {
      context.print(line);
    }
  }
  alarmLines(overview).forEach(context.complain);
  overdueLines(readOpenGrants(where)).forEach(context.complain);
  return exit;
}

if (import.meta.main) await runAlone({ list });
