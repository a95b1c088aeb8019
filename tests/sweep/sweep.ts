/**
 * Sweeps something: each fault at each of its points, and after each a judgement.
 *
 * @module
 */

import { type Freshness, type Lane, openLane } from "./lane.ts";
import { chooseFaults, type Fault, faultsAt, kindOf, nameOf, type Point } from "./points.ts";
import { MISSED, type PartResult, type Trial } from "./report.ts";
import type { Subject } from "./subject.ts";
import { readTree, restoreTree, type Tree } from "./tree.ts";

/** A fault at a point, and of which process. */
interface Wanted {
  readonly point: Point;
  readonly fault: Fault;
  readonly process: Freshness;
}

/** How often a call that was not hit is tried again. */
const TRIES = 3;

/**
 * Sweeps something.
 *
 * @param subject What.
 * @param cpus The processors, each of which does it on a root of its own.
 * @param rootOf Where those roots are.
 * @param isPicked Which trials are wanted, by name.
 * @param isWhole Whether every fault is tried at every point, and not the chosen ones alone.
 * @returns What came of it.
 */
export async function sweep<T>(
  subject: Subject<T>,
  cpus: readonly number[],
  rootOf: (cpu: number) => string,
  isPicked: (name: string) => boolean,
  isWhole: boolean,
): Promise<PartResult> {
  const begin = performance.now();
  await using stack = new AsyncDisposableStack();
  let tree: Tree = [];
  const putBack = (root: string) => {
    restoreTree(root, tree);
    subject.settle?.(root);
  };
  const lanes = cpus.map((cpu) => {
    const root = rootOf(cpu);
    return stack.use(openLane(cpu, root, () => putBack(root), subject.start));
  });
  const [first] = lanes;
  if (first === undefined) throw new RangeError("Cannot sweep without a processor");
  restoreTree(first.root, []);
  await subject.prepare(first.root);
  tree = readTree(first.root);
  // What is put back may come in another order than what was made.
  putBack(first.root);

  const wanted = (await wantedOf(subject, first, putBack, isWhole))
    .filter(({ point, fault }) => isPicked(trialName(subject, point, fault)));
  const trials: Trial[] = [];
  await Promise.all(lanes.map(async (lane) => {
    for (let next; (next = wanted.shift()) !== undefined;) {
      trials.push(await tryOnce(subject, lane, putBack, next));
    }
  }));
  return {
    headline: `${subject.name}: ${trials.length} faults`,
    trials,
    ms: performance.now() - begin,
  };
}

/** The kinds of calls that were hit, by the verb. */
const readBefore = new Map<string, Set<string>>();

/** The faults to try, with the process that is to meet each. */
async function wantedOf<T>(
  subject: Subject<T>,
  lane: Lane<T>,
  putBack: (root: string) => void,
  isWhole: boolean,
): Promise<Wanted[]> {
  const verb = subject.name.split("-")[0]!;
  const before = readBefore.getOrInsertComputed(verb, () => new Set());
  const choose = (points: readonly Point[]) =>
    isWhole
      ? points.flatMap((point) => faultsAt(point).map((fault) => ({ point, fault })))
      : chooseFaults(points, before);
  const points = await pointsOf(subject, lane, "fresh");
  let wanted = choose(points).map((one): Wanted => ({ ...one, process: "fresh" }));
  if (subject.canRepeat) {
    putBack(lane.root);
    const repeated = await pointsOf(subject, lane, "any");
    const names = repeated.map(nameOf);
    // A process that remembers something makes other calls the second time.
    const isSame = String(names) === String(points.map(nameOf));
    const process: Freshness = isSame ? "any" : "warm";
    const isForNew = ({ point, fault }: Wanted) =>
      fault === "SIGKILL" || !names.includes(nameOf(point));
    wanted = wanted.filter(isForNew).concat(
      choose(repeated).map((one) => ({ ...one, process })).filter((one) => !isForNew(one)),
    );
  }
  for (const point of points) before.add(kindOf(point));
  return wanted;
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
  putBack: (root: string) => void,
  { point, fault, process }: Wanted,
): Promise<Trial> {
  const name = trialName(subject, point, fault);
  for (let n = 0; n < TRIES; n++) {
    putBack(lane.root);
    const { reply, hit } = await lane.hit(
      point,
      fault,
      n === 0 || process === "warm" ? process : "fresh",
    );
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
