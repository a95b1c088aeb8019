/**
 * Makes the whole file of a change, on the copy of the file in force that the host keeps in the queue.
 *
 * @module
 */

import {
  type Change,
  changeConfigFile,
  CONFIG_FILE_FOR_TOOL,
  type CurrentCopy,
  readCurrentCopy,
  sha256Hex,
  type Tool,
} from "../sidecar_mod.ts";
import { changeParts, fileProblems, type ToolInput } from "./tools.ts";

/** What tells one change from another; `undefined` if a whole file is sent. */
export function changeKeyOf(tool: Tool, input: ToolInput): string | undefined {
  if (changeParts(input).length === 0) return undefined;
  const { add, remove, patch, justification, current_file_sha256 } = input;
  return sha256Hex(JSON.stringify([tool, add, remove, patch, justification, current_file_sha256]));
}

/** The parts of a question that a change makes. */
type ChangedFile = Required<Pick<ToolInput, "proposed_file" | "current_file_sha256">>;

/** What an agent can always do. */
const SEND_WHOLE = "send the whole new file as proposed_file";

/** The file that a change makes of the one in force, with the hash of that one; or what is wrong. */
export function changedFile(
  queueDir: string,
  tool: Tool,
  input: ToolInput,
): ChangedFile | string[] {
  const copy = copyOf(queueDir, tool);
  if (typeof copy === "string") return [copy];
  const { text, sha256 } = copy;
  const started = (input.current_file_sha256 ?? "").toLowerCase();
  if (started !== "" && started !== sha256) {
    const found = `the sidecar's copy of the file in force has the hash ${sha256}`;
    return [`current_file_sha256: ${found}: leave this out, or ${SEND_WHOLE}`];
  }
  const changed = changeConfigFile(tool, text, onlyChange(input));
  if ("problems" in changed) {
    return changed.problems.map(({ where, message }) => `${where}: ${message}`);
  }
  if (changed.text === text) return ["the change changes nothing in the file in force"];
  const problems = fileProblems(tool, changed.text);
  if (problems.length === 0) return { proposed_file: changed.text, current_file_sha256: sha256 };
  return problems.map((problem) => `in the changed file, ${problem}`);
}

function onlyChange(input: ToolInput): Change {
  return Object.fromEntries(changeParts(input).map((name) => [name, input[name]]));
}

/** The host's copy of the file in force, or why there is none. */
function copyOf(queueDir: string, tool: Tool): CurrentCopy | string {
  try {
    return readCurrentCopy(queueDir, tool);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "it is not there"
      : error instanceof TypeError
      ? "it is not UTF-8"
      : "it cannot be read";
    return `the sidecar's copy of ${
      CONFIG_FILE_FOR_TOOL[tool]
    }, on which a change is made, cannot be used ` +
      `(${reason}): ${SEND_WHOLE}`;
  }
}
