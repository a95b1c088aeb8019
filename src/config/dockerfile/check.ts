/**
 * Checks the bottle's Dockerfile. Pure.
 *
 * @module
 */

import { type ConfigProblem, listProblems } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import { findArgumentProblems } from "./arguments.ts";
import { outlineDockerfile } from "./instructions.ts";
import { listWords } from "./words.ts";

/** Arguments that BuildKit declares itself, with their older names. */
const PREDEFINED_ARG = /^(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)$/;

/**
 * Checks a Dockerfile by BuildKit's rules, as of August 2026: its first instruction is FROM (after ARG,
 * comments and parser directives), no instruction or flag is unknown, every heredoc ends, and the arguments
 * outside the shell have the form that the instruction wants. Rules of style are not checked, and a file that
 * BuildKit builds is allowed, even if older builders refused it. One is refused though: a flag with a
 * character beyond ASCII, which BuildKit takes for several characters.
 *
 * A line has at most 65,535 bytes (BuildKit's limit), a file at most 50,000 lines, 1,000 instructions and
 * 1,000 variables.
 * Shell commands are not checked: a valid Dockerfile can still fail to build, and can do anything that a
 * build may do.
 *
 * Never throws, reads and opens nothing, and takes time linear in the text.
 *
 * @example A misspelt instruction
 * ```ts
 * import { validateDockerfile } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const problems = validateDockerfile("FROM debian:13\nRUM apt-get update\n");
 * assertEquals(problems.map((problem) => problem.where), ["line 2"]);
 * ```
 *
 * @param text The file's text.
 * @returns The problems, at most {@linkcode MAX_PROBLEMS} and one that says there are more; empty if the
 * file is valid.
 */
export function validateDockerfile(text: string): readonly ConfigProblem[] {
  return listProblems(text, findProblems);
}

function* findProblems(text: string): Generator<ConfigProblem> {
  const { instructions, escape, problem } = outlineDockerfile(text);
  const globalArgs = new Set<string>();
  let expectsFrom = true;
  for (const instruction of instructions) {
    const { line, name, args } = instruction;
    const where = `line ${line}`;
    const keyword = name.toUpperCase();
    if (expectsFrom && keyword === "ARG") {
      for (const word of listWords(args)) globalArgs.add(word.split("=", 1)[0]!);
    } else if (expectsFrom) {
      expectsFrom = false;
      if (keyword !== "FROM") {
        const expected = "FROM: only ARG, comments and directives may precede it";
        yield { where, message: `found ${quote(name)} first, expected ${expected}` };
      }
    }
    if (keyword === "FROM") {
      const message = undeclaredArg(args, globalArgs);
      if (message !== undefined) yield { where, message };
    }
    for (const message of findArgumentProblems(instruction, escape)) yield { where, message };
  }
  if (problem) yield problem;
  else if (expectsFrom) {
    const message = "found no FROM, expected one: begin with FROM and the name of an image";
    yield { where: "file", message };
  }
}

/** What is wrong with a FROM whose image is the value of an ARG that no line declares. */
function undeclaredArg(args: string, globalArgs: ReadonlySet<string>): string | undefined {
  const [image = ""] = listWords(args);
  const variable = /^\$(?:\{(\w+)\}|(\w+))$/.exec(image);
  const arg = variable?.[1] ?? variable?.[2];
  if (arg === undefined || globalArgs.has(arg) || PREDEFINED_ARG.test(arg)) return undefined;
  return `found the image ${quote(image)} of an ARG that is not declared, ` +
    `expected ARG ${quote(arg)} before the first FROM: add it`;
}
