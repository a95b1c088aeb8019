/**
 * The rules of a policy, and what they say to a change. Pure.
 *
 * @module
 */

import { type Mark, SEVERITIES } from "../records/mark.ts";
import type { Tool } from "../records/proposal.ts";
import { type Comparison, nameItem, type ReachItem, type ReachKind } from "../records/reach.ts";
import { coversPackage, coversUpstream, namesPackage, openHostList } from "./match.ts";

/** What a rule, or all rules together, say to a change; `ask` leaves it to a person. */
export type RuleOutcome = "approve" | "reject" | "ask";

/** When a rule holds, by the clock of a time zone. */
export interface Hours {
  /** `Mon`, `Tue` and so on. */
  readonly days: readonly string[];
  /** `08:00`; the first minute. */
  readonly from: string;
  /** `18:00`; the minute behind the last one. */
  readonly to: string;
  /** Its name, such as `Europe/Berlin`. */
  readonly zone: string;
}

/** A change that a person approved, without its lines: what a standing decision is about. */
export interface ExactChange {
  /** What it added. */
  readonly added: readonly Omit<ReachItem, "line">[];
  /** What went. */
  readonly removed: readonly Omit<ReachItem, "line">[];
  /** The marks that it had, which the person saw, and confirmed if they were high. */
  readonly marks: readonly Omit<Mark, "line">[];
}

/** One rule. What it does not name, it does not limit; but an approving rule covers nothing it does not name. */
export interface Rule {
  /** Its name, which the log gives as the operator `rule:<name>`. */
  readonly name: string;
  /** The tool whose file it is about. */
  readonly tool: Tool;
  /** The bottles' slugs, those of groups included. */
  readonly bottles?: readonly string[];
  /** Hosts and wildcards. */
  readonly hostsWithin?: readonly string[];
  /** Origins, also with a wildcard. */
  readonly upstreamsWithin?: readonly string[];
  /** Packages. */
  readonly packagesWithin?: readonly string[];
  /** The worst mark that a change may have which the rule approves. */
  readonly marksAtMost: "none" | "low" | "medium";
  /** How many of its decisions there may be in 24 hours. */
  readonly countPerDay?: number;
  /** When it holds. */
  readonly hours?: Hours;
  /** What it says. */
  readonly outcome: RuleOutcome;
  /** For how long an approval is meant, in milliseconds. Nothing ends it. */
  readonly forMs?: number;
  /** What the agent and the log are told. */
  readonly notes: string;
  /** The change that it covers, or a part of that, and nothing else: only of a standing decision. */
  readonly exactly?: ExactChange;
  /** When a standing decision was made, and when it ends, in milliseconds since 1970. */
  readonly standsMs?: { readonly from: number; readonly to: number };
}

/** A change that rules are asked about. */
export interface RuledChange extends Comparison {
  readonly tool: Tool;
  readonly bottleSlug: string;
  /** What stands in the way of approving it, in words. */
  readonly obstacles: readonly string[];
  /** When; without it hours and counts do not matter, as in examples. */
  readonly at?: Date;
  /** Whether a rule approved as often as it may in 24 hours. */
  readonly isSpent?: (rule: Rule) => boolean;
}

/** What the rules say to a change. */
export interface Ruling {
  readonly outcome: RuleOutcome;
  /** The first rule that says so; none if no rule does. */
  readonly rule?: Rule;
  /** All rules that it needs, in their order. */
  readonly needed: readonly Rule[];
  /** Why, as a sentence without a capital letter and a full stop. */
  readonly why: string;
  /** When to ask again, in milliseconds since 1970, if it may be another ruling only because of the time. */
  readonly againMs?: number;
}

const SAYS = { reject: "rejects it", ask: "leaves it to a person" } as const;

/** How bad a change can be, the least first; a rule allows no high mark. */
export const ORDER = ["none", "low", "medium", "high"] as const;

/** How bad the worst mark of a change is. */
export function worstOf({ marks }: Pick<RuledChange, "marks">): (typeof ORDER)[number] {
  return SEVERITIES.find((level) => marks.some(({ severity }) => severity === level)) ?? "none";
}

/**
 * Says what the rules say to a change. One rejecting rule that is about something new rejects it, and so does one
 * that is about a package which the proposed file names and the file in force does not. Otherwise it
 * is approved if each thing that is new is covered by an approving rule, and asked about in every other case:
 * also if it is not known what is new, if anything stands in the way, or a rule says `ask`.
 */
export function ruleFor(rules: readonly Rule[], change: RuledChange): Ruling {
  const applying = rules.filter((rule) => applies(rule, change));
  const named = [...change.added, ...change.named ?? []];
  for (const outcome of ["reject", "ask"] as const) {
    const rule = applying.find((rule) => rule.outcome === outcome && isAbout(rule, named));
    if (rule !== undefined) {
      return { outcome, rule, needed: [rule], why: `rule ${rule.name} ${SAYS[outcome]}` };
    }
  }
  const ask = (why: string): Ruling => ({ outcome: "ask", needed: [], why });
  const [obstacle] = change.obstacles;
  if (obstacle !== undefined) return ask(obstacle);
  if (change.reach === "unknown") return ask("what it would let in could not be worked out");
  if (!change.isWhole) return ask("it changes instructions, and what those do is not proven");
  const worst = worstOf(change);
  const approving = applying.filter((rule) =>
    rule.outcome === "approve" && change.isSpent?.(rule) !== true && (
      rule.exactly === undefined
        ? worst !== "high" && ORDER.indexOf(worst) <= ORDER.indexOf(rule.marksAtMost)
        : isPartOf(change, rule.exactly)
    )
  );
  const used = new Set<Rule>();
  const now = `now approves a change with such marks (${worst})`;
  for (const item of change.added) {
    const rule = approving.find((rule) => rule.exactly !== undefined || covers(rule, item));
    if (rule === undefined) return ask(`no rule that ${now} covers ${nameItem(item)}`);
    used.add(rule);
  }
  // A change that adds nothing needs one rule that approves for this bottle and file.
  const needed = used.size > 0 ? approving.filter((rule) => used.has(rule)) : approving.slice(0, 1);
  const [rule] = needed;
  if (rule === undefined) return ask(`no rule ${now}`);
  const names = needed.map(({ name }) => name);
  return { outcome: "approve", rule, needed, why: `covered by ${names.join(", ")}` };
}

function applies({ tool, bottles, hours, standsMs }: Rule, change: RuledChange): boolean {
  const { at } = change;
  return tool === change.tool && bottles?.includes(change.bottleSlug) !== false &&
    (hours === undefined || at === undefined || isWithin(hours, at)) &&
    // In an example, which has no time, nothing stands.
    (standsMs === undefined || at !== undefined && at.getTime() < standsMs.to);
}

const nameOf = ({ kind, value }: Omit<ReachItem, "line">) => JSON.stringify([kind, value]);

const saidBy = ({ severity, rule, message, side }: Omit<Mark, "line">) =>
  JSON.stringify([severity, rule, message, side]);

function hasAll<T>(all: readonly T[], some: readonly T[], textOf: (one: T) => string): boolean {
  const known = new Set(all.map(textOf));
  return some.every((one) => known.has(textOf(one)));
}

/**
 * Whether a change adds and removes nothing that another one did not, and has no other mark: but a low one that
 * only says that an item is new, as it does where the item's owner is in force.
 */
function isPartOf({ added, removed, marks }: RuledChange, exactly: ExactChange): boolean {
  const telling = marks.filter(({ severity, rule }) =>
    severity !== "low" || !rule.startsWith("new-")
  );
  return added.length > 0 && hasAll(exactly.added, added, nameOf) &&
    hasAll(exactly.removed, removed, nameOf) && hasAll(exactly.marks, telling, saidBy);
}

function isWithin({ days, from, to, zone }: Hours, at: Date): boolean {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (name: string) => parts.find(({ type }) => type === name)?.value ?? "";
  const time = `${part("hour")}:${part("minute")}`;
  return days.includes(part("weekday")) && from <= time && time < to;
}

/** The list of a rule that is about a kind of item. */
const LISTS: Readonly<
  Partial<Record<ReachKind, "hostsWithin" | "upstreamsWithin" | "packagesWithin">>
> = {
  host: "hostsWithin",
  upstream: "upstreamsWithin",
  route: "upstreamsWithin",
  package: "packagesWithin",
};

/** Whether an approving rule covers an item whole. What it has no list for, it does not cover. */
function covers(rule: Rule, { kind, value }: ReachItem): boolean {
  const list = LISTS[kind];
  const patterns = list && rule[list];
  if (patterns === undefined) return false;
  if (kind === "host") return openHostList(patterns).covers(value);
  if (kind === "package") return coversPackage(patterns, value);
  if (kind === "upstream") return coversUpstream(patterns, value);
  // A route with a token, a role or another key is more than its upstream.
  const [, upstream] = /^\S+ to (https?:\/\/\S+)$/.exec(value) ?? [];
  return upstream !== undefined && coversUpstream(patterns, upstream);
}

/** Whether a rule that rejects or asks is about something that is new or named; one without a list is about any change. */
function isAbout(rule: Rule, items: readonly ReachItem[]): boolean {
  const { hostsWithin, upstreamsWithin, packagesWithin } = rule;
  if (hostsWithin === undefined && upstreamsWithin === undefined && packagesWithin === undefined) {
    return true;
  }
  return items.some((item) =>
    covers(rule, item) ||
    (item.kind === "package" && namesPackage(packagesWithin ?? [], item.value)) ||
    (item.kind === "host" && openHostList(hostsWithin ?? []).meets(item.value) !== undefined) ||
    (LISTS[item.kind] === "upstreamsWithin" && namesUpstream(upstreamsWithin ?? [], item.value))
  );
}

/** Whether a list names the upstream of a route, whatever else the route has. */
function namesUpstream(patterns: readonly string[], value: string): boolean {
  return (value.match(/https?:\/\/[^\s"]+/g) ?? []).some((url) => coversUpstream(patterns, url));
}
