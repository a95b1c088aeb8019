/**
 * Compares two egress allowlists by the hosts that they let a bottle reach. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import type { Findings, ReachItem } from "../../records/reach.ts";
import { coversOf, forEachPattern, hostOf, isCovered, isWildcard } from "../hosts/covers.ts";
import { ownerOf } from "../hosts/resemblance.ts";
import { openJudge } from "../hosts/rules.ts";

/** The patterns of an allowlist, each with its first line. */
function readAllowlist(text: string): ReadonlyMap<string, number> {
  const patterns = new Map<string, number>();
  forEachPattern(text, (value, line) => {
    if (!patterns.has(value)) patterns.set(value, line);
  });
  return patterns;
}

/** Lists the patterns of an allowlist in its order. Programs differ in what they read in other lines. */
export function reachOfAllowlist(text: string): readonly ReachItem[] {
  return [...readAllowlist(text)].map(([value, line]) => ({ kind: "host", value, line }));
}

const judgeAgainst = openJudge(readAllowlist, (patterns) => patterns.keys().map(hostOf));

/**
 * Compares two allowlists. A pattern of the valid proposed one is added unless one pattern in force covers
 * all that it covers: no sum of other patterns can. Marks each added pattern by its host and its owner, and
 * each removed one with `removed-host`, unless a new and narrower pattern is there in its place.
 */
export function compareAllowlist(current: string | null, proposed: string): Findings {
  const { before, judgeNew } = judgeAgainst(current ?? "");
  const added = new Map<string, ReachItem>();
  const marks: Mark[] = [];
  const isKept = new Uint8Array((current ?? "").length + 2);
  let keptCount = 0;
  const narrowed = new Set<string>();
  const wildcards = new Set<string>();
  forEachPattern(proposed, (value, line) => {
    if (isWildcard(value)) wildcards.add(value);
    const lineBefore = before.get(value);
    if (lineBefore !== undefined) {
      keptCount += 1 - isKept[lineBefore]!;
      isKept[lineBefore] = 1;
      return;
    }
    const covers = coversOf(value).filter((cover) => before.has(cover));
    for (const cover of covers) narrowed.add(cover);
    if (covers.length > 0 || added.has(value)) return;
    added.set(value, { kind: "host", value, line });
    for (const mark of judgeNew(value)) marks.push({ ...mark, side: "new", line });
  });
  const removed: ReachItem[] = [];
  for (const [value, line] of keptCount < before.size ? before : []) {
    if (isKept[line] === 1 || isCovered(value, wildcards)) continue;
    removed.push({ kind: "host", value, line });
    if (narrowed.has(value)) continue;
    // There may be 60,000 of them, and none has a character to escape.
    const message = `"${value}" would no longer be allowed`;
    marks.push({ severity: "low", rule: "removed-host", message, side: "old", line });
  }
  const told = before.size === 0 ? joinNewOwners(marks, added.values()) : marks;
  return {
    added: [...added.values()],
    removed,
    marks: told,
    isUnknown: false,
    isWhole: true,
    tame: [],
  };
}

/** How many marks alike an operator reads. */
const MOST_APART = 3;

/**
 * Has one mark for all hosts of new owners if there are many: where no host is in force nearly each is one,
 * and so many marks alike hide the others. Each of the hosts is still an item, which gets a mark of its own.
 */
function joinNewOwners(marks: readonly Mark[], added: Iterable<ReachItem>): readonly Mark[] {
  const strangers = marks.filter(({ rule }) => rule === "new-owner");
  if (strangers.length <= MOST_APART) return marks;
  const lines = new Set(strangers.map(({ line }) => line));
  const owners = new Set<string>();
  for (const { value, line } of added) if (lines.has(line)) owners.add(ownerOf(hostOf(value)));
  const of = owners.size === 1 ? "1 new owner" : `${owners.size} new owners`;
  const message = `${strangers.length} hosts of ${of}: no host is in force yet`;
  return [{ ...strangers[0]!, message }, ...marks.filter(({ rule }) => rule !== "new-owner")];
}
