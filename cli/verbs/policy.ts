/**
 * `policy test`: checks a policy, and says what its rules would do.
 *
 * @module
 */

import {
  type PolicyInForce,
  policyWith,
  readPolicy,
  replayDecisions,
  type Replayed,
  rulingUnder,
  visibleLine,
} from "../../internal_mod.ts";
import { type Overview, type PendingProposal, readOverview } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { counted } from "../doctor/finding.ts";
import { limitsOf } from "../doctor/policy.ts";
import { selectLogs } from "../operate/logs.ts";
import { alarmLines, unlistedJson, unreadableJson } from "../render/pending.ts";
import { quoteId, quoteShort } from "../render/quote.ts";
import { localTime } from "../render/time.ts";
import { alignColumns } from "../render/wrap.ts";

type Ruling = NonNullable<Replayed["ruling"]>;

/** A recorded decision that could be replayed. */
type Judged = Pick<Replayed, "entry" | "isApproval"> & { readonly ruling: Ruling };

/** What rules say to something that is pending. */
interface Ruled {
  readonly entry: PendingProposal;
  readonly ruling: Ruling;
}

async function rulePending(
  context: Context,
  policy: PolicyInForce,
  overview: Overview,
): Promise<Ruled[]> {
  const { root } = context;
  const ruled: Ruled[] = [];
  for (const entry of overview.pending) {
    const { bottleSlug, proposalId } = entry;
    try {
      const ruling = await rulingUnder(policy, { root, bottleSlug, proposalId }, new Date());
      ruled.push({ entry, ruling });
    } catch (error) {
      // It was decided or withdrawn just now, something else is in its place, or a file may not be read.
      if (error instanceof Deno.errors.NotCapable) throw error;
      context.complain(`${quoteId(proposalId)}: ${failureOf(error, context).message}`);
    }
  }
  return ruled;
}

/** Whether rules would have decided otherwise; what they leave to a person, is not decided otherwise. */
function differs({ entry, ruling, isApproval }: Judged): boolean {
  if (ruling.outcome === "ask") return false;
  if (ruling.outcome !== "approve") return entry.operatorAction !== "rejected";
  // What a person approved for a time, a rule without `for` approves for good.
  const isForGood = ruling.needed.every(({ forMs }) => forMs === undefined);
  return !isApproval || (isForGood && entry.until !== undefined);
}

/** For each rule, how often it would decide or ask: of what is pending, as it was decided, and otherwise. */
function countByRule(
  { policy }: PolicyInForce,
  pending: readonly Ruled[],
  replayed: readonly Judged[],
) {
  return (policy?.rules ?? []).map((rule) => {
    const isNeeded = ({ ruling }: { readonly ruling: Ruling }) =>
      ruling.needed.some(({ name }) => name === rule.name);
    const recorded = replayed.filter(isNeeded);
    const otherwise = recorded.filter(differs).length;
    return {
      name: rule.name,
      then: rule.outcome,
      pending: pending.filter(isNeeded).length,
      recorded: recorded.length,
      otherwise,
    };
  });
}

/** How many cells a time has up to its minute. */
const MINUTE_CELLS = 16;

const saidJson = ({ outcome, needed, why }: Ruling) => ({
  outcome,
  rules: needed.map(({ name }) => name),
  why,
});

const inWords = ({ outcome, why }: Ruling): string =>
  visibleLine(`${outcome === "ask" ? "left to a person" : `would ${outcome}`}: ${why}`, "code");

/** What a policy would do. */
interface Report {
  readonly rules: ReturnType<typeof countByRule>;
  readonly pending: readonly Ruled[];
  /** The decisions that could be replayed. */
  readonly replayed: readonly Judged[];
  /** How many decisions could not. */
  readonly lost: number;
}

function reportJson({ rules, pending, replayed, lost }: Report): object {
  return {
    rules,
    pending: pending.map(({ entry: { bottleSlug, proposalId }, ruling }) => ({
      bottle_slug: bottleSlug,
      id: proposalId,
      ...saidJson(ruling),
    })),
    recorded: replayed.map(({ entry, ruling, isApproval }) => ({
      timestamp: entry.timestamp,
      bottle_slug: entry.bottleSlug,
      id: entry.proposalId,
      status: entry.operatorAction,
      operator: entry.operator ?? null,
      ...saidJson(ruling),
      otherwise: differs({ entry, ruling, isApproval }),
    })),
    not_replayed: lost,
  };
}

function reportRows({ rules, pending, replayed, lost }: Report): string[] {
  const ofRules = rules.map((rule) => [
    ...[rule.pending, rule.recorded, rule.otherwise].map(String),
    rule.then,
    rule.name,
  ]);
  const ofPending = pending.map(({ entry: { bottleSlug, proposalId }, ruling }) => [
    quoteShort(proposalId),
    bottleSlug,
    inWords(ruling),
  ]);
  const others = replayed.filter(differs);
  const ofOthers = others.map(({ entry, ruling }) => [
    localTime(entry.timestamp).slice(0, MINUTE_CELLS),
    quoteShort(entry.proposalId!),
    visibleLine(entry.bottleSlug, "code"),
    visibleLine(`${entry.operatorAction} by ${entry.operator ?? "somebody"}`, "code"),
    inWords(ruling),
  ]);
  const header = ["PENDING", "RECORDED", "OTHERWISE", "THEN", "RULE"];
  const asked = replayed.filter(({ ruling }) => ruling.outcome === "ask").length;
  const alike = replayed.length - asked - others.length;
  return [
    ...(rules.length === 0 ? [] : alignColumns([header, ...ofRules], 3)),
    ...(pending.length === 0 ? [] : ["", "Pending:", ...alignColumns(ofPending)]),
    ...(others.length === 0 ? [] : ["", "Decided otherwise:", ...alignColumns(ofOthers)]),
    "",
    `${counted(replayed.length + lost, "recorded decision")}: ${alike} as the rules say, ` +
    `${others.length} otherwise, ${asked} left to a person.`,
    ...(lost === 0
      ? []
      : [`${lost} not replayed: the proposal or the file in force is not there any more.`]),
  ];
}

/**
 * Checks the policy in force, or the one that `--file` names, and asks its rules about what is pending and about
 * each decision in the logs. A policy that cannot be used is an error. The exit code is 1 if a queue could not be
 * looked into, as of `list`.
 */
export async function policyTest(context: Context): Promise<number> {
  const { root, where, flags, print } = context;
  const name = flags.file === "-" ? "standard input" : flags.file ?? "policy.json";
  const policy = flags.file === undefined
    ? readPolicy(root)
    : policyWith(root, { policy: await readNamedFile(context, flags.file) });
  const { sha256, problem } = policy;
  if (policy.policy === undefined) throw new Error(`Cannot use ${name}: ${problem}`);
  const overview = readOverview(where);
  const exit = overview.unreadable.some(({ isWholeQueue }) => isWholeQueue) ? 1 : 0;
  const pending = await rulePending(context, policy, overview);
  const replayed: Judged[] = [];
  let lost = 0;
  for (const { entry, ruling, isApproval } of replayDecisions(selectLogs(context), policy, root)) {
    // Agents choose how long a diff is, and a log has many: none is kept.
    if (ruling !== undefined) replayed.push({ entry: { ...entry, diff: "" }, ruling, isApproval });
    else lost++;
  }
  const report = { rules: countByRule(policy, pending, replayed), pending, replayed, lost };
  if (flags.json) {
    context.printJson({
      sha256,
      ...reportJson(report),
      unlisted: overview.unlisted.map(unlistedJson),
      unreadable: overview.unreadable.map(unreadableJson),
    });
    return exit;
  }
  print(
    sha256 === "" && policy.policy.rules.length === 0
      ? "There is no policy.json: the built-in floor holds alone."
      : `${name} can be used: ${limitsOf(policy.policy)}`,
  );
  reportRows(report).forEach(print);
  alarmLines(overview).forEach(context.complain);
  return exit;
}

if (import.meta.main) await runAlone({ "policy test": policyTest });
