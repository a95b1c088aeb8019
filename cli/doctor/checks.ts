/**
 * All checks, in the order in which they are told.
 *
 * @module
 */

import { type Overview, readOverview } from "../../mod.ts";
import { checkClock } from "./clock.ts";
import type { Check, Finding } from "./finding.ts";
import { checkEdits, checkIntents } from "./interrupted.ts";
import { checkLogs } from "./logs.ts";
import { checkDeno, checkDisk } from "./machine.ts";
import { checkPermissions } from "./permissions.ts";
import { checkFilesInForce, checkQueues, checkSidecars } from "./queues.ts";
import { checkReceivers } from "./receivers.ts";

/** A group of checks, and what it is called where it fails as a whole. A new group goes here. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ["permissions", checkPermissions],
  ["queues", checkQueues],
  ["sidecars", checkSidecars],
  ["files-in-force", checkFilesInForce],
  ["intents", checkIntents],
  ["edits", checkEdits],
  ["logs", checkLogs],
  ["notify", checkReceivers],
  ["clock", checkClock],
  ["disk", checkDisk],
  ["deno", () => checkDeno()],
];

/**
 * Runs all checks. One that fails is a finding, and stops no other.
 *
 * @param root The root, which exists.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns What was found.
 */
export async function runChecks(root: string, nowMs: number): Promise<Finding[]> {
  const found: Finding[] = [];
  let read: Overview | undefined;
  const subject = { root, nowMs, overview: () => read ??= readOverview({ root }) };
  for (const [check, run] of CHECKS) {
    try {
      found.push(...await run(subject));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const says = `this could not be checked: ${message}`;
      found.push({ check, state: "bad", says, todo: "mend that, and ask again" });
    }
  }
  return found;
}
