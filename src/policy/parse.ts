/**
 * Reads `policy.json`. The format is closed: what is unknown, doubled or of the wrong kind refuses the whole
 * file, because a rule that is misspelt and ignored would let in what nobody meant. Pure.
 *
 * @module
 */

import { isReference } from "../config/dockerfile/images.ts";
import { quote } from "../text/quote.ts";
import { BUILT_IN, type Floor } from "./floor.ts";
import { checkExample, groupsOf, ruleOf } from "./parse_rules.ts";
import { countOf, hostOf, listOf, membersOf, type Place, placeOf, refuse, textOf } from "./read.ts";
import type { Rule } from "./rules.ts";
import { readStanding } from "./standing.ts";

/** What `policy.json` says. */
export interface Policy {
  /** What no approval lets in, besides what is built in. */
  readonly floor: Floor;
  /** The groups of bottles, by name. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** The rules, in their order; the standing decisions come last. */
  readonly rules: readonly Rule[];
  /** How many decisions rules may make in an hour, all together. */
  readonly decisionsPerHour: number;
}

const DECISIONS_PER_HOUR = 20;

/** What holds without a `policy.json`: the built-in floor, and no rule. */
export const NO_POLICY: Policy = {
  floor: BUILT_IN,
  groups: new Map(),
  rules: [],
  decisionsPerHour: DECISIONS_PER_HOUR,
};

/** An image: a repository, with a tag or digest or without, or `name/*` for all below a name. */
function imageOf(place: Place): string {
  const image = textOf(place);
  if (isReference(image.replace(/\/\*$/, "/a/a"))) return image;
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
 * @throws {PolicyError} If anything in it is wrong, or an example does not have its outcome: then none of it
 * holds.
 */
export function parsePolicy(text: string): Policy {
  const place = placeOf(text);
  const { version, floor, groups, rules, decisions_per_hour } = membersOf(
    place,
    ["version", "floor", "groups", "rules", "decisions_per_hour"],
    ["version"],
  );
  if (version!.value !== 1) refuse(version!, "expected 1, the version of the format");
  const known = groupsOf(groups);
  const read = listOf(rules, (place) => ruleOf(place, known)) ?? [];
  const policy = {
    floor: floorOf(floor),
    groups: known,
    rules: read.map(({ rule }) => rule),
    decisionsPerHour: decisions_per_hour ? countOf(decisions_per_hour) : DECISIONS_PER_HOUR,
  };
  for (const { rule, place } of read) {
    const first = policy.rules.find(({ name }) => name === rule.name);
    if (first !== rule) refuse(place, `there is another rule with the name ${rule.name}`);
  }
  for (const { rule, examples } of read) {
    for (const example of examples) checkExample(policy, rule, example);
  }
  return policy;
}

/**
 * Adds the standing decisions to a policy.
 *
 * @param text The whole of `standing.json`.
 * @throws {PolicyError} If anything in it is wrong: then nothing of the policy holds.
 */
export function withStanding(policy: Policy, text: string): Policy {
  const rules = [...policy.rules];
  for (const { rule, place } of readStanding(text, policy.groups)) {
    if (rules.some(({ name }) => name === rule.name)) {
      refuse(place, `there is another rule with the name ${rule.name}`);
    }
    rules.push(rule);
  }
  return { ...policy, rules };
}
