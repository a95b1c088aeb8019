/**
 * What is pending in all bottles, once or as it changes, and the responses that no record backs.
 *
 * @module
 */

import { claudeBottleRoot, queueDirForSlug, queueRoot, responsePath } from "../disk/layout.ts";
import { listNames, stampOfFile } from "../disk/read_untrusted.ts";
import { DEFAULT_POLL_INTERVAL_MS, watchNames } from "../disk/watch.ts";
import {
  decidedAmong,
  stampOfLogs,
  standingResponse,
  type UnrecordedResponse,
} from "../log/decisions.ts";
import type { PendingProposal } from "../queue/files.ts";
import { listBottles } from "../queue/find.ts";
import {
  comparePending,
  MAX_PENDING,
  openQueueView,
  type QueueListing,
  type QueueView,
} from "../queue/pending.ts";
import { sameListing } from "../queue/watch.ts";
import { UnsafeFileError } from "../records/errors.ts";
import { isProposalId, RESPONSE_SUFFIX } from "../records/names.ts";

/** How many of one bottle are named. */
const MAX_NAMED = 100;

/** The most that is read of one, to name what it says. */
const MAX_BYTES = 128 * 1024;

/** What one look found. */
export interface UnrecordedResponses {
  /** The answers, by id. */
  readonly named: readonly UnrecordedResponse[];
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
export function openUnrecordedView(
  bottleSlug: string,
  root: string,
): (names: Iterable<string>) => UnrecordedResponses {
  const recorded = new Set<string>();
  const read = new Map<string, { readonly stamp: string | undefined; readonly says: string }>();

  function whatItSays(proposalId: string): string | undefined {
    const stamp = stampOfFile(responsePath(queueDirForSlug(bottleSlug, { root }), proposalId));
    const known = read.get(proposalId);
    if (known !== undefined && known.stamp === stamp) return known.says;
    const standing = standingResponse({ root, bottleSlug, proposalId }, MAX_BYTES);
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
    const named: UnrecordedResponse[] = [];
    const ids = [...open].sort();
    for (const proposalId of ids.slice(0, MAX_NAMED)) {
      const says = whatItSays(proposalId);
      if (says !== undefined) named.push({ bottleSlug, proposalId, says });
    }
    return { named, more: Math.max(0, ids.length - MAX_NAMED) };
  };
}

/** A file in some bottle's queue that cannot be read. */
export interface UnreadableInBottle {
  /** The bottle, or the name of what stands under `queue/` and is none. */
  readonly bottleSlug: string;
  /** The file's name within the bottle's queue directory; `.` for the directory itself. */
  readonly file: string;
  /** Why it is passed over. */
  readonly reason: string;
}

/** How many of a bottle's pending proposals are not listed. */
export interface UnlistedInBottle {
  /** The bottle, whose queue somebody floods. */
  readonly bottleSlug: string;
  /** How many; at least one. */
  readonly count: number;
}

/** What waits for an operator. */
export interface Overview {
  /** All bottles' pending proposals, by instant of arrival, then by id. */
  readonly pending: readonly PendingProposal[];
  /** Answers that no record backs: planted, or by a tool that keeps none. */
  readonly unrecordedResponses: readonly UnrecordedResponse[];
  /** The bottles that have more pending than is listed, by slug. */
  readonly unlisted: readonly UnlistedInBottle[];
  /** What is wrong in the queues. */
  readonly unreadable: readonly UnreadableInBottle[];
}

/** Which bottles, and for how long. */
export interface OverviewOptions {
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
  /** One bottle only. */
  readonly bottleSlug?: string;
  /** How many pending proposals of each bottle are listed; {@linkcode MAX_PENDING} unless given. */
  readonly maxPending?: number;
}

/** How an overview is watched. */
export interface WatchOverviewOptions extends OverviewOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** How often to look even if no event says to; {@linkcode DEFAULT_POLL_INTERVAL_MS} unless given. */
  readonly pollIntervalMs?: number;
}

/** What one look at a bottle's queue found. */
interface BottleLook {
  readonly listing: QueueListing;
  readonly unrecorded: UnrecordedResponses;
}

/** One bottle's queue, the answers in it, and what the last look found. */
interface BottleView {
  readonly queueDir: string;
  readonly queue: QueueView;
  readonly unrecorded: (names: Iterable<string>) => UnrecordedResponses;
  latest: BottleLook;
}

/** Views of all bottles' queues. */
interface Views {
  /** Looks which bottles there are, and at those that are new. Says whether any came or went. */
  readonly refreshBottles: () => boolean;
  /** Looks at one bottle's queue, whose names were just read. Says whether it has changed. */
  readonly refreshBottle: (slug: string, names?: ReadonlySet<string>) => boolean;
  /** What all looks found. */
  readonly overview: () => Overview;
  readonly slugs: () => Iterable<string>;
}

function openViews(options: OverviewOptions): Views {
  const { root = claudeBottleRoot(), bottleSlug, maxPending = MAX_PENDING } = options;
  const isWanted = (slug: string) => bottleSlug === undefined || slug === bottleSlug;
  const views = new Map<string, BottleView>();
  let refused: readonly UnreadableInBottle[] = [];

  return {
    slugs: () => views.keys(),
    refreshBottles() {
      const found = listBottles(root);
      const wanted = new Set(found.slugs.filter(isWanted));
      const refusedBefore = JSON.stringify(refused);
      refused = found.refused.filter(({ name }) => isWanted(name))
        .map(({ name, reason }) => ({ bottleSlug: name, file: ".", reason }));
      let changed = JSON.stringify(refused) !== refusedBefore;
      for (const slug of views.keys()) if (!wanted.has(slug)) changed = views.delete(slug);
      for (const slug of wanted) {
        if (views.has(slug)) continue;
        views.set(slug, openView(slug, root, maxPending));
        changed = true;
      }
      return changed;
    },
    refreshBottle(slug, names) {
      const view = views.get(slug);
      if (view === undefined) return false;
      const before = view.latest;
      view.latest = lookOrReport(view, names);
      return !sameListing(listed(before), listed(view.latest));
    },
    overview() {
      const pending: PendingProposal[] = [];
      const unrecordedResponses: UnrecordedResponse[] = [];
      const unlisted: UnlistedInBottle[] = [];
      const unreadable = [...refused];
      for (const slug of [...views.keys()].sort()) {
        const { listing, unrecorded } = views.get(slug)!.latest;
        unrecordedResponses.push(...unrecorded.named);
        if (unrecorded.more > 0) {
          const reason = `${unrecorded.more} more answers stand there without a record`;
          unreadable.push({ bottleSlug: slug, file: ".", reason });
        }
        for (const entry of listing.pending) pending.push(entry);
        if (listing.unlisted > 0) unlisted.push({ bottleSlug: slug, count: listing.unlisted });
        for (const file of listing.unreadable) unreadable.push({ bottleSlug: slug, ...file });
      }
      return { pending: pending.sort(comparePending), unrecordedResponses, unlisted, unreadable };
    },
  };
}

/** What two looks at one bottle are compared by. */
function listed({ listing, unrecorded }: BottleLook) {
  return { ...listing, unrecordedResponses: [...unrecorded.named, { more: unrecorded.more }] };
}

function openView(bottleSlug: string, root: string, maxPending: number): BottleView {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const queue = openQueueView(queueDir, { bottleSlug, maxPending });
  const unrecorded = openUnrecordedView(bottleSlug, root);
  return { queueDir, queue, unrecorded, latest: lookOrReport({ queueDir, queue, unrecorded }) };
}

/** One bottle's trouble must not hide what the others ask. */
function lookOrReport(
  { queueDir, queue, unrecorded }: Omit<BottleView, "latest">,
  names?: ReadonlySet<string>,
): BottleLook {
  try {
    const present = names ?? new Set(listNames(queueDir));
    return { listing: queue.refresh(present), unrecorded: unrecorded(present) };
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    const unreadable = [{ file: ".", reason: error.reason }];
    return {
      listing: { pending: [], unlisted: 0, unreadable },
      unrecorded: { named: [], more: 0 },
    };
  }
}

/**
 * Looks once at all bottles' queues. Nothing that one bottle plants in its own hides what another asks.
 *
 * Needs `--allow-read` for the root.
 *
 * @example Nothing is pending in an empty root
 * ```ts
 * import { readOverview } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * assertEquals(readOverview({ root }).pending, []);
 * await Deno.remove(root);
 * ```
 *
 * @param options Which bottles.
 * @returns What is pending, and what cannot be read.
 * @throws {UnsafeFileError} If `<root>/queue` is a link, or no directory.
 */
export function readOverview(options: OverviewOptions = {}): Overview {
  const views = openViews(options);
  views.refreshBottles();
  return views.overview();
}

/**
 * Iterates over what is pending in all bottles: the overview now, then a new one whenever it changed.
 * Bottles may come and go. A slow reader gets the newest overview and none of those in between.
 *
 * Needs `--allow-read` for the root.
 *
 * @param options Which bottles, and when to end.
 * @returns The overviews.
 * @throws {UnsafeFileError} If `<root>/queue` is a link, or no directory.
 */
export async function* watchOverview(
  options: WatchOverviewOptions = {},
): AsyncGenerator<Overview, void, void> {
  const { root = claudeBottleRoot(), signal, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = options;
  const views = openViews({ ...options, root });
  const stops = new Map<string, () => void>();
  /** The names in the queues in which something may have changed; none where they cannot be read. */
  const dirty = new Map<string, ReadonlySet<string> | undefined>();
  let bottlesMayDiffer = true;
  let wake = Promise.withResolvers<void>();
  const onAbort = () => wake.resolve();
  signal?.addEventListener("abort", onAbort);

  /** One watch for each bottle's directory. */
  function watchBottles(): void {
    const slugs = new Set(views.slugs());
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
    let delivered: Overview | undefined;
    let changed = true;
    while (signal?.aborted !== true) {
      wake = Promise.withResolvers<void>();
      if (bottlesMayDiffer) {
        bottlesMayDiffer = false;
        changed = views.refreshBottles() || changed;
        watchBottles();
      }
      // A bottle costs what it alone has: of hundreds, one that is busy makes no other be read.
      for (const [slug, names] of dirty) changed = views.refreshBottle(slug, names) || changed;
      dirty.clear();
      if (changed) {
        changed = false;
        const latest = views.overview();
        if (!sameListing(delivered, latest)) {
          delivered = latest;
          yield latest;
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
