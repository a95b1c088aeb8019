/**
 * The floor that is built in: metadata, link-local and loopback, by name and by address. Pure.
 *
 * @module
 */

import list from "../config/hosts/inside.json" with { type: "json" };
import { openHostList } from "./match.ts";
import { spellHost } from "./named_hosts.ts";

/** What is below the built-in floor, and why, as the end of a sentence. */
const REASONS = {
  metadata: "instance metadata, which gives away the machine's credentials",
  loopback: "loopback, which is the machine itself",
  linkLocal: "a link-local address, where metadata and the machine's neighbours are",
  anyAddress: "a service whose names lead to any address that is written in them",
};

type Inside = keyof typeof REASONS;

const LISTS = (["metadata", "loopback", "anyAddress"] as const)
  .map((inside) => ({ inside, ...openHostList(list[inside]) }));

/** Why a host is below the built-in floor. */
export interface BelowBuiltIn {
  readonly inside: Inside;
  /** The end of a sentence. */
  readonly reason: string;
}

/**
 * Says why no approval lets a bottle reach a host, or one of the hosts that a wildcard covers; `undefined` if
 * the built-in floor does not.
 *
 * @param pattern A host, `*.` and a host, or an address, an IPv6 one in brackets.
 */
export function belowBuiltIn(pattern: string): BelowBuiltIn | undefined {
  const address = spellHost(pattern);
  for (const { inside, meets } of LISTS) {
    const met = meets(address);
    if (met === undefined) continue;
    const name = pattern.startsWith("*.") ? `it covers ${met}, ` : "it is ";
    return { inside, reason: name + REASONS[inside] };
  }
  const inside = insideByNumber(address);
  return inside && { inside, reason: `it is ${REASONS[inside]}` };
}

function insideByNumber(address: string): Inside | undefined {
  // The whole of 0.0.0.0/8 is this machine, and so are `::` and `::1`.
  if (/^(?:127|0)(?:\.\d+){3}$|^\[::1?\]$/.test(address)) return "loopback";
  return /^169\.254(?:\.\d+){2}$|^\[fe[89ab]/.test(address) ? "linkLocal" : undefined;
}
