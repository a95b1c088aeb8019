/**
 * Which rules a tool's config file must keep.
 *
 * @module
 */

import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../proposal.ts";
import { validateAllowlist } from "./allowlist.ts";
import { validateDockerfile } from "./dockerfile.ts";
import type { ConfigProblem } from "./problem.ts";
import { validateRoutes } from "./routes.ts";

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
