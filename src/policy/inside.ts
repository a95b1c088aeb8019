/**
 * The floor that is built in: metadata, link-local and loopback, by name and by address. Pure.
 *
 * @module
 */

import list from "./inside.json" with { type: "json" };
import { openHostList } from "./match.ts";

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
  // The parser writes every notation of an address in one way.
  const host = URL.parse(`http://${pattern}/`)?.hostname.replace(/\.$/, "") ?? pattern;
  const inner = /^\[(.*)\]$/.exec(host)?.[1];
  const address = inner === undefined ? host : ipv4Within(inner) ?? host;
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
  if (/^(?:127|0)(?:\.\d+){3}$/.test(address)) return "loopback";
  return /^169\.254(?:\.\d+){2}$|^\[fe[89ab]/.test(address) ? "linkLocal" : undefined;
}

/** The IPv4 address to which an IPv6 address leads: mapped, compatible, by NAT64 or by 6to4. */
function ipv4Within(ipv6: string): string | undefined {
  const [front = "", back = ""] = ipv6.split("::");
  const groupsIn = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [first, last] = [groupsIn(front), groupsIn(back)];
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  const groups = [...first, ...zeros, ...last];
  const start = groups.slice(0, 6).map((group) => group.toString(16)).join(":");
  const isNat64 = /^64:ff9b:(?:0:0:0:0|1:)/.test(start);
  const is6to4 = groups[0] === 0x2002;
  if (!/^0:0:0:0:0:(?:0|ffff)$/.test(start) && !isNat64 && !is6to4) return undefined;
  const [high, low] = is6to4 ? groups.slice(1, 3) : groups.slice(6);
  return [high! >> 8, high! & 255, low! >> 8, low! & 255].join(".");
}
