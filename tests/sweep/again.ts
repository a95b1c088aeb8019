/**
 * Runs the operator's command line in this process, such as the next command after a crash.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { SLUG } from "../support/operator.ts";
import type { Said } from "./invariants.ts";
import { orHung } from "./target.ts";

/**
 * Runs a command.
 *
 * @param args The command line.
 * @returns How it ended.
 */
export async function runHere(args: readonly string[]): Promise<Said | "hung"> {
  const words: string[] = [];
  // A large file has marks that want a word; what is swept is what comes after it.
  const confirmed = args[0] === "approve" || args[0] === "modify" ? ["--confirm", SLUG] : [];
  const running = main([...args.filter((word) => word !== "--json"), ...confirmed, "--json"], {
    print: (text) => words.push(text),
    complain: () => {},
    write: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  const exit = await orHung(running);
  return exit === "hung" ? "hung" : { exit, code: codeIn(words) };
}

/** The word in `error.code` of what `--json` printed; `undefined` if nothing failed. */
function codeIn(words: readonly string[]): string | undefined {
  return words.map((word) => JSON.parse(word).error?.code).find((code) => code !== undefined);
}

/**
 * Runs commands that must be done.
 *
 * @param commands Their command lines.
 * @returns What is wrong: those that failed, or hung.
 */
export async function problemsOf(commands: readonly (readonly string[])[]): Promise<string[]> {
  const problems: string[] = [];
  for (const args of commands) {
    const said = await runHere(args);
    const [verb, object] = args;
    if (said === "hung") problems.push(`then ${verb} ${object} hung`);
    else if (said.exit !== 0) {
      problems.push(`then ${verb} ${object} ended with ${said.exit} ${said.code ?? ""}`.trimEnd());
    }
  }
  return problems;
}
