/**
 * What happens in the queues, as one stream of events. `supervise watch`, the full screen and the
 * notifications are made of it, and programs of your own can be.
 *
 * @module
 */

import { claudeBottleRoot, queueDirForSlug, queueRoot, type RootOptions } from "../disk/layout.ts";
import { DEFAULT_POLL_INTERVAL_MS, watchNames } from "../disk/watch.ts";
import { decidedAmong, type UnrecordedResponse } from "../log/decisions.ts";
import type { PendingProposal } from "../queue/files.ts";
import { comparePending, type ListOptions } from "../queue/pending.ts";
import type { WatchOptions } from "../queue/wait.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { openQueues, type Overview } from "./overview.ts";

/**
 * Something that happened in a bottle's queue, as plain data. With `atStart` it was so at the first look,
 * and may be old. The sidecar chose `proposalId`, and wrote everything in `proposal`. `file` is the name
 * within the queue directory, or `.` for the directory itself.
 */
export type QueueEvent =
  & { readonly bottleSlug: string; readonly atStart: boolean }
  & (
    // A proposal is pending; or one that was pending has other bytes now.
    | { readonly event: "arrived" | "changed" } & PendingProposal
    // The log has a decision on a proposal that was pending, or had an unrecorded response.
    | { readonly event: "decided"; readonly proposalId: string; readonly decision: AuditEntry }
    // A proposal is no longer pending, and the log has no decision on it, or cannot be read.
    | { readonly event: "withdrawn"; readonly proposalId: string }
    // A response has no record, so it is not a decision. Its proposal is no longer pending.
    | { readonly event: "unrecorded"; readonly proposalId: string; readonly says: string }
    // So many more proposals are pending than are listed; at least one.
    | { readonly event: "unlisted"; readonly count: number }
    // A file cannot be read.
    | { readonly event: "unreadable"; readonly file: string; readonly reason: string }
    // What an earlier event said is so no longer. A file may be unreadable for another reason now.
    | {
      readonly event: "over";
      readonly was: "unreadable";
      readonly file: string;
      readonly reason: string;
    }
    | { readonly event: "over"; readonly was: "unrecorded"; readonly proposalId: string }
    | { readonly event: "over"; readonly was: "unlisted" }
  );

type WatchEventsOptions = NonNullable<Parameters<typeof watchEvents>[0]>;

/** What changed between two looks at the queues. */
export interface Changes {
  readonly events: readonly QueueEvent[];
  /** What waits now. */
  readonly now: Overview;
}

const NOTHING: Overview = {
  pending: [],
  unrecordedResponses: [],
  unlisted: [],
  unreadable: [],
  held: [],
};

type Ref = Pick<UnrecordedResponse, "bottleSlug" | "proposalId">;

const nameOf = ({ bottleSlug, proposalId }: Ref): string => `${bottleSlug}/${proposalId}`;

function indexOf({ pending, unrecordedResponses, unlisted, unreadable }: Overview) {
  return {
    pending: new Map(pending.map((entry) => [nameOf(entry), entry])),
    unrecorded: new Map(unrecordedResponses.map((response) => [nameOf(response), response])),
    unlisted: new Map(unlisted.map((bottle) => [bottle.bottleSlug, bottle])),
    unreadable: new Map(
      unreadable.map((one) => [JSON.stringify([one.bottleSlug, one.file, one.reason]), one]),
    ),
  };
}

/**
 * The second of two looks, with what the first one found in each queue that the second could not look into:
 * nothing says that it is gone.
 */
function withUnseen(before: Overview, found: Overview): Overview {
  const unseen = new Set(
    found.unreadable.flatMap(({ bottleSlug, isWholeQueue }) => isWholeQueue ? [bottleSlug] : []),
  );
  if (unseen.size === 0) return found;
  const both = <T extends { readonly bottleSlug: string }>(was: readonly T[], is: readonly T[]) => [
    ...is,
    ...was.filter(({ bottleSlug }) => unseen.has(bottleSlug)),
  ];
  const files = before.unreadable.filter(({ file }) => file !== ".");
  return {
    pending: both(before.pending, found.pending).sort(comparePending),
    unrecordedResponses: both(before.unrecordedResponses, found.unrecordedResponses),
    unlisted: both(before.unlisted, found.unlisted)
      .sort((a, b) => a.bottleSlug < b.bottleSlug ? -1 : 1),
    unreadable: both(files, found.unreadable),
    held: found.held,
  };
}

/**
 * Compares two looks. The events, applied to the first one, give the second one. What they say of a
 * decision comes from `decidedAmong` alone.
 *
 * First comes what is gone (`decided`, `withdrawn`) or `changed`, then what `arrived`, each in order of
 * arrival; then `unrecorded`, `unlisted` and `unreadable`. Without a first look they are `atStart`.
 */
export function changesBetween(
  before: Overview | undefined,
  look: Overview,
  decidedAmong: (ids: ReadonlySet<string>, slug: string) => ReadonlyMap<string, AuditEntry>,
): Changes {
  const atStart = before === undefined;
  const found = withUnseen(before ?? NOTHING, look);
  const [was, is] = [indexOf(before ?? NOTHING), indexOf(found)];
  const gone = [...was.pending].filter(([name, { proposalSha256 }]) =>
    is.pending.get(name)?.proposalSha256 !== proposalSha256 && !is.unrecorded.has(name)
  );
  const moved = [...was.unrecorded].filter(([name]) => !is.unrecorded.has(name));
  const decisions = new Map<string, AuditEntry>();
  const refs: readonly Ref[] = [...gone, ...moved].map(([, ref]) => ref);
  for (const [bottleSlug, some] of Map.groupBy(refs, (ref) => ref.bottleSlug)) {
    const ids = new Set(some.map(({ proposalId }) => proposalId));
    for (const [proposalId, decision] of decidedAmong(ids, bottleSlug)) {
      decisions.set(nameOf({ bottleSlug, proposalId }), decision);
    }
  }
  // An override moves the unrecorded response away after it writes the record and before it writes the
  // new response. In between the proposal looks pending. It counts as unrecorded until the new response
  // is there, or a proposal that is decided would arrive.
  let now = found;
  for (const [name, response] of moved) {
    if (!decisions.has(name) || !is.pending.delete(name)) continue;
    is.unrecorded.set(name, response);
    const [pending, unrecordedResponses] = [is.pending.values(), is.unrecorded.values()];
    now = { ...found, pending: [...pending], unrecordedResponses: [...unrecordedResponses] };
  }
  const events: QueueEvent[] = [];

  /** Returns whether a decision is recorded. */
  function addDecision(name: string, { bottleSlug, proposalId }: Ref): boolean {
    const decision = decisions.get(name);
    if (decision === undefined) return false;
    events.push({ event: "decided", bottleSlug, proposalId, decision, atStart });
    return true;
  }
  for (const [name, entry] of gone) {
    const { bottleSlug, proposalId } = entry;
    const current = is.pending.get(name);
    // Another proposal may have the id of one that was decided. That one arrives.
    if (addDecision(name, entry)) was.pending.delete(name);
    else if (current !== undefined) events.push({ event: "changed", ...current, atStart });
    else events.push({ event: "withdrawn", bottleSlug, proposalId, atStart });
  }
  for (const [name, response] of moved) {
    if (is.unrecorded.has(name) || addDecision(name, response)) continue;
    const { bottleSlug, proposalId } = response;
    events.push({ event: "over", was: "unrecorded", bottleSlug, proposalId, atStart });
  }
  for (const [name, entry] of is.pending) {
    if (!was.pending.has(name)) events.push({ event: "arrived", ...entry, atStart });
  }
  for (const [name, response] of is.unrecorded) {
    if (was.unrecorded.get(name)?.says === response.says) continue;
    events.push({ event: "unrecorded", ...response, atStart });
  }
  for (const [bottleSlug, { count }] of is.unlisted) {
    if (was.unlisted.get(bottleSlug)?.count === count) continue;
    events.push({ event: "unlisted", bottleSlug, count, atStart });
  }
  for (const bottleSlug of was.unlisted.keys()) {
    if (is.unlisted.has(bottleSlug)) continue;
    events.push({ event: "over", was: "unlisted", bottleSlug, atStart });
  }
  for (const [name, file] of was.unreadable) {
    if (is.unreadable.has(name)) continue;
    events.push({ event: "over", was: "unreadable", ...file, atStart });
  }
  for (const [name, file] of is.unreadable) {
    if (!was.unreadable.has(name)) events.push({ event: "unreadable", ...file, atStart });
  }
  return { events, now };
}

/** Logs that cannot be read, which the look reports, must not end the events of other bottles. */
function decidedOrNone(...args: Parameters<typeof decidedAmong>): ReturnType<typeof decidedAmong> {
  try {
    return decidedAmong(...args);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return new Map();
  }
}

/**
 * Iterates over what changes in the queues, a look at a time: what the first look found at once, even if
 * that is nothing. A slow reader gets what changed since the look it had: two looks are all that is kept.
 */
export async function* watchChanges(
  options: WatchEventsOptions = {},
): AsyncGenerator<Changes, void, void> {
  const { root = claudeBottleRoot(), signal, wanted, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } =
    options;
  const queues = openQueues({ ...options, root });
  const stops = new Map<string, () => void>();
  /** The names in the queues in which something may have changed; undefined where they cannot be read. */
  const dirty = new Map<string, ReadonlySet<string> | undefined>();
  let bottlesMayDiffer = true;
  let wake = Promise.withResolvers<void>();
  const onAbort = () => wake.resolve();
  signal?.addEventListener("abort", onAbort);

  function watchBottles(): void {
    const slugs = new Set(queues.slugs());
    for (const [slug, stop] of stops) {
      if (slugs.has(slug)) continue;
      stop();
      stops.delete(slug);
      dirty.delete(slug);
    }
    for (const slug of slugs) {
      if (stops.has(slug)) continue;
      const stop = watchNames(queueDirForSlug(slug, { root }), pollIntervalMs, (names, error) => {
        dirty.set(slug, error === undefined ? names : undefined);
        wake.resolve();
      });
      stops.set(slug, stop);
    }
  }

  let bottleNames: ReadonlySet<string> | undefined;
  const stopWatchingRoot = watchNames(queueRoot(root), pollIntervalMs, (names, error) => {
    if (error === undefined && names === bottleNames) return;
    bottleNames = names;
    bottlesMayDiffer = true;
    wake.resolve();
  });
  try {
    let before: Overview | undefined;
    let changed = true;
    while (signal?.aborted !== true) {
      wake = Promise.withResolvers<void>();
      if (bottlesMayDiffer) {
        bottlesMayDiffer = false;
        changed = queues.refreshBottles() || changed;
        watchBottles();
      }
      // Only the bottles in which something changed are read again, however many there are.
      for (const [slug, names] of dirty) changed = queues.refreshBottle(slug, names) || changed;
      dirty.clear();
      if (changed) {
        changed = false;
        const found = queues.overview();
        const seen = wanted ? { ...found, pending: found.pending.filter(wanted) } : found;
        const isFirst = before === undefined;
        const changes = changesBetween(before, seen, (ids, slug) => decidedOrNone(ids, slug, root));
        before = changes.now;
        if (isFirst || changes.events.length > 0) {
          yield changes;
          continue;
        }
      }
      await wake.promise;
    }
  } finally {
    stopWatchingRoot();
    for (const stop of stops.values()) stop();
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Iterates over what happens in the queues of all bottles, or of one. Bottles may come and go.
 *
 * - The first look comes as `arrived`, `unrecorded`, `unlisted` and `unreadable` events with `atStart`;
 *   what happened while no program watched is not told. The audit log has every decision.
 * - Applied in order, the events give what waits now. A proposal that comes and goes between two looks
 *   is in no event.
 * - Looks are taken every `pollIntervalMs`.
 * - A reader that is slow gets the events of one look to their end, then those that lead from that look
 *   to the queues as they are by then. What waits for it is bounded by what is listed.
 * - `decided` is read from the audit log. A response that was planted without a record is `unrecorded`.
 *
 * Needs `--allow-read` for the root.
 *
 * @example Say what waits and what was decided
 * ```ts
 * import { newProposal, queueDirForSlug, watchEvents, writeProposal } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * await writeProposal(
 *   queueDirForSlug("dev-1", { root }),
 *   newProposal({
 *     bottleSlug: "dev-1",
 *     tool: "pipelock-block",
 *     proposedFile: "api.example.com\n",
 *     justification: "The tests call it.",
 *     currentFileHash: "",
 *   }),
 * );
 * for await (const event of watchEvents({ root })) {
 *   // An event with `atStart` may be old: a program that posts to a chat skips it.
 *   let text;
 *   if (event.event === "arrived") text = `${event.bottleSlug}: ${event.proposal.tool} waits`;
 *   if (event.event === "decided") text = `${event.bottleSlug}: ${event.decision.operatorAction}`;
 *   assertEquals(text, "dev-1: pipelock-block waits");
 *   break;
 * }
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param options Which bottle's, and until when.
 * @returns The events.
 * @throws {UnsafeFileError} If `<root>/queue` is a link, or not a directory.
 */
export async function* watchEvents(
  options: RootOptions & ListOptions & WatchOptions & {
    /** Which proposals; all unless given. Others are treated as if they were not pending. */
    readonly wanted?: (entry: PendingProposal) => boolean;
  } = {},
): AsyncGenerator<QueueEvent, void, void> {
  for await (const { events } of watchChanges(options)) {
    for (const event of events) {
      if (options.signal?.aborted) return;
      yield event;
    }
  }
}
