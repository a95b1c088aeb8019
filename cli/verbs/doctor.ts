/**
 * `doctor`: runs every check and prints what was found.
 *
 * @module
 */

import { ownFileStamp, whyNoDirectory } from "../../internal_mod.ts";
import { type Overview, readOverview } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { type Check, type Finding, findingsOf } from "../doctor/finding.ts";
import { checkDrift, checkEdits, checkIntents, checkLogs } from "../doctor/logs.ts";
import { checkClock, checkDeno, checkDisk, checkReceivers } from "../doctor/machine.ts";
import { checkPolicy } from "../doctor/policy.ts";
import { checkPermissions } from "../doctor/permissions.ts";
import { checkFilesInForce, checkGrants, checkQueues, checkSidecars } from "../doctor/queues.ts";
import { visibleJson } from "../render/quote.ts";
import { wrap } from "../render/wrap.ts";

/** The groups of checks, and the name of each for when it fails as a whole. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ["permissions", checkPermissions],
  ["policy", checkPolicy],
  ["queues", checkQueues],
  ["sidecars", checkSidecars],
  ["files-in-force", checkFilesInForce],
  ["drift", checkDrift],
  ["grants", checkGrants],
  ["intents", checkIntents],
  ["edits", checkEdits],
  ["logs", checkLogs],
  ["notify", checkReceivers],
  ["clock", checkClock],
  ["disk", checkDisk],
  ["deno", () => checkDeno()],
];

/** Runs all checks on a root that exists. A check that throws is a finding, and stops no other check. */
async function runChecks({ root, supervise }: Context, nowMs: number): Promise<Finding[]> {
  const found: Finding[] = [];
  let read: Overview | undefined;
  const subject = { root, supervise, nowMs, overview: () => read ??= readOverview({ root }) };
  for (const [check, run] of CHECKS) {
    try {
      found.push(...await run(subject));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const says = `this could not be checked: ${message}`;
      found.push(findingsOf(check).bad(says, "fix that, and ask again"));
    }
  }
  return found;
}

async function examine(context: Context): Promise<readonly Finding[]> {
  const { root } = context;
  const { bad } = findingsOf("root");
  const why = whyNoDirectory(root);
  if (why !== undefined) {
    return [bad(`${root} cannot be used: ${why}`, "name another one with --root")];
  }
  if (ownFileStamp(root) !== undefined) return await runChecks(context, Date.now());
  return [bad(`there is no ${root}`, "name it with --root, or see the README")];
}

function printFinding(context: Context, finding: Finding, width: number): void {
  const { style, columns, print, printToCopy, visible } = context;
  const { check, state, says, todo } = finding;
  const paint = { ok: style.green, warn: style.magenta, bad: style.red }[state];
  const [first = "", ...rest] = wrap("", visible(says, "code"), columns - width - 8, "prose");
  print(`${paint(state.padEnd(4))}  ${check.padEnd(width)}  ${first}`);
  const margin = " ".repeat(width + 8);
  for (const row of rest) print(margin + row);
  if (todo === undefined) return;
  // In one row, however long, so that a command can be pasted.
  printToCopy(`${margin}-> ${visible(todo)}`);
}

/** Prints what it found, and changes nothing. The exit code is 1 if anything is bad. */
export async function doctor(context: Context): Promise<number> {
  const findings = await examine(context);
  const count = (state: Finding["state"]) => findings.filter((one) => one.state === state).length;
  const exit = count("bad") > 0 ? 1 : 0;
  if (context.flags.json) {
    context.printJson({
      findings: findings.map(({ check, state, says, todo }) => ({
        check,
        state,
        says,
        ...visibleJson({ says }, "code"),
        todo: todo ?? null,
      })),
    });
    return exit;
  }
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const finding of findings) printFinding(context, finding, width);
  const [bad, warn] = [count("bad"), count("warn")];
  if (bad + warn > 0) context.print(`${bad} bad, ${warn} to look at`);
  return exit;
}

if (import.meta.main) await runAlone({ doctor });
