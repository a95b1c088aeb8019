/**
 * An operator's own version of a file on the screen.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, MAX_CONFIG_FILE_BYTES } from "../../read_mod.ts";
import { compareConfigFiles, type Comparison, type Inspection, renderDiff } from "../../mod.ts";
import { diffBlocks, markBlocks } from "./diff.ts";
import { reachBlock } from "./proposal.ts";
import { type Block, notCounted, wrap } from "./wrap.ts";

const heading = (text: string): Block => (columns) => [...wrap("", text, columns, "prose"), ""];

/** A version against the file in force: what it would let the bottle do, and the diff with its marks. */
export function changeBlocks(
  comparison: Comparison,
  diff: string,
  bottleSlug: string,
  title = "Your version, against the file in force:",
): Block[] {
  return [
    heading(title),
    reachBlock(comparison, bottleSlug),
    ...markBlocks(diff, comparison.marks),
    ...diffBlocks(diff, comparison.marks),
  ];
}

/** An operator's version beside the file in force, with its marks, and beside what the agent proposed. */
export function versionBlocks(inspection: Inspection, finalFile: string): Block[] {
  const { proposal, currentFile, merged } = inspection;
  const { tool, proposedFile } = proposal;
  const [approved, which] = merged === undefined
    ? [proposedFile, "what the agent proposed"]
    : [merged, "the file in force with the agent's change in it"];
  const comparison = compareConfigFiles(tool, currentFile, finalFile);
  const titles = { label: CONFIG_FILE_FOR_TOOL[tool], after: "yours" };
  const diff = renderDiff(currentFile ?? "", finalFile, titles);
  return [
    ...changeBlocks(comparison, diff, proposal.bottleSlug),
    () => [""],
    ...(proposedFile.length > MAX_CONFIG_FILE_BYTES
      ? [heading("What the agent proposed is too large for a diff.")]
      : [
        heading(`Your version, against ${which}:`),
        ...diffBlocks(renderDiff(approved, finalFile, { ...titles, before: "proposed" }))
          .map(notCounted),
      ]),
  ];
}
