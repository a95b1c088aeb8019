/**
 * What a held call costs: memory while it is held, and time once its answer is there.
 *
 * @module
 */

import {
  type Directory,
  makeDirectory,
  makeProposalFiles,
  placeProposalFiles,
  sleep,
} from "./fixtures.ts";
import {
  type FlagsOf,
  type Held,
  type Side,
  type SidecarSide,
  startBare,
  startSidecar,
} from "./hold_sides.ts";
import {
  median,
  percentile,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";
import { residentMib } from "./processes.ts";

const CALLS = 1000;

const MANY = 250;

const MEMORY_ROUNDS = 2;

const LATENCY_ROUNDS = 3;

const ANSWERS_A_ROUND = 40;

const CALLS_A_SIDE = 200;

const MAX_HELD_RATIO = 4;

const MAX_PENDING_RATIO = 1.2;

const MAX_P50_MS = 10;

/** Long enough for the events of one answer, and its syncs, to be over before the next one comes. */
const PAUSE_MS = 20;

/** Long enough for what a burst of calls leaves behind. */
const SETTLE_MS = 500;

type Start = (dir: Directory) => Promise<Side>;

/** What holding many calls in one process cost. */
interface Burst {
  /** From the first call to all held, in milliseconds. */
  readonly heldMs: number;
  /** What each of them holds in memory, in KiB. */
  readonly residentKib: number;
  /** From the first of all answers in place to the last result, in milliseconds. */
  readonly answeredMs: number;
}

/** Holds many calls in a fresh process, and answers them all; each must get its own answer. */
async function burst(start: Start): Promise<Burst> {
  await using dir = await makeDirectory();
  await using side = await start(dir);
  await answerAll(await side.hold(1)); // What is loaded with the first call is no call's own.
  const before = await residentMib(side.pid);
  const startedAt = performance.now();
  const held = await side.hold(CALLS);
  const heldMs = performance.now() - startedAt;
  await sleep(SETTLE_MS);
  const residentKib = (await residentMib(side.pid) - before) * 1024 / CALLS;
  return { heldMs, residentKib, answeredMs: await answerAll(held) };
}

async function answerAll(held: readonly Held[]): Promise<number> {
  const places: (() => number)[] = [];
  for (const { prepare } of held) places.push(await prepare());
  const placedAt = performance.now();
  for (const place of places) place();
  const receivedAt = await Promise.all(held.map(({ receivedAt }) => receivedAt));
  return Math.max(...receivedAt) - placedAt;
}

/** Answers one call after another; each has `others` beside it that are held on. */
async function latencies(start: Start, others: number): Promise<number[]> {
  await using dir = await makeDirectory();
  await using side = await start(dir);
  await side.hold(others);
  const latenciesMs: number[] = [];
  for (let n = -1; n < ANSWERS_A_ROUND; n++) {
    const [held] = await side.hold(1);
    const place = await held!.prepare();
    await sleep(PAUSE_MS);
    const placedAt = place();
    const receivedAt = await held!.receivedAt;
    if (n >= 0) latenciesMs.push(receivedAt - placedAt); // The first one loads the code.
  }
  return latenciesMs;
}

async function memoryRows(sidecar: Start): Promise<Row[]> {
  const bursts: Record<"bare" | "durable" | "sidecar", Burst[]> = {
    bare: [],
    durable: [],
    sidecar: [],
  };
  const counted = async (of: Burst[], start: Start): Promise<number> => {
    of.push(await burst(start));
    return of.at(-1)!.residentKib;
  };
  await takeTurns(MEMORY_ROUNDS, {
    bare: () => counted(bursts.bare, startBare),
    durable: () => counted(bursts.durable, (dir) => startBare(dir, "durable")),
    sidecar: () => counted(bursts.sidecar, sidecar),
  });
  const row = (
    what: string,
    of: keyof Burst,
    show: (n: number) => string,
    maxRatio?: number,
    floors = bursts.bare,
  ): Row => {
    const [figure, floor] = [bursts.sidecar, floors].map((side) =>
      median(side.slice(1).map((one) => one[of]))
    ) as [number, number];
    return {
      what,
      figure: show(figure),
      floor: show(floor),
      ratio: `${(figure / floor).toFixed(1)} x`,
      ...(maxRatio !== undefined && { aim: `<= ${maxRatio} x`, met: figure / floor <= maxRatio }),
    };
  };
  const calls = CALLS.toLocaleString("en");
  return [
    row(`resident memory a held call, ${calls} held`, "residentKib", (n) => `${n.toFixed(0)} KiB`),
    row(`${calls} calls made to all held`, "heldMs", showMs, MAX_HELD_RATIO),
    row("the same, floor with a durable file a call", "heldMs", showMs, undefined, bursts.durable),
    row(`${calls} answers in place to all results, each its own`, "answeredMs", showMs),
  ];
}

async function latencyRows(sidecar: Start, held: number): Promise<Row[]> {
  const samples: { bare: number[]; sidecar: number[] } = { bare: [], sidecar: [] };
  const counted = async (of: number[], start: Start): Promise<number> => {
    const latenciesMs = await latencies(start, held - 1);
    of.push(...latenciesMs);
    return median(latenciesMs);
  };
  await takeTurns(LATENCY_ROUNDS, {
    bare: () => counted(samples.bare, startBare),
    sidecar: () => counted(samples.sidecar, sidecar),
  });
  return [["p50", 0.5] as const, ["p99", 0.99] as const].map(([name, share]) => {
    const [figure, floor] = [samples.sidecar, samples.bare].map((of) => percentile(of, share)) as [
      number,
      number,
    ];
    return {
      what: `answer in place to tool result, ${held} held, ${name}`,
      figure: showMs(figure),
      floor: showMs(floor),
      ratio: `${(figure / floor).toFixed(1)} x`,
      ...(held === 1 && share === 0.5 && {
        aim: `<= ${MAX_P50_MS} ms`,
        met: figure <= MAX_P50_MS,
      }),
    };
  });
}

/** Calls that take turns between two sidecars: one beside many pending proposals, one beside none. */
async function askingRow(flagsOf: FlagsOf): Promise<Row> {
  const open = async (dir: Directory, pending: number) => {
    placeProposalFiles(dir.queueDir, await makeProposalFiles(pending));
    return await startSidecar(dir, flagsOf, ["--hold-seconds=0"]);
  };
  await using noneDir = await makeDirectory();
  await using manyDir = await makeDirectory();
  await using none = await open(noneDir, 0);
  await using many = await open(manyDir, CALLS);
  const ask = (side: SidecarSide) => () => timeMs(() => side.propose());
  const samples = await takeTurns(CALLS_A_SIDE, { none: ask(none), many: ask(many) });
  const ratio = median(samples.many) / median(samples.none);
  return {
    what: `one call made to "pending", beside ${CALLS.toLocaleString("en")} pending, p50`,
    figure: showMs(median(samples.many)),
    floor: showMs(median(samples.none)),
    ratio: `${ratio.toFixed(2)} x`,
    aim: `<= ${MAX_PENDING_RATIO} x`,
    met: ratio <= MAX_PENDING_RATIO,
  };
}

/**
 * Held calls.
 *
 * @param flagsOf The permissions that a sidecar is started with.
 * @returns The subject.
 */
export function holding(flagsOf: FlagsOf): Subject {
  const sidecar: Start = (dir) => startSidecar(dir, flagsOf);
  return {
    title: `Held calls, ${CALLS.toLocaleString("en")} in one sidecar`,
    about: "Floor: a bare Deno.serve with an event stream each, one Deno.watchFs for all, then " +
      "readFile and JSON.parse.\nIt keeps nothing of a call. A sidecar has each proposal on disk before " +
      "it holds the call: the third line\nadds that to the floor, file and name synced, in the directory " +
      "that is watched.\nFloor of one call beside many pending: the same sidecar beside none.",
    run: async () => [
      ...await memoryRows(sidecar),
      await askingRow(flagsOf),
      ...await latencyRows(sidecar, 1),
      ...await latencyRows(sidecar, MANY),
    ],
  };
}
