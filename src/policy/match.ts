/**
 * Compares hosts and images with the patterns of a policy. Pure.
 *
 * @module
 */

import { isReference, readImage } from "../config/dockerfile/images.ts";
import { isCleanName, splitPackage, VERSION } from "../config/shell/package_names.ts";
import { coversOf } from "../config/hosts/covers.ts";

/** Hosts and patterns, `*.example.com` for `example.com` and every host below it. */
export interface HostList {
  /** Whether every host that a pattern covers is covered by one of the list. */
  readonly covers: (pattern: string) => boolean;
  /** One of the list that covers a host that the pattern covers too. */
  readonly meets: (pattern: string) => string | undefined;
}

/** Makes a list of hosts in lower case. It answers in time that does not grow with the list. */
export function openHostList(patterns: Iterable<string>): HostList {
  const listed = new Set(patterns);
  const above = new Map<string, string>();
  for (const pattern of listed) {
    for (const cover of coversOf(pattern)) above.set(cover, pattern);
  }
  const covering = (pattern: string) => coversOf(pattern).find((cover) => listed.has(cover));
  return {
    covers: (pattern) => covering(pattern) !== undefined,
    meets: (pattern) => covering(pattern) ?? above.get(pattern),
  };
}

/**
 * Whether a list of images covers one: by its repository, by repository and version, or by `name/*` for
 * every repository below a name. What names no image, as with a variable in it, nothing covers.
 */
export function coversImage(list: readonly string[], image: string): boolean {
  if (!isReference(image)) return false;
  const { repository, image: whole } = readImage(image, 1);
  return list.some((listed) => {
    if (listed.endsWith("/*")) {
      const name = readImage(`${listed.slice(0, -1)}a/a`, 1).repository.slice(0, -3);
      return repository.startsWith(name);
    }
    const wanted = readImage(listed, 1);
    const hasVersion = /[:@]/.test(listed.split("/").at(-1)!);
    return wanted.repository === repository && (!hasVersion || wanted.image === whole);
  });
}

/**
 * Whether a list covers a package: by `npm:left-pad` in any version, by `npm:left-pad@1.3.0`, or by
 * `npm:@scope/*` for all whose names begin so. What is behind the `@` must be a version, and no alias or source.
 */
export function coversPackage(list: readonly string[], value: string): boolean {
  const [name, version = "0"] = splitPackage(value);
  return VERSION.test(version) && isCleanName(name) && listsPackage(list, value);
}

/** Whether a list names a package, or what is installed under its name, whatever else is said of it. */
export function namesPackage(list: readonly string[], value: string): boolean {
  const written = value.replace(/^([a-z]+) from /, "$1:");
  const [, inner = written] = /[@:](npm:[^]+)$/.exec(written) ?? [];
  return listsPackage(list, written) || listsPackage(list, inner);
}

function listsPackage(list: readonly string[], value: string): boolean {
  const [name] = splitPackage(value);
  return list.some((listed) =>
    listed.endsWith("*")
      ? name.startsWith(listed.slice(0, -1)) && name.length >= listed.length
      : listed === value || listed === name
  );
}

/** Whether a list of origins, as `https://*.example.com:8443`, covers the upstream of a route. */
export function coversUpstream(list: readonly string[], url: string): boolean {
  const { protocol, host, port } = originOf(url);
  return list.some((listed) => {
    const wanted = originOf(listed);
    return wanted.protocol === protocol && wanted.port === port &&
      openHostList([wanted.host]).covers(host);
  });
}

/** The parts of an origin; a port that the scheme has anyway is `""`. */
function originOf(url: string) {
  const [, protocol = "", authority = ""] = /^(https?):\/\/([^/?#]*)/.exec(url) ?? [];
  const [, host = authority, written = ""] = /^(.*):(\d+)$/.exec(authority) ?? [];
  const port = written === (protocol === "https" ? "443" : "80") ? "" : written;
  return { protocol, host, port };
}
