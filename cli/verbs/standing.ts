/**
 * `policy standing`: lists the decisions that stand for others like them, and ends one.
 *
 * @module
 */

import {
  describeReach,
  readStandingRules,
  removeStanding,
  type StandingRule,
  visibleLine,
} from "../../internal_mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { NotFoundError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { localTime } from "../render/time.ts";
import { wrap } from "../render/wrap.ts";

function rowsOf({ rule, bottles }: StandingRule, nowMs: number, columns: number): string[] {
  const { name, exactly, standsMs: { to }, tool } = rule;
  const where = bottles.join(", ");
  const says = describeReach({ ...exactly, reach: "new-reach", isWhole: true }, where);
  const end = localTime(new Date(to).toISOString());
  const head = `${name}  ${tool}  ${nowMs < to ? `until ${end}` : `ended ${end}`}`;
  return [
    ...wrap("", head, columns, "prose"),
    ...wrap("  ", visibleLine(says, "code"), columns, "prose"),
  ];
}

/** `policy standing`: lists them all. `policy standing remove NAME`: ends one. */
export async function policyStanding(context: Context, words: readonly string[]): Promise<void> {
  const { root, flags: { json }, columns, print, supervise } = context;
  const [verb, name, ...others] = words;
  if (verb === undefined) {
    const [rules, nowMs] = [readStandingRules(root), Date.now()];
    if (json) {
      const standing = rules.map(({ rule, place }) => ({
        ...place.value as object,
        ended: rule.standsMs.to <= nowMs,
      }));
      return context.printJson({ standing });
    }
    if (rules.length === 0) {
      print(`Nothing stands; ${supervise} approve ID --standing 30d makes it.`);
    }
    for (const rule of rules) rowsOf(rule, nowMs, columns).forEach(print);
    return;
  }
  if (verb !== "remove" || name === undefined || others.length > 0) {
    throw new UsageError(
      "Cannot tell what to do: write policy standing, or policy standing remove NAME",
    );
  }
  if (!await removeStanding(root, name)) {
    throw new NotFoundError(
      `Cannot find a standing decision ${name}; ${supervise} policy standing lists them`,
    );
  }
  if (json) context.printJson({ removed: name });
  else print(`${name} has ended`);
}

if (import.meta.main) await runAlone({ "policy standing": policyStanding });
