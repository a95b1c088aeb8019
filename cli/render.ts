/**
 * What is pending, as a table, and the small words of every surface: ages, badges.
 *
 * @module
 */

import { instantOf, makeVisible, type PendingProposal } from "../mod.ts";
import type { Style } from "./style.ts";
import { cut } from "./wrap.ts";

/**
 * How long ago something was.
 *
 * @param timestamp ISO 8601.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns `12 s`, `3 m`, `2 h`, `5 d`; `?` for what is no timestamp or in the future.
 */
export function age(timestamp: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - instantOf(timestamp) / 1000) / 1000);
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * How many characters were escaped, to stand where no agent writes: before its words, or in a heading.
 *
 * @param escaped How many.
 * @returns `[3 escaped]`; nothing for none.
 */
export function badge(escaped: number): string {
  return escaped === 0 ? "" : `[${escaped} escaped]`;
}

/**
 * A text without the blank lines and spaces around it. What else leaves a blank is a trick, to be shown.
 *
 * @param text The text.
 * @returns Its middle.
 */
export function trimPlain(text: string): string {
  const isPlain = (at: number) => text[at] === " " || text[at] === "\n";
  let [from, to] = [0, text.length];
  while (from < to && isPlain(from)) from++;
  while (from < to && isPlain(to - 1)) to--;
  return text.slice(from, to);
}

/**
 * A table of what is pending. Where anything was escaped, a column before the agents' words has the
 * badges.
 *
 * @param pending What is pending, in order.
 * @param shorts The short form of each id.
 * @param columns How wide the screen is.
 * @param nowMs Now, in milliseconds since 1970.
 * @param style Colours.
 * @returns Lines.
 */
export function renderPending(
  pending: readonly PendingProposal[],
  shorts: ReadonlyMap<string, string>,
  columns: number,
  nowMs: number,
  style: Style,
): string[] {
  const whys = pending.map(({ proposal }) =>
    makeVisible(trimPlain(proposal.justification), { oneLine: true })
  );
  const tricky = whys.some(({ escaped }) => escaped > 0);
  const rows = [
    ["ID", "BOTTLE", "TOOL", "AGE", ...(tricky ? ["ESCAPED"] : []), "JUSTIFICATION"],
    ...pending.map(({ proposal }, n) => [
      shorts.get(proposal.id) ?? proposal.id,
      proposal.bottleSlug,
      proposal.tool,
      age(proposal.arrivalTimestamp, nowMs),
      ...(tricky ? [badge(whys[n]!.escaped)] : []),
      whys[n]!.text,
    ]),
  ];
  const widths = rows[0]!.slice(0, -1).map((_, n) =>
    Math.max(...rows.map((row) => row[n]!.length))
  );
  return rows.map((row, n) => {
    const line = cut(
      row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd(),
      columns - 1,
    );
    return n === 0 ? style.dim(line) : line;
  });
}
