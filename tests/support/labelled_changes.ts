/**
 * Changes of config files with a person's judgement of each, and how the marks agree with it.
 *
 * @module
 */

import { marksFor, type Tool, validateConfigFile } from "../../mod.ts";

interface LabelledChange {
  readonly id: string;
  readonly tool: Tool;
  readonly before: string;
  readonly after: string;
  readonly label: "dangerous" | "notice" | "harmless";
}

const FILE = new URL("../testdata/changes.jsonl", import.meta.url);

const CHANGES: readonly LabelledChange[] = Deno.readTextFileSync(FILE).trimEnd().split("\n")
  .map((line) => JSON.parse(line));

const RANKS = ["none", "low", "medium", "high"] as const;

/** The ids of the labelled changes that have a mark of some severity or above, and of those that have not. */
export interface Score {
  readonly marked: readonly string[];
  readonly unmarked: readonly string[];
}

/**
 * Compares the marks of a tool's changes with a label. What the validator refuses is left out.
 *
 * @param tool The tool.
 * @param label The label.
 * @param least The severity that counts.
 * @returns Which changes have such a mark.
 */
export function scoreOf(
  tool: Tool,
  label: LabelledChange["label"],
  least: typeof RANKS[number],
): Score {
  const ids = CHANGES.filter((change) => change.tool === tool && change.label === label)
    .filter(({ after }) => validateConfigFile(tool, after).length === 0)
    .map(({ id, before, after }) => {
      const [worst] = marksFor(tool, before, after);
      return { id, isMarked: RANKS.indexOf(worst?.severity ?? "none") >= RANKS.indexOf(least) };
    });
  return {
    marked: ids.filter(({ isMarked }) => isMarked).map(({ id }) => id),
    unmarked: ids.filter(({ isMarked }) => !isMarked).map(({ id }) => id),
  };
}
