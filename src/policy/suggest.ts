/**
 * Drafts rules from what people approved again and again, and proves each by the rules' own engine on what was
 * decided. Pure.
 *
 * @module
 */

import { splitPackage } from "../config/shell/package_names.ts";
import { registeredDomainOf } from "../config/hosts/resemblance.ts";
import { type Tool, TOOL_CAPABILITY_BLOCK } from "../records/proposal.ts";
import type { ReachItem } from "../records/reach.ts";
import { parsePolicy, type Policy } from "./parse.ts";
import { LIST_OF } from "./parse_rules.ts";
import { PolicyError } from "./read.ts";
import { ORDER, type Rule, type RuledChange, ruleFor, worstOf } from "./rules.ts";

/** A change that a person decided. */
export interface PastChange {
  readonly change: RuledChange;
  readonly isApproved: boolean;
  /** Both files, for an example; missing if they are too large for one. */
  readonly files?: { readonly before: string | null; readonly after: string };
}

/** A draft of a rule. */
export interface Suggestion {
  /** The object for `rules` in `policy.json`. */
  readonly json: object;
  /** How many recorded decisions it would have saved, alone beside the policy in force. */
  readonly saved: number;
  /** In which bottles. */
  readonly bottles: readonly string[];
}

/** How many different names below one domain or scope make a draft for all of it, and how many approvals one. */
const [MIN_NAMES, MIN_APPROVALS] = [3, 2];

/** Nobody reads more drafts. */
const MAX_DRAFTS = 50;

/** The most patterns in a draft for what was approved together. */
const MAX_TOGETHER = 20;

/** What could cover an item: itself, and all of its domain, scope or name. */
interface Patterns {
  readonly narrow: string;
  readonly wide: readonly string[];
}

/** All hosts of the owner of a host or wildcard, as patterns. */
function sitesOf(host: string): readonly string[] {
  const domain = registeredDomainOf(host.replace(/^\*\./, ""));
  return domain === undefined ? [] : [`*.${domain}`];
}

/** Missing if no rule can cover the item. */
function patternsOf({ kind, value }: ReachItem): Patterns | undefined {
  if (kind === "host") return { narrow: value, wide: sitesOf(value) };
  if (kind === "package") {
    const [name, version] = splitPackage(value);
    const [scope] = /^[a-z]+:@[^/]+\//.exec(name) ?? [];
    return {
      narrow: value,
      wide: [
        ...(scope === undefined ? [] : [`${scope}*`]),
        ...(version === undefined ? [] : [name]),
      ],
    };
  }
  // A route with a token, a role or another key is more than its upstream.
  const [, scheme = "", host = "", port = ""] = kind === "upstream" || kind === "route"
    ? /^(?:\S+ to )?(https?:\/\/)([^/?#:\s]+)(:\d+)?(?:[/?#]\S*)?$/.exec(value) ?? []
    : [];
  if (host === "") return undefined;
  const wide = sitesOf(host).map((site) => scheme + site + port);
  return { narrow: scheme + host + port, wide };
}

/** What a draft would cover, and the approvals that it comes from. */
interface Candidate {
  readonly tool: Tool;
  readonly patterns: readonly string[];
  /** The narrow patterns that it stands for. */
  readonly names: Set<string>;
  readonly from: Set<PastChange>;
  readonly isWide: boolean;
}

function candidatesOf(approved: readonly PastChange[]): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  const note = (past: PastChange, patterns: readonly string[], names: readonly string[]) => {
    const { tool } = past.change;
    const isWide = patterns.length === 1 && patterns[0] !== names[0];
    // A package that was approved without a version is no sum of its versions.
    const key = JSON.stringify([tool, patterns, isWide]);
    const candidate = found.get(key) ??
      { tool, patterns, names: new Set(), from: new Set(), isWide };
    names.forEach((name) => candidate.names.add(name));
    candidate.from.add(past);
    found.set(key, candidate);
  };
  for (const past of approved) {
    const all = past.change.added.map(patternsOf);
    const narrow = [...new Set(all.flatMap((one) => one?.narrow ?? []))].sort();
    if (all.includes(undefined) || narrow.length === 0) continue;
    for (const one of all) {
      note(past, [one!.narrow], [one!.narrow]);
      for (const wide of one!.wide) note(past, [wide], [one!.narrow]);
    }
    if (narrow.length > 1 && narrow.length <= MAX_TOGETHER) note(past, narrow, narrow);
  }
  // The widest first: what it covers needs no draft of its own. What was approved together comes last.
  const rank = ({ isWide, patterns }: Candidate) => isWide ? 0 : patterns.length === 1 ? 1 : 2;
  return [...found.values()].filter(({ isWide, names, from }) =>
    isWide ? names.size >= MIN_NAMES : from.size >= MIN_APPROVALS
  ).sort((a, b) => rank(a) - rank(b) || b.names.size - a.names.size || b.from.size - a.from.size);
}

/** A name that no rule has. */
function nameFor(patterns: readonly string[], taken: ReadonlySet<string>): string {
  const plain = patterns[0]!.toLowerCase().replace(/^https?:/, "").replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "").slice(0, 40);
  const base = `suggested-${plain}${patterns.length > 1 ? "-and-more" : ""}`;
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
  return name;
}

/** A draft, as an object and as the rule that the parser makes of it. */
interface Draft {
  readonly json: object;
  readonly rule: Rule;
  readonly saved: readonly PastChange[];
}

/** The draft of a candidate; `undefined` if it would not do, alone beside the rules in force. */
function draftOf(
  { tool, patterns, from }: Candidate,
  rules: readonly Rule[],
  name: string,
  all: readonly PastChange[],
): Draft | undefined {
  const bottles = [...new Set([...from].map(({ change }) => change.bottleSlug))].sort();
  const worst = Math.max(...[...from].map(({ change }) => ORDER.indexOf(worstOf(change))));
  const json = {
    name,
    tool,
    bottles,
    [LIST_OF[tool]]: patterns,
    marks_at_most: ORDER[worst],
    then: "approve",
  };
  const rule = parsed(json);
  if (rule === undefined) return undefined;
  const told = judge([...rules, rule], [rule], all);
  const saved = told.get(rule) ?? [];
  // Nobody ever rejected or changed a proposal with anything that it names.
  const against = { ...rule, outcome: "reject" } as const;
  const isDisputed = all.some(({ change, isApproved }) =>
    !isApproved && ruleFor([against], { ...change, bottleSlug: bottles[0]! }).outcome === "reject"
  );
  if (isDisputed || saved.length < MIN_APPROVALS || saved.some(({ isApproved }) => !isApproved)) {
    return undefined;
  }
  const example = saved.filter(({ files }) => files !== undefined)
    .filter(({ change }) => ruleFor([...rules, rule], timeless(change)).outcome === "approve")
    .sort((a, b) => a.files!.after.length - b.files!.after.length)[0];
  if (example === undefined) return undefined;
  const { change: { bottleSlug }, files } = example;
  const { before, after } = files!;
  const examples = [{
    bottle: bottleSlug,
    ...(before !== null && { before }),
    after,
    outcome: "approve",
  }];
  const whole = { ...json, examples };
  return parsed(whole) && { json: whole, rule, saved };
}

/** A change as an example has it. */
function timeless({ at: _, ...change }: RuledChange): RuledChange {
  return change;
}

/** The rule that the parser makes of an object, if it takes it alone. */
function parsed(json: object): Rule | undefined {
  try {
    return parsePolicy(JSON.stringify({ version: 1, rules: [json] })).rules[0];
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

/** For each draft the decisions that rules would make which need it. */
function judge(
  rules: readonly Rule[],
  drafts: readonly Rule[],
  all: readonly PastChange[],
): ReadonlyMap<Rule, readonly PastChange[]> {
  const told = new Map<Rule, PastChange[]>(drafts.map((rule) => [rule, []]));
  for (const past of all) {
    const { outcome, needed } = ruleFor(rules, past.change);
    if (outcome !== "approve") continue;
    for (const rule of needed) told.get(rule)?.push(past);
  }
  return told;
}

/**
 * Drafts rules from changes that people approved as they were. Each draft would have saved decisions, and would
 * have decided none otherwise than people did: alone beside the policy in force, and all together.
 *
 * @param policy The policy in force. What its rules approve needs no draft.
 * @param all What people decided.
 * @param isRejected Whether any of some texts is in something that was rejected, and is not among `all`.
 */
export function suggestRules(
  policy: Pick<Policy, "rules">,
  all: readonly PastChange[],
  isRejected: (texts: readonly string[]) => boolean,
): { readonly suggestions: readonly Suggestion[]; readonly saved: number } {
  const { rules } = policy;
  const approved = all.filter(({ change, isApproved, files }) =>
    isApproved && files !== undefined && change.reach === "new-reach" &&
    change.obstacles.length === 0 && worstOf(change) !== "high" &&
    ruleFor(rules, change).outcome === "ask"
  );
  const taken = new Set(rules.map(({ name }) => name));
  const covered = new Set<string>();
  let drafts: Draft[] = [];
  for (const candidate of candidatesOf(approved)) {
    if (drafts.length === MAX_DRAFTS) break;
    const { tool, patterns, names } = candidate;
    const keys = [...names].map((name) => `${tool} ${name}`);
    if (keys.every((key) => covered.has(key))) continue;
    if (isRejected(patterns.map((pattern) => coreOf(tool, pattern)))) continue;
    const draft = draftOf(candidate, rules, nameFor(patterns, taken), all);
    if (draft === undefined) continue;
    drafts.push(draft);
    taken.add(draft.rule.name);
    for (const name of [...names, ...patterns]) covered.add(`${tool} ${name}`);
  }
  while (true) {
    const own = drafts.map(({ rule }) => rule);
    const told = judge([...rules, ...own], own, all);
    const sound = drafts.filter(({ rule }) =>
      told.get(rule)!.every(({ isApproved }) => isApproved)
    );
    if (sound.length < drafts.length) {
      drafts = sound;
      continue;
    }
    drafts.sort((a, b) =>
      a.rule.tool.localeCompare(b.rule.tool) || b.saved.length - a.saved.length
    );
    const suggestions = drafts.map(({ json, saved }) => ({
      json,
      saved: saved.length,
      bottles: [...new Set(saved.map(({ change }) => change.bottleSlug))].sort(),
    }));
    return { suggestions, saved: new Set([...told.values()].flat()).size };
  }
}

/** What every text has in it that names something which a pattern covers. */
function coreOf(tool: Tool, pattern: string): string {
  const name = pattern.replace(/^https?:\/\//, "").replace(/^\*\./, "").replace(/\*$/, "");
  const kindless = tool === TOOL_CAPABILITY_BLOCK ? name.slice(name.indexOf(":") + 1) : name;
  return kindless.replace(/(?<=.)[:@][^/:@]*$/, "");
}
