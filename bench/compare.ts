/**
 * Comparing two config files by what they let a bottle do.
 *
 * @module
 */

import { TOOL_PIPELOCK_BLOCK } from "../mod.ts";
import { compareAfter } from "../src/config/compare.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const ROUNDS = 15;

const MAX_MS = 5;

const HOSTS = Array.from({ length: 10_000 }, (_, n) => `host-${n}.team-${n % 97}.example.com`);

const IN_FORCE = HOSTS.join("\n");

/** Proposed files of about 10,000 lines. */
const PROPOSED: Readonly<Record<string, string>> = {
  "the other way round": HOSTS.toReversed().join("\n"),
  "with one host more": [...HOSTS, "host-1.example.net"].join("\n"),
  "with 100 hosts more": [...HOSTS, ...HOSTS.slice(0, 100).map((host) => `x.${host}`)].join("\n"),
  "with half of the hosts": HOSTS.slice(5_000).join("\n"),
};

/** The least that any comparison must do: tell the lines apart, and look each one up. */
function lookUpLines(before: ReadonlySet<string>, after: string): number {
  return after.split("\n").filter((line) => !before.has(line)).length;
}

async function compare(what: string, proposed: string): Promise<Row> {
  const known = new Set(HOSTS);
  const samples = await takeTurns(ROUNDS, {
    floor: () => timeMs(() => lookUpLines(known, proposed)),
    compare: () => timeMs(() => compareAfter(() => [], TOOL_PIPELOCK_BLOCK, IN_FORCE, proposed)),
  });
  return {
    what: `10,000 hosts, ${what}`,
    figure: showMs(median(samples.compare)),
    floor: showMs(median(samples.floor)),
    ratio: `${medianRatio(samples.compare, samples.floor).toFixed(1)} x`,
    aim: `<= ${MAX_MS} ms`,
    met: median(samples.compare) <= MAX_MS,
  };
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [what, proposed] of Object.entries(PROPOSED)) rows.push(await compare(what, proposed));
  return rows;
}

/** Comparisons. */
export const comparing: Subject = {
  title: "Compare",
  about:
    "Floor: look each proposed line up in a set. The file in force was read and learned before.",
  run,
};
