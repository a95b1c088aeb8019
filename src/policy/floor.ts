/**
 * The floor: what no approval lets in. Pure.
 *
 * @module
 */

import { type Tool, TOOL_CRED_PROXY_BLOCK, TOOL_PIPELOCK_BLOCK } from "../records/proposal.ts";
import type { Comparison } from "../records/reach.ts";
import { quote } from "../text/quote.ts";
import { belowBuiltIn } from "./inside.ts";
import { coversImage, openHostList } from "./match.ts";
import { hostsNamedIn, hostsReachedBy, spellHost } from "./named_hosts.ts";

/** What a policy puts below the floor, besides what is built in. */
export interface Floor {
  /** Hosts and wildcards that nothing may reach. */
  readonly hosts: readonly string[];
  /** The hosts to which a credential may go; any unless given. */
  readonly credentialsOnlyTo?: readonly string[];
  /** The images that a Dockerfile may name; any unless given. */
  readonly imagesOnly?: readonly string[];
}

/** The floor without a policy. */
export const BUILT_IN: Floor = { hosts: [] };

/** Something that a change would add, and that no approval lets in. */
export interface FloorBreach {
  /** The host, or the image. Bytes of an agent: quote it before you show it. */
  readonly value: string;
  /** Why not, as the end of a sentence. */
  readonly reason: string;
}

/** A change of a config file: both files, and how they compare. */
export interface FileChange extends Pick<Comparison, "reach" | "added"> {
  readonly tool: Tool;
  /** The file in force, or `null` if there is none. */
  readonly before: string | null;
  readonly after: string;
}

/**
 * Lists what a change would add below the floor, each once. What the file in force has already is not the
 * agent's doing, and no breach.
 */
export function findBreaches(floor: Floor, change: FileChange): readonly FloorBreach[] {
  const { tool, before, after } = change;
  const breaches = new Map<string, FloorBreach>();
  const add = (value: string, reason: string) =>
    breaches.set(`${value} ${reason}`, { value, reason });
  const hostsIn = (text: string) => [...hostsReachedBy(tool, text), ...hostsNamedIn(tool, text)];
  const keyOf = (...parts: readonly unknown[]) => JSON.stringify(parts);
  const known = hostsIn(before ?? "");
  // What stands under a key without a meaning is in force under that key alone.
  const inForce = openHostList(known.flatMap(({ place, host }) => place === "" ? [host] : []));
  const placed = new Set(known.map(({ place, host }) => keyOf(place, host)));
  const sent = new Set(known.map(({ place, credential, host }) => keyOf(place, credential, host)));
  const named = openHostList(floor.hosts.map(spellHost));
  const receivers = floor.credentialsOnlyTo && openHostList(floor.credentialsOnlyTo.map(spellHost));
  for (const { place, host, credential } of hostsIn(after)) {
    if (!inForce.covers(host) && !placed.has(keyOf(place, host))) {
      const builtIn = belowBuiltIn(host);
      const met = named.meets(host);
      if (builtIn !== undefined) add(host, builtIn.reason);
      if (met !== undefined) add(host, `policy.json names ${met}`);
    }
    if (credential === undefined) continue;
    if (["", place].some((each) => sent.has(keyOf(each, credential, host)))) continue;
    if (receivers?.covers(host) === false) add(host, "credentials may not go there by policy.json");
  }
  for (const [value, reason] of imagesOutside(floor, change)) add(value, reason);
  return [...breaches.values()];
}

function* imagesOutside(
  { imagesOnly }: Floor,
  { tool, reach, added }: FileChange,
): Generator<[value: string, reason: string]> {
  if (imagesOnly === undefined || tool === TOOL_PIPELOCK_BLOCK || tool === TOOL_CRED_PROXY_BLOCK) {
    return;
  }
  for (const { kind, value } of added) {
    if ((kind !== "image" && kind !== "frontend") || coversImage(imagesOnly, value)) continue;
    yield [value, "policy.json does not list this image"];
  }
  if (reach === "unknown") {
    yield ["the file", "policy.json lists images, and which ones it adds could not be worked out"];
  }
}

/**
 * Says of a file why a sidecar refuses it at once, a sentence a host: it names instance metadata or a
 * link-local address. The sidecar does not see the file in force, in which an operator may have written
 * loopback, or a wildcard that covers more: those are left to `decide`.
 */
export function refusedAtOnce(tool: Tool, text: string): readonly string[] {
  const named = [...hostsReachedBy(tool, text), ...hostsNamedIn(tool, text)];
  const hosts = new Set(named.map(({ host }) => host));
  return [...hosts].flatMap((host) => {
    const below = host.startsWith("*.") ? undefined : belowBuiltIn(host);
    if (below?.inside !== "metadata" && below?.inside !== "linkLocal") return [];
    return [`${quote(host, 253)} is below the floor, and no approval lets it in: ${below.reason}`];
  });
}
