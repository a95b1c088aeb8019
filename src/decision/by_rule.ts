/**
 * Decides proposals by the rules of `policy.json`. A rule decides through `decide` as everybody does, under the
 * name `rule:` and its own.
 *
 * @module
 */

import { claudeBottleRoot, privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { readRuleHistory, type RuleHistory } from "../log/rule_history.ts";
import { type RuledChange, ruleFor, type RuleOutcome, type Ruling } from "../policy/rules.ts";
import { RULE_OPERATOR } from "../records/audit_entry.ts";
import { STATUS_APPROVED, STATUS_REJECTED } from "../records/proposal.ts";
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
  /** Until when an approval is meant, ISO 8601. Nothing takes it back then. */
  readonly until: string | undefined;
  /** What was recorded; `undefined` with `ask`, and in a dry run. */
  readonly decision: Decision | undefined;
}

/**
 * Asks the rules of the root's `policy.json` about a pending proposal, and does what they say, under the
 * bottle's lock, on the files as they are then. If they say `ask`, nothing is decided. The log has the rules,
 * and the hash of the policy.
 *
 * All rules together decide as often in an hour as the policy says. A rule three of whose decisions under this
 * policy an operator reverted, by what the log shows, decides nothing more until `policy.json` is changed.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param ref Which proposal.
 * @param options `dryRun`: only say what the rules say; `now`: the time, for hours and counts.
 * @returns What the rules said.
 * @throws As {@linkcode decide} does.
 */
export async function decideByRule(
  ref: DecisionPlace,
  options: { readonly dryRun?: boolean; readonly now?: Date } = {},
): Promise<RuleDecision> {
  const { root = claudeBottleRoot() } = ref;
  const { dryRun = false, now = new Date() } = options;
  const inspected = await inspectProposal(ref);
  const first = rulingOn(inspected, now, historyOf(inspected, root, now));
  if (dryRun || first.outcome === "ask") return saidBy(first, now);
  // Two programs that run rules must not decide more often together than one may.
  return await withLock(join(privateDir(root), "rules.lock"), async () => {
    let ruling = first;
    // deno-lint-ignore require-await
    const decision = await decideUnderLock({ ...ref, root }, async (inspection) => {
      ruling = rulingOn(inspection, now, historyOf(inspection, root, now));
      const { outcome, rule, needed } = ruling;
      if (outcome === "ask" || rule === undefined) return undefined;
      const until = untilOf(ruling, now);
      const { proposalSha256, currentSha256, finalSha256 } = inspection;
      const status = outcome === "approve" ? STATUS_APPROVED : STATUS_REJECTED;
      const operator = RULE_OPERATOR + rule.name;
      const notes = notesOf(ruling, until);
      return {
        said: {
          verdict: { status },
          notes,
          operator,
          proposalSha256,
          currentSha256,
          finalSha256,
          // A person confirmed the marks of a change that stands, and it has no other ones.
          ...(needed.some(({ exactly }) => exactly) && { confirmedSlug: ref.bottleSlug }),
        },
        byRules: {
          rules: needed.map(({ name }) => name),
          ...(until !== undefined && { until }),
        },
      };
    });
    return { ...saidBy(ruling, now), decision };
  });
}

function saidBy(ruling: Ruling, now: Date): RuleDecision {
  const { outcome, rule, why } = ruling;
  return { outcome, rule: rule?.name, why, until: untilOf(ruling, now), decision: undefined };
}

/** An approval is meant for as long as the rule that it needs for the shortest time. */
function untilOf({ outcome, needed }: Ruling, now: Date): string | undefined {
  const times = needed.flatMap(({ forMs }) => forMs ?? []);
  if (outcome !== "approve" || times.length === 0) return undefined;
  return new Date(now.getTime() + Math.min(...times)).toISOString();
}

function notesOf({ rule }: Ruling, until: string | undefined): string {
  const end = until === undefined
    ? []
    : [`Meant until ${until}; nothing takes it back then by itself.`];
  return [...(rule?.notes ? [rule.notes] : []), ...end].join(" ");
}

/** What rules decided before; the logs are read when it is asked for. */
export function historyOf({ policy }: Inspection, root: string, now: Date): () => RuleHistory {
  let read: RuleHistory | undefined;
  return () => read ??= readRuleHistory(root, policy.sha256, now.getTime());
}

/** What the rules say to a proposal at a time, after what they decided before. */
export function rulingOn(inspection: Inspection, now: Date, history: () => RuleHistory): Ruling {
  const { policy: { policy, problem } } = inspection;
  const ask = (why: string): Ruling => ({ outcome: "ask", needed: [], why });
  if (policy === undefined) return ask(`policy.json cannot be used (${problem})`);
  const ruling = ruleFor(policy.rules, {
    ...changeOf(inspection, now),
    countOf: (name) => history().inLastDay.get(name) ?? 0,
  });
  const { outcome, needed } = ruling;
  if (outcome === "ask") return ruling;
  const [obstacle] = outcome === "reject" ? messagesOf(inspection, STATUS_REJECTED) : [];
  if (obstacle !== undefined) return ask(obstacle);
  const stopped = needed.find(({ name }) => (history().reverted.get(name) ?? 0) >= MAX_REVERTED);
  if (stopped !== undefined) {
    return ask(
      `the rule ${stopped.name} is stopped, because operators reverted ${MAX_REVERTED} of its ` +
        `decisions; ${stopped.exactly ? "remove it" : "correct policy.json"}`,
    );
  }
  if (history().inLastHour < policy.decisionsPerHour) return ruling;
  return ask(
    `rules decided ${policy.decisionsPerHour} times in the last hour, as often as they may`,
  );
}

/** What rules are asked about. */
export function changeOf(inspection: Inspection, at: Date): RuledChange {
  const { proposal: { tool, bottleSlug }, reach, isWhole, added, removed, marks } = inspection;
  const obstacles = messagesOf(inspection, STATUS_APPROVED);
  return { tool, bottleSlug, reach, isWhole, added, removed, marks, obstacles, at };
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
