/**
 * Diffs: the ordinary, and the worst that an agent can send.
 *
 * @module
 */

import { renderDiff } from "../mod.ts";
import { type DiffCase, makeOrdinaryCase, makeWorstCases } from "./diff_cases.ts";
import { makeDirectory } from "./fixtures.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";
import { createTwoFilesPatch, diffArrays } from "diff";

const ORDINARY_ROUNDS = 15;

const WORST_ROUNDS = 3;

const MAX_MS = 500;

const DIFFLIB = `
import difflib, sys, time
before, after = (open(name, newline="").read() for name in sys.argv[1:3])
times = []
for _ in range(5):
    start = time.perf_counter()
    "\\n".join(difflib.unified_diff(before.split("\\n"), after.split("\\n"), "a", "b", lineterm=""))
    times.append(time.perf_counter() - start)
print(sorted(times)[2] * 1000)
`;

/** The least that any diff of lines must do: tell the lines apart, on both sides. */
function tellLinesApart({ before, after }: DiffCase): number {
  const counts = new Map<string, number>();
  for (const line of before.split("\n")) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of after.split("\n")) counts.set(line, (counts.get(line) ?? 0) - 1);
  return counts.size;
}

/** Python's difflib on the same files; `undefined` where there is no Python. */
async function timeDifflib({ before, after }: DiffCase): Promise<number | undefined> {
  await using dir = await makeDirectory();
  const files = [`${dir.path}/before`, `${dir.path}/after`];
  await Deno.writeTextFile(files[0]!, before);
  await Deno.writeTextFile(files[1]!, after);
  try {
    const python = new Deno.Command("python3", { args: ["-c", DIFFLIB, ...files] });
    const { success, stdout } = await python.output();
    return success ? Number(new TextDecoder().decode(stdout)) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function compare(pair: DiffCase, rounds: number): Promise<Row> {
  const samples = await takeTurns(rounds, {
    floor: () => timeMs(() => tellLinesApart(pair)),
    diff: () => timeMs(() => renderDiff(pair.before, pair.after)),
  });
  // The slowest round counts: what is bounded must be bounded every time.
  const slowestMs = Math.max(...samples.diff);
  return {
    what: pair.name,
    figure: showMs(median(samples.diff)),
    floor: showMs(median(samples.floor)),
    ratio: `${medianRatio(samples.diff, samples.floor).toFixed(1)} x`,
    aim: `slowest <= ${MAX_MS} ms: ${slowestMs.toFixed(0)}`,
    met: slowestMs <= MAX_MS,
  };
}

async function run(): Promise<readonly Row[]> {
  const ordinary = makeOrdinaryCase();
  const { before, after } = ordinary;
  const rows = [await compare(ordinary, ORDINARY_ROUNDS)];
  const others = await takeTurns(ORDINARY_ROUNDS, {
    arrays: () => timeMs(() => diffArrays(before.split("\n"), after.split("\n"))),
    patch: () => timeMs(() => createTwoFilesPatch("a", "b", before, after)),
  });
  rows.push({ what: "  npm:diff, diffArrays alone", figure: showMs(median(others.arrays)) });
  rows.push({ what: "  npm:diff, createTwoFilesPatch", figure: showMs(median(others.patch)) });
  const difflibMs = await timeDifflib(ordinary);
  rows.push({
    what: "  Python's difflib",
    figure: difflibMs === undefined ? "not measured" : showMs(difflibMs),
  });
  for (const worst of makeWorstCases()) rows.push(await compare(worst, WORST_ROUNDS));
  return rows;
}

/** Diffs. */
export const diff: Subject = {
  title: "Diff",
  about:
    "Floor: split both files into lines and count them in a Map. The worst cases have 1 MiB a side.",
  run,
};
