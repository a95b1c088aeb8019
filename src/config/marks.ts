/**
 * Marks what a reviewer should notice in a change of a config file, by the tool that proposes it. Pure.
 *
 * @module
 */

import { type Mark, rankMarks } from "../records/mark.ts";
import { type ConfigProblem, failedCheck, findUnfitText } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { validateConfigFile } from "./check.ts";
import { markAllowlist } from "./allowlist/marks.ts";
import { markDockerfile } from "./dockerfile/marks.ts";
import { markRoutes } from "./routes/marks.ts";

/** The rule of the mark that stands for all others if they cannot be worked out. */
export const FAILED_CHECK = "failed-check";

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
 * write around them. Never throws, reads and opens nothing, and takes time linear in the texts, unless
 * most hosts in force are one character from each other; what it learned of them is kept a while. Of a
 * proposed file that is invalid nothing else is worked out: it has one medium mark, `invalid-file`; one on
 * which this fails has `failed-check`. A file in force above 1 MiB counts as no file.
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
  return marksAfter(() => validateConfigFile(tool, proposedFile), tool, currentFile, proposedFile);
}

/** Gives what {@linkcode marksFor} gives to a caller that may have checked the proposed file already. */
export function marksAfter(
  check: () => readonly ConfigProblem[],
  tool: Tool,
  currentFile: string | null,
  proposedFile: string,
): readonly Mark[] {
  if (proposedFile === currentFile) return [];
  const [problem] = check();
  if (problem !== undefined) return [invalidFile(problem)];
  const current = currentFile !== null && findUnfitText(currentFile) ? null : currentFile;
  try {
    return rankMarks(MARKERS[tool](current, proposedFile));
  } catch (error) {
    const { message } = failedCheck("search for marks", error);
    return [{ severity: "medium", rule: FAILED_CHECK, message, side: "new", line: 1 }];
  }
}

/** Says where, and not what is there: that may be a secret. */
function invalidFile({ where }: ConfigProblem): Mark {
  const [, line] = /^line (\d+)$/.exec(where) ?? [];
  const place = line === undefined ? ` (${where})` : "";
  const message = `the file is invalid${place}, so nothing else in it is judged`;
  return {
    severity: "medium",
    rule: "invalid-file",
    message,
    side: "new",
    line: Number(line ?? 1),
  };
}
