/**
 * From the key that approves to the file in force, seen in a real Squid, and to the agent that hears it.
 *
 * @module
 */

import type { ApplySamples, ApprovalMs } from "./apply_sides.ts";
import { makeDirectory } from "./fixtures.ts";
import { besides, median, medianRatio, type Row, showMs, type Subject } from "./measure.ts";
import { here } from "./processes.ts";

const ROUNDS = 15;

const MAX_OWN_MS = 300;

const MAX_PLAIN_MS = 60;

async function samples(): Promise<ApplySamples> {
  await using dir = await makeDirectory();
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "-A", "--quiet", here("./apply_sides.ts"), dir.path, String(ROUNDS)],
    stdin: "null",
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Error(`Cannot measure applying: ${new TextDecoder().decode(stderr)}`);
}

function row(what: string, ms: readonly number[], floorMs: readonly number[], most: number): Row {
  const figure = median(ms);
  return {
    what,
    figure: showMs(figure),
    floor: showMs(median(floorMs)),
    ratio: `${medianRatio(ms, floorMs).toFixed(1)} x`,
    aim: `<= ${most} ms`,
    met: figure <= most,
  };
}

async function run(): Promise<readonly Row[]> {
  const { squid, bareSquid, plain, barePlain } = await samples();
  const of = (all: readonly ApprovalMs[], which: keyof ApprovalMs) => all.map((one) => one[which]);
  const told = of(plain, "told");
  const rows = [row("approved to agent told, without hooks", told, barePlain, MAX_PLAIN_MS)];
  if (squid.length === 0) return rows;
  const inForce = of(squid, "inForce");
  const own = inForce.map((ms, n) => ms - bareSquid[n]!);
  return [
    besides(row("approved to in force and probed, with Squid", inForce, bareSquid, 0)),
    besides(row("approved to agent told, with Squid", of(squid, "told"), bareSquid, 0)),
    row("in force and probed, Squid's own time taken out", own, told, MAX_OWN_MS),
    ...rows,
    besides(row("approve with Squid, against approve without hooks", of(squid, "told"), told, 0)),
  ];
}

/** An approval that takes effect. */
export const applying: Subject = {
  title: "An approval that takes effect",
  about:
    "Floor with Squid: parse, write, reconfigure, until the first right answer. Without hooks: three\n" +
    "files written, synced and renamed. Of the other two rows: an approval without hooks.",
  run,
};
