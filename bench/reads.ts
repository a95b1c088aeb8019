/**
 * Reading one file as if it were a trap, against just reading it.
 *
 * @module
 */

import { readInDirectory, readUntrusted } from "../src/disk/read_untrusted.ts";
import { makeDirectory, makeProposalFiles, placeProposalFiles } from "./fixtures.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const FILES = 500;

const ROUNDS = 40;

const MAX_RATIO = 8;

const LIMITS = { maxBytes: 1024 * 1024 };

async function run(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const files = await makeProposalFiles(FILES);
  placeProposalFiles(dir.queueDir, files);
  const paths = files.map(({ id }) => `${dir.queueDir}/${id}.proposal.json`);

  /** Reads every file, and says what one of them costs. */
  const each = (read: (path: string) => unknown) => async () =>
    await timeMs(() => paths.forEach(read)) / FILES;
  const { naive, safe, swappable } = await takeTurns(ROUNDS, {
    naive: each((path) => Deno.readFileSync(path)),
    safe: each((path) => readUntrusted(path, LIMITS)),
    swappable: each((path) => readInDirectory(path, LIMITS)),
  });
  const ratio = medianRatio(safe, naive);
  const floor = showMs(median(naive));
  return [
    {
      what: "a safe read of 1 KB",
      figure: showMs(median(safe)),
      floor,
      ratio: `${ratio.toFixed(1)} x`,
      aim: `<= ${MAX_RATIO} x`,
      met: ratio <= MAX_RATIO,
    },
    {
      what: "the same where the directory may be swapped",
      figure: showMs(median(swappable)),
      floor,
      ratio: `${medianRatio(swappable, naive).toFixed(1)} x`,
    },
  ];
}

/** Reading one file of a queue. */
export const reads: Subject = {
  title: "Reading a file",
  about: "Floor: Deno.readFileSync of the same files, which follows links and waits for FIFOs.\n" +
    "A listing reads safely; one answer, or one proposal by its id, as if the directory were swapped.",
  run,
};
