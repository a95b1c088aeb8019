/**
 * Hosts that a reader could take for another one. Pure.
 *
 * @module
 */

import { siteOf } from "./site.ts";

/** How one host resembles another. */
export interface Resemblance {
  /** The domain in force that it resembles. */
  readonly domain: string;
  /**
   * `contains`: the domain stands in it, and it belongs to somebody else. `looks`: it differs in
   * characters that look alike. `spelling`: in one character, or in two that changed places.
   * `ending`: by what follows the name. `part`: the name is one of several between hyphens.
   */
  readonly how: "contains" | "looks" | "spelling" | "ending" | "part";
}

/** Shorter names are near to too many others. */
const MIN_NAME_CHARS = 4;

/** From this length on, a name is recognized in the middle of a word. */
const MIN_CHARS_IN_WORD = 5;

const LOOKS: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "l",
  "i": "l",
  "5": "s",
  "rn": "m",
  "vv": "w",
  "cl": "d",
};

/** The same for all names that look alike. */
function lookOf(name: string): string {
  return name.replace(/rn|vv|cl|[01i5]/g, (part) => LOOKS[part]!);
}

/** Whether a host is an IP address, which resembles nothing. */
function isAddress(host: string): boolean {
  return /^\[|(?:^|\.)\d+$/.test(host);
}

/** Whether two names count the same things: `cdn1` and `cdn12`. */
function isNumberedAlike(a: string, b: string): boolean {
  return a.replace(/\d+/g, "0") === b.replace(/\d+/g, "0");
}

/** Whether two different names differ in one character, or in two neighbours that changed places. */
function differsByOne(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let head = 0;
  while (head < short.length && short[head] === long[head]) head++;
  let tail = 0;
  while (tail < short.length - head && short.at(-1 - tail) === long.at(-1 - tail)) tail++;
  const left = short.length - head - tail;
  if (long.length > short.length) return left === 0;
  return left === 1 ||
    left === 2 && short[head] === long[head + 1] && short[head + 1] === long[head];
}

/**
 * Learns hosts, and then finds what resembles one of them. A host of the same owner resembles none.
 * A question takes time linear in the number of hosts.
 *
 * @param hosts The hosts in force, in lower case, without wildcards.
 * @returns Says of another host which of them it resembles, if any; the worst resemblance counts.
 */
export function learnHosts(hosts: Iterable<string>): (host: string) => Resemblance | undefined {
  const domains = new Set<string>();
  const endings = new Set<string>();
  const byName = new Map<string, string>();
  const byLook = new Map<string, string>();
  const namesByLength = new Map<number, string[]>();
  for (const host of new Set(hosts)) {
    if (isAddress(host)) continue;
    const { name, ending, domain } = siteOf(host);
    if (domains.has(domain)) continue;
    domains.add(domain);
    endings.add(ending);
    if (byName.has(name)) continue;
    byName.set(name, domain);
    if (name.length < MIN_NAME_CHARS) continue;
    if (!byLook.has(lookOf(name))) byLook.set(lookOf(name), domain);
    const names = namesByLength.get(name.length);
    if (names === undefined) namesByLength.set(name.length, [name]);
    else names.push(name);
  }

  const contained = (host: string): string | undefined => {
    const labels = host.split(".");
    for (let n = 0; n + 1 < labels.length; n++) {
      for (let count = 1; count <= 3 && n + count < labels.length; count++) {
        const whole = labels.slice(n + 1, n + 1 + count).join(".");
        // What stands behind a hyphen is another word: github.com-login.example.
        for (
          const ending of new Set([
            whole,
            whole.slice(0, whole.lastIndexOf(".") + 1) +
            labels[n + count]!.split("-", 1)[0]!,
          ])
        ) {
          if (!endings.has(ending)) continue;
          const label = labels[n]!;
          for (let at = 0; at < label.length; at++) {
            const isWord = at === 0 || label[at - 1] === "-";
            if (!isWord && label.length - at < MIN_CHARS_IN_WORD) break;
            const domain = `${label.slice(at)}.${ending}`;
            if (domains.has(domain)) return domain;
          }
        }
      }
    }
    return undefined;
  };

  const spelled = (name: string): string | undefined => {
    for (const length of [name.length, name.length - 1, name.length + 1]) {
      const near = namesByLength.get(length)
        ?.find((known) => differsByOne(known, name) && !isNumberedAlike(known, name));
      if (near !== undefined) return byName.get(near);
    }
    return undefined;
  };

  return (host) => {
    if (isAddress(host)) return undefined;
    const site = siteOf(host);
    if (domains.has(site.domain)) return undefined;
    const { name } = site;
    const told = (domain: string | undefined, how: Resemblance["how"]) =>
      domain === undefined ? undefined : { domain, how };
    const alike = byLook.get(lookOf(name));
    const part = () =>
      name.split("-").map((word) => byName.get(word))
        .find((domain) => domain !== undefined && siteOf(domain).name.length >= MIN_NAME_CHARS);
    return told(contained(host), "contains") ??
      told(alike !== undefined && siteOf(alike).name !== name ? alike : undefined, "looks") ??
      told(byName.has(name) ? undefined : spelled(name), "spelling") ??
      told(byName.get(name), "ending") ??
      told(part(), "part");
  };
}
