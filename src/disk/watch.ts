/**
 * Learns what is in a directory as it changes. File system events are fast but get lost: in bursts,
 * when a directory is made anew, on some mounts. So an event only means "look again", and a look is
 * taken at every interval all the same. All watchers of one directory in one process share one
 * watch and one look, so that a thousand waiters cost what one does. A directory that stands still is
 * not listed again, but for its stamp being looked at: hundreds of idle ones cost next to nothing.
 *
 * @module
 */

import { directoryIdentity, listNames, stampOfFile } from "./read_untrusted.ts";
import { clearImmediate, setImmediate } from "node:timers";

/** How often a directory is looked at when no event says to, in milliseconds. */
export const DEFAULT_POLL_INTERVAL_MS = 500;

/** A timer for longer than this would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * How long a directory's stamp must have stood when it was listed, for that list to hold while it
 * stands: the coarsest file systems tell two seconds apart.
 */
const SETTLED_MS = 2_500;

/** How often a directory is listed whatever its stamp says: some mounts keep no time for directories. */
const LISTED_EVERY_MS = 10_000;

/**
 * Called with the names in the directory, or with the error that kept them from being read. It is the
 * same set as before if nothing can have come or gone.
 */
export type OnNames = (names: ReadonlySet<string>, error?: unknown) => void;

/** One directory, and everybody who wants to know what is in it. */
interface DirectoryWatch {
  readonly dir: string;
  readonly subscribers: Map<OnNames, number>;
  events: Deno.FsWatcher | undefined;
  armedOn: string | undefined;
  /** Its stamp at the last look, and since when it has been that, on a clock that nobody sets. */
  stamp: string | undefined;
  stampedAt: number;
  /** The names that the last list had, and when; none if an event came since, or it failed. */
  names: ReadonlySet<string> | undefined;
  listedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  soon: ReturnType<typeof setImmediate> | undefined;
}

const watches = new Map<string, DirectoryWatch>();

/**
 * Calls a function with the names in a directory: once soon, then after every event in it, and at
 * every interval. Calls never overlap. A directory that does not exist yet has no names.
 *
 * Needs `--allow-read` for the directory.
 *
 * @param dir The directory.
 * @param pollIntervalMs How often to look without an event.
 * @param onNames What to call. It must not throw.
 * @returns A function that ends it.
 */
export function watchNames(dir: string, pollIntervalMs: number, onNames: OnNames): () => void {
  let watch = watches.get(dir);
  if (watch === undefined) {
    watch = {
      dir,
      subscribers: new Map(),
      events: undefined,
      armedOn: undefined,
      stamp: undefined,
      stampedAt: 0,
      names: undefined,
      listedAt: 0,
      timer: undefined,
      soon: undefined,
    };
    watches.set(dir, watch);
  }
  const joined = watch;
  joined.subscribers.set(onNames, pollIntervalMs);
  // Watch first, then look: what arrives in between is an event.
  arm(joined);
  lookSoon(joined);
  return () => {
    if (joined.subscribers.delete(onNames) && joined.subscribers.size === 0) {
      stop(joined);
    }
  };
}

function stop(watch: DirectoryWatch): void {
  if (watches.get(watch.dir) === watch) watches.delete(watch.dir);
  clearTimeout(watch.timer);
  clearImmediate(watch.soon);
  disarm(watch);
}

function disarm(watch: DirectoryWatch): void {
  watch.armedOn = undefined;
  const events = watch.events;
  watch.events = undefined;
  try {
    events?.close();
  } catch {
    // It ended by itself, with its directory.
  }
}

/** Sets up events for the directory as it is now; without them the interval serves. */
function arm(watch: DirectoryWatch): void {
  let identity: string | undefined;
  try {
    identity = directoryIdentity(watch.dir);
  } catch {
    identity = undefined; // The look reports it.
  }
  if (identity === watch.armedOn) return;
  disarm(watch);
  if (identity === undefined) return;
  try {
    const events = Deno.watchFs(watch.dir, { recursive: false });
    watch.events = events;
    watch.armedOn = identity;
    void listen(watch, events);
  } catch {
    // No more inotify watches, or gone again: the interval serves, and tries again.
  }
}

async function listen(watch: DirectoryWatch, events: Deno.FsWatcher): Promise<void> {
  try {
    for await (const _ of events) lookSoon(watch);
  } catch {
    // The interval notices that the directory is another one, and arms again.
    if (watch.events === events) disarm(watch);
  }
}

/** Any number of events before the look make one look. */
function lookSoon(watch: DirectoryWatch): void {
  if (watch.subscribers.size === 0) return; // An event that was on its way when the last one left.
  watch.names = undefined;
  watch.soon ??= setImmediate(() => look(watch));
}

/**
 * Whether the names are known: neither an event nor the stamp says that any has come or gone since they
 * were listed. Where there are no events, the stamp alone is not believed.
 */
function standsStill(watch: DirectoryWatch): boolean {
  const stamp = stampOfFile(watch.dir);
  const now = performance.now();
  if (stamp !== watch.stamp) {
    watch.stamp = stamp;
    watch.stampedAt = now;
  }
  if (
    watch.events !== undefined && watch.names !== undefined &&
    watch.listedAt - watch.stampedAt >= SETTLED_MS &&
    now - watch.listedAt < LISTED_EVERY_MS
  ) return true;
  watch.listedAt = now;
  return false;
}

function look(watch: DirectoryWatch): void {
  clearTimeout(watch.timer);
  clearImmediate(watch.soon);
  watch.soon = undefined;
  let error: unknown;
  if (!standsStill(watch)) {
    arm(watch);
    try {
      watch.names = new Set(listNames(watch.dir));
    } catch (thrown) {
      watch.names = undefined;
      error = thrown;
    }
  }
  const names = watch.names ?? new Set();
  for (const onNames of [...watch.subscribers.keys()]) onNames(names, error);
  if (watch.subscribers.size === 0) return;
  watch.timer = setTimeout(
    () => look(watch),
    Math.min(LONGEST_TIMER_MS, ...watch.subscribers.values()),
  );
}
