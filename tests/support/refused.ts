/**
 * Decisions that are refused, by the code of what stands in their way.
 *
 * @module
 */

import { type Obstacle, ObstacleError, SuperviseError } from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

/**
 * Asserts that a call is refused for an obstacle.
 *
 * @param call The call.
 * @param code The code of the first obstacle, and of the error.
 * @param says What the error's message has in it.
 * @returns The obstacle.
 */
export async function refused<Code extends Obstacle["code"]>(
  call: () => Promise<unknown>,
  code: Code,
  says = "",
): Promise<Extract<Obstacle, { code: Code }>> {
  const error = await assertRejects(call, ObstacleError, says);
  assert(error instanceof SuperviseError);
  const [first] = error.obstacles;
  assertEquals([error.code, first.code], [code, code]);
  return first as Extract<Obstacle, { code: Code }>;
}
