/**
 * Reads `policy.json`. The format is closed: what is unknown, doubled or of the wrong kind refuses the whole
 * file, because a rule that is misspelt and ignored would let in what nobody meant. Pure.
 *
 * @module
 */

import { validateAllowlist } from "../config/allowlist/check.ts";
import { readUpstream } from "../config/hosts/upstream.ts";
import { findJsonProblems, formatJsonPath, type JsonSteps } from "../config/routes/json.ts";
import { isJsonObject } from "../records/shape.ts";
import { quote } from "../text/quote.ts";
import { BUILT_IN, type Floor } from "./floor.ts";

/** What `policy.json` says. */
export interface Policy {
  /** What no approval lets in, besides what is built in. */
  readonly floor: Floor;
}

/** What holds without a `policy.json`: the built-in floor, and no rule. */
export const NO_POLICY: Policy = { floor: BUILT_IN };

/** Thrown if a policy cannot be used. The message says where in the file, and why. */
export class PolicyError extends Error {
  override name = "PolicyError";
}

/** A value in the file, and the way to it. */
export interface Place {
  readonly value: unknown;
  readonly steps: JsonSteps;
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
const MAX_ENTRIES = 1000;

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

/** An image: a repository, with a tag or digest or without, or `name/*` for all below a name. */
function imageOf(place: Place): string {
  const image = textOf(place);
  if (/^[a-z0-9][\w.:/@-]*(?:\/\*)?$/i.test(image)) return image;
  return refuse(
    place,
    `${quote(image)} is no image: write docker.io/library/node or ghcr.io/team/*`,
  );
}

function floorOf(place: Place | undefined): Floor {
  if (place === undefined) return BUILT_IN;
  const { hosts, credentials_only_to, images_only } = membersOf(place, [
    "hosts",
    "credentials_only_to",
    "images_only",
  ]);
  const credentialsOnlyTo = listOf(credentials_only_to, hostOf);
  const imagesOnly = listOf(images_only, imageOf);
  return {
    hosts: listOf(hosts, hostOf) ?? [],
    ...(credentialsOnlyTo && { credentialsOnlyTo }),
    ...(imagesOnly && { imagesOnly }),
  };
}

/**
 * Reads a policy.
 *
 * @param text The whole of `policy.json`.
 * @throws {PolicyError} If anything in it is wrong: then none of it holds.
 */
export function parsePolicy(text: string): Policy {
  const [problem] = findJsonProblems(text);
  if (problem !== undefined) throw new PolicyError(`${problem.where}: ${problem.message}`);
  const place = { value: JSON.parse(text) as unknown, steps: [] };
  const { version, floor } = membersOf(place, ["version", "floor"], ["version"]);
  if (version!.value !== 1) refuse(version!, "expected 1, the version of the format");
  return { floor: floorOf(floor) };
}
