/**
 * Runs the operator's command line in this process, as the next command after a crash.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import type { Said } from "./invariants.ts";
import { codeIn, within } from "./operator.ts";

/** How long a command may take before it counts as hung. */
const PATIENCE_MS = 20_000;

/**
 * Runs a command.
 *
 * @param args The command line; `--json` is added.
 * @returns How it ended.
 */
export async function runHere(args: readonly string[]): Promise<Said | "hung"> {
  const words: string[] = [];
  const running = main([...args, "--json"], {
    print: (text) => words.push(text),
    complain: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  const exit = await within(PATIENCE_MS, running);
  return exit === "late" ? "hung" : { exit, code: codeIn(words) };
}
