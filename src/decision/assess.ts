/**
 * Works out what an approval would put in force.
 *
 * @module
 */

import { validateConfigFile } from "../config/check.ts";
import { compareAfter } from "../config/compare.ts";
// Few proposals have to be merged: until one has, nothing of it runs.
import defer * as merging from "../config/merge.ts";
import { knownFile } from "../host/config_files.ts";
import { type Proposal, TEXT_OF_NO_FILE } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import type { FileForGood } from "./granted.ts";

/** Whether the agent started from another file than the one in force, and if so, what carrying over gives. */
interface CarriedOver {
  readonly stale: boolean;
  readonly startedFile?: string;
  readonly merged?: string;
  readonly mergeProblem?: string;
}

/** The content of the file in force, or of what is of it for good. */
type Current = Pick<FileForGood, "currentFile" | "currentSha256" | "grantedFile">;

/**
 * Works out what an approval would put in force: the proposed file or, if the agent started from another one
 * than is in force, the file in force with the agent's change in it. Never throws for what an agent wrote.
 */
export function assessProposal(
  proposal: Proposal,
  current: Current,
  root: string,
) {
  const { tool, proposedFile } = proposal;
  const problems = validateConfigFile(tool, proposedFile);
  const carried = carryOver(proposal, current, root);
  const file = carried.merged ?? proposedFile;
  const check = () => carried.merged === undefined ? problems : [];
  return {
    ...carried,
    finalSha256: sha256Hex(file),
    problems,
    ...compareAfter(check, tool, current.currentFile, file),
  };
}

/** Makes an agent's change in the file in force, if the agent started from another one. */
function carryOver(
  { bottleSlug, tool, proposedFile, currentFileHash }: Proposal,
  { currentFile, currentSha256, grantedFile }: Current,
  root: string,
): CarriedOver {
  if (currentFileHash === "" || currentFileHash === currentSha256) return { stale: false };
  const isNow = grantedFile !== undefined && sha256Hex(grantedFile) === currentFileHash;
  const startedFile = isNow ? grantedFile : knownFile(bottleSlug, currentFileHash, root);
  if (startedFile === undefined) {
    return { stale: true, mergeProblem: "the file that it started from is not known here" };
  }
  const stale = { stale: true, startedFile };
  if (currentFile === null && !isNow) return { ...stale, mergeProblem: "no such file is in force" };
  const current = currentFile ?? TEXT_OF_NO_FILE[tool];
  // Bytes that are not UTF-8 would be others in the result.
  const isRead = currentFile === null || sha256Hex(currentFile) === currentSha256;
  if (!isRead || sha256Hex(startedFile) !== currentFileHash) {
    return { ...stale, mergeProblem: "a file is not UTF-8" };
  }
  const result = merging.mergeChange(tool, startedFile, current, proposedFile);
  if (!("merged" in result)) return { ...stale, mergeProblem: result.conflict };
  const { merged } = result;
  // What it started from has open grants in it, and is no older file.
  return isNow ? { stale: false, merged } : { ...stale, merged };
}
