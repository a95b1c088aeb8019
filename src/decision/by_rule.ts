/**
 * Decides proposals by the rules of `policy.json`. A rule decides through `decide` as everybody does, under the
 * name `rule:` and its own.
 *
 * @module
 */

import { claudeBottleRoot, privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { ensureSigningKey } from "../log/key.ts";
import { DAY_MS, HOUR_MS, readRuleHistory, type RuleHistory } from "../log/rule_history.ts";
import {
  type Rule,
  type RuledChange,
  ruleFor,
  type RuleOutcome,
  type Ruling,
} from "../policy/rules.ts";
import { listBottles } from "../queue/find.ts";
import { RULE_OPERATOR } from "../records/audit_entry.ts";
import { COMPONENT_FOR_TOOL, STATUS_APPROVED, STATUS_REJECTED } from "../records/proposal.ts";
import { decideUnderLock, type Decision, type DecisionPlace } from "./decide.ts";
import { type Inspection, inspectProposal } from "./inspect.ts";
import { obstaclesTo } from "./obstacles.ts";
import { join } from "@std/path";

/** How many reverted decisions stop a rule, until `policy.json` is changed. */
const MAX_REVERTED = 3;

/** What the rules said to a proposal, and the decision if they made one. */
export interface RuleDecision {
  /** `approve` or `reject`; `ask` if a person has to decide. */
  readonly outcome: RuleOutcome;
  /** The rule that says so, if one does. */
  readonly rule: string | undefined;
  /** Why, as the end of a sentence. It may quote an agent's text: escape it before it is shown. */
  readonly why: string;
  /** When the approval ends, ISO 8601; `undefined` if it is for good. */
  readonly until: string | undefined;
  /** When to ask again, ISO 8601: with `ask`, if rules may decide more then, or a log could not be read. */
  readonly againAt?: string;
  /** What was recorded; `undefined` with `ask`, and in a dry run. */
  readonly decision: Decision | undefined;
}

/**
 * Asks the rules of the root's `policy.json` about a pending proposal, and does what they say, under the
 * bottle's lock, on the files as they are then. If they say `ask`, nothing is decided. The log has the rules,
 * and the hash of the policy.
 *
 * All rules together approve as often in an hour as the policy says, and for each bottle an even share of that.
 * A rule three of whose decisions under this policy an operator reverted, by what the log shows, decides nothing
 * more until `policy.json` is changed.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param ref Which proposal.
 * @param options `dryRun`: only say what the rules say; `now`: the time, for hours and counts; `operator`: who runs
 * the rules, `user@host`, for the log; `onNewKey`: is called with the fingerprint of the key that signs the log, if
 * this makes it; `signal`: ends it with an error before anything is decided.
 * @returns What the rules said.
 * @throws As {@linkcode decide} does.
 */
export async function decideByRule(
  ref: DecisionPlace,
  options: {
    readonly dryRun?: boolean;
    readonly now?: Date;
    readonly operator?: string;
    readonly onNewKey?: (fingerprint: string) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<RuleDecision> {
  const { root = claudeBottleRoot() } = ref;
  const { dryRun = false, now = new Date(), operator: operatorName, onNewKey, signal } = options;
  const inspected = await inspectProposal(ref);
  const first = await rulingNow(inspected, root, now, signal);
  if (dryRun || first.outcome === "ask") {
    const forMs = lastsMs(first, inspected);
    const until = forMs === undefined ? undefined : new Date(now.getTime() + forMs).toISOString();
    return { ...saidBy(first), until };
  }
  // Two programs that run rules must not decide more often together than one may.
  return await withLock(join(privateDir(root), "rules.lock"), async () => {
    let ruling = first;
    const decision = await decideUnderLock({ ...ref, root }, async (inspection) => {
      ruling = await rulingNow(inspection, root, now, signal);
      const { outcome, rule, needed } = ruling;
      if (outcome === "ask" || rule === undefined) return undefined;
      const key = await ensureSigningKey(root);
      if (key.created) onNewKey?.(key.fingerprint);
      const forMs = lastsMs(ruling, inspection);
      const { proposalSha256, currentSha256, finalSha256 } = inspection;
      const status = outcome === "approve" ? STATUS_APPROVED : STATUS_REJECTED;
      const operator = RULE_OPERATOR + rule.name;
      return {
        said: {
          verdict: { status },
          notes: rule.notes ?? "",
          operator,
          ...(operatorName !== undefined && { operatorName }),
          proposalSha256,
          currentSha256,
          finalSha256,
          // A person confirmed the marks of a change that stands, and it has no other ones.
          ...(needed.some(({ exactly }) => exactly) && { confirmedSlug: ref.bottleSlug }),
          ...(forMs !== undefined && { grant: { forMs } }),
        },
        byRules: { rules: needed.map(({ name }) => name) },
      };
    });
    return { ...saidBy(ruling), until: decision?.until, decision };
  });
}

function saidBy(ruling: Ruling): RuleDecision {
  const { outcome, rule, why, againMs } = ruling;
  return {
    outcome,
    rule: rule?.name,
    why,
    until: undefined,
    ...(againMs !== undefined && { againAt: new Date(againMs).toISOString() }),
    decision: undefined,
  };
}

/** How long an approval lasts: as long as the rule that it needs for the shortest time. What adds nothing is for good. */
function lastsMs({ outcome, needed }: Ruling, { reach }: Inspection): number | undefined {
  const times = needed.flatMap(({ forMs }) => forMs ?? []);
  if (outcome !== "approve" || times.length === 0 || reach === "no-new-reach") return undefined;
  return Math.min(...times);
}

/** What the rules say to a proposal now, after what they decided before. The logs are read if that matters. */
export async function rulingNow(
  inspection: Inspection,
  root: string,
  now: Date,
  signal?: AbortSignal,
): Promise<Ruling> {
  const ruling = rulingOn(inspection, now);
  if (ruling.outcome === "ask") return ruling;
  const history = await readRuleHistory(root, inspection.policy.sha256, signal);
  return rulingOn(inspection, now, { ...history, bottles: listBottles(root).slugs });
}

/** What rules decided before, and the bottles that share what they may approve. */
type Before = RuleHistory & { readonly bottles: readonly string[] };

/** What the rules say to a proposal at a time; without a history, as if they had decided nothing before. */
export function rulingOn(inspection: Inspection, now: Date, before?: Before): Ruling {
  const { policy: { policy, problem }, proposal: { bottleSlug } } = inspection;
  const ask = (why: string, againMs?: number): Ruling => ({
    outcome: "ask",
    needed: [],
    why,
    ...(againMs !== undefined && { againMs }),
  });
  if (policy === undefined) return ask(`policy.json cannot be used (${problem})`);
  let againMs = Infinity;
  const isSpent = (rule: Rule): boolean => {
    if (before === undefined || rule.countPerDay === undefined) return false;
    const untilMs = spentUntil(before, bottleSlug, now, rule.countPerDay, DAY_MS, rule);
    if (untilMs === undefined) return false;
    againMs = Math.min(againMs, untilMs);
    return true;
  };
  const ruling = ruleFor(policy.rules, { ...changeOf(inspection, now), isSpent });
  const { outcome, needed } = ruling;
  if (outcome === "ask") return againMs === Infinity ? ruling : { ...ruling, againMs };
  const [obstacle] = outcome === "reject" ? messagesOf(inspection, STATUS_REJECTED) : [];
  if (obstacle !== undefined) return ask(obstacle);
  if (before === undefined) return ruling;
  const stopped = needed.find(({ name }) => (before.reverted.get(name) ?? 0) >= MAX_REVERTED);
  if (stopped !== undefined) {
    return ask(
      `the rule ${stopped.name} is stopped, because operators reverted ${MAX_REVERTED} of its ` +
        `decisions; ${stopped.exactly ? "remove it" : "correct policy.json"}`,
    );
  }
  const unread = before.unread.find(({ component, slug }) =>
    needed.some(({ tool, bottles }) =>
      COMPONENT_FOR_TOOL[tool] === component && bottles?.includes(slug) !== false
    )
  );
  if (unread !== undefined) {
    const { component, slug, reason } = unread;
    return ask(
      `the log ${component}-${slug} cannot be read, so it is not known what operators reverted (${reason})`,
      now.getTime() + UNREAD_MS,
    );
  }
  if (outcome === "reject") return ruling;
  const { decisionsPerHour } = policy;
  const untilMs = spentUntil(before, bottleSlug, now, decisionsPerHour, HOUR_MS);
  if (untilMs === undefined) return ruling;
  return ask(
    "in the last hour rules approved as often as they may: " +
      `${decisionsPerHour} times, of which ${bottleSlug} has its share`,
    untilMs,
  );
}

/** When a log that cannot be read is worth another look. */
const UNREAD_MS = 60_000;

/**
 * Until when rules may approve no more for a bottle, in milliseconds since 1970; `undefined` if they may now. They
 * may approve so often in a window of time, and for each bottle an even share of that, so that one bottle uses
 * up no other's. A bottle one of whose logs cannot be read counts as one that has used up its share.
 *
 * @param rule Whose approvals count, and which bottles share; those of all rules, and all bottles, if missing.
 */
function spentUntil(
  { approvals, unread, bottles }: Before,
  bottleSlug: string,
  now: Date,
  limit: number,
  windowMs: number,
  rule?: Rule,
): number | undefined {
  const nowMs = now.getTime();
  const sharers = bottles.filter((slug) => rule?.bottles?.includes(slug) !== false);
  const share = Math.max(1, Math.floor(limit / sharers.length));
  // A time that is not one, or is yet to come, counts as now.
  const recent = approvals
    .filter(({ rules }) => rule === undefined || rules.includes(rule.name))
    .map((approval) => ({ ...approval, atMs: Math.min(approval.atMs, nowMs) }))
    .filter(({ atMs }) => nowMs - atMs < windowMs)
    .sort((a, b) => a.atMs - b.atMs);
  const unknown = new Set(unread.map(({ slug }) => slug));
  const untilOf = (some: typeof recent, most: number) => {
    if (some.length < most) return undefined;
    const last = some[some.length - Math.max(1, most)];
    return last === undefined ? nowMs + UNREAD_MS : last.atMs + windowMs;
  };
  const untils = [
    untilOf(
      recent.filter((one) => one.bottleSlug === bottleSlug),
      unknown.has(bottleSlug) ? 0 : share,
    ),
    untilOf(recent, limit - share * sharers.filter((slug) => unknown.has(slug)).length),
  ].filter((until) => until !== undefined);
  return untils.length === 0 ? undefined : Math.max(...untils);
}

/** What rules are asked about. */
export function changeOf(inspection: Inspection, at: Date): RuledChange {
  const { proposal: { tool, bottleSlug }, reach, isWhole, added, named = [], removed, marks } =
    inspection;
  const obstacles = messagesOf(inspection, STATUS_APPROVED);
  return { tool, bottleSlug, reach, isWhole, added, named, removed, marks, obstacles, at };
}

/** What stands in the way of a decision, in words. */
function messagesOf(
  inspection: Inspection,
  status: typeof STATUS_APPROVED | typeof STATUS_REJECTED,
): string[] {
  // Of high marks the rules know themselves: one that stands is for some that a person confirmed.
  const confirmedSlug = inspection.proposal.bottleSlug;
  return obstaclesTo(inspection, { verdict: { status }, notes: "-", confirmedSlug })
    .map(({ message }) => message);
}
