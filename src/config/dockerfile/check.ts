/**
 * Checks the bottle's Dockerfile. Pure.
 *
 * @module
 */

import { type ConfigProblem, listProblems } from "../../records/problem.ts";
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

/** Usual arguments in which `dockerfile-utils` finds no error: for these alone it is not even loaded. */
const USUAL: Readonly<Record<string, RegExp>> = {
  ARG: /^[A-Z_]+(?:=[\w./-]+)?$/,
  COPY: /^[\w./][\w./-]*(?: [\w./][\w./-]*)+$/,
  ENV: /^[A-Z_]+=[\w./-]+$/,
  FROM: /^[a-z0-9]+(?:[./-][a-z0-9]+)*(?::[a-z0-9][a-z0-9.-]*)?(?: (?:AS|as) [a-z]+)?$/,
  USER: /^[a-z]+$/,
  WORKDIR: /^\/[\w./-]*$/,
};

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
 * A line has at most 65,535 bytes (BuildKit's limit), a file at most 50,000 lines, 1,000 instructions and
 * 262,144 characters outside the shell. Arguments longer than 4,096 characters are not checked, and shell
 * commands are not: a valid Dockerfile can still fail to build, and can do anything that a build may do.
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
  const stageLines = new Map<string, number>();
  let expectsFrom = true;
  let total = 0;
  for (const instruction of instructions) {
    const { line, name, args } = instruction;
    const where = `line ${line}`;
    const keyword = name.toUpperCase();
    if (!SHELL_KEYWORDS.includes(keyword)) total += args.length;
    if (total > MAX_TOTAL_CHARS) {
      const found = `more than ${MAX_TOTAL_CHARS} characters outside RUN, CMD and ENTRYPOINT`;
      yield { where, message: `found ${found}, expected at most that many: shorten the file` };
      return;
    }
    if (expectsFrom && keyword === "ARG") {
      for (const word of args.split(/\s+/)) globalArgs.add(word.split("=", 1)[0]!);
    } else if (expectsFrom) {
      expectsFrom = false;
      if (keyword !== "FROM") {
        const expected = "FROM: only ARG, comments and directives may precede it";
        yield { where, message: `found ${quote(name)} first, expected ${expected}` };
      }
    }
    const messages = keyword === "FROM" ? checkFrom(instruction, globalArgs, stageLines) : [];
    for (const message of messages) yield { where, message };
    for (const message of checkInstruction(instruction, escape)) yield { where, message };
  }
  if (problem) yield problem;
  else if (expectsFrom) {
    const message = "found no FROM, expected one: begin with FROM and the name of an image";
    yield { where: "file", message };
  }
}

/**
 * Checks a FROM in the place of `dockerfile-utils`, whose pattern for stage names takes exponential time,
 * and whose table of them breaks on the name `constructor`.
 */
function* checkFrom(
  { line, args }: Instruction,
  globalArgs: ReadonlySet<string>,
  stageLines: Map<string, number>,
): Generator<string> {
  const { words } = splitFlags(args);
  const [image = "", as = "", stage = ""] = words;
  if (words.length > 1 && (words.length !== 3 || as.toUpperCase() !== "AS")) {
    yield `found ${quote(`FROM ${args}`)}, expected FROM image, or FROM image AS stage`;
    return;
  }
  const variable = /^\$(?:\{(\w+)\}|(\w+))$/.exec(image);
  const arg = variable?.[1] ?? variable?.[2];
  if (arg !== undefined && !globalArgs.has(arg) && !PREDEFINED_ARG.test(arg)) {
    yield `found the image ${quote(image)} of an ARG that is not declared, ` +
      `expected ARG ${quote(arg)} before the first FROM: add it`;
  }
  if (stage === "") return;
  const found = `found the stage ${quote(stage)}`;
  const first = stageLines.get(stage.toLowerCase());
  if (!/^[a-z][a-z0-9._-]*$/i.test(stage)) {
    yield `${found}, expected a letter, then letters, digits, "-", "_" and "."`;
  } else if (first === undefined) stageLines.set(stage.toLowerCase(), line);
  else yield `${found} of line ${first} again, expected a name of its own: rename one`;
}

function* checkInstruction(instruction: Instruction, escape: string): Generator<string> {
  const { name, args } = instruction;
  const keyword = name.toUpperCase();
  // toUpperCase() maps a dotless i to I, which BuildKit does not.
  if (!KEYWORDS.includes(keyword) || !/^[a-z]+$/i.test(name)) {
    yield `found the unknown instruction ${quote(name)}, expected one of ${KEYWORDS.join(", ")}: ` +
      "correct it, or end the line before it with a backslash if it goes on here";
  } else if (keyword === "ONBUILD" && args !== "") {
    const trigger = triggerOf(instruction);
    if (/^(?:ONBUILD|FROM|MAINTAINER)$/i.test(trigger.name)) {
      yield `found ONBUILD ${trigger.name}, expected another instruction: remove it`;
    } else yield* checkInstruction(trigger, escape);
  } else if (
    !SHELL_KEYWORDS.includes(keyword) && args.length <= MAX_DETAIL_CHARS &&
    USUAL[keyword]?.test(args) !== true
  ) {
    const found = `found ${quote(`${name} ${args}`.trim())}`;
    for (const error of parser.errorsIn(keyword, args, escape)) {
      const says = `the parser says ${quote(error, 200)}`;
      yield `${found}, expected a valid ${keyword} instruction: ${says}`;
    }
  }
}
