/**
 * `doctor`: what is wrong, and what to do about it.
 *
 * @module
 */

import { visibleLine } from "../../mod.ts";
import type { Context } from "../context.ts";
import { runChecks } from "../doctor/checks.ts";
import type { Finding } from "../doctor/finding.ts";
import { UsageError } from "../flags.ts";
import { visibleJson } from "../visible_json.ts";
import { wrap } from "../wrap.ts";

async function examine(root: string): Promise<readonly Finding[]> {
  try {
    if (Deno.statSync(root).isDirectory) return await runChecks(root, Date.now());
    const says = `${root} is no directory`;
    return [{ check: "root", state: "bad", says, todo: "name another with --root" }];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const says = `there is no ${root}`;
    return [{ check: "root", state: "bad", says, todo: "name it with --root, or see the README" }];
  }
}

function printFinding(context: Context, finding: Finding, width: number): void {
  const { style, columns, print } = context;
  const { check, state, says, todo } = finding;
  const paint = { ok: style.green, warn: style.magenta, bad: style.red }[state];
  const [first = "", ...rest] = wrap("", visibleLine(says, "code"), columns - width - 8, "prose");
  print(`${paint(state.padEnd(4))}  ${check.padEnd(width)}  ${first}`);
  const margin = " ".repeat(width + 8);
  for (const row of rest) print(margin + row);
  if (todo === undefined) return;
  // As it is to be typed: a row that is broken here could not be pasted.
  print(`${margin}-> ${visibleLine(todo)}`);
}

/**
 * Checks everything, prints what was found, and changes nothing.
 *
 * @param context The context.
 * @returns The exit code: 1 if anything is bad.
 * @throws {UsageError} If one bottle is asked for.
 */
export async function doctor(context: Context): Promise<number> {
  if (context.flags.bottle !== undefined) {
    throw new UsageError("Cannot use --bottle with doctor: it looks at all there is");
  }
  const findings = await examine(context.root);
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
