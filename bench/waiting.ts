/**
 * From the answer's file in place to the waiter that has it.
 *
 * @module
 */

import { waitForResponse, writeResponse } from "../mod.ts";
import { makeDirectory, makeProposalFiles, placeProposalFiles, sleep } from "./fixtures.ts";
import { median, percentile, type Row, showMs, type Subject, takeTurns } from "./measure.ts";

const WAITERS = 1000;

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

async function run(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const { queueDir } = dir;
  const stagingDir = `${dir.path}/staging`;
  const files = await makeProposalFiles(WAITERS);
  placeProposalFiles(queueDir, files);
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

  const p50 = median(waitMs);
  const row = (name: string, share: number): Row => ({
    what: `answer in place to waiter resolved, ${name}`,
    figure: showMs(percentile(waitMs, share)),
    floor: showMs(percentile(bareMs, share)),
    ratio: `${(percentile(waitMs, share) / percentile(bareMs, share)).toFixed(1)} x`,
  });
  return [
    { ...row("p50", 0.5), aim: `<= ${MAX_P50_MS} ms`, met: p50 <= MAX_P50_MS },
    row("p95", 0.95),
    row("p99", 0.99),
  ];
}

/** Waiting for an answer. */
export const waiting: Subject = {
  title: `Waiting for an answer, ${WAITERS.toLocaleString("en")} waiters in one process`,
  about: "Floor: one bare Deno.watchFs on the same directory, then readFile and JSON.parse.",
  run,
};
