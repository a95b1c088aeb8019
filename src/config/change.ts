/**
 * Works out a whole config file from a change to the one in force, by the tool that proposes it. A sidecar
 * loads this file. Pure.
 *
 * @module
 */

import type { Change, Changed } from "../records/change.ts";
import { failedCheck } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { changeAllowlist } from "./allowlist/change.ts";
import { applyPatch } from "./dockerfile/patch.ts";
import { changeRoutes } from "./routes/change.ts";

const CHANGE: Readonly<Record<Tool, (text: string, change: Required<Change>) => Changed>> = {
  [TOOL_CRED_PROXY_BLOCK]: changeRoutes,
  [TOOL_PIPELOCK_BLOCK]: changeAllowlist,
  [TOOL_CAPABILITY_BLOCK]: (text, { patch }) => applyPatch(text, patch),
};

/** The names of the parts of a change that each tool takes. */
export const CHANGE_FORMS: Readonly<Record<Tool, readonly (keyof Change)[]>> = {
  [TOOL_CRED_PROXY_BLOCK]: ["add", "remove"],
  [TOOL_PIPELOCK_BLOCK]: ["add", "remove"],
  [TOOL_CAPABILITY_BLOCK]: ["patch"],
};

/**
 * Changes a config file: the lines that the change does not name stay byte for byte, in their order. The whole
 * change is made, or nothing. Never throws.
 *
 * @param tool The tool.
 * @param text The file in force.
 * @param change The change.
 */
export function changeConfigFile(tool: Tool, text: string, change: Change): Changed {
  try {
    return CHANGE[tool](text, { add: [], remove: [], patch: "", ...change });
  } catch (error) {
    return { problems: [failedCheck("change", error)] };
  }
}
