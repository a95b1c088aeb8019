/**
 * Merges two versions of a text that were made from the same one, by lines. Pure.
 *
 * The package `diff` merges too: it writes conflict markers into the text, and merges changes of neighbouring
 * lines.
 *
 * @module
 */

import { changesBetween } from "./diff.ts";

/** A change of the base: which of its lines go, and what comes in their place. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
  /** From where to where it is, or could be with the same result: one of three equal lines went. */
  readonly low: number;
  readonly high: number;
}

/** The merged text, or the number of a line of the base on which the two versions differ. */
export type MergedLines = { readonly merged: string } | { readonly conflictLine: number };

/**
 * Makes the changes of both versions in the base. There is a conflict where they overlap or touch, unless they
 * are the same change: between two changes there must be a line that neither of them has.
 */
export function mergeLines(base: string, one: string, other: string): MergedLines {
  const lines = linesOf(base);
  const [first, second] = [one, other].map((text) => listChanges(lines, linesOf(text)));
  const merged: string[] = [];
  let [at, n, m] = [0, 0, 0];
  while (n < first!.length || m < second!.length) {
    const [a, b] = [first![n], second![m]];
    const meets = a !== undefined && b !== undefined && a.low <= b.high && b.low <= a.high;
    if (meets && !isSame(a, b)) return { conflictLine: Math.min(a.from, b.from) + 1 };
    const next = b === undefined || a !== undefined && a.from <= b.from ? a! : b;
    for (; at < next.from; at++) merged.push(lines[at]!);
    for (const line of next.lines) merged.push(line);
    at = next.to;
    if (next === a || meets) n++;
    if (next === b || meets) m++;
  }
  for (; at < lines.length; at++) merged.push(lines[at]!);
  return { merged: merged.join("") };
}

/** The lines of a text, each with its end. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function isSame(a: Change, b: Change): boolean {
  return a.from === b.from && a.to === b.to && a.lines.length === b.lines.length &&
    a.lines.every((line, n) => line === b.lines[n]);
}

function listChanges(base: readonly string[], lines: readonly string[]): readonly Change[] {
  const changes = changesBetween(base, lines);
  return changes.map(({ oldFrom: from, oldTo: to, newFrom, newTo }, n) => {
    const change = { from, to, lines: lines.slice(newFrom, newTo), low: from, high: to };
    if (from < to && newFrom < newTo) return change;
    // Lines that were only added or removed can be the ones before or behind them, if those are equal.
    const [moved, start, end] = from < to ? [base, from, to] : [lines, newFrom, newTo];
    const [lowest, highest] = [changes[n - 1]?.oldTo ?? 0, changes[n + 1]?.oldFrom ?? base.length];
    while (
      change.low > lowest &&
      moved[start - 1 - from + change.low] === moved[end - 1 - from + change.low]
    ) {
      change.low--;
    }
    while (
      change.high < highest && moved[start - to + change.high] === moved[end - to + change.high]
    ) {
      change.high++;
    }
    return change;
  });
}
