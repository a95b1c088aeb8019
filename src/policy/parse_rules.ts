/**
 * Reads the rules of `policy.json`, and checks their examples. Pure.
 *
 * @module
 */

import { compareConfigFiles } from "../config/compare.ts";
import { foldName, isCleanName, PACKAGE_KINDS, VERSION } from "../config/shell/package_names.ts";
import { readUpstream } from "../config/hosts/upstream.ts";
import { isBottleSlug } from "../records/names.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  TOOLS,
} from "../records/proposal.ts";
import { quote } from "../text/quote.ts";
import { findBreaches, type Floor } from "./floor.ts";
import { countOf, hostOf, listOf, membersOf, oneOf, type Place, refuse, textOf } from "./read.ts";
import { type Hours, type Rule, ruleFor, type RuleOutcome } from "./rules.ts";

const OUTCOMES: readonly RuleOutcome[] = ["approve", "reject", "ask"];

/** The names of groups, and the slugs in each. */
export type Groups = ReadonlyMap<string, readonly string[]>;

export function groupsOf(place: Place | undefined): Groups {
  if (place === undefined) return new Map();
  const names = Object.keys(place.value ?? {});
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) refuse(place, `${quote(odd)} is no name of letters, digits and hyphens`);
  const groups = membersOf(place, names);
  return new Map(names.map((name) => [name, listOf(groups[name]!, slugOf)!]));
}

/** The names of rules and groups. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function nameOf(place: Place): string {
  const name = textOf(place);
  return NAME.test(name) ? name : refuse(place, "expected a name of letters, digits and hyphens");
}

/** The slugs that a list of slugs and groups means. */
export function bottlesOf(
  place: Place | undefined,
  groups: Pick<Groups, "get">,
): readonly string[] | undefined {
  return listOf(place, (at) => {
    const [, group] = /^group:(.*)$/.exec(textOf(at)) ?? [];
    if (group === undefined) return [slugOf(at)];
    return groups.get(group) ?? refuse(at, `there is no group ${quote(group)}`);
  })?.flat();
}

function slugOf(place: Place): string {
  const slug = textOf(place);
  return isBottleSlug(slug) ? slug : refuse(place, `${quote(slug)} is no name of a bottle`);
}

function upstreamOf(place: Place): string {
  const url = textOf(place);
  const [, scheme = "", host = "", port = ""] =
    /^(https?:\/\/)((?:\*\.)?[^/?#:[\]]+|\[[^\]]*\])(:\d+)?$/.exec(url) ?? [];
  const plain = scheme + host.replace(/^\*\./, "") + port;
  const read = readUpstream(plain);
  if (typeof read !== "string" && read.hostname === host.replace(/^\*\./, "")) return url;
  return refuse(
    place,
    `${quote(url)} is no origin: write https://example.com or https://*.example.com`,
  );
}

function packageOf(place: Place): string {
  const written = textOf(place);
  const [, kind = "", name = "", version] =
    /^([a-z]+):(@?\w[\w./+:~-]*\*?)(?:@([^]*))?$/.exec(written) ?? [];
  const isWild = name.endsWith("*");
  const isUsable = version === undefined || !isWild && VERSION.test(version);
  if (!isUsable || !isCleanName(isWild ? `${name}a` : name)) {
    refuse(place, `${quote(written)} is no package: write npm:left-pad or npm:@scope/*`);
  }
  if (!PACKAGE_KINDS.has(kind)) {
    refuse(
      place,
      `no package is of the kind ${quote(kind)}: it is one of ${[...PACKAGE_KINDS].join(", ")}`,
    );
  }
  return `${kind}:${foldName(kind, name)}${version === undefined ? "" : `@${version}`}`;
}

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const capitalOf = (day: string) => day.charAt(0).toUpperCase() + day.slice(1);

function hoursOf(place: Place): Hours {
  const { from, to, days, zone } = membersOf(place, ["from", "to", "days", "zone"], ["from", "to"]);
  const [begin, end] = [from!, to!].map((at) => {
    const time = textOf(at);
    return /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(time) ? time : refuse(at, "expected 08:00");
  });
  if (begin! >= end!) refuse(to!, "expected a time after from; write two rules for a night");
  const named = zone === undefined ? "UTC" : textOf(zone);
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: named });
  } catch {
    refuse(zone!, `${quote(named)} is no time zone: write UTC or Europe/Berlin`);
  }
  const known = listOf(days, (day) => oneOf(day, DAYS)) ?? DAYS;
  return { from: begin!, to: end!, zone: named, days: known.map(capitalOf) };
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How long `90m`, `12h` or `7d` is, in milliseconds; `undefined` of any other text. */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,3})([mhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

function durationOf(place: Place): number {
  return durationMs(textOf(place)) ?? refuse(place, "expected 90m, 12h or 7d");
}

/** The list that is about the file of a tool. */
export const LIST_OF: Readonly<Record<Tool, string>> = {
  [TOOL_PIPELOCK_BLOCK]: "hosts_within",
  [TOOL_CRED_PROXY_BLOCK]: "upstreams_within",
  [TOOL_CAPABILITY_BLOCK]: "packages_within",
};

/** The keys of a rule that mean something for an approval alone. */
const OF_APPROVALS = ["marks_at_most", "count_per_day", "for"] as const;

/** A rule, where it is, and its examples, which are checked once all rules are read. */
export interface ReadRule {
  readonly rule: Rule;
  readonly place: Place;
  readonly examples: readonly Place[];
}

export function ruleOf(place: Place, groups: Groups): ReadRule {
  const members = membersOf(place, [
    "name",
    "tool",
    "bottles",
    "hosts_within",
    "upstreams_within",
    "packages_within",
    ...OF_APPROVALS,
    "hours",
    "then",
    "notes",
    "examples",
  ], ["name", "tool", "then"]);
  const name = nameOf(members.name!);
  const tool = oneOf(members.tool!, TOOLS);
  const outcome = oneOf(members.then!, OUTCOMES);
  for (const list of ["hosts_within", "upstreams_within", "packages_within"] as const) {
    const at = members[list];
    if (at !== undefined && LIST_OF[tool] !== list) refuse(at, `it means nothing for ${tool}`);
    const isEmpty = Array.isArray(at?.value) && at.value.length === 0;
    if (isEmpty && outcome !== "approve") {
      refuse(at!, `with ${outcome} an empty list means nothing`);
    }
  }
  for (const key of OF_APPROVALS) {
    const at = members[key];
    if (at !== undefined && outcome !== "approve") refuse(at, `it means nothing with ${outcome}`);
  }
  if (outcome === "reject" && members.notes === undefined) {
    refuse(place, "the key notes is missing: a rejection tells the agent why");
  }
  const bottles = bottlesOf(members.bottles, groups);
  const marks = members.marks_at_most;
  const read = <T>(at: Place | undefined, readOne: (at: Place) => T) => at && readOne(at);
  const rule = {
    name,
    tool,
    outcome,
    bottles,
    hostsWithin: listOf(members.hosts_within, hostOf),
    upstreamsWithin: listOf(members.upstreams_within, upstreamOf),
    packagesWithin: listOf(members.packages_within, packageOf),
    marksAtMost: marks === undefined ? "low" : oneOf(marks, ["none", "low", "medium"] as const),
    countPerDay: read(members.count_per_day, countOf),
    hours: read(members.hours, hoursOf),
    forMs: read(members.for, durationOf),
    notes: read(members.notes, textOf) ?? "",
  };
  const given = Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined));
  return {
    rule: given as unknown as Rule,
    place,
    examples: listOf(members.examples, (at) => at) ?? [],
  };
}

/** Refuses the file if a change does not have the outcome that an example says; hours and counts aside. */
export function checkExample(
  { floor, rules }: { readonly floor: Floor; readonly rules: readonly Rule[] },
  { tool, bottles }: Rule,
  place: Place,
): void {
  const { bottle, before, after, outcome } = membersOf(
    place,
    ["bottle", "before", "after", "outcome"],
    ["after", "outcome"],
  );
  const wanted = oneOf(outcome!, OUTCOMES);
  const textIn = (at: Place) =>
    typeof at.value === "string" ? at.value : refuse(at, "expected a text");
  const [from, to] = [before === undefined ? null : textIn(before), textIn(after!)];
  const bottleSlug = bottle === undefined ? bottles?.[0] ?? "example" : slugOf(bottle);
  const compared = compareConfigFiles(tool, from, to);
  const obstacles = findBreaches(floor, { ...compared, tool, before: from, after: to })
    .map(({ value, reason }) => `${quote(value)} is below the floor: ${reason}`);
  const ruling = ruleFor(rules, { ...compared, tool, bottleSlug, obstacles });
  if (ruling.outcome === wanted) return;
  refuse(place, `this example has the outcome ${ruling.outcome}, not ${wanted}: ${ruling.why}`);
}
