/**
 * Standing decisions: rules that this program wrote, each for one change that a person approved, until a time.
 * They are in `standing.json`, which is as closed a format as `policy.json`. Pure.
 *
 * @module
 */

import { SEVERITIES } from "../records/mark.ts";
import { TOOLS } from "../records/proposal.ts";
import { REACH_KINDS } from "../records/reach.ts";
import { bottlesOf, type Groups, nameOf } from "./parse_rules.ts";
import { listOf, membersOf, oneOf, type Place, placeOf, refuse, textOf } from "./read.ts";
import type { ExactChange, Rule } from "./rules.ts";

/** How long a decision may stand, in days: long enough for a project, and short enough that somebody looks again. */
export const MAX_STANDING_DAYS = 90;

export const MAX_STANDING_MS = MAX_STANDING_DAYS * 86_400_000;

/** A standing decision, and its object in the file. */
export interface StandingRule {
  readonly rule: Rule & Required<Pick<Rule, "exactly" | "standsMs">>;
  readonly place: Place;
  /** The bottles as the file has them: a slug, or `group:` and a name. */
  readonly bottles: readonly string[];
}

const itemOf = (place: Place) => {
  const { kind, value } = membersOf(place, ["kind", "value"], ["kind", "value"]);
  return { kind: oneOf(kind!, REACH_KINDS), value: textIn(value!) };
};

const markOf = (place: Place) => {
  const keys = ["severity", "rule", "message", "side"] as const;
  const { severity, rule, message, side } = membersOf(place, keys, keys);
  return {
    severity: oneOf(severity!, SEVERITIES),
    rule: textOf(rule!),
    message: textOf(message!),
    side: oneOf(side!, ["old", "new"] as const),
  };
};

function textIn(place: Place): string {
  return typeof place.value === "string" ? place.value : refuse(place, "expected a text");
}

function timeOf(place: Place): number {
  const text = textOf(place);
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text
    ? ms
    : refuse(place, "expected 2026-11-27T10:00:00.000Z");
}

function standingOf(place: Place, groups: Pick<Groups, "get">): StandingRule {
  const needed = ["name", "tool", "bottles", "added", "removed", "marks", "from", "to"] as const;
  const members = membersOf(place, [...needed, "notes"], needed);
  const standsMs = { from: timeOf(members.from!), to: timeOf(members.to!) };
  const lastsMs = standsMs.to - standsMs.from;
  if (lastsMs <= 0 || lastsMs > MAX_STANDING_MS) {
    refuse(members.to!, `expected a time after from, by at most ${MAX_STANDING_DAYS} days`);
  }
  const exactly: ExactChange = {
    added: listOf(members.added, itemOf)!,
    removed: listOf(members.removed, itemOf)!,
    marks: listOf(members.marks, markOf)!,
  };
  const rule = {
    name: nameOf(members.name!),
    tool: oneOf(members.tool!, TOOLS),
    bottles: bottlesOf(members.bottles, groups)!,
    marksAtMost: "none",
    outcome: "approve",
    notes: members.notes === undefined ? "" : textIn(members.notes),
    exactly,
    standsMs,
  } as const;
  return { rule, place, bottles: listOf(members.bottles, textOf)! };
}

/**
 * Reads `standing.json`.
 *
 * @param text The whole of it.
 * @param groups The groups of `policy.json`.
 * @throws {PolicyError} If anything in it is wrong.
 */
export function readStanding(text: string, groups: Pick<Groups, "get">): readonly StandingRule[] {
  const keys = ["version", "rules"] as const;
  const { version, rules } = membersOf(placeOf(text), keys, keys);
  if (version!.value !== 1) refuse(version!, "expected 1, the version of the format");
  return listOf(rules, (place) => standingOf(place, groups))!;
}

/** Reads `standing.json` for a person, whatever became of the groups that it names. */
export function listStanding(text: string): readonly StandingRule[] {
  return readStanding(text, { get: () => [] });
}

/** The object of a standing decision, as it is in the file. */
export function formatStanding(
  { name, tool, notes, exactly, standsMs }: StandingRule["rule"],
  bottles: readonly string[],
): object {
  const items = (all: ExactChange["added"]) => all.map(({ kind, value }) => ({ kind, value }));
  return {
    name,
    tool,
    bottles,
    added: items(exactly.added),
    removed: items(exactly.removed),
    marks: exactly.marks.map(({ severity, rule, message, side }) => ({
      severity,
      rule,
      message,
      side,
    })),
    from: new Date(standsMs.from).toISOString(),
    to: new Date(standsMs.to).toISOString(),
    ...(notes !== "" && { notes }),
  };
}
