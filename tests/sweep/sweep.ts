/**
 * Sweeps a command: each fault at each of its points, and after each a judgement.
 *
 * @module
 */

import type { SweptCommand } from "./commands.ts";
import { judge } from "./judge.ts";
import type { Lane } from "./lane.ts";
import { type Fault, FAULTS, nameOf, type Point } from "./points.ts";
import { MISSED, type PartResult, type Trial } from "./report.ts";
import { readTree, type Tree } from "./tree.ts";

/** How often a call that was not hit is tried again. */
const TRIES = 3;

/**
 * Sweeps a command.
 *
 * @param command The command.
 * @param lanes What runs side by side.
 * @param versionFile A file with the operator's version.
 * @param isPicked Which trials are wanted, by name.
 * @returns What came of it.
 */
export async function sweep(
  command: SweptCommand,
  lanes: readonly Lane[],
  versionFile: string,
  isPicked: (name: string) => boolean,
): Promise<PartResult> {
  const start = performance.now();
  const [first] = lanes;
  if (first === undefined) throw new RangeError("Cannot sweep without a lane");
  first.clear();
  await command.prepare(first.root);
  const tree = readTree(first.root);
  const argsIn = (lane: Lane) => [...command.args(lane.root, versionFile), "--json"];

  const points = await first.findPoints(argsIn(first), "fresh");
  first.restore(tree);
  const repeated = await first.findPoints(argsIn(first), "used");
  // A process that remembers something makes other calls the second time: then each trial gets its own.
  const process = String(points.map(nameOf)) === String(repeated.map(nameOf)) ? "any" : "fresh";

  const wanted = points.flatMap((point) => FAULTS.map((fault) => ({ point, fault })))
    .filter(({ point, fault }) => isPicked(trialName(command, point, fault)));
  const trials: Trial[] = [];
  await Promise.all(lanes.map(async (lane) => {
    for (let next; (next = wanted.shift()) !== undefined;) {
      const { point, fault } = next;
      trials.push(await tryOnce(command, lane, argsIn(lane), tree, point, fault, process));
    }
  }));
  return {
    headline: `${command.name}: ${points.length} system calls, ${trials.length} faults`,
    trials,
    ms: performance.now() - start,
  };
}

function trialName(command: SweptCommand, point: Point, fault: Fault): string {
  return `${command.name} ${nameOf(point)} ${fault}`;
}

async function tryOnce(
  command: SweptCommand,
  lane: Lane,
  args: readonly string[],
  tree: Tree,
  point: Point,
  fault: Fault,
  process: "fresh" | "any",
): Promise<Trial> {
  const name = trialName(command, point, fault);
  for (let n = 0; n < TRIES; n++) {
    lane.restore(tree);
    const { said, hit } = await lane.hit(args, point, fault, n === 0 ? process : "fresh");
    if (said === "hung") return { name, group: fault, outcome: "hung", problems: ["it hung"] };
    if (!hit) continue;
    return { name, group: fault, ...await judge(lane.root, args, command.decision, said) };
  }
  return { name, group: fault, outcome: MISSED, problems: [] };
}
