/**
 * Measuring on a noisy machine: figure and floor take turns, so that whatever slows one slows the
 * other, and medians forget the rounds in which something else ran.
 *
 * @module
 */

/** One line of the report: a figure beside its floor. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** What it costs, with its unit. */
  readonly figure: string;
  /** What it could not cost less than, with its unit; nothing if it has no floor. */
  readonly floor?: string;
  /** The figure against its floor. */
  readonly ratio?: string;
  /** What is aimed at; nothing if the line is there to be compared with. */
  readonly aim?: string;
  /** Whether the aim is met. */
  readonly met?: boolean;
}

/** A row that is there to be compared with, without an aim. */
export function besides({ aim: _, met: __, ...row }: Row): Row {
  return row;
}

/** One part of the bench. */
export interface Subject {
  /** The headline. */
  readonly title: string;
  /** What the floor is, in a sentence or two. */
  readonly about: string;
  /** Measures, and cleans up after itself. */
  readonly run: () => Promise<readonly Row[]>;
}

/** Does the work of one round and returns its cost: milliseconds a piece, or whatever is compared. */
export type Round = () => number | Promise<number>;

/**
 * The value below which a share of the samples lies.
 *
 * @param samples The samples, in any order; at least one.
 * @param share From 0 to 1.
 * @returns The nearest sample.
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/**
 * The middle sample.
 *
 * @param samples The samples, in any order; at least one.
 * @returns The median.
 */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/**
 * The median of the rounds' own quotients. Within a round both sides met the same machine, so this is
 * steadier than the quotient of two medians, and may differ from it a little.
 *
 * @param above The samples above the line, one for each round.
 * @param below The samples below it, of the same rounds.
 * @returns The ratio.
 */
export function medianRatio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((sample, n) => sample / below[n]!));
}

/**
 * Runs what is compared in turns, every other round in the opposite order, after a first round that
 * does not count.
 *
 * @param rounds How many rounds count.
 * @param sides What is compared, by name.
 * @returns The samples of each side, one for each round.
 */
export async function takeTurns<Name extends string>(
  rounds: number,
  sides: Readonly<Record<Name, Round>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await sides[name]();
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

/**
 * Takes the time.
 *
 * @param run What to do.
 * @returns How long it took, in milliseconds.
 */
export async function timeMs(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/**
 * Writes a time so that a person can read it.
 *
 * @param ms The time in milliseconds.
 * @returns The time with its unit.
 */
export function showMs(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/**
 * Writes the lines of a report as a table.
 *
 * @param rows The lines.
 * @returns The table, without a final line break.
 */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["", "figure", "floor", "ratio", "aim", ""],
    ...rows.map(({ what, figure, floor = "", ratio = "", aim = "", met }) => [
      what,
      figure,
      floor,
      ratio,
      aim,
      met === undefined ? "" : met ? "met" : "MISSED",
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row.map((cell, column) =>
      // Words to the left, numbers to the right.
      column === 0 || column >= 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}
