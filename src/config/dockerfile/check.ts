/**
 * Checks the bottle's Dockerfile. Pure.
 *
 * @module
 */

import {
  collectProblems,
  type ConfigProblem,
  findUnfitText,
  type ProblemCollector,
} from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import defer * as parser from "./errors.ts";
import { type Instruction, outlineDockerfile, splitFlags, triggerOf } from "./instructions.ts";

// deno-fmt-ignore
const KEYWORDS: readonly string[] = [
  "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
  "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
];

/** Instructions whose arguments are for the shell, where any text is valid. */
const SHELL_KEYWORDS: readonly string[] = ["CMD", "ENTRYPOINT", "RUN"];

/** Arguments that BuildKit declares itself, with their older names. */
const PREDEFINED_ARG = /^(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)$/;

/**
 * Longer arguments are not checked: `dockerfile-utils` takes time quadratic in their length, and a long
 * list of files or a long label is valid.
 */
const MAX_DETAIL_CHARS = 4096;

/** The most text outside the shell: ten times what long Dockerfiles have. */
const MAX_TOTAL_CHARS = 256 * 1024;

/**
 * Checks a Dockerfile: its first instruction is FROM (after ARG, comments and parser directives), no
 * instruction is unknown, every heredoc ends, and `dockerfile-utils` finds no error in the arguments of the
 * instructions outside the shell. Rules of style are not checked, and everything that BuildKit builds is
 * allowed, even if older builders refused it.
 *
 * A line has at most 65,535 bytes (BuildKit's limit), a file at most 1,000 instructions and 262,144
 * characters outside the shell. Arguments longer than 4,096 characters are not checked, and shell commands
 * are not: a valid Dockerfile can still fail to build, and can do anything that a build may do.
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
  const unfit = findUnfitText(text);
  if (unfit) return [unfit];
  const problems = collectProblems();
  const outline = outlineDockerfile(text);
  const globalArgs = new Set<string>();
  const stageLines = new Map<string, number>();
  let expectsFrom = true;
  let total = 0;

  for (const instruction of outline.instructions) {
    if (problems.isFull()) break;
    const { line, name, args } = instruction;
    const keyword = name.toUpperCase();
    if (!SHELL_KEYWORDS.includes(keyword)) total += args.length;
    if (total > MAX_TOTAL_CHARS) {
      problems.add(
        `line ${line}`,
        `found more than ${MAX_TOTAL_CHARS} characters outside RUN, CMD and ENTRYPOINT, ` +
          "expected at most that many: shorten the file",
      );
      return problems.list();
    }
    if (expectsFrom && keyword === "ARG") {
      for (const word of args.split(/\s+/)) globalArgs.add(word.split("=", 1)[0]!);
    } else if (expectsFrom) {
      expectsFrom = false;
      if (keyword !== "FROM") {
        problems.add(
          `line ${line}`,
          `found ${
            quote(name)
          } first, expected FROM: only ARG, comments and directives stand before it`,
        );
      }
    }
    if (keyword === "FROM") checkFrom(problems, instruction, globalArgs, stageLines);
    checkInstruction(problems, instruction, outline.escape);
  }
  if (outline.problem) problems.add(outline.problem.where, outline.problem.message);
  else if (expectsFrom) {
    problems.add("file", "found no FROM, expected one: begin with FROM and the name of an image");
  }
  return problems.list();
}

/**
 * Checks a FROM in the place of `dockerfile-utils`, whose pattern for stage names takes exponential time,
 * and whose table of them breaks on the name `constructor`.
 */
function checkFrom(
  problems: ProblemCollector,
  { line, args }: Instruction,
  globalArgs: ReadonlySet<string>,
  stageLines: Map<string, number>,
): void {
  const where = `line ${line}`;
  const { words } = splitFlags(args);
  const [image = "", as = "", stage = ""] = words;
  if (words.length > 1 && (words.length !== 3 || as.toUpperCase() !== "AS")) {
    problems.add(
      where,
      `found ${quote(`FROM ${args}`)}, expected FROM image, or FROM image AS stage`,
    );
    return;
  }
  const variable = /^\$(?:\{(\w+)\}|(\w+))$/.exec(image);
  const arg = variable?.[1] ?? variable?.[2];
  if (arg !== undefined && !globalArgs.has(arg) && !PREDEFINED_ARG.test(arg)) {
    problems.add(
      where,
      `found the image ${quote(image)} of an ARG that is not declared, ` +
        `expected ARG ${quote(arg)} before the first FROM: add it`,
    );
  }
  if (stage === "") return;
  if (!/^[a-z][a-z0-9._-]*$/i.test(stage)) {
    problems.add(
      where,
      `found the stage ${quote(stage)}, expected a letter, then letters, digits, "-", "_" and "."`,
    );
    return;
  }
  const first = stageLines.get(stage.toLowerCase());
  if (first === undefined) stageLines.set(stage.toLowerCase(), line);
  else {
    problems.add(
      where,
      `found the stage ${
        quote(stage)
      } of line ${first} again, expected a name of its own: rename one`,
    );
  }
}

function checkInstruction(
  problems: ProblemCollector,
  instruction: Instruction,
  escape: string,
): void {
  const { line, name, args } = instruction;
  const where = `line ${line}`;
  const keyword = name.toUpperCase();
  // toUpperCase() maps a dotless i to I, which BuildKit does not.
  if (!KEYWORDS.includes(keyword) || !/^[a-z]+$/i.test(name)) {
    problems.add(
      where,
      `found the unknown instruction ${quote(name)}, expected one of ${KEYWORDS.join(", ")}: ` +
        "correct it, or end the line before it with a backslash if it goes on here",
    );
    return;
  }
  if (keyword === "ONBUILD" && args !== "") {
    const trigger = triggerOf(instruction);
    if (/^(?:ONBUILD|FROM|MAINTAINER)$/i.test(trigger.name)) {
      problems.add(where, `found ONBUILD ${trigger.name}, expected another instruction: remove it`);
    } else checkInstruction(problems, trigger, escape);
    return;
  }
  if (SHELL_KEYWORDS.includes(keyword)) return;
  if (args.length > MAX_DETAIL_CHARS) return;
  for (const error of parser.errorsIn(keyword, args, escape)) {
    problems.add(
      where,
      `found ${quote(`${name} ${args}`.trim())}, expected a valid ${keyword} instruction: ` +
        `the parser says ${quote(error, 200)}`,
    );
  }
}
