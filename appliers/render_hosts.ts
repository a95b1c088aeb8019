/**
 * Renders the egress allowlist into what proxies read. Each form allows exactly the hosts that our reading of
 * the list allows. Pure.
 *
 * @module
 */

import { coversOf, hostOf, isWildcard, reachOfAllowlist } from "../internal_mod.ts";
import { ApplyError, validateAllowlist } from "../mod.ts";

/** No host has this name: pipelock in strict mode refuses an empty list, and keeps the old one. */
const NO_HOST = "supervise-allows-nothing.invalid";

/**
 * The patterns of an allowlist, in its order.
 *
 * @throws {ApplyError} If the list is not valid: programs differ in what they read in other lines.
 */
export function patternsOf(allowlist: string): readonly string[] {
  const [problem] = validateAllowlist(allowlist);
  if (problem !== undefined) {
    throw new ApplyError("render", `the allowlist, ${problem.where}: ${problem.message}`);
  }
  return reachOfAllowlist(allowlist).map(({ value }) => value);
}

/** The patterns that no other one covers. */
function neededOf(allowlist: string): readonly string[] {
  const patterns = new Set(patternsOf(allowlist));
  return [...patterns].filter((pattern) =>
    !coversOf(pattern).some((cover) => cover !== pattern && patterns.has(cover))
  );
}

function linesOf(patterns: readonly string[], write: (pattern: string) => string): string {
  return patterns.map((pattern) => `${write(pattern)}\n`).join("");
}

/**
 * Writes a file for `acl NAME dstdomain -n "FILE"`. Squid reads nothing in `*.x` and ends itself on `x` beside
 * `.x`; `.x` covers `x` too. Without `-n` it would look up the name of an address, and let it pass by that.
 */
export function renderForSquid(allowlist: string): string {
  return linesOf(
    neededOf(allowlist),
    (pattern) => isWildcard(pattern) ? pattern.slice(1) : pattern,
  );
}

/**
 * Writes a file for `Filter` with `FilterDefaultDeny Yes` and `FilterExtended On`. tinyproxy looks for its
 * expressions anywhere in a host.
 */
export function renderForTinyproxy(allowlist: string): string {
  return linesOf(neededOf(allowlist), (pattern) => {
    const host = hostOf(pattern).replaceAll(".", "\\.");
    return `${isWildcard(pattern) ? "(^|\\.)" : "^"}${host}$`;
  });
}

/**
 * Writes a whole configuration of pipelock, which has one file for everything.
 *
 * @param allowlist The list.
 * @param base The operator's own settings, which come first.
 * @throws {ApplyError} If they say what is written here: YAML would have it twice.
 */
export function renderForPipelock(allowlist: string, base: string): string {
  const own = /^[ \t]*(?:"|')?(mode|api_allowlist)\b/m.exec(base)?.[1];
  if (own !== undefined) {
    throw new ApplyError("render", `pipelock's own settings must not say ${own}: remove it there`);
  }
  const patterns = patternsOf(allowlist);
  const hosts = patterns.length > 0 ? patterns : [NO_HOST];
  return `${base.trimEnd()}\nmode: strict\napi_allowlist:\n` +
    linesOf(hosts, (pattern) => `  - "${pattern}"`);
}
