/**
 * What is pending in all bottles: the operator's view.
 *
 * @module
 */

import { listBottles } from "./bottles.ts";
import type { ForeignAnswer } from "./decided.ts";
import { UnsafeFileError } from "./errors.ts";
import { type ForeignAnswers, openForeignView } from "./foreign.ts";
import {
  comparePending,
  MAX_PENDING,
  openQueueView,
  type QueueListing,
  type QueueView,
} from "./listing.ts";
import { claudeBottleRoot, queueDirForSlug, queueRoot } from "./paths.ts";
import type { PendingProposal } from "./queue_entry.ts";
import { listNames } from "./untrusted.ts";
import { DEFAULT_POLL_INTERVAL_MS, watchNames } from "./watch.ts";
import { sameListing } from "./watch_pending.ts";

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
  readonly foreignAnswers: readonly ForeignAnswer[];
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

/** Views of all bottles' queues. */
interface Views {
  readonly refresh: () => Overview;
  readonly slugs: () => readonly string[];
}

function openViews(options: OverviewOptions): Views {
  const { root = claudeBottleRoot(), bottleSlug, maxPending = MAX_PENDING } = options;
  const views = new Map<string, BottleView>();
  return {
    slugs: () => [...views.keys()],
    refresh(): Overview {
      const { slugs, refused } = listBottles(root);
      const wanted = slugs.filter((slug) => bottleSlug === undefined || slug === bottleSlug);
      for (const slug of views.keys()) if (!wanted.includes(slug)) views.delete(slug);
      const pending: PendingProposal[] = [];
      const foreignAnswers: ForeignAnswer[] = [];
      const unlisted: UnlistedInBottle[] = [];
      const unreadable: UnreadableInBottle[] = refused
        .filter(({ name }) => bottleSlug === undefined || name === bottleSlug)
        .map(({ name, reason }) => ({ bottleSlug: name, file: ".", reason }));
      for (const slug of wanted) {
        const view = views.get(slug) ?? openView(slug, root, maxPending);
        views.set(slug, view);
        const { listing, foreign } = refreshOrReport(view);
        foreignAnswers.push(...foreign.named);
        if (foreign.more > 0) {
          const reason = `${foreign.more} more answers stand there without a record`;
          unreadable.push({ bottleSlug: slug, file: ".", reason });
        }
        for (const entry of listing.pending) pending.push(entry);
        if (listing.unlisted > 0) unlisted.push({ bottleSlug: slug, count: listing.unlisted });
        for (const file of listing.unreadable) unreadable.push({ bottleSlug: slug, ...file });
      }
      return { pending: pending.sort(comparePending), foreignAnswers, unlisted, unreadable };
    },
  };
}

/** One bottle's queue, and the answers in it. */
interface BottleView {
  readonly queueDir: string;
  readonly queue: QueueView;
  readonly foreign: (names: Iterable<string>) => ForeignAnswers;
}

function openView(bottleSlug: string, root: string, maxPending: number): BottleView {
  const queueDir = queueDirForSlug(bottleSlug, root);
  const queue = openQueueView(queueDir, { bottleSlug, maxPending });
  return { queueDir, queue, foreign: openForeignView(bottleSlug, root) };
}

/** One bottle's trouble must not hide what the others ask. */
function refreshOrReport(
  { queueDir, queue, foreign }: BottleView,
): { readonly listing: QueueListing; readonly foreign: ForeignAnswers } {
  try {
    const names = new Set(listNames(queueDir));
    return { listing: queue.refresh(names), foreign: foreign(names) };
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    const unreadable = [{ file: ".", reason: error.reason }];
    return { listing: { pending: [], unlisted: 0, unreadable }, foreign: { named: [], more: 0 } };
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
  return openViews(options).refresh();
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
  let wake = Promise.withResolvers<void>();
  const onChange = () => wake.resolve();
  signal?.addEventListener("abort", onChange);

  /** One watch for `queue/` itself, and one for each bottle's directory. */
  function watchDirectories(): void {
    const wanted = new Set([
      queueRoot(root),
      ...views.slugs().map((slug) => queueDirForSlug(slug, root)),
    ]);
    for (const [dir, stop] of stops) {
      if (wanted.has(dir)) continue;
      stop();
      stops.delete(dir);
    }
    for (const dir of wanted) {
      if (!stops.has(dir)) stops.set(dir, watchNames(dir, pollIntervalMs, onChange));
    }
  }

  try {
    let delivered: Overview | undefined;
    while (signal?.aborted !== true) {
      wake = Promise.withResolvers<void>();
      const latest = views.refresh();
      watchDirectories();
      if (!sameListing(delivered, latest)) {
        delivered = latest;
        yield latest;
        continue;
      }
      await wake.promise;
    }
  } finally {
    for (const stop of stops.values()) stop();
    signal?.removeEventListener("abort", onChange);
  }
}
