/**
 * The floor: what no approval lets in. Pure.
 *
 * @module
 */

import { isJsonObject } from "../records/shape.ts";
import { type Tool, TOOL_CRED_PROXY_BLOCK, TOOL_PIPELOCK_BLOCK } from "../records/proposal.ts";
import type { Comparison } from "../records/reach.ts";
import { quote } from "../text/quote.ts";
import { belowBuiltIn } from "./inside.ts";
import { coversImage, openHostList } from "./match.ts";

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

/** A host that a file names, and the credential that goes there. */
interface NamedHost {
  readonly host: string;
  readonly credential: string | undefined;
}

/** The keys of a route that name no host. */
const WITHOUT_HOST: ReadonlySet<string> = new Set([
  "path",
  "role",
  "auth_scheme",
  "token_ref",
  "token_env",
]);

/**
 * Lists the hosts that a file names as such, by its syntax alone: the lines of an allowlist, and every URL and
 * host in `routes.json`, whatever its key. A Dockerfile names none here. Of a file that is no JSON, none.
 */
function hostsNamedIn(tool: Tool, text: string): readonly NamedHost[] {
  if (tool === TOOL_PIPELOCK_BLOCK) {
    return text.split("\n").map((line) => line.trim().toLowerCase())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((host) => ({ host, credential: undefined }));
  }
  if (tool !== TOOL_CRED_PROXY_BLOCK) return [];
  try {
    return [...hostsInJson(JSON.parse(text))];
  } catch {
    return []; // No such file can be approved; of one in force, everything counts as new.
  }
}

function* hostsInJson(value: unknown, credential?: string): Generator<NamedHost> {
  if (typeof value === "string") {
    for (const host of hostsInText(value)) yield { host, credential };
  } else if (Array.isArray(value)) {
    for (const one of value) yield* hostsInJson(one, credential);
  } else if (isJsonObject(value)) {
    // Some readers take a key in other letters for the same key.
    const members = Object.entries(value)
      .map(([key, member]) => [key.trim().toLowerCase(), member] as const);
    const token = members.find(([key]) => key === "token_ref" || key === "token_env");
    const own = token === undefined ? credential : `${token[0]} ${token[1]}`;
    for (const [key, member] of members) {
      if (!WITHOUT_HOST.has(key)) yield* hostsInJson(member, own);
    }
  }
}

/** A host by itself, in a form that a word or the number of a version has not. */
const BARE_HOST =
  /^(?:(?=.*[a-z])[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+|\d+(?:\.\d+){3}(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?)$/i;

/** The hosts of the URLs in a text; without a URL, the text if it is a host. */
function hostsInText(text: string): readonly string[] {
  const urls = text.match(/(?<=:\/\/)[^\s"'<>\\/?#]+/g);
  const authorities = urls ?? (BARE_HOST.test(text) ? [text] : []);
  return authorities.flatMap((authority) => URL.parse(`http://${authority}/`)?.hostname ?? []);
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
  const known = hostsNamedIn(tool, before ?? "");
  const inForce = openHostList(known.map(({ host }) => host));
  const sent = new Set(known.map(({ host, credential }) => `${credential} ${host}`));
  const named = openHostList(floor.hosts);
  const receivers = floor.credentialsOnlyTo && openHostList(floor.credentialsOnlyTo);
  for (const { host, credential } of hostsNamedIn(tool, after)) {
    if (!inForce.covers(host)) {
      const builtIn = belowBuiltIn(host);
      const met = named.meets(host);
      if (builtIn !== undefined) add(host, builtIn.reason);
      if (met !== undefined) add(host, `policy.json names ${met}`);
    }
    if (credential === undefined || sent.has(`${credential} ${host}`)) continue;
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
  const hosts = new Set(hostsNamedIn(tool, text).map(({ host }) => host));
  return [...hosts].flatMap((host) => {
    const below = host.startsWith("*.") ? undefined : belowBuiltIn(host);
    if (below?.inside !== "metadata" && below?.inside !== "linkLocal") return [];
    return [`${quote(host, 253)} is below the floor, and no approval lets it in: ${below.reason}`];
  });
}
