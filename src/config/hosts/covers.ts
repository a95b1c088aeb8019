/**
 * Says which hosts a pattern of the egress allowlist covers, as the programs that enforce the list read
 * it. Pure.
 *
 * A pattern is a host, which covers itself alone, or `*.` and a host, which covers that host too and every
 * host below it, however many labels down. So answer pipelock, for which the file is written, and Squid,
 * tinyproxy and nginx with a configuration rendered from the file: all four were run and asked, and
 * `tests/testdata/host_semantics.jsonl` has their answers. Case makes no difference to any of them.
 *
 * Other readings were measured and do not count, since no deployment should have them: the file given to a
 * program as it is (Squid reads nothing in `*.x`, tinyproxy reads an unanchored regular expression, nginx
 * leaves out the host itself), dnsmasq (to which every host is a wildcard), privoxy (which loses changes),
 * and an HAProxy list of endings, which needs a second entry for the host itself.
 *
 * @module
 */

/** The longest name that DNS has, in characters. */
const MAX_HOST_CHARS = 253;

/**
 * A host and all domains above it, the longest first: `a.b.c`, `b.c`, `c`. What is too long for a host is
 * below no domain: to write all of its ends takes space quadratic in it.
 */
export function domainsOf(host: string): readonly string[] {
  if (host.length > MAX_HOST_CHARS) return [host];
  const labels = host.split(".");
  return labels.map((_, n) => labels.slice(n).join("."));
}

/**
 * Lists every pattern that covers all that a pattern covers, itself first.
 *
 * @param pattern A host, or `*.` and a host, in lower case.
 */
export function coversOf(pattern: string): readonly string[] {
  const wildcards = domainsOf(hostOf(pattern)).map((domain) => `*.${domain}`);
  return isWildcard(pattern) ? wildcards : [pattern, ...wildcards];
}

/** Whether a list of patterns allows every host that one pattern covers. */
export function isCovered(pattern: string, list: ReadonlySet<string>): boolean {
  return list.size > 0 && coversOf(pattern).some((cover) => list.has(cover));
}

export function isWildcard(pattern: string): boolean {
  return pattern.startsWith("*.");
}

/** The host that a pattern names: `example.com` of `*.example.com`. */
export function hostOf(pattern: string): string {
  return isWildcard(pattern) ? pattern.slice(2) : pattern;
}

/**
 * Matches every valid pattern, and invalid ones that cover no valid host. What is in upper case in a file
 * in force is read in lower case, but no other letter for one of ASCII: U+212A is no K.
 */
const PATTERN = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

/** Reads an allowlist once, since it may have 60,000 lines. A line that is no pattern allows nothing. */
export function forEachPattern(text: string, visit: (value: string, line: number) => void): void {
  const lines = text.split("\n");
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n]!.endsWith("\r") ? lines[n]!.slice(0, -1) : lines[n]!;
    if (PATTERN.test(line)) visit(line.toLowerCase(), n + 1);
  }
}
