/**
 * Checks a config file by the tool that proposes it. A sidecar loads this file, and so it imports no code
 * that judges changes. Pure.
 *
 * @module
 */

import { type ConfigProblem, failedCheck } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { validateAllowlist } from "./allowlist/check.ts";
import { validateDockerfile } from "./dockerfile/check.ts";
import { validateRoutes } from "./routes/check.ts";

const VALIDATORS: Readonly<Record<Tool, (text: string) => readonly ConfigProblem[]>> = {
  [TOOL_CRED_PROXY_BLOCK]: validateRoutes,
  [TOOL_PIPELOCK_BLOCK]: validateAllowlist,
  [TOOL_CAPABILITY_BLOCK]: validateDockerfile,
};

/**
 * Checks the config file that a tool proposes. Never throws, and reads and opens nothing: a file on which
 * the check itself fails has that failure as its problem.
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
 * @returns The problems in the order of the file; empty if the file is valid.
 */
export function validateConfigFile(tool: Tool, text: string): readonly ConfigProblem[] {
  try {
    return VALIDATORS[tool](text);
  } catch (error) {
    return [failedCheck("check", error)];
  }
}
