/**
 * Finds circles of imports. A lint rule sees one file at a time, so the files that it imports are read
 * here as text.
 *
 * @module
 */

import { circleOf } from "./floors.ts";

const ROOT = new URL("../../", import.meta.url);

/** Relative specifiers in every form of import that `deno fmt` leaves in a file. */
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(["`])(\.{1,2}\/[^"`]+)\1/g;

/** Lines of comments: examples in documentation import too, and are no part of the file. */
const COMMENT = /^\s*(?:\/?\*|\/\/).*$/gm;

/**
 * The files that a file imports from its own checkout, as paths from the root.
 *
 * @param file The file, from the root.
 * @param text Its text.
 */
export function importsOf(file: string, text: string): string[] {
  const found = text.replace(COMMENT, "").matchAll(SPECIFIER);
  const url = new URL(file, "file:///");
  return [...new Set(Array.from(found, ([, , to]) => new URL(to!, url).pathname.slice(1)))];
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(new URL(file, ROOT));
  } catch {
    // The type checker reports what is not there.
    return "";
  }
}

/**
 * The way from one file back to the file that imports it, over files that might be in one circle with
 * it; `undefined` if no way leads back.
 */
export function wayBack(importer: string, imported: string): readonly string[] | undefined {
  const circle = circleOf(importer);
  const waysTo = [[imported]];
  const seen = new Set<string>();
  for (const way of waysTo) {
    const last = way.at(-1)!;
    if (last === importer) return way;
    if (seen.has(last) || !last.startsWith(circle)) continue;
    seen.add(last);
    for (const next of importsOf(last, read(last))) waysTo.push([...way, next]);
  }
  return undefined;
}
