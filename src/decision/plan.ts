/**
 * Works out what a decision puts in force beside the open grants, and until when.
 *
 * @module
 */

import { replaceFileAlone } from "../disk/write.ts";
import { type FileInForce, keepFile } from "../host/config_files.ts";
import { SuperviseError } from "../records/errors.ts";
import type { GrantDraft } from "../records/obstacle.ts";
import { TEXT_OF_NO_FILE, TOOL_CAPABILITY_BLOCK } from "../records/proposal.ts";
import { hashOf } from "../text/hash.ts";
import { type FileChange, readInForce } from "./change.ts";
import { carry, changeForGood, type Granted, readGrantedFile } from "./granted.ts";
import type { Inspection } from "./inspect.ts";

/** When a grant ends that is in force since `inForceMs`. */
export function endOf({ forMs = 0, until }: GrantDraft, inForceMs: number): string {
  return new Date(until ?? inForceMs + forMs).toISOString();
}

/** What an agent is told of the end of an approval. */
export function untilWords(until: string): string {
  return `In force until ${until.slice(0, 16).replace("T", " ")} UTC; then it is taken back.`;
}

/** What a decision puts in force. */
interface Plan {
  /** The file, with all grants in it. */
  readonly file: string;
  /** The change of the file in force, also to the bytes that it has: an enforcer, and the log, may have others. */
  readonly change: FileChange;
  /** The grants that are open then, this one left out; missing if none is, and this is for good. */
  readonly granted?: Granted | undefined;
  readonly inForce: FileInForce;
}

/** Works out what a decision on a file puts in force beside the open grants: `decided` is without those. */
export function planChange(
  root: string,
  { proposal, currentSha256, currentFile }: Inspection,
  decided: string,
  isGrant: boolean,
): Plan {
  const { bottleSlug, tool, id } = proposal;
  const refuse = (why: string): never => {
    throw new SuperviseError("stale", `Cannot decide proposal ${id}: ${why}`);
  };
  const before = readInForce(root, bottleSlug, tool);
  const { inForce, granted: open, problem } = readGrantedFile(tool, bottleSlug, root);
  if (problem !== undefined) refuse(problem);
  const shown = open === undefined ? inForce.currentSha256 : hashOf(open.forGood);
  const beforeSha256 = hashOf(before);
  // A person who changes the file by hand takes no lock.
  if (shown !== currentSha256 || beforeSha256 !== inForce.currentSha256) {
    refuse("the file in force changed just now; look at it again");
  }
  if (before !== null) keepFile(bottleSlug, before, root, replaceFileAlone);
  let [file, granted] = [decided, open];
  if (isGrant && granted === undefined) {
    if (hashOf(inForce.currentFile) !== beforeSha256) refuse("the file in force is not UTF-8");
    granted = { bottleSlug, tool, forGood: inForce.currentFile, inForceSha256: "", grants: [] };
  } else if (granted !== undefined) {
    const start = currentFile ?? TEXT_OF_NO_FILE[tool];
    try {
      file = carry(tool, start, inForce.currentFile ?? TEXT_OF_NO_FILE[tool], decided);
      if (!isGrant) granted = changeForGood(granted, start, decided);
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error;
      refuse(
        `it does not go with the open grants on that file (${error.message}); revoke those first`,
      );
    }
  }
  // What an instruction does depends on the others: nobody looked at the two changes together.
  if (tool === TOOL_CAPABILITY_BLOCK && file !== decided) {
    refuse(
      "a grant on that Dockerfile is open, and two changes of one are no set; revoke it first",
    );
  }
  const change = { tool, before, after: new TextEncoder().encode(file) };
  return { file, change, granted, inForce };
}
