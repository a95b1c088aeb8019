/**
 * Adds hosts to an egress allowlist, and removes hosts from it. Pure.
 *
 * @module
 */

import type { Change, Changed } from "../../records/change.ts";
import { type ConfigProblem, listProblems } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import { coversOf } from "../hosts/covers.ts";
import { validateAllowlist } from "./check.ts";

/**
 * Changes an allowlist. Where the hosts of the file are sorted, an added one goes behind the last one that
 * sorts before it, else to the end. Comments stay where they are.
 */
export function changeAllowlist(text: string, { add, remove }: Required<Change>): Changed {
  const lines = linesOf(text);
  const problems = listProblems(text, () => findProblems(lines, add, remove));
  if (problems.length > 0) return { problems };
  return { text: editHosts(text, add as readonly string[], new Set(remove)) };
}

/** Takes hosts out of an allowlist, and puts in others that it does not have. */
export function editHosts(
  text: string,
  add: readonly string[],
  removed: ReadonlySet<unknown>,
): string {
  const lines = linesOf(text);
  const kept = lines.filter((line) => !removed.has(hostOn(line)));
  return insertHosts(kept, add, lines[0]?.endsWith("\r\n") ? "\r\n" : "\n");
}

/** The hosts of an allowlist, as its lines have them. */
export function hostsOf(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => hostOn(line) ?? []);
}

function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The host on a line; `undefined` on one of another kind. */
function hostOn(line: string): string | undefined {
  const content = line.replace(/\r?\n$/, "");
  return /^[ \t]*(?:#|$)/.test(content) ? undefined : content;
}

/** What an element of `add` or `remove` must be. */
const ONE_HOST = "expected one host, as a line of the file has it";

function* findProblems(
  lines: readonly string[],
  add: readonly unknown[],
  remove: readonly unknown[],
): Generator<ConfigProblem> {
  /** Where each host will be: the number of its line, or its place in `add`. */
  const places = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const host = hostOn(line);
    if (host !== undefined) places.set(host, `on line ${index + 1}`);
  }
  const added = new Set(add);
  for (const [index, host] of remove.entries()) {
    const where = `remove[${index}]`;
    if (typeof host !== "string") yield { where, message: ONE_HOST };
    else if (added.has(host)) {
      yield { where, message: `found ${quote(host)} in add too, expected it in one of the two` };
    } else if (!places.delete(host)) {
      const cover = coverOf(host, places);
      const why = cover === undefined ? "" : `; ${cover} ${places.get(cover)} covers it`;
      yield { where, message: `the file in force has no line ${quote(host)}${why}` };
    }
  }
  for (const [index, host] of add.entries()) {
    const where = `add[${index}]`;
    const isLine = typeof host === "string" && !/[\r\n]/.test(host) && hostOn(host) !== undefined;
    const message = isLine ? validateAllowlist(host)[0]?.message : ONE_HOST;
    if (message !== undefined) yield { where, message };
    else if (!places.has(host as string)) places.set(host as string, `in ${where}`);
  }
  for (const [index, host] of add.entries()) {
    const where = `add[${index}]`;
    const cover = coverOf(String(host), places, `in ${where}`);
    if (cover === undefined) continue;
    const place = places.get(cover)!;
    const message = place.startsWith("on")
      ? `this bottle may reach ${
        quote(host as string)
      } already, by ${cover} ${place}: the block has ` +
        "another reason"
      : `${cover} ${place} covers ${quote(host as string)}: leave it out`;
    yield { where, message };
  }
}

/** The first pattern that covers a host and is elsewhere than in `place`. */
function coverOf(
  host: string,
  places: ReadonlyMap<string, string>,
  place?: string,
): string | undefined {
  for (const cover of coversOf(host)) {
    if (places.has(cover) && places.get(cover) !== place) return cover;
  }
  return undefined;
}

/** The text of a file's lines, with some hosts, each with a line end. */
function insertHosts(lines: readonly string[], hosts: readonly string[], end: string): string {
  const listed = lines.flatMap((line, index) => {
    const host = hostOn(line);
    return host === undefined ? [] : [{ host, index }];
  });
  const isSorted = listed.length > 1 &&
    listed.every(({ host }, n) => n === 0 || listed[n - 1]!.host < host);
  let next = 0;
  /** The index of the line that an added host goes in front of; they come in order where the file is sorted. */
  const placeOf = (host: string): number => {
    if (!isSorted) return lines.length;
    while (next < listed.length && listed[next]!.host < host) next++;
    return next === 0 ? listed[0]!.index : listed[next - 1]!.index + 1;
  };
  const inFront = Map.groupBy(isSorted ? hosts.toSorted() : hosts, placeOf);
  const whole = [...lines, ""].flatMap((line, index) => {
    // The last line may have no end. Whichever is the last one then has none.
    const isOpen = index === lines.length - 1 && !line.endsWith("\n");
    return [...(inFront.get(index) ?? []).map((host) => host + end), isOpen ? line + end : line];
  }).join("");
  return lines.length > 0 && !lines.at(-1)!.endsWith("\n") ? whole.slice(0, -end.length) : whole;
}
