/**
 * How properties are run: as often as the environment says, with a counterexample that can be read.
 *
 * @module
 */

import fc from "fast-check";

/** How many times its number of runs each property gets; `PROPERTY_FACTOR`, 1 unless set. */
const FACTOR = Number(Deno.env.get("PROPERTY_FACTOR") || 1);

/** The seed of every property, to run a failure again; `PROPERTY_SEED`, another each time unless set. */
const SEED = Deno.env.get("PROPERTY_SEED");

if (!(FACTOR > 0)) throw new RangeError("Cannot run properties: PROPERTY_FACTOR must be above 0");

/**
 * Runs a property, and shows the smallest counterexample and the seed if it does not hold.
 *
 * @param property The property.
 * @param numRuns How often; `PROPERTY_FACTOR` times as often in all.
 */
export function holds<T>(property: fc.IProperty<T>, numRuns?: number): void;

export function holds<T>(property: fc.IAsyncProperty<T>, numRuns?: number): Promise<void>;

export function holds<T>(
  property: fc.IProperty<T> | fc.IAsyncProperty<T>,
  numRuns = 200,
): void | Promise<void> {
  return fc.assert(property as fc.IProperty<T>, {
    numRuns: Math.max(1, Math.round(numRuns * FACTOR)),
    includeErrorInReport: true,
    ...(SEED !== undefined && { seed: Number(SEED) }),
  });
}
