/**
 * Unified diffs in bounded time: an agent chooses the files that are compared, and must not be able to
 * freeze the operator's screen. Pure.
 *
 * @module
 */

import { diffArrays } from "diff";

/** Lines of context around a change, as in the Python original. */
const CONTEXT = 3;

/**
 * The search for a small diff is given up when more lines differ, of those that occur on both sides: its
 * cost grows with their square, and with their product with all lines. The rest is then shown as one
 * replaced block, which is longer than necessary but still true. The bounds are counts, not a time, so
 * that any machine computes the same diff again.
 */
const MAX_EDITS = 1000;

const MAX_EDITS_TIMES_LINES = 200_000_000;

/** `count` equal lines, from `oldAt` in the old file and from `newAt` in the new one. */
interface Match {
  readonly oldAt: number;
  readonly newAt: number;
  count: number;
}

/**
 * Only LF ends a line. A last line without LF includes the marker that a diff puts below it: no other
 * line contains an LF, so none equals it.
 */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop()!;
  if (last !== "") lines.push(`${last}\n\\ No newline at end of file`);
  return lines;
}

/** Adds a run of equal lines, or extends the last run if it continues it. */
function addMatch(matches: Match[], oldAt: number, newAt: number, count: number): void {
  if (count === 0) return;
  const last = matches.at(-1);
  const continues = last !== undefined && last.oldAt + last.count === oldAt &&
    last.newAt + last.count === newAt;
  if (continues) last.count += count;
  else matches.push({ oldAt, newAt, count });
}

/** Gives equal lines equal numbers, from 0. */
function numberLines(lines: readonly string[], numbers: Map<string, number>): Uint32Array {
  const numbered = new Uint32Array(lines.length);
  for (let n = 0; n < lines.length; n++) {
    let number = numbers.get(lines[n]!);
    if (number === undefined) numbers.set(lines[n]!, number = numbers.size);
    numbered[n] = number;
  }
  return numbered;
}

/** The indexes of the lines that occur on the other side too: the others cannot match. */
function placesOfShared(numbered: Uint32Array, onOtherSide: Uint8Array): number[] {
  const places: number[] = [];
  for (let n = 0; n < numbered.length; n++) if (onOtherSide[numbered[n]!] === 1) places.push(n);
  return places;
}

/** Finds the runs of equal lines between two texts that both start at `offset`. */
function matchMiddle(
  matches: Match[],
  oldLines: readonly string[],
  newLines: readonly string[],
  offset: number,
): void {
  const numbers = new Map<string, number>();
  const oldNumbers = numberLines(oldLines, numbers);
  const newNumbers = numberLines(newLines, numbers);
  const inOld = new Uint8Array(numbers.size);
  const inNew = new Uint8Array(numbers.size);
  for (const number of oldNumbers) inOld[number] = 1;
  for (const number of newNumbers) inNew[number] = 1;

  const oldShared = placesOfShared(oldNumbers, inNew);
  const newShared = placesOfShared(newNumbers, inOld);
  const lines = oldShared.length + newShared.length;
  const changes = diffArrays(
    oldShared.map((n) => oldNumbers[n]!),
    newShared.map((n) => newNumbers[n]!),
    { maxEditLength: Math.min(MAX_EDITS, MAX_EDITS_TIMES_LINES / lines) },
  );
  let oldSeen = 0;
  let newSeen = 0;
  for (const change of changes ?? []) {
    if (!change.added && !change.removed) {
      for (let n = 0; n < change.count; n++) {
        const oldAt = offset + oldShared[oldSeen + n]!;
        addMatch(matches, oldAt, offset + newShared[newSeen + n]!, 1);
      }
    }
    if (!change.added) oldSeen += change.count;
    if (!change.removed) newSeen += change.count;
  }
}

function match(oldLines: readonly string[], newLines: readonly string[]): Match[] {
  const shorter = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < shorter && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  const oldEnd = oldLines.length - 1;
  const newEnd = newLines.length - 1;
  while (tail < shorter - head && oldLines[oldEnd - tail] === newLines[newEnd - tail]) tail++;

  const matches: Match[] = [];
  const oldTail = oldLines.length - tail;
  const newTail = newLines.length - tail;
  addMatch(matches, 0, 0, head);
  matchMiddle(matches, oldLines.slice(head, oldTail), newLines.slice(head, newTail), head);
  addMatch(matches, oldTail, newTail, tail);
  return matches;
}

/** Lines that differ: from the first up to, and without, the last. */
export interface LineChange {
  readonly oldFrom: number;
  readonly oldTo: number;
  readonly newFrom: number;
  readonly newTo: number;
}

/** What differs between two lists of lines, in order. Between two changes there is a line that is the same. */
export function changesBetween(
  oldLines: readonly string[],
  newLines: readonly string[],
): LineChange[] {
  const changes: LineChange[] = [];
  let oldFrom = 0;
  let newFrom = 0;
  const end: Match = { oldAt: oldLines.length, newAt: newLines.length, count: 0 };
  for (const next of [...match(oldLines, newLines), end]) {
    if (next.oldAt > oldFrom || next.newAt > newFrom) {
      changes.push({ oldFrom, oldTo: next.oldAt, newFrom, newTo: next.newAt });
    }
    oldFrom = next.oldAt + next.count;
    newFrom = next.newAt + next.count;
  }
  return changes;
}

/** Puts changes whose context touches into one hunk. */
function groupIntoHunks(changes: readonly LineChange[]): LineChange[][] {
  const hunks: LineChange[][] = [];
  for (const change of changes) {
    const hunk = hunks.at(-1);
    const before = hunk?.at(-1);
    if (before !== undefined && change.oldFrom - before.oldTo <= 2 * CONTEXT) hunk!.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function range(from: number, count: number): string {
  // Like diff(1) and difflib: an empty range names the line before it.
  if (count === 1) return `${from + 1}`;
  return `${count === 0 ? from : from + 1},${count}`;
}

function writeHunk(
  hunk: readonly LineChange[],
  oldLines: readonly string[],
  newLines: readonly string[],
  out: string[],
): void {
  const first = hunk[0]!;
  const last = hunk.at(-1)!;
  const lead = Math.min(CONTEXT, first.oldFrom);
  const trail = Math.min(CONTEXT, oldLines.length - last.oldTo);
  const oldFrom = first.oldFrom - lead;
  const newFrom = first.newFrom - lead;
  const oldCount = last.oldTo + trail - oldFrom;
  const newCount = last.newTo + trail - newFrom;
  out.push(`@@ -${range(oldFrom, oldCount)} +${range(newFrom, newCount)} @@`);
  // Joins a run of lines at once: there may be a million.
  const write = (mark: string, lines: readonly string[], from: number, to: number) => {
    if (from < to) out.push(mark + lines.slice(from, to).join(`\n${mark}`));
  };
  let at = oldFrom;
  for (const change of hunk) {
    write(" ", oldLines, at, change.oldFrom);
    write("-", oldLines, change.oldFrom, change.oldTo);
    write("+", newLines, change.newFrom, change.newTo);
    at = change.oldTo;
  }
  write(" ", oldLines, at, last.oldTo + trail);
}

/**
 * Writes the difference between two files as a unified diff with three lines of context, for the
 * audit log and the operator's screen. `patch` and `git apply` accept it.
 *
 * Two files of up to 1 MiB take less than half a second: if no small diff is found within bounds, the
 * part that differs is shown as one replaced block.
 *
 * @example One line added
 * ```ts
 * import { renderDiff } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   renderDiff("a.example\n", "a.example\nb.example\n", { label: "allowlist" }),
 *   "--- allowlist (current)\n+++ allowlist (proposed)\n@@ -1 +1,2 @@\n a.example\n+b.example\n",
 * );
 * ```
 *
 * @param before The file in force.
 * @param after The proposed file.
 * @param options Names of the diff.
 * @returns The diff, each line with its LF; empty if nothing changed. (The Python original omits the
 * last LF, which `git apply` calls a corrupt patch.)
 */
export function renderDiff(
  before: string,
  after: string,
  options: {
    /** The file's name in the two header lines; `config` unless given. */
    readonly label?: string;
    /** Describes the old file in the header; `current` unless given. */
    readonly before?: string;
    /** Describes the new file in the header; `proposed` unless given. */
    readonly after?: string;
  } = {},
): string {
  if (before === after) return "";
  const { label = "config", before: oldKind = "current", after: newKind = "proposed" } = options;
  const oldLines = linesOf(before);
  const newLines = linesOf(after);
  const changes = changesBetween(oldLines, newLines);
  const out = [`--- ${label} (${oldKind})`, `+++ ${label} (${newKind})`];
  for (const hunk of groupIntoHunks(changes)) writeHunk(hunk, oldLines, newLines, out);
  return out.join("\n") + "\n";
}
