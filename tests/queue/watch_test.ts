import {
  queueDirForSlug,
  type QueueListing,
  watchEvents,
  watchPending,
  writeProposal,
} from "../../mod.ts";
import { watchNames } from "../../src/disk/watch.ts";
import { sampleProposal } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { setTimeout as sleep } from "node:timers/promises";

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

Deno.test("watchPending() sees 40,000 files that came while it was blocked", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("queue"));
  const model = await writeProposal(dir.path, sampleProposal({ id: "ID" }));
  await Deno.rename(model, dir.at("p.json"));
  using end = safety();
  const listings = watchPending(dir.at("queue"), { signal: end.signal });
  assertEquals((await listings.next()).value?.pending, []);
  floodWhileBlocked(dir, 40_000);
  await readUntil(
    listings,
    ({ pending, unlisted }) => pending.length === 1_000 && unlisted === 39_000,
  );
  // The watch still works: what comes after the burst is seen.
  await writeProposal(dir.at("queue"), sampleProposal({ id: "after" }));
  await readUntil(listings, ({ unlisted }) => unlisted === 39_001);
  await listings.return();
});

Deno.test("watchPending() sees what is in a directory that was made anew", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await writeProposal(queue, sampleProposal({ id: "p1" }));
  using end = safety();
  const listings = watchPending(queue, { signal: end.signal });
  await listings.next();
  for (const id of ["p2", "p3"]) {
    await Deno.remove(queue, { recursive: true });
    await writeProposal(queue, sampleProposal({ id }));
    const has = ({ pending: [first] }: QueueListing) => first?.proposal.id === id;
    await readUntil(listings, has);
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

for (const [what, watchFs] of [["throws", brokenWatcher], ["is silent", silentWatcher]] as const) {
  Deno.test(`watchPending() sees what comes while the system's watcher ${what}`, async () => {
    await using dir = await tempDir();
    using _ = replaceWatchFs(watchFs);
    using end = safety();
    const listings = watchPending(dir.path, { signal: end.signal });
    await listings.next();
    for (const id of ["p1", "p2"]) {
      await writeProposal(dir.path, sampleProposal({ id }));
      const has = ({ pending }: QueueListing) => pending.some(({ proposal }) => proposal.id === id);
      await readUntil(listings, has);
    }
    await listings.return();
  });
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

Deno.test("watchNames() arms again when the directory is made anew, with the same inode too", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await Deno.mkdir(queue);
  using armed = countWatchers();
  let look = Promise.withResolvers<void>();
  const stop = watchNames(queue, 20, () => look.resolve());
  const looks = async (count: number) => {
    for (; count > 0; count--) {
      await look.promise;
      look = Promise.withResolvers();
    }
  };
  await looks(3);
  assertEquals(armed.count(), 1);
  // Within one turn, so that no look comes between; the new one often gets the inode of the old.
  Deno.removeSync(queue);
  Deno.mkdirSync(queue);
  await looks(3);
  assertEquals(armed.count(), 2);
  stop();
});

Deno.test("watchNames() arms one watcher a directory, whoever watches", async () => {
  await using dir = await tempDir();
  using armed = countWatchers();
  const looks = Array.from({ length: 100 }, () => Promise.withResolvers<void>());
  const stops = looks.map(({ resolve }) => watchNames(dir.path, 2 ** 30, () => resolve()));
  await Promise.all(looks.map(({ promise }) => promise));
  assertEquals(armed.count(), 1);
  stops.forEach((stop) => stop());
});

/** How long a directory must stand still before it is taken at its word, and a little more. */
const SETTLES_MS = 3_000;

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
  using _ = replaceWatchFs(silentWatcher);
  using lists = countLists(dir.path);
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  let told = 0;
  let latest: ReadonlySet<string> = new Set();
  const stop = watchNames(dir.path, 20, (names) => {
    told++;
    latest = names;
  });
  const seen = async (name: string) => {
    using end = safety();
    while (!latest.has(name)) {
      assert(!end.signal.aborted, `${name} is not seen`);
      await sleep(5);
    }
  };
  const now = performance.now;
  try {
    await seen("p1.proposal.json");
    await sleep(SETTLES_MS);
    const [still, before, toldBefore] = [latest, lists.count(), told];
    await sleep(500);
    assertEquals(lists.count(), before);
    assert(told > toldBefore, "what is in the files may have changed");
    assert(latest === still);
    await writeProposal(dir.path, sampleProposal({ id: "p2" }));
    await seen("p2.proposal.json");
    // On a coarse file system the directory has the same time after the next one came.
    const time = new Date();
    for (const name of ["a", "b", "c", "d", "e"]) {
      Deno.writeTextFileSync(dir.at(name), "");
      Deno.utimeSync(dir.path, time, time);
      await seen(name);
    }
    // Where no time is kept at all, ten seconds are the most.
    await sleep(SETTLES_MS);
    const settled = lists.count();
    performance.now = () => now.call(performance) + 10_000;
    await sleep(200);
    assert(lists.count() > settled);
  } finally {
    performance.now = now;
    stop();
  }
});

Deno.test("watchNames() goes on listing where there are no events", async () => {
  await using dir = await tempDir();
  using _ = replaceWatchFs(brokenWatcher);
  using lists = countLists(dir.path);
  const stop = watchNames(dir.path, 20, () => {});
  await sleep(SETTLES_MS);
  const before = lists.count();
  await sleep(500);
  assert(lists.count() > before);
  stop();
});

Deno.test("watchEvents() sees a bottle that comes after a long time without, though the system's watcher is silent", async () => {
  await using dir = await tempDir();
  using _ = replaceWatchFs(silentWatcher);
  using end = safety();
  const events = watchEvents({ root: dir.path, signal: end.signal });
  for (const bottleSlug of ["dev-1", "dev-2"]) {
    const arrives = events.next();
    await sleep(SETTLES_MS);
    await writeProposal(
      queueDirForSlug(bottleSlug, { root: dir.path }),
      sampleProposal({ bottleSlug }),
    );
    const { value } = await arrives;
    assertEquals([value?.event, value?.bottleSlug], ["arrived", bottleSlug]);
  }
  await events.return();
});
