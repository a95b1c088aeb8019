/**
 * Prints what was tried and what came of it, for people.
 *
 * @module
 */

/** One thing that was tried. */
export interface Trial {
  /** Names it; for a fault at a point, the words that pick it for another run. */
  readonly name: string;
  /** What it is counted under, such as the fault. */
  readonly group: string;
  /** What came of it; `missed` if it could not be tried. */
  readonly outcome: string;
  /** What is wrong; nothing, if all is well. */
  readonly problems: readonly string[];
}

/** What was tried of one kind. */
export interface PartResult {
  /** What it was, with its counts. */
  readonly headline: string;
  readonly trials: readonly Trial[];
  readonly ms: number;
}

/** How many trials may be missed, of a hundred. */
const MOST_MISSED_PERCENT = 2;

/** The outcome of a trial whose call was not made this time. */
export const MISSED = "missed";

/**
 * Prints a part as soon as it is done.
 *
 * @param result What was tried.
 * @param print Where to.
 */
export function printPart(
  { headline, trials, ms }: PartResult,
  print: (line: string) => void = console.log,
): void {
  print(`\n${headline}, ${(ms / 1000).toFixed(1)} s`);
  const groups = [...new Set(trials.map(({ group }) => group))];
  const width = Math.max(0, ...groups.map((group) => group.length));
  for (const group of groups) {
    const own = trials.filter((trial) => trial.group === group);
    const outcomes = Map.groupBy(own, ({ outcome }) => outcome);
    const counts = [...outcomes].map(([outcome, those]) => `${outcome} ${those.length}`).toSorted();
    print(`  ${group.padEnd(width)} ${String(own.length).padStart(5)}: ${counts.join(", ")}`);
  }
  for (const { name, outcome, problems } of trials) {
    if (problems.length === 0) continue;
    print(`  FAILED ${name} (${outcome})`);
    for (const problem of problems) print(`    - ${problem}`);
    print(`    again: deno task test:sweep ${name}`);
  }
}

/**
 * Prints the end of the report.
 *
 * @param results Everything that was tried.
 * @param print Where to.
 * @returns Whether all is well.
 */
export function printTotal(
  results: readonly PartResult[],
  print: (line: string) => void = console.log,
): boolean {
  const trials = results.flatMap((result) => result.trials);
  const missed = trials.filter(({ outcome }) => outcome === MISSED).length;
  const failed = trials.filter(({ problems }) => problems.length > 0).length;
  const tooMany = missed * 100 > trials.length * MOST_MISSED_PERCENT;
  print("");
  if (missed > 0) {
    print(`${missed} were missed${tooMany ? `, more than ${MOST_MISSED_PERCENT} %: FAILED` : ""}`);
  }
  print(`${trials.length - missed - failed} passed, ${failed + (tooMany ? missed : 0)} failed`);
  return failed === 0 && !tooMany;
}
