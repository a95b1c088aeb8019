import { marksFor, type Tool, TOOL_PIPELOCK_BLOCK, validateConfigFile } from "../../mod.ts";
import { assert } from "@std/assert";

/** One change, and what a person says of it. */
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

/** The tools whose changes are compared by their reach. */
const TOOLS: readonly Tool[] = [TOOL_PIPELOCK_BLOCK];

for (const tool of TOOLS) {
  // Threat: A10
  Deno.test(`marksFor() calls labelled changes by ${tool} what a person calls them`, () => {
    const valid = CHANGES.filter((change) =>
      change.tool === tool && validateConfigFile(tool, change.after).length === 0
    );
    const rank = ["none", "low", "medium", "high"];
    const share = (label: LabelledChange["label"], least: string) => {
      const labelled = valid.filter((change) => change.label === label);
      assert(labelled.length > 20, `${labelled.length} ${label}`);
      const ids = labelled.filter(({ before, after }) => {
        const [worst] = marksFor(tool, before, after);
        return rank.indexOf(worst?.severity ?? "none") >= rank.indexOf(least);
      }).map(({ id }) => id);
      return { share: ids.length / labelled.length, ids: ids.join() };
    };
    const dangerous = share("dangerous", "medium");
    assert(dangerous.share >= 0.97, `dangerous, and at least medium: ${dangerous.share}`);
    const notice = share("notice", "low");
    assert(notice.share === 1, `to be noticed, and marked: ${notice.share}`);
    const high = share("notice", "high");
    assert(high.share <= 0.05, `to be noticed, and high: ${high.ids}`);
    const harmless = share("harmless", "low");
    assert(harmless.share <= 0.02, `harmless, and marked: ${harmless.ids}`);
  });
}
