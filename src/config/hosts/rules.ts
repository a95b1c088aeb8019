/**
 * Judges hosts that a bottle could not reach before, by who owns them and who can receive there. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { MAX_CONFIG_FILE_BYTES } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import { domainsOf, hostOf, isWildcard } from "./covers.ts";
import inside from "./inside.json" with { type: "json" };
import publishers from "./publishers.json" with { type: "json" };
import { endingOf, type LearnedHosts, learnHosts, type Resemblance } from "./resemblance.ts";
import services from "./services.json" with { type: "json" };

/** A mark without a line. */
type HostMark = Pick<Mark, "severity" | "rule" | "message">;

const RESEMBLES: Readonly<Record<Resemblance["how"], readonly [HostMark["severity"], string]>> = {
  contains: ["high", "contains"],
  looks: ["high", "looks like"],
  spelling: ["high", "is one letter from"],
  ending: ["medium", "has another ending than"],
  part: ["medium", "has a part of its name from"],
};

/** How many new hosts are judged in one change. */
const MAX_JUDGED = 1000;

/** Services of one kind, as `inside.json` and `services.json` list them, and what their mark says. */
type Service = Pick<Mark, "rule"> & { readonly severity: string; readonly says: string };

const INSIDE: Service = inside;
const ANYBODYS: Service = services.find(({ rule }) => rule === "anybodys-host")!;

/** The services by name, the most severe first. */
const SERVICES = new Map(
  [
    ...[inside.metadata, inside.loopback, inside.anyAddress, inside.network].flat()
      .map((name): [string, Service] => [hostOf(name), INSIDE]),
    ...services.flatMap((each) => each.names.map((name): [string, Service] => [name, each])),
  ],
);

/** For each domain that has such services below it: the name of the most severe one. */
const SERVICES_BELOW = new Map(
  [...SERVICES.keys()].reverse().flatMap((name) =>
    domainsOf(name).slice(1).map((up) => [up, name])
  ),
);

const PUBLISHERS: ReadonlySet<string> = new Set(publishers.names);

/** Matches what spells an IPv4 address for this machine or an inner network, between dots or hyphens. */
const INNER_IPV4 =
  /(?:^|[.-])(?:0[.-]0|(?:10|127)[.-]\d{1,3}|169[.-]254|192[.-]168|172[.-](?:1[6-9]|2\d|3[01])|100[.-](?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))[.-]\d{1,3}[.-]\d{1,3}(?:[.-]|$)/;

/** Matches each IPv6 address that is not a global one, or that has an IPv4 address inside. */
const INNER_IPV6 = /^\[(?![23][0-9a-f]{3}:)|^\[2002:/;

/** What the lists, or the address in it, say of a host. */
function listedService(host: string): Service | undefined {
  if (INNER_IPV4.test(host) || INNER_IPV6.test(host)) return INSIDE;
  return domainsOf(host).map((domain) => SERVICES.get(domain)).find((service) => service);
}

/** Of how many characters of files in force the hosts stay learned. */
const MAX_LEARNED_CHARS = MAX_CONFIG_FILE_BYTES;

/**
 * Reads a file in force, and then judges hosts that would be new. Many proposals are compared with the same
 * file, so what was read and learned of a few files is kept.
 *
 * `judge` takes a host, or `*.` and a host, in lower case; an upstream's host may be an IP address. It gives
 * the marks that the host deserves for what it is: `wildcard-host`, `lookalike-host`, `punycode-host` and
 * those of `services.json`. A plain host has none. After {@linkcode MAX_JUDGED} hosts one mark says that the
 * others are not judged. `judgeNew` gives a host that has no other mark `new-owner` if neither the file in
 * force nor `publishers.json` has its owner.
 */
export function openJudge<Read>(
  read: (inForce: string) => Read,
  hostsOf: (before: Read) => Iterable<string>,
) {
  const learned = new Map<string, { readonly before: Read; readonly learn: () => LearnedHosts }>();
  let chars = 0;
  return (inForce: string) => {
    let known = learned.get(inForce);
    if (known === undefined) {
      chars += inForce.length;
      if (chars > MAX_LEARNED_CHARS) {
        learned.clear();
        chars = inForce.length;
      }
      const before = read(inForce);
      let hosts: LearnedHosts | undefined;
      known = { before, learn: () => hosts ??= learnHosts(hostsOf(before)) };
      learned.set(inForce, known);
    }
    return { before: known.before, ...judgeBy(known.learn) };
  };
}

function judgeBy(learn: () => LearnedHosts) {
  const isKnownOwner = (host: string) =>
    domainsOf(host).some((domain) => PUBLISHERS.has(domain)) || learn().hasOwnerOf(host);
  let judged = 0;
  const judge = (pattern: string): readonly HostMark[] => {
    if (++judged > MAX_JUDGED) {
      const message =
        `more than ${MAX_JUDGED} hosts would be new: the hosts from here on are not judged`;
      return judged > MAX_JUDGED + 1 ? [] : [{ severity: "high", rule: "too-many-hosts", message }];
    }
    const host = hostOf(pattern);
    const byName = judgeName(host, learn().resemblanceOf(host));
    return isWildcard(pattern)
      ? [...judgeWildcard(host, isKnownOwner(host)), ...byName]
      : [...byName, ...judgeForm(host, learn().hasOwnerOf)];
  };
  const judgeNew = (pattern: string): readonly HostMark[] => {
    const marks = judge(pattern);
    if (marks.length > 0 || judged > MAX_JUDGED || isKnownOwner(hostOf(pattern))) return marks;
    const message = `${quote(pattern, 253)} has an owner who is not in the file in force`;
    return [{ severity: "medium", rule: "new-owner", message }];
  };
  return { judge, judgeNew };
}

/** Says how a host resembles one in force, and what is known of it. */
function* judgeName(host: string, resemblance: Resemblance | undefined): Generator<HostMark> {
  const name = quote(host, 253);
  if (resemblance !== undefined) {
    const [severity, how] = RESEMBLES[resemblance.how];
    const owner = resemblance.how === "contains"
      ? `, and belongs to ${quote(resemblance.owner, 253)}`
      : "";
    const domain = quote(resemblance.domain, 253);
    const message = `${name} ${how} ${domain} of the file in force${owner}`;
    yield { severity, rule: "lookalike-host", message };
  }
  if (/(?:^|\.)xn--/.test(host)) {
    const message = `${name} is punycode: on a screen it can look like another host`;
    yield { severity: "high", rule: "punycode-host", message };
  }
  const service = listedService(host);
  if (service !== undefined) yield markOf(service, name);
}

/** A wildcard over the hosts of one known owner is less than one over those of several, or of a stranger. */
function* judgeWildcard(host: string, isKnownOwner: boolean): Generator<HostMark> {
  const listed = listedService(host);
  const isShared = listed === ANYBODYS || endingOf(host) === "is-ending";
  const [name, below] = [quote(`*.${host}`, 255), SERVICES_BELOW.get(host)];
  const message = `${name} would allow ${quote(host, 253)} and all below it`;
  const severity = isKnownOwner && !isShared ? "medium" : "high";
  yield { severity, rule: "wildcard-host", message };
  if (isShared || listed !== undefined || below === undefined) return;
  yield markOf(SERVICES.get(below)!, `${name} allows "${below}", which`);
}

/** Says what a host that no list has is by its form alone, unless a host of its owner is in force. */
function* judgeForm(host: string, isOwnerInForce: (host: string) => boolean): Generator<HostMark> {
  if (host.startsWith("[") || /\.\d+$/.test(host) || listedService(host) !== undefined) return;
  if (!host.includes(".")) {
    const says = "is a name of the inner network";
    yield markOf({ ...INSIDE, severity: "medium", says }, quote(host, 253));
  } else {
    const ending = endingOf(host);
    if (ending === "is-ending" || ending === "on-platform" && !isOwnerInForce(host)) {
      yield markOf(ANYBODYS, quote(host, 253));
    }
  }
}

function markOf({ severity, rule, says }: Service, subject: string): HostMark {
  return { severity: severity as HostMark["severity"], rule, message: `${subject} ${says}` };
}
