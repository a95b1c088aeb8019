/**
 * The conformance suite's results, and whether they are what the list of what does not apply says.
 *
 * @module
 */

import type { NotApplicable } from "./not_applicable.ts";
import { join } from "@std/path";

/** One check of a scenario, as the suite writes it down. */
export interface Check {
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
}

/** The check of every message against the protocol's schema; it applies whatever is asked. */
const WIRE_SCHEMA = "wire-schema-valid";

/** What the suite says of a check when there was nothing to check. */
const NOTHING_THERE = /^Not testable: |-32601: Method not found$/;

/**
 * Reads what the suite has written.
 *
 * @param outDir Its output directory.
 * @param stdout What it printed, which names every scenario that it ran.
 * @returns The checks by scenario; none for a scenario that ended before it wrote any.
 */
export async function readResults(
  outDir: string,
  stdout: string,
): Promise<Map<string, readonly Check[]>> {
  const results = new Map<string, readonly Check[]>();
  for (const [, scenario] of stdout.matchAll(/^=== Running scenario: (\S+) ===$/gm)) {
    results.set(scenario!, []);
  }
  for await (const { name } of Deno.readDir(outDir)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[-\d]+Z$/.exec(name)?.[1];
    if (scenario === undefined) throw new Error(`Cannot tell the scenario of ${name}`);
    results.set(scenario, JSON.parse(await Deno.readTextFile(join(outDir, name, "checks.json"))));
  }
  return results;
}

function describe({ id, status, errorMessage }: Check): string {
  return errorMessage === undefined ? `${id} ${status}` : `${id} ${status}: ${errorMessage}`;
}

/**
 * Whether a scenario passes. This is stricter than the suite, which lets warnings pass and a scenario
 * in which nothing was checked.
 */
function whyNotPassed(
  checks: readonly Check[],
  excused: Readonly<Record<string, string>> = {},
): string[] {
  const asked = checks.filter(({ id }) => id !== WIRE_SCHEMA && !Object.hasOwn(excused, id));
  const why = asked
    .filter(({ status }) => status === "FAILURE" || status === "WARNING")
    .map(describe);
  if (!asked.some(({ status }) => status === "SUCCESS")) why.push("nothing succeeded");
  return why;
}

/**
 * Compares results with what must pass and what does not apply.
 *
 * @param results The checks by scenario.
 * @param applicable The scenarios that must pass.
 * @param notApplicable What does not apply.
 * @returns Sentences, one for each difference; none if all is as it should be.
 */
export function differences(
  results: ReadonlyMap<string, readonly Check[]>,
  applicable: readonly string[],
  { scenarios, checks: excused }: NotApplicable,
): string[] {
  const found: string[] = [];
  for (const scenario of [...applicable, ...Object.keys(scenarios)]) {
    if (!results.has(scenario)) found.push(`${scenario} is listed, but the suite did not run it`);
  }
  for (const scenario of Object.keys(excused)) {
    if (!applicable.includes(scenario)) {
      found.push(`${scenario} has excused checks, but need not pass`);
    }
  }
  for (const [scenario, checks] of results) {
    const wire = checks.find(({ id, status }) => id === WIRE_SCHEMA && status !== "SUCCESS");
    if (wire !== undefined) found.push(`${scenario}: ${describe(wire)}`);

    if (applicable.includes(scenario)) {
      const excuses = excused[scenario] ?? {};
      found.push(...whyNotPassed(checks, excuses).map((why) => `${scenario}: ${why}`));
      for (const id of Object.keys(excuses)) {
        const same = checks.filter((check) => check.id === id);
        // An excuse is good only for as long as the suite finds nothing to check.
        const other = same.find(({ errorMessage }) => !NOTHING_THERE.test(errorMessage ?? ""));
        if (same.length > 0 && other === undefined) continue;
        const now = other === undefined ? "it is no more" : `now it is ${describe(other)}`;
        found.push(`${scenario}: ${id} is excused, but ${now}`);
      }
    } else if (!Object.hasOwn(scenarios, scenario)) {
      found.push(`${scenario} is neither among those that must pass nor in the list`);
    } else if (whyNotPassed(checks).length === 0) {
      found.push(`${scenario} passes: take it off the list`);
    }
  }
  return found;
}
