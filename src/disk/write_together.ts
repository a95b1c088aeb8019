/**
 * Writes and moves files for many callers at once. Their syncs run at the same time, off the main thread,
 * where many cost little more than one; no call returns before its own are over.
 *
 * @module
 */

import { ensureDirectory, openNew, removeQuietly, stagedName, writeFully } from "./write.ts";
import { dirname, join } from "@std/path";

/** Makes one change to a directory's names, and gives what that gave. */
export type ChangeNames = <T>(change: () => T) => T;

/** A change to names, and how its caller hears that it is on disk. */
interface Change {
  /** Writes the file that the change is about, if there is one. */
  readonly stage?: () => Deno.FsFile;
  /** Changes the names. */
  readonly make: () => void;
  /** Takes back what {@linkcode Change.stage} has done. */
  readonly undo?: () => void;
  /** The directories whose names it changes, in the order in which they must reach the disk. */
  readonly dirs: readonly string[];
}

interface Waiting extends Change {
  readonly done: PromiseWithResolvers<void>;
}

/** How many changes share one round of syncs: each may need an open file. */
const MAX_CHANGES = 64;

const waiting: Waiting[] = [];

let hasRounds = false;

/**
 * Makes a change together with others that are wanted at the same time, and returns once it is on disk.
 * Many syncs cost little more than one if the file system gets them at once and off the main thread.
 */
async function changeWithOthers(change: Change): Promise<void> {
  const done = Promise.withResolvers<void>();
  waiting.push({ ...change, done });
  if (!hasRounds) void runRounds();
  await done.promise;
}

async function runRounds(): Promise<void> {
  hasRounds = true;
  await Promise.resolve(); // What is wanted in the same turn is in the first round.
  while (waiting.length > 0) await runRound(waiting.splice(0, MAX_CHANGES));
  hasRounds = false;
}

async function runRound(round: readonly Waiting[]): Promise<void> {
  const failed = new Set<Waiting>();
  const fail = (change: Waiting, error: unknown) => {
    failed.add(change);
    change.undo?.();
    change.done.reject(error);
  };
  /** Does one thing for each change that has not failed. */
  const each = async (act: (change: Waiting) => Promise<void> | void) => {
    const acts = round.filter((change) => !failed.has(change)).map(async (change) => {
      try {
        await act(change);
      } catch (error) {
        fail(change, error);
      }
    });
    await Promise.all(acts);
  };

  const staged = new Map<Waiting, Deno.FsFile>();
  // Everything is written before the first sync: creating a file waits for a sync under way.
  await each((change) => {
    const file = change.stage?.();
    if (file !== undefined) staged.set(change, file);
  });
  await each((change) => staged.get(change)?.syncData());
  for (const file of staged.values()) file.close();
  await each((change) => change.make());
  for (const turn of [0, 1]) {
    const syncs = new Map<string, Promise<void>>();
    await each(({ dirs }) => {
      const dir = dirs[turn];
      if (dir === undefined) return;
      if (!syncs.has(dir)) syncs.set(dir, syncNamesInBackground(dir));
      return syncs.get(dir);
    });
  }
  for (const change of round) if (!failed.has(change)) change.done.resolve();
}

async function syncNamesInBackground(dir: string): Promise<void> {
  using handle = Deno.openSync(dir, { read: true });
  await handle.sync();
}

/**
 * Does what {@linkcode replaceFile} does, for many writers at once: their syncs run at the same time, off
 * the main thread, and one fsync of the directory comes after all their renames. No call returns before
 * it: ten writes at once are as durable as ten in a row.
 *
 * @param path The name; its directory is created if missing.
 * @param change Makes each change to the directory's names, for a caller that keeps track of them.
 */
export function replaceFileWithOthers(
  path: string,
  bytes: Uint8Array,
  change: ChangeNames = (make) => make(),
): Promise<void> {
  const staged = stagedName(path, crypto.randomUUID());
  return changeWithOthers({
    stage() {
      const file = change(() => openNew(staged));
      try {
        writeFully(file, bytes);
        return file;
      } catch (error) {
        file.close();
        throw error;
      }
    },
    make: () => change(() => Deno.renameSync(staged, path)),
    undo: () => removeQuietly(staged),
    dirs: [dirname(path)],
  });
}

/**
 * Moves files from one directory to another. Missing ones are skipped; a file that has the name there
 * is replaced. Calls at the same time share their syncs.
 *
 * `rename` each, then `fsync` both directories. A crash leaves each file in one of the two.
 *
 * @param to The directory they go to; created if missing.
 * @param change Makes each change to the names, for a caller that keeps track of them.
 */
export function moveFiles(
  names: readonly string[],
  from: string,
  to: string,
  change: ChangeNames = (make) => make(),
): Promise<void> {
  const move = () => {
    ensureDirectory(to);
    for (const name of names) {
      try {
        Deno.renameSync(join(from, name), join(to, name));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  };
  return changeWithOthers({ make: () => change(move), dirs: [to, from] });
}
