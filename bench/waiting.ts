/**
 * From the answer's file in place to the waiter that has it.
 *
 * @module
 */

import { waitForResponse, writeResponse } from "../mod.ts";
import { makeDirectory, makeProposalFiles, placeProposalFiles, sleep } from "./fixtures.ts";
import { median, percentile, type Row, showMs, type Subject, takeTurns } from "./measure.ts";

const WAITERS = 1000;

/** What else is in the queue directory, in the second half. */
const OTHERS = 10_000;

const ROUNDS = 10;

const ANSWERS_A_ROUND = 20;

const MAX_P50_MS = 5;

/** Long enough for the events of one answer to be over before the next one comes. */
const PAUSE_MS = 8;

const nameOf = (id: string) => `${id}.response.json`;

/** Prepares an answer beside the queue; what it returns puts it in place and says when that was. */
async function prepare(stagingDir: string, queueDir: string, id: string): Promise<() => number> {
  const notes = "Use the mirror.";
  await writeResponse(stagingDir, { proposalId: id, status: "rejected", notes, finalFile: null });
  return () => {
    Deno.renameSync(`${stagingDir}/${nameOf(id)}`, `${queueDir}/${nameOf(id)}`);
    return performance.now();
  };
}

async function bareWaiter(queueDir: string, name: string, ready: () => void): Promise<void> {
  using events = Deno.watchFs(queueDir, { recursive: false });
  ready();
  for await (const { paths } of events) {
    if (!paths.some((path) => path.endsWith(name))) continue;
    if (JSON.parse(await Deno.readTextFile(`${queueDir}/${name}`)).status === "rejected") return;
  }
}

/** How long each of both sides took, in milliseconds. */
interface Latencies {
  readonly bareMs: readonly number[];
  readonly waitMs: readonly number[];
}

/** Answers some of a thousand waiters, with so many other files beside. */
async function measure(others: number): Promise<Latencies> {
  await using dir = await makeDirectory();
  const { queueDir } = dir;
  const stagingDir = `${dir.path}/staging`;
  const files = await makeProposalFiles(WAITERS);
  placeProposalFiles(queueDir, files);
  for (let n = 0; n < others; n++) Deno.writeTextFileSync(`${queueDir}/other${n}`, "");
  const bareMs: number[] = [];
  const waitMs: number[] = [];

  async function answer(ids: readonly string[], wait: (id: string) => Promise<unknown>) {
    const latenciesMs: number[] = [];
    for (const id of ids) {
      const place = await prepare(stagingDir, queueDir, id);
      const waiter = wait(id);
      await sleep(PAUSE_MS);
      const placedAt = place();
      await waiter;
      latenciesMs.push(performance.now() - placedAt);
    }
    return latenciesMs;
  }

  async function clear(ids: readonly string[]): Promise<void> {
    for (const id of ids) await Deno.remove(`${queueDir}/${nameOf(id)}`);
    await sleep(PAUSE_MS);
  }

  const answered = files.slice(0, ANSWERS_A_ROUND).map(({ id }) => id);
  await takeTurns(ROUNDS, {
    bare: async () => {
      const latenciesMs = await answer(answered, (id) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const waiter = bareWaiter(queueDir, nameOf(id), resolve);
        return promise.then(() => waiter);
      });
      await clear(answered);
      bareMs.push(...latenciesMs);
      return median(latenciesMs);
    },
    wait: async () => {
      const end = new AbortController();
      const waiters = new Map(
        files.map(({ id }) => [id, waitForResponse(queueDir, id, { signal: end.signal })]),
      );
      // Those that are left over end by the signal, and that is no error here.
      for (const waiter of waiters.values()) waiter.catch(() => {});
      await sleep(100);
      const latenciesMs = await answer(answered, (id) => waiters.get(id)!);
      end.abort();
      await clear(answered);
      waitMs.push(...latenciesMs);
      return median(latenciesMs);
    },
  });
  return { bareMs, waitMs };
}

function row(where: string, name: string, share: number, { bareMs, waitMs }: Latencies): Row {
  const [figure, floor] = [percentile(waitMs, share), percentile(bareMs, share)];
  return {
    what: `answer in place to waiter resolved, ${where}${name}`,
    figure: showMs(figure),
    floor: showMs(floor),
    ratio: `${(figure / floor).toFixed(1)} x`,
  };
}

async function run(): Promise<readonly Row[]> {
  const alone = await measure(0);
  const beside = await measure(OTHERS);
  const [aloneMs, besideMs] = [median(alone.waitMs), median(beside.waitMs)];
  const others = `beside ${OTHERS.toLocaleString("en")} other files, `;
  return [
    { ...row("", "p50", 0.5, alone), aim: `<= ${MAX_P50_MS} ms`, met: aloneMs <= MAX_P50_MS },
    row("", "p95", 0.95, alone),
    row("", "p99", 0.99, alone),
    { ...row(others, "p50", 0.5, beside), aim: `<= ${MAX_P50_MS} ms`, met: besideMs <= MAX_P50_MS },
    row(others, "p95", 0.95, beside),
    row(others, "p99", 0.99, beside),
  ];
}

/** Waiting for an answer. */
export const waiting: Subject = {
  title: `Waiting for an answer, ${WAITERS.toLocaleString("en")} waiters in one process`,
  about: "Floor: one bare Deno.watchFs on the same directory, then readFile and JSON.parse.",
  run,
};
