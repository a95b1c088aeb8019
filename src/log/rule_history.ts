/**
 * What rules decided before, by the audit logs: how often, and what operators took back.
 *
 * @module
 */

import {
  ACTION_OPERATOR_EDIT,
  type AuditEntry,
  instantOf,
  RULE_OPERATOR,
} from "../records/audit_entry.ts";
import { STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED } from "../records/proposal.ts";
import { isDecision } from "./decisions.ts";
import { listAuditLogs } from "./entries.ts";
import { readHistory } from "./history.ts";

/** What rules decided before. */
export interface RuleHistory {
  /** How many decisions all rules made in the last hour. */
  readonly inLastHour: number;
  /** How many each rule made in the last 24 hours. */
  readonly inLastDay: ReadonlyMap<string, number>;
  /** How many of each rule's decisions under this policy operators reverted. */
  readonly reverted: ReadonlyMap<string, number>;
}

const HOUR_MS = 3_600_000;

const DAY_MS = 24 * HOUR_MS;

/** The lines that a diff takes out (`-`) or puts in (`+`). One without a letter or digit says nothing. */
export function linesOf({ diff }: AuditEntry, sign: "-" | "+"): readonly string[] {
  return diff.split("\n").filter((line) =>
    line.startsWith(sign) && !line.startsWith(sign.repeat(3)) && /[A-Za-z0-9]/.test(line)
  ).map((line) => line.slice(1).trim());
}

/** What operators changed in the file of one log, later than the entry that is read next. */
interface Later {
  readonly takenOut: Set<string>;
  readonly putIn: Set<string>;
}

/**
 * Reads what rules decided, from the newest entry back to the first decision under another policy, and at least
 * for 24 hours.
 *
 * A rule's approval counts as reverted if an operator later approved a change of that file, answered with a
 * version, or recorded an edit of it, that takes out a line which the rule let in; a rule's rejection, if such
 * a change puts in a line which the rule kept out. What operators do without a record is not seen.
 */
export function readRuleHistory(root: string, policySha256: string, nowMs: number): RuleHistory {
  let inLastHour = 0;
  const [inLastDay, reverted] = [new Map<string, number>(), new Map<string, number>()];
  const later = new Map<string, Later>();
  const count = (counts: Map<string, number>, names: readonly string[]) => {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  for (const entry of readHistory(listAuditLogs(root), { root, newestFirst: true })) {
    // A time that is not one, or is yet to come, counts as now.
    const ageMs = nowMs - instantOf(entry.timestamp) / 1000;
    const decided = isDecision(entry);
    const isOther = decided && entry.policySha256 !== undefined &&
      entry.policySha256 !== policySha256;
    if (isOther && ageMs >= DAY_MS) break;
    const log = `${entry.component} ${entry.bottleSlug}`;
    const { takenOut, putIn } = later.get(log) ?? { takenOut: new Set(), putIn: new Set() };
    later.set(log, { takenOut, putIn });
    const { rules, operatorAction: action, operator = "" } = entry;
    if (rules !== undefined && operator.startsWith(RULE_OPERATOR)) {
      if (!decided) continue;
      if (ageMs < HOUR_MS) inLastHour++;
      if (ageMs < DAY_MS) count(inLastDay, rules);
      const undone = action === STATUS_REJECTED ? putIn : takenOut;
      const isReverted = linesOf(entry, "+").some((line) => undone.has(line));
      if (isReverted && !isOther) count(reverted, rules);
    } else if ([STATUS_APPROVED, STATUS_MODIFIED, ACTION_OPERATOR_EDIT].includes(action)) {
      for (const line of linesOf(entry, "-")) takenOut.add(line);
      for (const line of linesOf(entry, "+")) putIn.add(line);
    }
  }
  return { inLastHour, inLastDay, reverted };
}
