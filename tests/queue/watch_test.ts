import {
  DEFAULT_POLL_INTERVAL_MS,
  queueDirForSlug,
  type QueueListing,
  watchEvents,
  watchPending,
  writeProposal,
} from "../../mod.ts";
import { watchFile, watchNames } from "../../src/disk/watch.ts";
import { sampleProposal } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";

/** Far more than any of this takes: a watch that misses something fails instead of hanging. */
const SAFETY_MS = 60_000;

/** Ends what waits too long. Always disposed of, so that no timer is left. */
function safety(): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), SAFETY_MS);
  return { signal: end.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Blocks this thread while another process floods the directory, so that events are lost. */
function floodWhileBlocked(dir: TempDir, count: number): void {
  const program = `const text = Deno.readTextFileSync("${dir.at("p.json")}");
    for (let n = 0; n < ${count}; n++) {
      Deno.writeTextFileSync(\`${
    dir.at("queue")
  }/p\${n}.proposal.json\`, text.replace("ID", "p" + n));
    }`;
  Deno.writeTextFileSync(dir.at("flood.js"), program);
  const args = ["run", "-A", "--no-config", "--quiet", dir.at("flood.js")];
  const { success } = new Deno.Command("deno", { args }).outputSync();
  assert(success);
}

/** Reads listings until one is as expected. */
async function readUntil(
  listings: AsyncIterator<QueueListing, void>,
  expected: (listing: QueueListing) => boolean,
): Promise<void> {
  while (true) {
    const { value } = await listings.next();
    assert(value !== undefined, "the watch missed what it should have seen");
    if (expected(value)) return;
  }
}

/** Counts the looks at a directory, to the end of the block; it causes one, and no others. */
function countLooks(dir: string): Disposable & {
  /** How many there were since the last call. */
  readonly take: () => number;
  /** Waits for so many more. */
  readonly next: (count: number) => Promise<void>;
} {
  let looks = 0;
  let look = Promise.withResolvers<void>();
  const stop = watchNames(dir, 2 ** 30, () => {
    looks++;
    look.resolve();
    look = Promise.withResolvers();
  });
  return {
    take: () => {
      const taken = looks;
      looks = 0;
      return taken;
    },
    next: async (count) => {
      for (; count > 0; count--) await look.promise;
    },
    [Symbol.dispose]: stop,
  };
}

Deno.test("watchPending() looks twice a second unless told otherwise", async () => {
  await using dir = await tempDir();
  const setTimer = globalThis.setTimeout;
  const delaysMs: unknown[] = [];
  globalThis.setTimeout = ((run: () => void, delayMs: number) => {
    delaysMs.push(delayMs);
    return setTimer(run, delayMs);
  }) as typeof globalThis.setTimeout;
  try {
    const listings = watchPending(dir.path);
    await listings.next();
    await listings.return();
  } finally {
    globalThis.setTimeout = setTimer;
  }
  assertEquals([...new Set(delaysMs)], [500]);
  assertEquals(DEFAULT_POLL_INTERVAL_MS, 500);
});

Deno.test("watchPending() sees with one look 40,000 files that came while it was blocked", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("queue"));
  const model = await writeProposal(dir.path, sampleProposal({ id: "ID" }));
  await Deno.rename(model, dir.at("p.json"));
  using end = safety();
  const listings = watchPending(dir.at("queue"), { signal: end.signal });
  assertEquals((await listings.next()).value?.pending, []);
  using looks = countLooks(dir.at("queue"));
  await looks.next(1);
  looks.take();
  floodWhileBlocked(dir, 40_000);
  await readUntil(
    listings,
    ({ pending, unlisted }) => pending.length === 1_000 && unlisted === 39_000,
  );
  assertEquals(looks.take(), 1);
  // The watch still works: what comes after the burst is seen.
  await writeProposal(dir.at("queue"), sampleProposal({ id: "after" }));
  looks.take();
  await readUntil(listings, ({ unlisted }) => unlisted === 39_001);
  assert(looks.take() <= 1);
  await listings.return();
});

Deno.test("watchPending() sees with one look what is in a directory that was made anew", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await writeProposal(queue, sampleProposal({ id: "p1" }));
  using end = safety();
  const listings = watchPending(queue, { signal: end.signal });
  await listings.next();
  using looks = countLooks(queue);
  for (const id of ["p2", "p3"]) {
    await Deno.remove(queue, { recursive: true });
    await writeProposal(queue, sampleProposal({ id }));
    looks.take();
    const has = ({ pending: [first] }: QueueListing) => first?.proposal.id === id;
    await readUntil(listings, has);
    assert(looks.take() <= 1);
  }
  await listings.return();
});

/** Puts another `Deno.watchFs` in place, to the end of the block. */
function replaceWatchFs(watchFs: typeof Deno.watchFs): Disposable {
  const original = Deno.watchFs;
  Deno.watchFs = watchFs;
  return {
    [Symbol.dispose]() {
      Deno.watchFs = original;
    },
  };
}

/** A watcher to which nothing ever happens. */
function silentWatcher(): Deno.FsWatcher {
  return {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    close() {},
  } as unknown as Deno.FsWatcher;
}

function brokenWatcher(): Deno.FsWatcher {
  throw new Deno.errors.NotSupported("no watcher here");
}

/** Counts how often `Deno.watchFs` is called, to the end of the block. */
function countWatchers(): Disposable & { readonly count: () => number } {
  const watchFs = Deno.watchFs;
  let called = 0;
  const replaced = replaceWatchFs((...args) => {
    called++;
    return watchFs(...args);
  });
  return { ...replaced, count: () => called };
}

Deno.test("watchPending() sees with one look what comes, without a system's watcher", async () => {
  await using dir = await tempDir();
  using armed = countWatchers();
  using end = safety();
  const listings = watchPending(dir.path, { signal: end.signal });
  await listings.next();
  using looks = countLooks(dir.path);
  await looks.next(1);
  for (const id of ["p1", "p2"]) {
    await writeProposal(dir.path, sampleProposal({ id }));
    looks.take();
    const has = ({ pending }: QueueListing) => pending.some(({ proposal }) => proposal.id === id);
    await readUntil(listings, has);
    assert(looks.take() <= 1);
  }
  await listings.return();
  assertEquals(armed.count(), 0);
});

Deno.test("watchFile() arms again when the directory is made anew, with the same inode too", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await Deno.mkdir(queue);
  using armed = countWatchers();
  const stop = watchFile(queue, "a", 20, () => {});
  using looks = countLooks(queue);
  await looks.next(3);
  assertEquals(armed.count(), 1);
  // Within one turn, so that no look comes between; the new one often gets the inode of the old.
  Deno.removeSync(queue);
  Deno.mkdirSync(queue);
  await looks.next(3);
  assertEquals(armed.count(), 2);
  stop();
});

Deno.test("watchFile() arms one watcher a directory, whoever watches", async () => {
  await using dir = await tempDir();
  Deno.writeTextFileSync(dir.at("a"), "");
  using armed = countWatchers();
  const looks = Array.from({ length: 100 }, () => Promise.withResolvers<void>());
  const stops = looks.map(({ resolve }) => watchFile(dir.path, "a", 2 ** 30, resolve));
  await Promise.all(looks.map(({ promise }) => promise));
  assertEquals(armed.count(), 1);
  stops.forEach((stop) => stop());
});

/** How long a directory must stand still before its stamp is trusted, and a little more. */
const SETTLES_MS = 3_000;

/** Puts the clock of this process forward, to the end of the block. */
function openClock(): Disposable & { readonly pass: (ms: number) => void } {
  const now = performance.now;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  return {
    pass: (ms) => void (aheadMs += ms),
    [Symbol.dispose]() {
      performance.now = now;
    },
  };
}

/** Counts how often a directory is listed, to the end of the block. */
function countLists(dir: string): Disposable & { readonly count: () => number } {
  const readDirSync = Deno.readDirSync;
  let listed = 0;
  Deno.readDirSync = (path) => {
    if (path === dir) listed++;
    return readDirSync(path);
  };
  return {
    count: () => listed,
    [Symbol.dispose]() {
      Deno.readDirSync = readDirSync;
    },
  };
}

Deno.test("watchNames() lists no directory that stands still, and misses nothing in it all the same", async () => {
  await using dir = await tempDir();
  using clock = openClock();
  using lists = countLists(dir.path);
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  let told = 0;
  let latest: ReadonlySet<string> = new Set();
  const stop = watchNames(dir.path, 20, (names) => {
    told++;
    latest = names;
  });
  using looks = countLooks(dir.path);
  await looks.next(2);
  assert(latest.has("p1.proposal.json"));
  clock.pass(SETTLES_MS);
  await looks.next(2);
  const [still, before, toldBefore] = [latest, lists.count(), told];
  await looks.next(10);
  assertEquals(lists.count(), before);
  assertEquals(told, toldBefore + 10, "what is in the files may have changed");
  assert(latest === still);
  await writeProposal(dir.path, sampleProposal({ id: "p2" }));
  await looks.next(1);
  assert(latest.has("p2.proposal.json"));
  // On a coarse file system the directory has the same time after the next one came.
  const time = new Date();
  for (const name of ["a", "b", "c", "d", "e"]) {
    Deno.writeTextFileSync(dir.at(name), "");
    Deno.utimeSync(dir.path, time, time);
    await looks.next(1);
    assert(latest.has(name));
  }
  // Where no time is kept at all, ten seconds are the most.
  clock.pass(SETTLES_MS);
  await looks.next(2);
  const settled = lists.count();
  await looks.next(5);
  assertEquals(lists.count(), settled);
  clock.pass(10_000);
  await looks.next(1);
  assertEquals(lists.count(), settled + 1);
  stop();
});

Deno.test("watchFile() goes on listing where there are no events", async () => {
  await using dir = await tempDir();
  using _ = replaceWatchFs(brokenWatcher);
  using clock = openClock();
  using lists = countLists(dir.path);
  const stop = watchFile(dir.path, "a", 20, () => {});
  using looks = countLooks(dir.path);
  await looks.next(2);
  clock.pass(SETTLES_MS);
  await looks.next(2);
  const before = lists.count();
  await looks.next(5);
  assertEquals(lists.count(), before + 5);
  stop();
});

/** An event source that the test feeds. */
function fedWatcher(): Deno.FsWatcher & { readonly feed: (event: Partial<Deno.FsEvent>) => void } {
  let next = Promise.withResolvers<IteratorResult<Deno.FsEvent>>();
  return {
    [Symbol.asyncIterator]: () => ({ next: () => next.promise }),
    close() {},
    feed(event: Partial<Deno.FsEvent>) {
      const value = { kind: "create", paths: [], ...event } as Deno.FsEvent;
      const { resolve } = next;
      next = Promise.withResolvers();
      resolve({ done: false, value });
    },
  } as unknown as ReturnType<typeof fedWatcher>;
}

/** Lets everything run that is due. */
const turns = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

Deno.test("watchFile() looks for its file alone when an event names it, and lists nothing", async () => {
  await using dir = await tempDir();
  const watcher = fedWatcher();
  using _ = replaceWatchFs(() => watcher);
  using lists = countLists(dir.path);
  let there = 0;
  const stop = watchFile(dir.path, "a", 2 ** 30, () => there++);
  await turns();
  Deno.writeTextFileSync(dir.at("b"), "");
  watcher.feed({ paths: [dir.at("b")] });
  await turns();
  watcher.feed({ paths: [dir.at("a")] });
  await turns();
  assertEquals(there, 0, "neither an event of another file, nor one of a file that is gone again");
  Deno.writeTextFileSync(dir.at("a"), "");
  watcher.feed({ paths: [dir.at("b"), dir.at("a")] });
  await turns();
  assertEquals([there, lists.count()], [1, 0]);
  stop();
});

Deno.test.each<readonly [string, (dir: TempDir) => Partial<Deno.FsEvent>]>([
  ["an event that says that others were lost", (dir) => ({ flag: "rescan", paths: [dir.path] })],
  ["an event of the directory itself", (dir) => ({ paths: [dir.path] })],
  ["an event without a name", () => ({})],
  ["events of many files at once", (dir) => ({
    paths: Array.from({ length: 200 }, (_, n) => dir.at(`f${n}`)),
  })],
])("watchFile() lists the directory after %s", async (_, eventOf) => {
  await using dir = await tempDir();
  const watcher = fedWatcher();
  using __ = replaceWatchFs(() => watcher);
  using lists = countLists(dir.path);
  const there = new Set<string>();
  // The look may have to wait, because the first one took long.
  const found = Promise.withResolvers<void>();
  const stops = Array.from({ length: 200 }, (_, n) => `f${n}`)
    .map((name) =>
      watchFile(dir.path, name, 2 ** 30, () => {
        if (there.add(name).size === 3) found.resolve();
      })
    );
  await turns();
  const before = lists.count();
  for (const name of ["f1", "f2", "f99"]) Deno.writeTextFileSync(dir.at(name), "");
  watcher.feed(eventOf(dir));
  await found.promise;
  await turns();
  assertEquals([...there].sort(), ["f1", "f2", "f99"]);
  assertEquals(lists.count(), before + 1);
  stops.forEach((stop) => stop());
});

Deno.test("watchFile() finds a file at the next look if no event names it, and one that is there at once", async () => {
  await using dir = await tempDir();
  using _ = replaceWatchFs(silentWatcher);
  Deno.writeTextFileSync(dir.at("a"), "");
  const first = Promise.withResolvers<void>();
  watchFile(dir.path, "a", 2 ** 30, first.resolve)();
  const stop = watchFile(dir.path, "a", 2 ** 30, first.resolve);
  await first.promise;
  const later = Promise.withResolvers<void>();
  const stopLater = watchFile(dir.path, "b", 20, later.resolve);
  await turns();
  Deno.writeTextFileSync(dir.at("b"), "");
  await later.promise;
  stop();
  stopLater();
});

Deno.test("watchEvents() sees a bottle that comes after a long time without, with no system's watcher", async () => {
  await using dir = await tempDir();
  using armed = countWatchers();
  using clock = openClock();
  using end = safety();
  const events = watchEvents({ root: dir.path, signal: end.signal, pollIntervalMs: 20 });
  for (const bottleSlug of ["dev-1", "dev-2"]) {
    const arrives = events.next();
    using looks = countLooks(dir.at("queue"));
    await looks.next(2);
    clock.pass(SETTLES_MS);
    await looks.next(3);
    await writeProposal(
      queueDirForSlug(bottleSlug, { root: dir.path }),
      sampleProposal({ bottleSlug }),
    );
    const { value } = await arrives;
    assertEquals([value?.event, value?.bottleSlug], ["arrived", bottleSlug]);
  }
  await events.return();
  assertEquals(armed.count(), 0);
});

Deno.test("watchPending() gives no new listing after a look that finds the same", async () => {
  await using dir = await tempDir();
  using end = safety();
  const listings = watchPending(dir.path, { signal: end.signal });
  assertEquals((await listings.next()).value?.pending.length, 0);
  const next = listings.next();
  using looks = countLooks(dir.path);
  await looks.next(1); // Of one look the watch under test is told first.
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  assertEquals((await next).value?.pending.length, 1);
  await listings.return();
});

// Threat: B5
Deno.test("watchNames() rests after a look four times as long as it took, whatever happens meanwhile", async () => {
  await using dir = await tempDir();
  const { now } = performance;
  const { setTimeout } = globalThis;
  const timers: { readonly run: () => void; readonly delayMs: number }[] = [];
  const came = Promise.withResolvers<void>();
  let clockMs = 0;
  let looks = 0;
  performance.now = () => clockMs;
  globalThis.setTimeout = ((run: () => void, delayMs: number) => {
    timers.push({ run, delayMs });
    // The watch's own, and the one behind the look.
    if (timers.length === 2) came.resolve();
  }) as unknown as typeof globalThis.setTimeout;
  const stop = watchNames(dir.path, 500, () => {
    looks++;
    clockMs += 1_000;
  });
  let stopOther = () => {};
  try {
    await came.promise;
    // A new watcher wants a look soon, as after an event.
    stopOther = watchNames(dir.path, 500, () => {});
    assertEquals(looks, 1);
    assertEquals(timers.slice(0, 3).map(({ delayMs }) => delayMs), [500, 4_000, 4_000]);
    clockMs += 4_000;
    timers.at(-1)!.run();
    assertEquals(looks, 2);
  } finally {
    stop();
    stopOther();
    Object.assign(globalThis, { setTimeout });
    performance.now = now;
  }
});
