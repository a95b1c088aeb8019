/**
 * `apply resolve` and `freeze`: ends, and begins, that no file in force of a bottle is changed.
 *
 * @module
 */

import { applierOf, readFrozen, readNotProven } from "../../internal_mod.ts";
import { freezeFiles, resolveNotProven } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, namedBottle, openApplier, operatorAccount } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { confirmByName } from "../operate/asking.ts";
import { endIn } from "../operate/batch.ts";
import { ensureKey } from "../operate/decision.ts";
import { localTime } from "../render/time.ts";

/**
 * `apply resolve`: has the programs of `apply.json` make the file in force take effect once more. Without them the
 * operator's word counts, so a person types the bottle's name.
 */
export async function applyResolve(context: Context): Promise<void> {
  const { root, flags, print, printJson, visible } = context;
  const bottle = namedBottle(context);
  const state = readNotProven(root, bottle);
  if (state === undefined) {
    if (flags.json) printJson({ bottle, resolved: false, says: null, audit_head: null });
    else print(`${bottle}: nothing is to be resolved.`);
    return;
  }
  const applier = applierOf(await openApplier(context), bottle, state.tool);
  if (applier === undefined) {
    await confirmByName(
      context,
      bottle,
      `Nobody knows which file its enforcer of ${state.tool} has (${state.reason}), and no apply.json names ` +
        "a program that could look. Make it read the file in force first.",
      "say that it has the file in force",
    );
  }
  await ensureKey(context);
  const notes = flags.notes ?? "";
  const request = { root, bottleSlug: bottle, applier, notes, operator: operatorAccount() };
  const done = await resolveNotProven(request);
  const says = done?.says ?? "another program resolved it";
  if (flags.json) {
    printJson({ bottle, resolved: true, says, audit_head: done?.auditHead ?? null });
  } else print(`resolved ${bottle}: ${visible(says)}`);
}

/** `freeze`: refuses each change of a file in force of the bottle until a time, of people and of rules. */
export async function freezeBottle(context: Context): Promise<void> {
  const { root, flags, print, printJson } = context;
  const { until, for: duration, end, notes = "", operator: operatorName, json } = flags;
  const bottle = namedBottle(context);
  if ([until !== undefined, duration !== undefined, end].filter(Boolean).length !== 1) {
    throw new UsageError("Cannot freeze: give one of --until WHEN, --for TIME and --end");
  }
  const nowMs = Date.now();
  const ends = endIn({ for: duration, until }, nowMs);
  const untilMs = ends && ("until" in ends ? Date.parse(ends.until) : nowMs + ends.forMs);
  // Without one to end, nothing is recorded.
  if (!end || readFrozen(root, bottle) !== undefined) await ensureKey(context);
  const head = await freezeFiles({
    ...{ root, bottleSlug: bottle, notes, operator: operatorAccount() },
    ...(operatorName !== undefined && { operatorName }),
    ...(untilMs !== undefined && { until: new Date(untilMs) }),
  });
  const frozenUntil = untilMs === undefined ? undefined : new Date(untilMs).toISOString();
  if (json) printJson({ bottle, frozen_until: frozenUntil ?? null, audit_head: head ?? null });
  else if (frozenUntil === undefined) print(`${bottle} is not frozen.`);
  else print(`${bottle} is frozen until ${localTime(frozenUntil)}; --end ends it before.`);
}

if (import.meta.main) await runAlone({ "apply resolve": applyResolve, "freeze": freezeBottle });
