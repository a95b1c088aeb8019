/**
 * The names of packages. Pure.
 *
 * @module
 */

import lists from "./packages.json" with { type: "json" };

/** What stands before the colon in the name of a package: which packages it is among. */
export const PACKAGE_KINDS: ReadonlySet<string> = new Set(
  Object.values(lists.managers).map(([kind]) => kind!),
);

/** Managers for which names that differ in case alone are one, beside `pip`. */
const FOLDING = new Set(["conda", "nuget", "composer", "brew", "lua"]);

/** The name of a package as its manager compares it. */
export function foldName(kind: string, name: string): string {
  if (kind === "pip") return name.toLowerCase().replace(/[-_.]+/g, "-");
  return FOLDING.has(kind) ? name.toLowerCase() : name;
}

/** Matches a version or a range of versions, and neither another package nor a source. */
export const VERSION = /^(?:\d+:)?[\w.+~^=<>*|, -]+$/;

/** Splits `npm:@scope/name@1.0.0` before its version. */
export function splitPackage(value: string): readonly [name: string, version?: string] {
  const at = value.indexOf("@", value.indexOf(":") + 2);
  return at < 0 ? [value] : [value.slice(0, at), value.slice(at + 1)];
}

/** Whether a name has a part that is empty, or leads to another one. */
export function isCleanName(name: string): boolean {
  return name.split(/[:/]/).every((part) => !/^\.*$/.test(part));
}
