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
  readOverview,
} from "../../read_mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater } from "../command/context.ts";
import { isWanted, shortIds, sortPending } from "../command/resolve.ts";
import { writeJsonList } from "../operate/pager.ts";
import {
  countMarks,
  hintsJson,
  pendingJson,
  renderPending,
  unlistedJson,
  unlistedLine,
  unreadableJson,
  unreadableLine,
  unrecordedJson,
  unrecordedLine,
} from "../render/pending.ts";

/** Lists the proposals that the flags select. What is wrong in the queues is printed whatever they select. */
export function list(context: Context): void {
  const { root, where, flags, style, columns } = context;
  const nowMs = Date.now();
  const wanted = isWanted(flags, nowMs);
  const { pending: all, unrecordedResponses, unlisted, unreadable } = readOverview(where);
  keepForLater(context, all.map(({ proposal }) => proposal.bottleSlug));
  const chosen = all.filter(wanted);
  const marks = marksOfPending(chosen, root);
  const hints = hintsOfPending(chosen, root, nowMs);
  const pending = sortPending(chosen, flags.sort, marks);
  if (flags.json) {
    const entries = pending.values().map((entry) => ({
      ...pendingJson(entry),
      ...hintsJson(hints.get(entry)!),
      marks: countMarks(marks.get(entry)),
    }));
    writeJsonList(context, "pending", entries, {
      foreign_answers: unrecordedResponses.map(unrecordedJson),
      unlisted: unlisted.map(unlistedJson),
      unreadable: unreadable.map(unreadableJson),
    });
    return;
  }
  if (!ownFileStamp(root)?.isDirectory) context.complain(`! there is no ${root}`);
  else if (flags.bottle !== undefined && !listBottles(root).slugs.includes(flags.bottle)) {
    context.complain(`! bottle ${flags.bottle} has no queue under ${root}`);
  }
  if (all.length === 0) {
    const isSure = unlisted.length + unreadable.length === 0;
    context.print(isSure ? "Nothing is pending." : "Nothing that is pending can be listed.");
  } else if (pending.length === 0) context.print("Nothing that is pending matches.");
  else {
    const shorts = shortIds(all.map(({ proposal }) => proposal.id));
    for (const line of renderPending(pending, { shorts, marks, hints, columns, nowMs, style })) {
      context.print(line);
    }
  }
  for (const answer of unrecordedResponses) context.complain(unrecordedLine(answer));
  for (const bottle of unlisted) context.complain(unlistedLine(bottle));
  for (const problem of unreadable) context.complain(unreadableLine(problem));
}

if (import.meta.main) await runAlone({ list });
