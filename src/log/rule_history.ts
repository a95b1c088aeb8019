/**
 * What rules decided before, by the audit logs: how often, and what operators took back.
 *
 * @module
 */

import { auditLogPath } from "../disk/layout.ts";
import { openOwnFile } from "../disk/lock.ts";
import { ownFileStamp } from "../disk/read_own.ts";
import {
  ACTION_APPLY_FAILED,
  ACTION_GRANT_REVOKED,
  ACTION_OPERATOR_EDIT,
  type AuditEntry,
  instantOf,
  RULE_OPERATOR,
} from "../records/audit_entry.ts";
import { STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED } from "../records/proposal.ts";
import { isWhole, linesFromEnd } from "./chain.ts";
import { isDecision } from "./decisions.ts";
import { type AuditLogId, listAuditLogs } from "./entries.ts";
import { readLine } from "./lines.ts";

/** A decision that rules made. */
interface DecisionByRules {
  /** When, in milliseconds since 1970; `Infinity` if its time is not one. */
  readonly atMs: number;
  /** All rules that it needed. */
  readonly rules: readonly string[];
}

/** What rules decided before. */
export interface RuleHistory {
  /** What they approved in the last 24 hours, also what did not take effect then. */
  readonly approvals: readonly (DecisionByRules & { readonly bottleSlug: string })[];
  /** How many of each rule's decisions under this policy operators reverted. */
  readonly reverted: ReadonlyMap<string, number>;
  /** The logs that cannot be read, and why: nothing is known of these. */
  readonly unread: readonly (AuditLogId & { readonly reason: string })[];
}

export const HOUR_MS = 3_600_000;

export const DAY_MS = 24 * HOUR_MS;

/** The lines that a diff takes out (`-`) or puts in (`+`). One without a letter or digit says nothing. */
export function linesOf({ diff }: AuditEntry, sign: "-" | "+"): readonly string[] {
  return diff.split("\n").filter((line) =>
    line.startsWith(sign) && !line.startsWith(sign.repeat(3)) && /[A-Za-z0-9]/.test(line)
  ).map((line) => line.slice(1).trim());
}

/**
 * 32 bits for each line, because agents choose how long lines are. Two lines that share them look like a revert
 * too many: then a rule stops too early, which costs a look.
 */
function hashesOf(entry: AuditEntry, sign: "-" | "+"): Int32Array {
  return Int32Array.from(linesOf(entry, sign), (line) => {
    let hash = 0;
    for (let n = 0; n < line.length; n++) {
      hash = Math.imul(hash ^ line.charCodeAt(n), 0x01000193) + 0x11c9dc5;
    }
    return hash;
  });
}

/** The lines that operators took out of a file and put in. */
interface Undone {
  readonly takenOut: Set<number>;
  readonly putIn: Set<number>;
}

/** A decision that no operator reverted so far, and the lines that it let in or kept out. */
interface Standing extends DecisionByRules {
  readonly isRejected: boolean;
  readonly lines: Int32Array;
}

const isUndone = ({ isRejected, lines }: Standing, { takenOut, putIn }: Undone): boolean =>
  lines.some((line) => (isRejected ? putIn : takenOut).has(line));

/** What is known of one log up to an offset. */
interface Known {
  readonly policySha256: string;
  readonly stamp: string;
  readonly identity: string;
  readonly covered: number;
  /** When the latest decision under another policy was made. */
  readonly otherMs: number;
  readonly approvals: readonly DecisionByRules[];
  readonly reverted: readonly DecisionByRules[];
  /** The newest first. */
  readonly standing: readonly Standing[];
  /** Whether there are older ones. */
  readonly isCut: boolean;
}

/** Of how many lines of a log's decisions is remembered what they are. */
const MOST_LINES = 250_000;

/** As how many lines a decision counts besides. */
const DECISION_LINES = 20;

/** What of a person's acts changes a file. That a grant's time was over is no act of theirs. */
const BY_OPERATORS: readonly string[] = [
  STATUS_APPROVED,
  STATUS_MODIFIED,
  ACTION_OPERATOR_EDIT,
  ACTION_GRANT_REVOKED,
];

/** How much of a log is read before other work has its turn: the first look reads all of it. */
const TURN_BYTES = 4 * 1024 * 1024;

const known = new Map<string, Known>();

/**
 * Reads a log from its end back to what was read before; anew, to the first decision under another policy that
 * is older than a day, if that was under another policy or of another file. A log whose bytes were changed in
 * place, and which is no shorter, is not read anew: `audit verify` finds that.
 */
async function readLog(
  log: AuditLogId,
  root: string,
  policySha256: string,
  signal?: AbortSignal,
): Promise<Known> {
  const path = auditLogPath(log.component, log.slug, { root });
  const last = known.get(path);
  const usable = last?.policySha256 === policySha256 ? last : undefined;
  if (usable !== undefined && ownFileStamp(path)?.text === usable.stamp) return usable;
  using file = openOwnFile(path);
  if (file === undefined) throw new Error("this root wrote it, and it is gone");
  const { identity, size, text: stamp } = file.stamp;
  const before = usable?.identity === identity && usable.covered <= size ? usable : undefined;
  const from = before?.covered ?? 0;
  const nowMs = Date.now();
  const undone: Undone = { takenOut: new Set(), putIn: new Set() };
  const approvals: DecisionByRules[] = [];
  const reverted: DecisionByRules[] = [];
  const standing: Standing[] = [];
  let [covered, otherMs, linesLeft, bytesLeft] = [size, -Infinity, MOST_LINES, TURN_BYTES];
  let isCut = before?.isCut ?? false;
  const stand = (one: Standing) => {
    linesLeft -= one.lines.length + DECISION_LINES;
    if (linesLeft < 0) isCut = true;
    else standing.push(one);
  };
  const lines = linesFromEnd((start, end) => file.read(from + start, from + end), size - from);
  for (const line of lines) {
    // A line without its end was torn by a crash, or is being written.
    if (!isWhole(line)) covered -= line.length;
    const { entry } = isWhole(line) ? readLine(line, path) : {};
    bytesLeft -= line.length;
    if (bytesLeft < 0) {
      bytesLeft = TURN_BYTES;
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    if (entry === undefined) continue;
    const { rules, operatorAction: action, operator = "", policySha256: under } = entry;
    const atMs = instantOf(entry.timestamp) / 1000;
    const isDecided = isDecision(entry);
    const isOther = isDecided && under !== undefined && under !== policySha256;
    if (isOther && atMs <= nowMs) otherMs = Math.max(otherMs, atMs);
    if (isOther && nowMs - atMs >= DAY_MS) break;
    if (rules !== undefined && operator.startsWith(RULE_OPERATOR)) {
      const isFailed = action === ACTION_APPLY_FAILED;
      // What was in force until it failed counts as approved, or a change that always fails is tried for ever.
      if (isFailed && nowMs - atMs < DAY_MS) approvals.push({ atMs, rules });
      if (!isDecided) continue;
      const isRejected = action === STATUS_REJECTED;
      if (!isRejected && nowMs - atMs < DAY_MS) approvals.push({ atMs, rules });
      const decision = { atMs, rules, isRejected, lines: hashesOf(entry, "+") };
      if (isUndone(decision, undone)) reverted.push({ atMs, rules });
      else stand(decision);
    } else if (BY_OPERATORS.includes(action)) {
      for (const hash of hashesOf(entry, "-")) undone.takenOut.add(hash);
      for (const hash of hashesOf(entry, "+")) undone.putIn.add(hash);
    }
  }
  if (before?.isCut && undone.takenOut.size + undone.putIn.size > 0) {
    // It may revert a decision whose lines are not remembered.
    known.delete(path);
    return await readLog(log, root, policySha256, signal);
  }
  for (const decision of before?.standing ?? []) {
    if (isUndone(decision, undone)) reverted.push(decision);
    else stand(decision);
  }
  const now: Known = {
    policySha256,
    stamp,
    identity,
    covered,
    otherMs: Math.max(otherMs, before?.otherMs ?? -Infinity),
    approvals: [
      ...approvals,
      ...(before?.approvals ?? []).filter(({ atMs }) => nowMs - atMs < DAY_MS),
    ],
    reverted: [...reverted, ...before?.reverted ?? []],
    standing,
    isCut,
  };
  known.set(path, now);
  return now;
}

/**
 * Reads what rules decided: of each log what is new since the last call in this process, and at first from its
 * end back to the first decision under another policy, and at least for 24 hours.
 *
 * A rule's approval counts as reverted if an operator later approved a change of that file, answered with a
 * version, recorded an edit of it, or revoked a grant, that takes out a line which the rule let in; a rule's rejection, if such
 * a change puts in a line which the rule kept out. What operators do without a record is not seen.
 *
 * @param signal Ends it with an error, between two parts of a long log.
 */
export async function readRuleHistory(
  root: string,
  policySha256: string,
  signal?: AbortSignal,
): Promise<RuleHistory> {
  const read: (Known & { readonly bottleSlug: string })[] = [];
  const unread: RuleHistory["unread"][number][] = [];
  for (const log of listAuditLogs(root)) {
    try {
      read.push({ ...await readLog(log, root, policySha256, signal), bottleSlug: log.slug });
    } catch (error) {
      // One bottle's log must not stop the rules for the others.
      if (error instanceof Deno.errors.NotCapable || signal?.aborted) throw error;
      unread.push({ ...log, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const reverted = new Map<string, number>();
  const since = Math.max(...read.map(({ otherMs }) => otherMs));
  for (const { atMs, rules } of read.flatMap(({ reverted }) => reverted)) {
    for (const name of atMs > since ? rules : []) reverted.set(name, (reverted.get(name) ?? 0) + 1);
  }
  return {
    approvals: read.flatMap(({ approvals, bottleSlug }) =>
      approvals.map((approval) => ({ ...approval, bottleSlug }))
    ),
    reverted,
    unread,
  };
}
