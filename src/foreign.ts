/**
 * Answers in a bottle's queue that no record backs. Whoever owns the sidecar can plant an answer; it
 * is never taken for a decision, and an operator must see it.
 *
 * @module
 */

import { decidedAmong, type ForeignAnswer, stampOfLogs, standingAnswer } from "./decided.ts";
import { isProposalId } from "./paths.ts";

const SUFFIX = ".response.json";

/** How many of one bottle are named. */
const MAX_NAMED = 100;

/** What one look found. */
export interface ForeignAnswers {
  /** The answers, by id. */
  readonly named: readonly ForeignAnswer[];
  /** How many more there are. */
  readonly more: number;
}

/**
 * Opens a view of a bottle's answers. It remembers which ones are recorded, and reads the logs again
 * only if there are others.
 *
 * Needs `--allow-read` for the root.
 *
 * @param bottleSlug The bottle.
 * @param root The root.
 * @returns A function that looks: it is given the names in the queue directory, read before it is
 * called, because an answer comes after its record.
 */
export function openForeignView(
  bottleSlug: string,
  root: string,
): (names: Iterable<string>) => ForeignAnswers {
  const recorded = new Set<string>();
  let lookedAt = "";
  return (names) => {
    const answered = new Set<string>();
    for (const name of names) {
      if (!name.endsWith(SUFFIX)) continue;
      const id = name.slice(0, -SUFFIX.length);
      if (isProposalId(id)) answered.add(id);
    }
    for (const id of recorded) if (!answered.has(id)) recorded.delete(id);
    const open = new Set([...answered].filter((id) => !recorded.has(id)));
    if (open.size === 0) return { named: [], more: 0 };
    const looking = `${stampOfLogs(bottleSlug, root)} ${[...open].join()}`;
    if (looking !== lookedAt) {
      for (const id of decidedAmong(open, bottleSlug, root).keys()) {
        recorded.add(id);
        open.delete(id);
      }
      lookedAt = `${stampOfLogs(bottleSlug, root)} ${[...open].join()}`;
    }
    const named: ForeignAnswer[] = [];
    const ids = [...open].sort();
    for (const proposalId of ids.slice(0, MAX_NAMED)) {
      const standing = standingAnswer({ root, bottleSlug, proposalId });
      if (standing !== undefined) named.push({ bottleSlug, proposalId, says: standing.says });
    }
    return { named, more: Math.max(0, ids.length - MAX_NAMED) };
  };
}
