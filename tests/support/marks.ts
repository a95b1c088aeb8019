/**
 * Marks in the short form of the tests' tables.
 *
 * @module
 */

import { marksFor, type Tool } from "../../mod.ts";
import { compareScripts } from "../../src/config/shell/compare.ts";

/** One change of a file, and the marks it has: severity, rule, `+` or `-` with the line. */
export type MarkedChange = readonly [what: string, proposed: string, ...marks: string[]];

/**
 * The marks of a change in short.
 *
 * @param tool The tool.
 * @param current The file in force, or `null`.
 * @param proposed The proposed file.
 * @returns Each as `high wildcard-host +3`: `+` for the proposed file, `-` for the one in force.
 */
export function marksInShort(tool: Tool, current: string | null, proposed: string): string[] {
  return marksFor(tool, current, proposed).map(({ severity, rule, side, line }) =>
    `${severity} ${rule} ${side === "new" ? "+" : "-"}${line}`
  );
}

/**
 * Whether a shell would run what the network sends.
 *
 * @param text A script.
 * @returns Whether it has the mark `network-pipe`.
 */
export function hasNetworkPipe(text: string): boolean {
  const script = { text, lineAt: () => 1, isRoot: true, shell: "sh" } as const;
  return compareScripts([], [script]).marks.some(({ rule }) => rule === "network-pipe");
}
