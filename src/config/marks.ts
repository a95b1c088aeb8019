/**
 * Marks what a reviewer should notice in a change of a config file, by the tool that proposes it. Pure.
 *
 * @module
 */

import { type Mark, rankMarks } from "../records/mark.ts";
import { findUnfitText } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { markAllowlist } from "./allowlist/marks.ts";
import { markDockerfile } from "./dockerfile/marks.ts";
import { markRoutes } from "./routes/marks.ts";

const MARKERS: Readonly<
  Record<Tool, (current: string | null, proposed: string) => readonly Mark[]>
> = {
  [TOOL_CRED_PROXY_BLOCK]: markRoutes,
  [TOOL_PIPELOCK_BLOCK]: markAllowlist,
  [TOOL_CAPABILITY_BLOCK]: markDockerfile,
};

/**
 * Marks what a reviewer should notice in a change of a config file: what the proposed file does that the
 * file in force does not. What the file in force does already has no mark, wherever it moved; comments
 * and blank lines have none.
 *
 * A mark is a hint. A change without marks is not proven harmless: an agent that knows the rules can
 * write around them. Never throws, reads and opens nothing, and takes time linear in the texts. An invalid
 * file gets the marks that can still be found. A proposed file above 1 MiB gets none, and a file in force
 * above 1 MiB counts as no file.
 *
 * @example A wildcard
 * ```ts
 * import { marksFor } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(marksFor("pipelock-block", "a.example.com\n", "a.example.com\n*.example.com\n"), [{
 *   severity: "high",
 *   rule: "wildcard-host",
 *   message: '"*.example.com" would allow every host below "example.com"',
 *   side: "new",
 *   line: 2,
 * }]);
 * ```
 *
 * @param tool The tool.
 * @param currentFile The file in force, or `null` if there is none.
 * @param proposedFile The file to judge: the proposed one, or the operator's version of it.
 * @returns The marks, the most severe first: at most {@linkcode MAX_MARKS}, and one that counts the rest.
 */
export function marksFor(
  tool: Tool,
  currentFile: string | null,
  proposedFile: string,
): readonly Mark[] {
  if (findUnfitText(proposedFile)) return [];
  const current = currentFile !== null && findUnfitText(currentFile) ? null : currentFile;
  return rankMarks(MARKERS[tool](current, proposedFile));
}
