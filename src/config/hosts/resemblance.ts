/**
 * Finds hosts that a reader could mistake for another one. Pure.
 *
 * @module
 */

// @ts-types="tldts"
import defer * as suffixes from "tldts/dist/index.esm.min.js";

/** How one host resembles another. */
export interface Resemblance {
  /** The registered domain of a host in force that it resembles. */
  readonly domain: string;
  /** The registered domain of the host itself. */
  readonly owner: string;
  /**
   * `contains`: the host contains the domain, and belongs to another owner. `looks`: it differs in
   * characters that look alike. `spelling`: it differs in one character, or in two that changed places.
   * `ending`: it differs in what follows the name. `part`: its name has the domain's name between hyphens.
   */
  readonly how: "contains" | "looks" | "spelling" | "ending" | "part";
}

/** A name that an owner registered: a domain, or a name on a platform that anybody can have one on. */
interface Site {
  /** The label that the owner chose: `github` of `api.github.com`. */
  readonly name: string;
  /** What follows it: `com`; empty for a single label. */
  readonly ending: string;
  /** Both: `github.com`. */
  readonly domain: string;
}

/** A site that was learned. */
interface KnownSite extends Site {
  /** How many were learned before it. */
  readonly order: number;
}

/** How the public suffix list is asked about hosts that are known to be valid. */
const OPTIONS = { extractHostname: false, validateHostname: false, detectIp: false };

const WITH_PLATFORMS = { ...OPTIONS, allowPrivateDomains: true };

/**
 * Whether a host is an ending below which names have several owners, such as `co.uk` and `github.io`, or
 * a name below a platform such as `github.io`.
 */
export function endingOf(host: string): "is-ending" | "on-platform" | undefined {
  const { domain, isPrivate } = suffixes.parse(host, WITH_PLATFORMS);
  if (domain === null) return "is-ending";
  return isPrivate ? "on-platform" : undefined;
}

/** What an owner registered of a host; `undefined` of an ending, a single label and an address. */
export function registeredDomainOf(host: string): string | undefined {
  return suffixes.getDomain(host, { ...WITH_PLATFORMS, detectIp: true }) ?? undefined;
}

/**
 * The registered name of a host, by the [public suffix list](https://publicsuffix.org), in which
 * `github.io` is an ending like `co.uk`. `github.io` itself is GitHub's. Where the list knows no owner
 * (`co.uk`, a single label), the first label counts as the name.
 */
function siteOf(host: string): Site {
  const domain = suffixes.getDomain(host, WITH_PLATFORMS) ?? suffixes.getDomain(host, OPTIONS) ??
    host;
  const dot = domain.indexOf(".");
  if (dot < 0) return { name: domain, ending: "", domain };
  return { name: domain.slice(0, dot), ending: domain.slice(dot + 1), domain };
}

/** What an owner registered of a host: `github.com` of `api.github.com`. */
export function ownerOf(host: string): string {
  return siteOf(host).domain;
}

/** Shorter names are close to too many others. */
const MIN_NAME_CHARS = 4;

/** Names of this length are recognized inside a word too. */
const MIN_CHARS_IN_WORD = 5;

// deno-fmt-ignore
const LOOKS: Readonly<Record<string, string>> = {
  "0": "o", "1": "l", "i": "l", "5": "s", "rn": "m", "vv": "w", "cl": "d",
};

/** Maps all names that look alike to one text. */
function lookOf(name: string): string {
  return name.replace(/rn|vv|cl|[01i5]/g, (part) => LOOKS[part]!);
}

function isAddress(host: string): boolean {
  return /^\[|(?:^|\.)\d+$/.test(host);
}

/** Whether two names count the same things: `cdn1` and `cdn12`. */
function isNumberedAlike(a: string, b: string): boolean {
  return a.replace(/\d+/g, "0") === b.replace(/\d+/g, "0");
}

/** A valid label has at most 63 characters, and no longer name than this is one character from it. */
const MAX_NAME_CHARS = 64;

/**
 * Hashes of a name, and of what is left of it without each of its characters. Names that
 * {@linkcode differsByOne} have one in common; others may.
 */
function hashesOf(name: string): readonly number[] {
  const hashes: number[] = [];
  for (let without = -1; without < name.length; without++) {
    let hash = 0;
    for (let at = 0; at < name.length; at++) {
      if (at !== without) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    }
    hashes.push(hash);
  }
  return hashes;
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

/** What is known of hosts that were learned. */
export interface LearnedHosts {
  /** Whether one of them has the same owner as a host. */
  readonly hasOwnerOf: (host: string) => boolean;
  /** The worst resemblance of a host to one of them; none to a host of the same owner. */
  readonly resemblanceOf: (host: string) => Resemblance | undefined;
}

/**
 * Learns hosts, and then compares other hosts with them. To learn takes time linear in the number of
 * hosts. A call takes as long however many there are, unless most of them are one character from each other.
 */
export function learnHosts(hosts: Iterable<string>): LearnedHosts {
  const domains = new Set<string>();
  const endings = new Set<string>();
  let maxEndingLabels = 0;
  const byName = new Map<string, Site>();
  const byLook = new Map<string, Site>();
  const byHash = new Map<number, KnownSite[]>();
  for (const host of new Set(hosts)) {
    if (isAddress(host)) continue;
    const site = { ...siteOf(host), order: domains.size };
    const { name, ending, domain } = site;
    if (domains.has(domain)) continue;
    domains.add(domain);
    endings.add(ending);
    maxEndingLabels = Math.max(maxEndingLabels, ending.split(".").length);
    if (byName.has(name)) continue;
    byName.set(name, site);
    if (name.length < MIN_NAME_CHARS) continue;
    if (!byLook.has(lookOf(name))) byLook.set(lookOf(name), site);
    if (name.length > MAX_NAME_CHARS) continue;
    for (const hash of hashesOf(name)) {
      const sites = byHash.get(hash);
      if (sites === undefined) byHash.set(hash, [site]);
      else sites.push(site);
    }
  }

  /** The known domain that a label and the ending behind it contain, if any. */
  const atEndOf = (label: string, ending: string): string | undefined => {
    if (!endings.has(ending)) return undefined;
    for (let at = 0; at < label.length; at++) {
      const isWord = at === 0 || label[at - 1] === "-";
      if (!isWord && label.length - at < MIN_CHARS_IN_WORD) break;
      const domain = `${label.slice(at)}.${ending}`;
      if (domains.has(domain)) return domain;
    }
    return undefined;
  };

  const contained = (host: string): string | undefined => {
    const labels = host.split(".");
    for (const [n, label] of labels.entries()) {
      const after = labels.slice(n + 1, n + 1 + maxEndingLabels);
      for (let count = 1; count <= after.length; count++) {
        const ending = after.slice(0, count).join(".");
        // A word behind a hyphen ends a domain too: github.com-login.example.
        const hyphen = ending.indexOf("-", ending.lastIndexOf(".") + 1);
        const domain = atEndOf(label, ending) ??
          (hyphen < 0 ? undefined : atEndOf(label, ending.slice(0, hyphen)));
        if (domain !== undefined) return domain;
      }
    }
    return undefined;
  };

  const spelled = (name: string): Site | undefined => {
    // Names as long come first, then shorter ones; of several, the one that was learned first.
    const place = (site: KnownSite) => [0, 2, 1].at(site.name.length - name.length)!;
    let found: KnownSite | undefined;
    for (const hash of hashesOf(name)) {
      for (const site of byHash.get(hash) ?? []) {
        const isBefore = found === undefined || place(site) < place(found) ||
          place(site) === place(found) && site.order < found.order;
        const isNear = differsByOne(site.name, name) && !isNumberedAlike(site.name, name);
        if (isBefore && isNear) found = site;
      }
    }
    return found;
  };

  const resemblanceOf = (host: string): Resemblance | undefined => {
    if (isAddress(host) || domains.size === 0) return undefined;
    const { name, domain: owner } = siteOf(host);
    if (domains.has(owner)) return undefined;
    const inside = contained(host);
    if (inside !== undefined) return { domain: inside, owner, how: "contains" };
    const alike = byLook.get(lookOf(name));
    const same = byName.get(name);
    const found: readonly (readonly [Site | undefined, Resemblance["how"]])[] = [
      [alike?.name === name ? undefined : alike, "looks"],
      [same === undefined ? spelled(name) : undefined, "spelling"],
      [same, "ending"],
      [
        name.split("-").map((word) => byName.get(word))
          .find((site) => site !== undefined && site.name.length >= MIN_NAME_CHARS),
        "part",
      ],
    ];
    const worst = found.find(([site]) => site !== undefined);
    return worst && { domain: worst[0]!.domain, owner, how: worst[1] };
  };

  return { hasOwnerOf: (host) => domains.has(siteOf(host).domain), resemblanceOf };
}
