/**
 * Finds the hosts that a config file leads to, for the floor. Pure.
 *
 * What a file lets a bottle reach is read as the comparison reads it. Beyond that every URL and host in
 * `routes.json` counts, whatever its key, because what a proxy makes of a key without a meaning here is not
 * known. So the floor sees more than the comparison, never less.
 *
 * @module
 */

import { forEachPattern } from "../config/hosts/covers.ts";
import { foldKey } from "../config/routes/json.ts";
import { readRoutes } from "../config/routes/read.ts";
import { type Tool, TOOL_CRED_PROXY_BLOCK, TOOL_PIPELOCK_BLOCK } from "../records/proposal.ts";
import { isJsonObject } from "../records/shape.ts";

/** A host that a file leads to, in one spelling. */
export interface NamedHost {
  readonly host: string;
  /** The keys that lead to it, without the numbers of lists; `""` if the file lets a bottle reach it. */
  readonly place: string;
  /** The credential that goes there, or that may. */
  readonly credential: string | undefined;
}

/** Lists the hosts that a file lets a bottle reach: the patterns of an allowlist, the upstreams of routes. */
export function hostsReachedBy(tool: Tool, text: string): readonly NamedHost[] {
  const reached: NamedHost[] = [];
  if (tool === TOOL_PIPELOCK_BLOCK) {
    forEachPattern(text, (host) => reached.push({ host, place: "", credential: undefined }));
  } else if (tool === TOOL_CRED_PROXY_BLOCK) {
    for (const { host, token } of readRoutes(text).routes) {
      reached.push({ host: spellHost(host), place: "", credential: token });
    }
  }
  return reached;
}

/** Lists every host that `routes.json` names. Of a file that is no JSON, none: nobody can approve one. */
export function hostsNamedIn(tool: Tool, text: string): readonly NamedHost[] {
  if (tool !== TOOL_CRED_PROXY_BLOCK) return [];
  try {
    const file: unknown = JSON.parse(text);
    const { routes, ...others } = isJsonObject(file) ? file : { routes: file };
    return [
      ...namedIn(others, []),
      ...[routes].flat().flatMap((route) => [
        ...namedIn(route, ["routes"], [...tokensIn(others)]),
      ]),
    ];
  } catch {
    return [];
  }
}

/** The hosts in a part of the file. Which of the tokens there a proxy would send where is not known. */
function namedIn(
  part: unknown,
  keys: readonly string[],
  outer: readonly string[] = [],
): readonly NamedHost[] {
  const tokens = new Set([...outer, ...tokensIn(part)]);
  const all = tokens.size === 0 ? undefined : [...tokens].toSorted().join();
  return [...hostsInJson(part, keys)].map(({ host, place, kind }) => {
    return { host, place, credential: /url|host/.test(kind) ? all : undefined };
  });
}

const isTokenKey = (key: string) => ["token_ref", "token_env"].includes(foldKey(key));

/** The tokens in a part of the file, however deep. */
function* tokensIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (isTokenKey(key) && typeof member === "string") yield `${foldKey(key)} ${member}`;
    yield* tokensIn(member);
  }
}

interface HostInText {
  readonly host: string;
  /** Whether it is of a URL, or its user for some readers, is all of a text or a part, or may be a word. */
  readonly kind: "url" | "user" | "host" | "part" | "word";
}

/** Matches the keys of a route whose texts name something else than a host. */
const NAMES_NO_HOST = /^routes (?:path|role|auth_scheme)$/;

function* hostsInJson(
  value: unknown,
  keys: readonly string[],
): Generator<HostInText & { readonly place: string }> {
  const place = keys.join(" ");
  if (typeof value === "string") {
    const isName = NAMES_NO_HOST.test(place) || isTokenKey(keys.at(-1) ?? "");
    for (const found of hostsInText(value)) {
      if (!isName || found.kind === "url") yield { ...found, place };
    }
  } else if (typeof value === "number") {
    if (isAddressAsNumber(value)) yield { host: spellHost(String(value)), kind: "word", place };
  } else if (Array.isArray(value)) {
    for (const each of value) yield* hostsInJson(each, keys);
  } else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      for (const found of hostsInText(key)) if (found.kind !== "word") yield { ...found, place };
      yield* hostsInJson(member, [...keys, key]);
    }
  }
}

/** Whether a number may stand for an IPv4 address. The greatest 32-bit number is a limit. */
function isAddressAsNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 2 ** 24 && value < 2 ** 32 && value !== 2 ** 31 - 1;
}

/** Matches a URL up to the end of its authority, also as parsers take it that supply slashes. */
const UP_TO_AUTHORITY = /(?:\b(?:https?|wss?|ftp):[\\/]*|:\/{2,}|^[\\/]{2,})([^\s"'<>/?#]+)/gi;

/** The hosts of a text: of its URLs, or all that it has, and those between other words. */
function hostsInText(text: string): readonly HostInText[] {
  // Some parsers drop line ends and tabs.
  const urls = [text, text.replace(/[\t\n\r]/g, "")].flatMap((each) =>
    [...each.matchAll(UP_TO_AUTHORITY)].flatMap(([, authority]) =>
      // A parser that takes no `\` for a `/`, or the first `@` for the last one, finds another part of it.
      authority!.split("\\").flatMap((part) => {
        const hosts = part.split("@").filter((each) => each !== "").map(spellHost);
        const last = hosts.length - 1;
        return hosts.map((host, n) => ({ host, kind: n === last ? "url" : "user" } as const));
      })
    )
  );
  const parts = partsOf(text).flatMap((part) => {
    const found = hostByItself(part);
    return found?.kind === "host" ? [{ ...found, kind: "part" } as const] : [];
  });
  if (urls.length > 0) return [...urls, ...parts];
  const hosts = text.split(/[\s,;|]+/).flatMap((piece) => hostByItself(piece) ?? []);
  const isList = hosts.length < 2 || hosts.every(({ kind }) => kind === "host");
  return [...isList ? hosts : [], ...parts];
}

/** What may be a host between other words, with and without a scheme. */
function partsOf(text: string): readonly string[] {
  return text.split(/[\s,;|=()"'{}<>!]+|->/).flatMap((part) => {
    const bare = part.replace(/^\.+/, "");
    return [bare, bare.replace(/^[a-z][a-z+.-]*:/i, "")];
  });
}

/** Reads a text that is a host, with or without a user, a port and a path. */
function hostByItself(text: string): HostInText | undefined {
  const authority = text.replace(/[/?#][^]*$/, "").replace(/^[^]*@/, "");
  if (authority === "") return undefined;
  const host = spellHost(authority);
  const isAddress = /^\d+(?:\.\d+){3}(?::\d+)?$/.test(authority);
  // Every small number is an address of the network 0.
  if (/^0(?:\.\d+){3}$/.test(host) && !isAddress) return undefined;
  const isName = /[a-z]/.test(host) && /^[\w*-]+(?:\.[\w-]+)+$/.test(host);
  const isIpv6 = authority.split(":").length > 2 && /^\[|^\d+(?:\.\d+){3}$/.test(host);
  const isHost = isAddress || isName || isIpv6 || /^[\w.-]+:\d+$/.test(authority);
  return { host, kind: isHost ? "host" : "word" };
}

/** No host is longer, even if each of its characters is percent-encoded. */
const MAX_AUTHORITY_CHARS = 1024;

/**
 * Writes a host in one spelling: in lower case, without a port and a dot at the end, an address in one
 * notation, and the IPv4 address of an IPv6 one that leads to it.
 *
 * @param authority A host, or `*.` and a host, with or without a port.
 */
export function spellHost(authority: string): string {
  if (authority.length > MAX_AUTHORITY_CHARS) return authority;
  const isIpv6 = /^[\da-f:.]+(?:%|$)/i.test(authority) && /[\da-f]/i.test(authority) &&
    authority.split(":").length > 2;
  // What the parser refuses, such as a zone or a port above 65535, another one may leave out.
  const bare = (isIpv6 ? `[${authority}]` : authority.replace(/:\d*$/, "")).replace(
    /%[^%\]]*\]$/,
    "]",
  );
  const parsed = URL.parse(`http://${bare}/`)?.hostname ?? authority.toLowerCase();
  const host = parsed.replace(/(?<!\.)\.+$/, "");
  const inner = /^\[(?!::1?\])(.*)\]$/.exec(host)?.[1];
  return inner === undefined ? host : ipv4Within(inner) ?? host;
}

/** The IPv4 address to which an IPv6 address leads: mapped, compatible, translated, by NAT64 or by 6to4. */
function ipv4Within(ipv6: string): string | undefined {
  const [front = "", back = ""] = ipv6.split("::");
  const groupsIn = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [first, last] = [groupsIn(front), groupsIn(back)];
  const zeros = Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0);
  const groups = [...first, ...zeros, ...last];
  const start = groups.slice(0, 6).map((group) => group.toString(16)).join(":");
  const isNat64 = /^64:ff9b:(?:0:0:0:0|1:)/.test(start);
  const is6to4 = groups[0] === 0x2002;
  if (!/^0:0:0:0:(?:0:0|0:ffff|ffff:0)$/.test(start) && !isNat64 && !is6to4) return undefined;
  const [high, low] = is6to4 ? groups.slice(1, 3) : groups.slice(6);
  return [high! >> 8, high! & 255, low! >> 8, low! & 255].join(".");
}
