/**
 * Whether the clocks agree: this host's, those of the sidecars, and this host's of an earlier day.
 *
 * @module
 */

import { instantOf, listAuditLogs, readAuditEntries } from "../../mod.ts";
import { type Finding, named, type Subject } from "./finding.ts";

/** How far two clocks may be apart before anybody hears of it. */
const TOLERANCE_MS = 120_000;

/**
 * Checks timestamps against the clock, and against each other.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export async function checkClock({ root, nowMs, overview }: Subject): Promise<Finding[]> {
  const found: Finding[] = [];
  const latest = (nowMs + TOLERANCE_MS) * 1000;
  const ahead = overview().pending
    .filter(({ proposal }) => instantOf(proposal.arrivalTimestamp) > latest)
    .map(({ proposal: { bottleSlug, id } }) => `${bottleSlug}/${id}`);
  if (ahead.length > 0) {
    found.push({
      check: "clock",
      state: "warn",
      says: `${named(ahead)} arrived in the future, or at no time at all, says the sidecar`,
      todo: "date; compare it with the clock where that sidecar runs",
    });
  }
  for (const { component, slug } of listAuditLogs(root)) {
    let newest = -Infinity;
    let back: string | undefined;
    // What is broken is for the check of the logs to say.
    const options = { root, onBroken: () => {} };
    for (const { timestamp } of await readAuditEntries(component, slug, options)) {
      const instant = instantOf(timestamp);
      if (instant < newest - TOLERANCE_MS * 1000) back ??= timestamp;
      if (instant !== Infinity) newest = Math.max(newest, instant);
    }
    const name = `${component}-${slug}`;
    if (newest > latest) {
      found.push({
        check: "clock",
        state: "warn",
        says: `${name} has a line from the future: this clock was ahead, or is behind now`,
        todo: "date; set the clock, or have it set by the network",
      });
    }
    if (back !== undefined) {
      found.push({
        check: "clock",
        state: "warn",
        says: `${name}: the line of ${back} is older than one before it: the clock was set back`,
        todo: `supervise audit show --bottle ${slug}; the order of the lines is the chain's`,
      });
    }
  }
  if (found.length > 0) return found;
  return [{ check: "clock", state: "ok", says: `it says ${new Date(nowMs).toISOString()}` }];
}
