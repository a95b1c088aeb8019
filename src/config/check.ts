/**
 * Checks and judges a config file by the tool that proposes it: the validators and the marks of all three
 * kinds behind one name each. Pure.
 *
 * @module
 */

import { type Mark, rankMarks } from "../records/mark.ts";
import { type ConfigProblem, findUnfitText } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { validateAllowlist } from "./allowlist/check.ts";
import { markAllowlist } from "./allowlist/marks.ts";
import { validateDockerfile } from "./dockerfile/check.ts";
import { markDockerfile } from "./dockerfile/marks.ts";
import { validateRoutes } from "./routes/check.ts";
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
 * one in force does not. What was there before has no mark, wherever it stands now; comments and
 * blank lines have none.
 *
 * A mark is a hint, and that there is none is no promise: who knows the rules can write around them.
 * Never throws, reads and opens nothing, and takes time linear in the texts. A file that is no sound one
 * has the marks that can be told; one above 1 MiB has none, and counts as none if it is in force.
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
 * @param proposedFile The file to be judged: the proposed one, or the operator's version of it.
 * @returns The marks, the most severe first; at most {@linkcode MAX_MARKS} and one more.
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

const VALIDATORS: Readonly<Record<Tool, (text: string) => readonly ConfigProblem[]>> = {
  [TOOL_CRED_PROXY_BLOCK]: validateRoutes,
  [TOOL_PIPELOCK_BLOCK]: validateAllowlist,
  [TOOL_CAPABILITY_BLOCK]: validateDockerfile,
};

/**
 * Checks the config file that a tool proposes.
 *
 * @example A scheme in an allowlist
 * ```ts
 * import { validateConfigFile } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const problems = validateConfigFile("pipelock-block", "https://api.github.com\n");
 * assertEquals(problems.map((problem) => problem.where), ["line 1"]);
 * ```
 *
 * @param tool The tool.
 * @param text The whole file.
 * @returns What is wrong with it, in the order of the file; empty if it is sound.
 */
export function validateConfigFile(tool: Tool, text: string): readonly ConfigProblem[] {
  return VALIDATORS[tool](text);
}
