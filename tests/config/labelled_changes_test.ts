import { TOOLS } from "../../mod.ts";
import { scoreOf } from "../support/labelled_changes.ts";
import { assert } from "@std/assert";

/** What the marks must reach for each tool: of a label, how many have a mark of that severity or above. */
const AIMS = [
  ["dangerous", "medium", "at least", 0.97],
  ["notice", "low", "at least", 1],
  ["notice", "high", "at most", 0.05],
  ["harmless", "low", "at most", 0.02],
] as const;

for (const tool of TOOLS) {
  for (const [label, least, bound, aim] of AIMS) {
    // Threat: A10
    Deno.test(`of ${tool}'s ${label} changes ${bound} ${100 * aim} % have a ${least} mark`, () => {
      const { marked, unmarked } = scoreOf(tool, label, least);
      const count = marked.length + unmarked.length;
      const share = marked.length / count;
      console.log(`${tool}: ${label}, ${least} or above: ${marked.length} of ${count}`);
      assert(count > 20, `${count} changes`);
      if (bound === "at least") assert(share >= aim, `${share}: not ${unmarked}`);
      else assert(share <= aim, `${share}: ${marked}`);
    });
  }
}
