/**
 * Listing a long queue, for the first time and again.
 *
 * @module
 */

import { openQueueView } from "../internal_mod.ts";
import { makeDirectory, makeProposalFiles, placeProposalFiles } from "./fixtures.ts";
import {
  median,
  medianRatio,
  percentile,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const PENDING = 10_000;

/** All of them are to be listed; what is over the usual cap would only be counted. */
const ALL = { maxPending: 2 * PENDING };

const FIRST_ROUNDS = 9;

const REFRESH_ROUNDS = 60;

const MAX_FIRST_RATIO = 6;

const MAX_REFRESH_MS = 30;

/** Kept, so that no compiler may decide that nothing was asked for. */
let found = 0;

function listBare(dir: string): void {
  for (const entry of Deno.readDirSync(dir)) {
    found += JSON.parse(Deno.readTextFileSync(`${dir}/${entry.name}`)).id.length;
  }
}

function readNames(dir: string): void {
  for (const entry of Deno.readDirSync(dir)) found += entry.name.length;
}

async function run(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const { queueDir } = dir;
  const arrivals = await makeProposalFiles(PENDING + REFRESH_ROUNDS + 1);
  placeProposalFiles(queueDir, arrivals.splice(0, PENDING));

  const first = await takeTurns(FIRST_ROUNDS, {
    bare: () => timeMs(() => listBare(queueDir)),
    view: () => timeMs(() => openQueueView(queueDir, ALL).refresh()),
  });

  const view = openQueueView(queueDir, ALL);
  view.refresh();
  const again = await takeTurns(REFRESH_ROUNDS, {
    bare: () => timeMs(() => readNames(queueDir)),
    view: () => {
      placeProposalFiles(queueDir, arrivals.splice(0, 1));
      return timeMs(() => view.refresh());
    },
  });
  const expected = PENDING + REFRESH_ROUNDS + 1;
  const seen = view.refresh().pending.length;
  if (seen !== expected) {
    throw new Error(`Cannot trust the listing: ${seen} of ${expected} pending`);
  }

  const firstRatio = medianRatio(first.view, first.bare);
  const refreshMs = median(again.view);
  return [
    {
      what: "the first listing of 10,000 pending",
      figure: showMs(median(first.view)),
      floor: showMs(median(first.bare)),
      ratio: `${firstRatio.toFixed(1)} x`,
      aim: `<= ${MAX_FIRST_RATIO} x`,
      met: firstRatio <= MAX_FIRST_RATIO,
    },
    {
      what: "the refresh after one arrival, p50",
      figure: showMs(refreshMs),
      floor: showMs(median(again.bare)),
      ratio: `${medianRatio(again.view, again.bare).toFixed(1)} x`,
      aim: `<= ${MAX_REFRESH_MS} ms`,
      met: refreshMs <= MAX_REFRESH_MS,
    },
    {
      what: "the refresh after one arrival, p95",
      figure: showMs(percentile(again.view, 0.95)),
      floor: showMs(percentile(again.bare, 0.95)),
    },
  ];
}

/** Listing a long queue. */
export const listing: Subject = {
  title: "Listing the queue",
  about: "Floor of the first listing: readDir, read, JSON.parse of each file, nothing checked.\n" +
    "Floor of the refresh: readDir alone.",
  run,
};
