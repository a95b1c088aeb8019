/**
 * A lane of the sweep: a processor, a root, and the process that is hit. Lanes run side by side.
 *
 * @module
 */

import { inject, type Injection } from "./inject.ts";
import { type Operator, startOperator } from "./operator.ts";
import { type Fault, findPoints, type Point } from "./points.ts";
import { removeTree, restoreTree, type Tree } from "./tree.ts";

/** A lane. */
export interface Lane extends AsyncDisposable {
  /** Its root. */
  readonly root: string;
  /** Puts its root back as it was. */
  readonly restore: (tree: Tree) => void;
  /** Removes its root. */
  readonly clear: () => void;
  /** Finds a command's points, in a process that has just been started or in one that has run it. */
  readonly findPoints: (
    args: readonly string[],
    process: "fresh" | "used",
  ) => Promise<readonly Point[]>;
  /** Hits a command at a point; afterwards the process that was hit holds nothing any more. */
  readonly hit: (
    args: readonly string[],
    point: Point,
    fault: Fault,
    process: "fresh" | "any",
  ) => Promise<Injection>;
}

/**
 * Opens a lane.
 *
 * @param cpu Its processor.
 * @param root Its root.
 * @param readable What else the operator may read.
 * @returns The lane.
 */
export function openLane(cpu: number, root: string, readable: string): Lane {
  const start = () => startOperator(cpu, root, readable);
  let starting: Promise<Operator> | undefined;

  async function operator(fresh: boolean): Promise<Operator> {
    const current = await (starting ??= start());
    if (!fresh || current.commands() === 0) return current;
    await end();
    return await (starting = start());
  }

  async function end(): Promise<void> {
    const ended = await starting;
    starting = undefined;
    await ended?.end();
  }

  return {
    root,
    restore: (tree) => restoreTree(root, tree),
    clear: () => removeTree(root),
    findPoints: async (args, process) =>
      await findPoints(await operator(process === "fresh"), cpu, root, args),
    async hit(args, point, fault, process) {
      const injection = await inject(
        await operator(process === "fresh"),
        cpu,
        root,
        args,
        point,
        fault,
      );
      const { said } = injection;
      const isDead = said !== "hung" && said.exit === undefined;
      // A descriptor whose close failed stays open, and may be a lock.
      if (isDead || said === "hung" || point.call === "close") {
        await end();
        // The next one starts while this one's root is judged.
        starting = start();
      }
      return injection;
    },
    [Symbol.asyncDispose]: end,
  };
}
