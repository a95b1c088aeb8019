/**
 * Answers in a bottle's queue that no record backs. Whoever owns the sidecar can plant an answer; it
 * is never taken for a decision, and an operator must see it.
 *
 * @module
 */

import { decidedAmong, type ForeignAnswer, stampOfLogs, standingAnswer } from "./decided.ts";
import { isProposalId, queueDirForSlug, RESPONSE_SUFFIX, responsePath } from "./paths.ts";
import { stampOfFile } from "./untrusted.ts";

/** How many of one bottle are named. */
const MAX_NAMED = 100;

/** The most that is read of one, to name what it says. */
const MAX_BYTES = 128 * 1024;

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
  const read = new Map<string, { readonly stamp: string | undefined; readonly says: string }>();

  function whatItSays(proposalId: string): string | undefined {
    const stamp = stampOfFile(responsePath(queueDirForSlug(bottleSlug, root), proposalId));
    const known = read.get(proposalId);
    if (known !== undefined && known.stamp === stamp) return known.says;
    const standing = standingAnswer({ root, bottleSlug, proposalId }, MAX_BYTES);
    if (standing !== undefined) read.set(proposalId, { stamp, says: standing.says });
    return standing?.says;
  }

  let lookedAt = "";
  return (names) => {
    const answered = new Set<string>();
    for (const name of names) {
      if (!name.endsWith(RESPONSE_SUFFIX)) continue;
      const id = name.slice(0, -RESPONSE_SUFFIX.length);
      if (isProposalId(id)) answered.add(id);
    }
    for (const id of recorded) if (!answered.has(id)) recorded.delete(id);
    for (const id of read.keys()) if (!answered.has(id)) read.delete(id);
    const open = new Set([...answered].filter((id) => !recorded.has(id)));
    if (open.size === 0) return { named: [], more: 0 };
    // Before the logs are read: a line that comes meanwhile must have them read again.
    const logs = stampOfLogs(bottleSlug, root);
    if (`${logs} ${[...open].join()}` !== lookedAt) {
      for (const id of decidedAmong(open, bottleSlug, root).keys()) {
        recorded.add(id);
        open.delete(id);
      }
      lookedAt = `${logs} ${[...open].join()}`;
    }
    const named: ForeignAnswer[] = [];
    const ids = [...open].sort();
    for (const proposalId of ids.slice(0, MAX_NAMED)) {
      const says = whatItSays(proposalId);
      if (says !== undefined) named.push({ bottleSlug, proposalId, says });
    }
    return { named, more: Math.max(0, ids.length - MAX_NAMED) };
  };
}
