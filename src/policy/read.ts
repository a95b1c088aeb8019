/**
 * Reads the values of a closed JSON format: what is unknown, missing or of another kind refuses the whole file,
 * with the way to it. Pure.
 *
 * @module
 */

import { validateAllowlist } from "../config/allowlist/check.ts";
import { readUpstream } from "../config/hosts/upstream.ts";
import { findJsonProblems, formatJsonPath, type JsonSteps } from "../config/routes/json.ts";
import { isJsonObject } from "../records/shape.ts";
import { quote } from "../text/quote.ts";

/** Thrown if a policy cannot be used. The message says where in the file, and why. */
export class PolicyError extends Error {
  override name = "PolicyError";
}

/** A value in the file, and the way to it. */
export interface Place {
  readonly value: unknown;
  readonly steps: JsonSteps;
}

/** The whole of a file. */
export function placeOf(text: string): Place {
  const [problem] = findJsonProblems(text);
  if (problem !== undefined) throw new PolicyError(`${problem.where}: ${problem.message}`);
  return { value: JSON.parse(text), steps: [] };
}

/** Refuses the file for what is at a place. */
export function refuse({ steps }: Place, reason: string): never {
  throw new PolicyError(`${formatJsonPath(steps)}: ${reason}`);
}

/** The members of an object that has no other keys than `known`, and all of `needed`. */
export function membersOf<K extends string>(
  place: Place,
  known: readonly K[],
  needed: readonly K[] = [],
): { readonly [Key in K]?: Place } {
  const { value, steps } = place;
  if (!isJsonObject(value)) return refuse(place, "expected an object");
  const members: { [Key in K]?: Place } = {};
  for (const [key, member] of Object.entries(value)) {
    const at = { value: member, steps: [...steps, key] };
    if (!known.includes(key as K)) refuse(at, `there is no such key; expected ${known.join(", ")}`);
    members[key as K] = at;
  }
  const missing = needed.find((key) => members[key] === undefined);
  if (missing !== undefined) refuse(place, `the key ${missing} is missing`);
  return members;
}

/** How many entries a list may have. */
export const MAX_ENTRIES = 1000;

/** What `readOne` makes of each entry of a list; `undefined` if there is no list. */
export function listOf<T>(
  place: Place | undefined,
  readOne: (place: Place) => T,
): readonly T[] | undefined {
  if (place === undefined) return undefined;
  const { value, steps } = place;
  if (!Array.isArray(value)) return refuse(place, "expected a list");
  if (value.length > MAX_ENTRIES) refuse(place, `expected at most ${MAX_ENTRIES} entries`);
  return value.map((one, n) => readOne({ value: one, steps: [...steps, n] }));
}

/** A text that is not blank. */
export function textOf(place: Place): string {
  const { value } = place;
  return typeof value === "string" && value.trim() !== ""
    ? value
    : refuse(place, "expected a text that is not blank");
}

/** A host, a wildcard such as `*.example.com`, or an address. */
export function hostOf(place: Place): string {
  const host = textOf(place);
  const isName = /^[a-z0-9*]\S*$/.test(host) && validateAllowlist(host).length === 0;
  if (isName || typeof readUpstream(`http://${host}/`) !== "string" && !/[:/?]/.test(host)) {
    return host;
  }
  // An IPv6 address has several notations, and the URL parser compares one.
  if (host.startsWith("[") && URL.parse(`http://${host}/`)?.hostname === host) return host;
  return refuse(place, `${quote(host)} is no host: write example.com, *.example.com or an address`);
}

/** A whole number from 1. */
export function countOf(place: Place): number {
  const { value } = place;
  return Number.isSafeInteger(value) && Number(value) > 0
    ? Number(value)
    : refuse(place, "expected a whole number from 1");
}

/** One of some words. */
export function oneOf<T extends string>(place: Place, words: readonly T[]): T {
  return words.find((word) => word === place.value) ??
    refuse(place, `expected one of ${words.join(", ")}`);
}
