/**
 * `audit show`: prints what the audit logs have.
 *
 * @module
 */

import {
  type AuditLogId,
  checkProposalId,
  componentOf,
  instantOf,
  ProposalNotFoundError,
  readHistory,
  TOOLS,
} from "../../internal_mod.ts";
import type { AuditEntry, Tool } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { ACTIONS, type Flags, UsageError } from "../command/flags.ts";
import { checkChoice, parseWhen } from "../command/resolve.ts";
import { nameOfLog, selectLogs } from "../operate/logs.ts";
import { printRows, writeJsonList } from "../operate/pager.ts";
import { entryJson, entryLine, renderEntry, shortSlugs } from "../render/entry.ts";

/** Whether an added or removed line of a diff has a text in it. The first two lines are headers. */
function changes(diff: string, text: string): boolean {
  const wanted = text.toLowerCase();
  return diff.split("\n").slice(2).some((line) =>
    /^[+-]/.test(line) && line.slice(1).toLowerCase().includes(wanted)
  );
}

/** A test for the entries that the flags select. One whose time cannot be read is of any time. */
function isWanted(flags: Flags, nowMs: number): (entry: AuditEntry) => boolean {
  const { since, until, action, operator, host } = flags;
  checkChoice("action", action, ACTIONS);
  const from = since === undefined ? -Infinity : parseWhen("since", since, nowMs);
  const before = until === undefined ? Infinity : parseWhen("until", until, nowMs);
  return (entry) => {
    const instant = instantOf(entry.timestamp);
    return (instant === Infinity || instant >= from && instant < before) &&
      (action === undefined || entry.operatorAction === action) &&
      (operator === undefined || [entry.operator, entry.operatorName].includes(operator)) &&
      (host === undefined || changes(entry.diff, host));
  };
}

/** How long a UUID is. A whole one means no other id that begins with it. */
const UUID_CHARS = 36;

/** Whether a word means an id: it is the id or its beginning. */
function means(word: string, id = ""): boolean {
  return word.length < UUID_CHARS ? id.startsWith(word) : id === word;
}

/** The logs that can have an entry of what the flags select. */
function chosenLogs(context: Context): AuditLogId[] {
  const { tool } = context.flags;
  checkChoice("tool", tool, TOOLS);
  const only = tool && componentOf(tool as Tool);
  return selectLogs(context).filter(({ component }) => only === undefined || component === only);
}

function* behind<T>(first: T, others: Iterable<T>): Generator<T> {
  yield first;
  yield* others;
}

/**
 * `audit show [ID]`: prints the entries that the flags select, the newest first; for a program, with
 * `--json`, the oldest first. The exit code is 1 if a log could not be read.
 */
export async function auditShow(context: Context, words: readonly string[]): Promise<number> {
  const { root, flags, columns, supervise } = context;
  const [prefix = "", ...rest] = words;
  if (rest.length > 0) {
    throw new UsageError(`Cannot show ${words.join(" ")}: expected one ID at most`);
  }
  if (prefix !== "") checkProposalId(prefix);
  const nowMs = Date.now();
  const isSelected = isWanted(flags, nowMs);
  const logs = chosenLogs(context);
  const [broken, unlinked] = [new Map<string, number>(), new Map<string, number>()];
  const unreadable = new Map<string, unknown>();
  const countIn = (counts: Map<string, number>) => (log: AuditLogId) =>
    void counts.set(nameOfLog(log), (counts.get(nameOfLog(log)) ?? 0) + 1);
  const reading = {
    root,
    newestFirst: !flags.json,
    onBroken: countIn(broken),
    onUnlinked: countIn(unlinked),
    onUnreadable: (log: AuditLogId, error: unknown) => void unreadable.set(nameOfLog(log), error),
  };
  let isRecorded = false;

  function* selected(): Generator<AuditEntry> {
    for (const entry of readHistory(logs, reading)) {
      if (prefix !== "" && !means(prefix, entry.proposalId ?? entry.grant)) continue;
      isRecorded = true;
      if (isSelected(entry)) yield entry;
    }
  }
  const entries = selected();
  const { value: first } = entries.next();
  let code = 0;
  if (first === undefined && prefix !== "" && !isRecorded) {
    for (const error of unreadable.values()) throw error;
    throw new ProposalNotFoundError(prefix, "the audit logs");
  } else if (flags.json) {
    const all = first === undefined ? [] : behind(first, entries);
    writeJsonList(context, "entries", Iterator.from(all).map(entryJson));
  } else if (first === undefined) {
    context.print(isRecorded ? "Nothing that is recorded matches." : "Nothing is recorded.");
  } else {
    const slugs = shortSlugs(logs.map(({ slug }) => slug), columns);
    code = await printRows(
      context,
      (style) =>
        behind(first, entries).flatMap((entry) =>
          flags.full
            ? renderEntry(entry, nowMs, columns, style)
            : [entryLine(entry, slugs, columns, style)]
        ),
    );
  }
  if (first !== undefined && !flags.json) {
    context.complain("No signature was checked, and the order in part: audit verify checks both");
  }
  for (const [log, error] of unreadable) {
    code = 1;
    context.complain(`! ${log}.log is not shown: ${failureOf(error, context).message}`);
  }
  for (const [log, count] of broken) {
    context.complain(
      `! ${log}.log: passed over ${count} broken lines; run ${supervise} audit verify`,
    );
  }
  for (const [log, count] of unlinked) {
    const which = count === 1 ? "1 line does not follow its" : `${count} lines do not follow their`;
    context.complain(
      `! ${log}.log: ${which} neighbour in the chain; run ${supervise} audit verify`,
    );
  }
  return code;
}

if (import.meta.main) await runAlone({ "audit show": auditShow });
