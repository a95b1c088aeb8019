/**
 * Sweeps something: each fault at each of its points, and after each a judgement.
 *
 * @module
 */

import { type Freshness, type Lane, openLane } from "./lane.ts";
import { type Fault, faultsAt, nameOf, type Point } from "./points.ts";
import { MISSED, type PartResult, type Trial } from "./report.ts";
import type { Subject } from "./subject.ts";
import { readTree, restoreTree, type Tree } from "./tree.ts";

/** How often a call that was not hit is tried again. */
const TRIES = 3;

/**
 * Sweeps something.
 *
 * @param subject What.
 * @param cpus The processors, each of which does it on a root of its own.
 * @param rootOf Where those roots are.
 * @param isPicked Which trials are wanted, by name.
 * @returns What came of it.
 */
export async function sweep<T>(
  subject: Subject<T>,
  cpus: readonly number[],
  rootOf: (cpu: number) => string,
  isPicked: (name: string) => boolean,
): Promise<PartResult> {
  const begin = performance.now();
  await using stack = new AsyncDisposableStack();
  const lanes = cpus.map((cpu) => stack.use(openLane(cpu, rootOf(cpu), subject.start)));
  const [first] = lanes;
  if (first === undefined) throw new RangeError("Cannot sweep without a processor");
  restoreTree(first.root, []);
  await subject.prepare(first.root);
  const tree = readTree(first.root);
  // What is put back may come in another order than what was made.
  restoreTree(first.root, tree);

  const points = await pointsOf(subject, first, "fresh");
  let process: Freshness = "fresh";
  if (subject.canRepeat) {
    restoreTree(first.root, tree);
    const repeated = await pointsOf(subject, first, "any");
    // A process that remembers something makes other calls the second time; then each is hit once.
    if (String(points.map(nameOf)) === String(repeated.map(nameOf))) process = "any";
  }

  const wanted = points.flatMap((point) => faultsAt(point).map((fault) => ({ point, fault })))
    .filter(({ point, fault }) => isPicked(trialName(subject, point, fault)));
  const trials: Trial[] = [];
  await Promise.all(lanes.map(async (lane) => {
    for (let next; (next = wanted.shift()) !== undefined;) {
      trials.push(await tryOnce(subject, lane, tree, next.point, next.fault, process));
    }
  }));
  return {
    headline: `${subject.name}: ${points.length} system calls, ${trials.length} faults`,
    trials,
    ms: performance.now() - begin,
  };
}

async function pointsOf<T>(
  subject: Subject<T>,
  lane: Lane<T>,
  process: Freshness,
): Promise<readonly Point[]> {
  const { points, reply } = await lane.findPoints(process);
  if (reply !== "died" && reply !== "hung" && subject.isDone(reply)) return points;
  const how = JSON.stringify(reply);
  throw new Error(`Cannot sweep ${subject.name}: undisturbed, it ended with ${how}`);
}

function trialName<T>(subject: Subject<T>, point: Point, fault: Fault): string {
  return `${subject.name} ${nameOf(point)} ${fault}`;
}

async function tryOnce<T>(
  subject: Subject<T>,
  lane: Lane<T>,
  tree: Tree,
  point: Point,
  fault: Fault,
  process: Freshness,
): Promise<Trial> {
  const name = trialName(subject, point, fault);
  for (let n = 0; n < TRIES; n++) {
    restoreTree(lane.root, tree);
    const { reply, hit } = await lane.hit(point, fault, n === 0 ? process : "fresh");
    if (reply === "hung") return { name, group: fault, outcome: "hung", problems: ["it hung"] };
    if (!hit) continue;
    const isDone = reply !== "died" && subject.isDone(reply);
    const { outcome, problems } = await subject.judge(lane.root, reply);
    const unsynced =
      isDone && /^f(data)?sync$/.test(point.call) && subject.promised.test(point.path)
        ? ["it said done, but a sync had failed"]
        : [];
    return { name, group: fault, outcome, problems: [...problems, ...unsynced] };
  }
  return { name, group: fault, outcome: MISSED, problems: [] };
}
