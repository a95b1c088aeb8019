/**
 * Runs the operator's command line in this process, such as the next command after a crash.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { queueDirForSlug, sha256Hex } from "../../mod.ts";
import { proposalPath } from "../../src/disk/layout.ts";
import { SLUG } from "../support/operator.ts";
import type { Said } from "./invariants.ts";
import { orHung } from "./target.ts";

/** A command line; one that approves names the bytes that it means, since nobody is shown them. */
function naming(args: readonly string[]): readonly string[] {
  const [verb, id] = args;
  if (verb !== "approve") return args;
  const queueDir = queueDirForSlug(SLUG, { root: args[args.indexOf("--root") + 1]! });
  try {
    return [...args, "--sha256", sha256Hex(Deno.readFileSync(proposalPath(queueDir, id!)))];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return args;
    throw error;
  }
}

/**
 * Runs a command.
 *
 * @param args The command line.
 * @returns How it ended.
 */
export async function runHere(args: readonly string[]): Promise<Said | "hung"> {
  const printed: string[] = [];
  // A large file has marks that want a word; what is swept is what comes after it.
  const confirmed = args[0] === "approve" || args[0] === "modify" ? ["--confirm", SLUG] : [];
  const words = naming(args.filter((word) => word !== "--json"));
  const running = main([...words, ...confirmed, "--json"], {
    print: (text) => printed.push(text),
    complain: () => {},
    write: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  const exit = await orHung(running);
  return exit === "hung" ? "hung" : { exit, code: codeIn(printed) };
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
