/**
 * Learns what is in a directory as it changes. File system events are fast but get lost: in bursts,
 * when a directory is made anew, on some mounts. So an event only means "look again", and a look is
 * taken at every interval all the same. All watchers of one directory in one process share one
 * watch and one look, so that a thousand waiters cost what one does.
 *
 * @module
 */

import { clearImmediate, setImmediate } from "node:timers";
import { directoryIdentity, listNames } from "./untrusted.ts";

/** How often a directory is looked at when no event says to, in milliseconds. */
export const DEFAULT_POLL_INTERVAL_MS = 500;

/** A timer for longer than this would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Called with the names in the directory, or with the error that kept them from being read. */
export type OnNames = (names: ReadonlySet<string>, error?: unknown) => void;

/** One directory, and everybody who wants to know what is in it. */
interface DirectoryWatch {
  readonly dir: string;
  readonly subscribers: Map<OnNames, number>;
  events: Deno.FsWatcher | undefined;
  armedOn: string | undefined;
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
  watch.soon ??= setImmediate(() => look(watch));
}

function look(watch: DirectoryWatch): void {
  clearTimeout(watch.timer);
  clearImmediate(watch.soon);
  watch.soon = undefined;
  arm(watch);
  let names: ReadonlySet<string> = new Set();
  let error: unknown;
  try {
    names = new Set(listNames(watch.dir));
  } catch (thrown) {
    error = thrown;
  }
  for (const onNames of [...watch.subscribers.keys()]) onNames(names, error);
  if (watch.subscribers.size === 0) return;
  watch.timer = setTimeout(
    () => look(watch),
    Math.min(LONGEST_TIMER_MS, ...watch.subscribers.values()),
  );
}
