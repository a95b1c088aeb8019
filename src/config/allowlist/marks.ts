/**
 * What to notice in a change of the egress allowlist. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { judgeAgainst } from "../hosts/rules.ts";

/** What can be a host or its wildcard; whether it is one says the validator. */
const ENTRY = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The entries of an allowlist, each with the line it stands on first. */
function entriesOf(text: string): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const entry = line.trim().toLowerCase();
    if (ENTRY.test(entry) && !entries.has(entry)) entries.set(entry, index + 1);
  }
  return entries;
}

/** Without the wildcard. */
function hostOf(entry: string): string {
  return entry.startsWith("*.") ? entry.slice(2) : entry;
}

/** Whether an allowlist lets through all that an entry does. */
function allows(entries: ReadonlyMap<string, number>, entry: string): boolean {
  if (entries.has(entry)) return true;
  const host = hostOf(entry);
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    if (entries.has(`*${host.slice(dot)}`)) return true;
  }
  return false;
}

/**
 * Marks what a proposed allowlist would allow that the one in force does not, if it is more than a
 * plain host: `wildcard-host`, `lookalike-host`, `punycode-host`, `paste-or-tunnel`, or one of `too-many-hosts`;
 * and what it would
 * allow no more: `removed-host`. What a wildcard in force allows already is no news.
 *
 * Never throws, and takes time linear in the texts.
 *
 * @param current The file in force, or `null` if there is none.
 * @param proposed The proposed file.
 * @returns The marks, in any order.
 */
export function markAllowlist(current: string | null, proposed: string): readonly Mark[] {
  const before = entriesOf(current ?? "");
  const after = entriesOf(proposed);
  const judge = judgeAgainst([...before.keys()].map(hostOf));
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
    const message = `${quote(entry, 255)} would be allowed no more`;
    marks.push({ severity: "low", rule: "removed-host", message, side: "old", line });
  }
  return marks;
}
