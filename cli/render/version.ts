/**
 * An operator's own version of a file on the screen.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, MAX_CONFIG_FILE_BYTES } from "../../read_mod.ts";
import { compareConfigFiles, type Inspection, renderDiff } from "../../mod.ts";
import { diffBlocks, markBlocks } from "./diff.ts";
import { reachBlock } from "./proposal.ts";
import { type Block, notCounted, wrap } from "./wrap.ts";

/** An operator's version beside the file in force, with its marks, and beside what the agent proposed. */
export function versionBlocks({ proposal, currentFile }: Inspection, finalFile: string): Block[] {
  const { tool, proposedFile } = proposal;
  const comparison = compareConfigFiles(tool, currentFile, finalFile);
  const { marks } = comparison;
  const titles = { label: CONFIG_FILE_FOR_TOOL[tool], after: "yours" };
  const heading = (text: string): Block => (columns) => [...wrap("", text, columns, "prose"), ""];
  const diff = renderDiff(currentFile ?? "", finalFile, titles);
  return [
    heading("Your version, against the file in force:"),
    reachBlock(comparison, proposal.bottleSlug),
    ...markBlocks(diff, marks),
    ...diffBlocks(diff, marks),
    () => [""],
    ...(proposedFile.length > MAX_CONFIG_FILE_BYTES
      ? [heading("What the agent proposed is too large for a diff.")]
      : [
        heading("Your version, against what the agent proposed:"),
        ...diffBlocks(renderDiff(proposedFile, finalFile, { ...titles, before: "proposed" }))
          .map(notCounted),
      ]),
  ];
}
