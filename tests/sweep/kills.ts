/**
 * Kills three writers of one log in the middle of what they do, and looks for every line that they
 * had been told is written.
 *
 * @module
 */

import { writeAuditEntry } from "../../mod.ts";
import { problemsOf } from "./again.ts";
import { BOUNDS, entryOf, type Receipt } from "./append_program.ts";
import { readDisk } from "./disk.ts";
import { linesFound } from "./loss.ts";
import type { Place } from "./place.ts";
import { openReceipts, type Receipts } from "./receipts.ts";
import type { PartResult, Trial } from "./report.ts";
import { kill } from "./target.ts";
import { removeTree } from "./tree.ts";
import { join } from "@std/path";

/** How often. */
const ROUNDS = 25;

/** The writers, by name. */
const WRITERS = ["ada", "bob", "eve"];

/** They are killed at a random moment within this time after they are all at it. */
const LONGEST_MS = 120;

/**
 * Kills writers.
 *
 * @param place Where the logs are.
 * @param isPicked Which rounds are wanted, by name.
 * @returns What came of it.
 */
export async function killWriters(
  place: Place,
  isPicked: (name: string) => boolean,
): Promise<PartResult> {
  const begin = performance.now();
  const trials: Trial[] = [];
  const sums = { acknowledged: 0, found: 0, torn: 0, repaired: 0 };
  for (let round = 1; round <= ROUNDS; round++) {
    const name = `kills ${round}`;
    if (!isPicked(name)) continue;
    // Each on a root of its own: this process, which mends, would notice another log in one's place.
    const root = place.at(`killed-${round}`);
    const receipts = await runAndKill(place, root, place.at(`receipts-${round}`));

    const left = readDisk(root);
    const found = linesFound(left, receipts);
    const problems = left.broken.concat(missing(receipts, found));
    // The next append is what mends a torn line.
    await writeAuditEntry(entryOf("next", 0, BOUNDS.small), { root });
    const mended = readDisk(root);
    problems.push(
      ...mended.broken,
      ...mended.torn.map((path) => `${path} still ends in a torn line`),
      ...missing(receipts, linesFound(mended, receipts)).map((problem) => `then ${problem}`),
      ...await problemsOf([["audit", "verify", "--root", root]]),
    );
    sums.acknowledged += receipts.length;
    sums.found += found.length;
    sums.torn += left.torn.length;
    sums.repaired += left.torn.length - mended.torn.length;
    const outcome = left.torn.length > 0 ? "a torn line, mended" : "whole lines";
    removeTree(root);
    trials.push({ name, group: "kill -9", outcome, problems: [...new Set(problems)] });
  }
  const { acknowledged, found, torn, repaired } = sums;
  return {
    headline:
      `kills: ${trials.length} rounds of ${WRITERS.length} writers; ${acknowledged} lines ` +
      `acknowledged, ${found} of them found; ${torn} torn ends, ${repaired} mended`,
    trials,
    ms: performance.now() - begin,
  };
}

/** Lets the writers write, kills them, and returns what they were told is written. */
async function runAndKill(
  place: Place,
  root: string,
  receiptsPath: string,
): Promise<readonly Receipt[]> {
  const receipts: Receipts<Receipt> = openReceipts(receiptsPath);
  const program = new URL("append_program.ts", import.meta.url);
  const writers = WRITERS.map((name) => place.start(program, [root, name, receiptsPath]));
  await receipts.until((all) => WRITERS.every((name) => all.some((one) => one.name === name)));
  await passMs(Math.random() * LONGEST_MS);
  spinUntilGrown(join(root, "audit", "pipelock-dev-1.log"));
  await Promise.all(writers.map(kill));
  return receipts.read();
}

/**
 * Waits until a file grows, without letting go of the processor: a large line grows page by page, so
 * whoever is killed at once is killed in the middle of it.
 */
function spinUntilGrown(path: string): void {
  const size = () => Deno.statSync(path).size;
  const before = size();
  const deadline = performance.now() + LONGEST_MS;
  while (size() === before && performance.now() < deadline);
}

/** Lets time pass: the moment of a crash is nobody's to await. */
function passMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function missing(receipts: readonly Receipt[], found: readonly Receipt[]): string[] {
  return receipts.filter((receipt) => !found.includes(receipt))
    .map(({ name, n }) => `the acknowledged line ${name} ${n} is not there`);
}
