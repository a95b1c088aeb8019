/**
 * Marks what a reviewer should notice in a change of the egress allowlist. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { openJudge } from "../hosts/rules.ts";

/** Matches every valid host and wildcard, and some invalid ones, which the validator refuses. */
const ENTRY = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Each entry with its first line. */
function entriesOf(text: string): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const entry = line.trim().toLowerCase();
    if (ENTRY.test(entry) && !entries.has(entry)) entries.set(entry, index + 1);
  }
  return entries;
}

function hostOf(entry: string): string {
  return entry.startsWith("*.") ? entry.slice(2) : entry;
}

const judgeAgainst = openJudge(entriesOf, (entries) => entries.keys().map(hostOf));

/** Whether an allowlist allows every host that an entry allows. */
function allows(entries: ReadonlyMap<string, number>, entry: string): boolean {
  if (entries.has(entry)) return true;
  const host = hostOf(entry);
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    if (entries.has(`*${host.slice(dot)}`)) return true;
  }
  return false;
}

/**
 * Marks hosts that the proposed allowlist would newly allow, if more than a plain name is to be noticed:
 * `wildcard-host`, `lookalike-host`, `punycode-host`, `paste-or-tunnel`, `too-many-hosts`; and entries that
 * it would no longer allow: `removed-host`. A host that a wildcard in force allows is not new.
 */
export function markAllowlist(current: string | null, proposed: string): readonly Mark[] {
  const { before, judge } = judgeAgainst(current ?? "");
  const after = entriesOf(proposed);
  const marks: Mark[] = [];
  for (const [entry, line] of after) {
    if (allows(before, entry)) continue;
    const host = hostOf(entry);
    if (host !== entry) {
      const message = `${quote(entry, 255)} would allow every host below ${quote(host, 253)}`;
      marks.push({ severity: "high", rule: "wildcard-host", message, side: "new", line });
    }
    for (const mark of judge(host)) marks.push({ ...mark, side: "new", line });
  }
  for (const [entry, line] of before) {
    if (allows(after, entry)) continue;
    // There may be 60,000 of them, and none has a character to escape.
    const message = `"${entry}" would no longer be allowed`;
    marks.push({ severity: "low", rule: "removed-host", message, side: "old", line });
  }
  return marks;
}
