/**
 * Tells what is in a directory as it changes, and when one file of it may be there.
 *
 * Every watched directory is looked at once an interval. All watchers of a directory share one look, so a
 * thousand of them cost what one does. A directory that does not change is not listed again: a look at
 * its stamp is enough, and hundreds of idle ones cost next to nothing.
 *
 * Only who waits for a file in its own queue gets file system events besides. `Deno.watchFs` opens what
 * an event names: it follows links and waits for FIFOs, and while it waits, the next `Deno.watchFs` of the
 * process hangs for ever. Events come fast, but some get lost: in bursts, when a directory is made anew,
 * on some mounts. So an event means no more than "look again".
 *
 * @module
 */

import { type KnownNames, openNames } from "./known_names.ts";
import { directoryIdentity, stampOfFile } from "./read_untrusted.ts";
import { basename } from "@std/path";
import { clearImmediate, setImmediate } from "node:timers";

/** How often a directory is looked at when no event says to, in milliseconds. */
export const DEFAULT_POLL_INTERVAL_MS = 500;

/** A timer for longer than this would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** From how many files on one list of the directory costs less than a look at each of them. */
const MANY_FILES = 128;

/**
 * Called with the names in the directory, or with the error that kept them from being read. It is the
 * same set as before if nothing can have come or gone.
 */
export type OnNames = (names: ReadonlySet<string>, error?: unknown) => void;

const NO_NAMES: ReadonlySet<string> = new Set();

interface Watcher {
  readonly intervalMs: number;
  readonly tell: OnNames;
}

/**
 * For how many times as long as a look took there is no other one. A directory of a million names takes
 * seconds, and a program that changes it all the time would leave no time for other bottles or for keys.
 */
const RESTS = 4;

/** The key of those who want all names; no file is called that. */
const ALL = "";

/** One directory, and everybody who wants to know what is in it. */
interface DirectoryWatch {
  readonly dir: string;
  /** By the name of the file that they wait for. */
  readonly watchers: Map<string, Set<Watcher>>;
  events: Deno.FsWatcher | undefined;
  armedOn: string | undefined;
  readonly known: KnownNames;
  /** What was listed last; nothing if an event came since, or if that failed. */
  names: ReadonlySet<string> | undefined;
  /** The next look, and after how long it comes. */
  timer: ReturnType<typeof setTimeout> | undefined;
  intervalMs: number;
  /** Before this time of `performance.now()` there is no other look. */
  restsUntilMs: number;
  /** What is to be done in the next turn: a look, or a look at single files. */
  soon: ReturnType<typeof setImmediate> | undefined;
  lookDue: boolean;
  readonly filesDue: Set<string>;
}

const watches = new Map<string, DirectoryWatch>();

/**
 * Calls a function with the names in a directory, which others may write: once soon, then at every
 * interval, and later if the last look took long. Calls never overlap. A directory that does not exist
 * yet has no names.
 *
 * Needs `--allow-read` for the directory.
 *
 * @param onNames What to call. It must not throw.
 */
export function watchNames(dir: string, pollIntervalMs: number, onNames: OnNames): () => void {
  return join(dir, ALL, { intervalMs: pollIntervalMs, tell: onNames });
}

/**
 * Calls a function whenever a file may be there, or may have changed: soon if it is there already,
 * after an event that names it, and at every interval while it is there. How many other files there are
 * makes no difference to an event. Only the user of this process and those it trusts may write there.
 *
 * Needs `--allow-read` for the directory.
 *
 * @param onThere What to call. It must not throw, and must expect the file to be gone again.
 */
export function watchFile(
  dir: string,
  name: string,
  pollIntervalMs: number,
  onThere: () => void,
): () => void {
  return join(dir, name, { intervalMs: pollIntervalMs, tell: () => onThere() });
}

function join(dir: string, name: string, watcher: Watcher): () => void {
  const watch = watches.get(dir) ?? openWatch(dir);
  const others = watch.watchers.get(name);
  if (others === undefined) watch.watchers.set(name, new Set([watcher]));
  else others.add(watcher);
  // Watch first, then look: what arrives in between is an event.
  if (watch.events === undefined) arm(watch);
  if (name === ALL) lookSoon(watch);
  else lookAtFileSoon(watch, name);
  if (watcher.intervalMs < watch.intervalMs) lookWithin(watch, watcher.intervalMs);
  return () => {
    const group = watch.watchers.get(name);
    if (group?.delete(watcher) !== true || group.size > 0) return;
    watch.watchers.delete(name);
    if (watch.watchers.size === 0) close(watch);
  };
}

function openWatch(dir: string): DirectoryWatch {
  const watch: DirectoryWatch = {
    dir,
    watchers: new Map(),
    events: undefined,
    armedOn: undefined,
    known: openNames(dir),
    names: undefined,
    timer: undefined,
    intervalMs: Infinity,
    restsUntilMs: 0,
    soon: undefined,
    lookDue: false,
    filesDue: new Set(),
  };
  watches.set(dir, watch);
  return watch;
}

function close(watch: DirectoryWatch): void {
  watches.delete(watch.dir);
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

/** Whether somebody waits for a file in it. */
function isOwnQueue({ watchers }: DirectoryWatch): boolean {
  return watchers.size > (watchers.has(ALL) ? 1 : 0);
}

/** Sets up events for an own queue as it is now; without them the interval has to do. */
function arm(watch: DirectoryWatch): void {
  if (!isOwnQueue(watch)) return;
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
    // No more inotify watches, or gone again: the next look tries again.
  }
}

async function listen(watch: DirectoryWatch, events: Deno.FsWatcher): Promise<void> {
  const ownName = basename(watch.dir);
  try {
    for await (const { flag, paths } of events) {
      watch.names = undefined;
      const names = paths.map((path) => basename(path));
      // An event that names no file in the directory, or says that others were lost, may mean any.
      const isVague = flag === "rescan" || names.length === 0 || names.includes(ownName);
      if (isVague) lookSoon(watch);
      for (const name of names) if (watch.watchers.has(name)) lookAtFileSoon(watch, name);
    }
  } catch {
    // The next look notices that the directory is another one, and arms again.
    if (watch.events === events) disarm(watch);
  }
}

function isResting({ restsUntilMs }: DirectoryWatch): boolean {
  return performance.now() < restsUntilMs;
}

/** Any number of events before the look make one look. */
function lookSoon(watch: DirectoryWatch): void {
  if (watch.watchers.size === 0) return; // An event that was on its way when the last one left.
  watch.names = undefined;
  watch.lookDue = true;
  if (isResting(watch)) return lookWithin(watch, 0);
  watch.soon ??= setImmediate(() => doWhatIsDue(watch));
}

function lookAtFileSoon(watch: DirectoryWatch, name: string): void {
  watch.filesDue.add(name);
  watch.soon ??= setImmediate(() => doWhatIsDue(watch));
}

function doWhatIsDue(watch: DirectoryWatch): void {
  watch.soon = undefined;
  const files = [...watch.filesDue];
  watch.filesDue.clear();
  if (watch.lookDue && !isResting(watch) || files.length > MANY_FILES) return look(watch);
  for (const name of files) {
    if (stampOfFile(`${watch.dir}/${name}`) !== undefined) tell(watch, name, NO_NAMES);
  }
}

/**
 * Whether nothing has come or gone since the names were listed: neither an event nor the stamp says so.
 * Where an agent waits and there are no events, the stamp alone is not believed.
 */
function standsStill(watch: DirectoryWatch): boolean {
  const { events, names, known } = watch;
  if (events === undefined && isOwnQueue(watch)) return false;
  return names !== undefined && !known.mayDiffer() && known.isSettled();
}

function look(watch: DirectoryWatch): void {
  const startedMs = performance.now();
  watch.lookDue = false;
  let error: unknown;
  if (!standsStill(watch)) {
    arm(watch);
    try {
      watch.names = watch.known.list();
    } catch (thrown) {
      watch.names = undefined;
      error = thrown;
    }
  }
  const names = watch.names ?? NO_NAMES;
  for (const name of [...watch.watchers.keys()]) {
    if (name === ALL || names.has(name)) tell(watch, name, names, error);
  }
  let intervalMs = Infinity;
  for (const group of watch.watchers.values()) {
    for (const watcher of group) intervalMs = Math.min(intervalMs, watcher.intervalMs);
  }
  const endedMs = performance.now();
  watch.restsUntilMs = endedMs + RESTS * (endedMs - startedMs);
  if (watch.watchers.size > 0) lookWithin(watch, watch.lookDue ? 0 : intervalMs);
}

function tell(
  watch: DirectoryWatch,
  name: string,
  names: ReadonlySet<string>,
  error?: unknown,
): void {
  for (const watcher of [...watch.watchers.get(name) ?? []]) watcher.tell(names, error);
}

function lookWithin(watch: DirectoryWatch, intervalMs: number): void {
  clearTimeout(watch.timer);
  const restMs = watch.restsUntilMs - performance.now();
  watch.intervalMs = Math.min(LONGEST_TIMER_MS, Math.max(intervalMs, restMs));
  watch.timer = setTimeout(() => look(watch), watch.intervalMs);
}
