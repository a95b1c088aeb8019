/**
 * Cuts a Dockerfile into instructions as BuildKit's `frontend/dockerfile/parser` does, as of August 2026.
 * Pure.
 *
 * @module
 */

import type { ConfigProblem } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import {
  expand,
  heredocIn,
  type HeredocWord,
  pairWords,
  readFlags,
  readJson,
  splitKeyword,
  trimSpace,
  trimStart,
} from "./words.ts";

/** BuildKit refuses longer lines, in heredocs too. */
const MAX_LINE_BYTES = 65_535;

/** Far more than a person reads. Each costs some work, even one that has a backslash alone. */
const MAX_LINES = 50_000;

/** A text, and where in the file it comes from. */
interface Lined {
  /** Its first line, counted from 1. */
  readonly line: number;
  /** The offset in the text at which each line of the file begins, and that line's number. */
  readonly starts: readonly (readonly [offset: number, line: number])[];
}

/** A flag of an instruction, such as `--from=build`, without quotes and escapes. */
interface Flag {
  readonly text: string;
  readonly line: number;
}

/** One instruction, without comments, continuations and heredocs; the lines are of its arguments. */
export interface Instruction extends Lined {
  /** All of it, joined to one line. */
  readonly text: string;
  /** Its first word, as written. */
  readonly name: string;
  readonly flags: readonly Flag[];
  /** What is behind the flags. */
  readonly args: string;
  readonly heredocs: readonly Heredoc[];
  /** The instruction in the arguments of an ONBUILD. */
  readonly trigger?: Instruction;
}

/** Lines that an instruction takes as a file or as a script, without the line that ends them. */
interface Heredoc extends Lined {
  readonly name: string;
  readonly text: string;
}

export interface Outline {
  readonly instructions: readonly Instruction[];
  /** The character that continues a line: `\` or, by the directive `# escape=`, a backtick. */
  readonly escape: string;
  /** The image that the directive `# syntax=` names as the builder, and its line. */
  readonly syntax?: { readonly image: string; readonly line: number };
  /** The error that keeps the rest of the text from being read. */
  readonly problem?: ConfigProblem;
}

/** What keeps a text from being read, from a line on. */
class Unreadable extends Error {
  constructor(readonly line: number, message: string) {
    super(message);
  }
}

/**
 * Cuts a Dockerfile into its instructions: parser directives, comments, continued lines, comments and empty
 * lines between continued lines, flags, heredocs. Stops at the first error. Takes time linear in the text.
 */
export function outlineDockerfile(text: string): Outline {
  const lines = text.split("\n", MAX_LINES + 2);
  const instructions: Instruction[] = [];
  const syntax = findFrontend(lines);
  let variables = 0;
  let escape = "\\";
  let problem: ConfigProblem | undefined;
  try {
    refuseLong(lines);
    lines[0] = lines[0]!.replace(/^\ufeff/, "");
    escape = readEscape(lines);
    for (let at = 0; at < lines.length;) {
      const found = readInstruction(lines, at, escape);
      if (found.instruction !== undefined) {
        variables += countVariables(found.instruction, escape);
        refuseMany("instructions", instructions.push(found.instruction), at + 1);
        refuseMany("variables", variables, at + 1);
      }
      at = found.next;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    problem = { where: `line ${error.line}`, message: error.message };
  }
  return { instructions, escape, ...(syntax && { syntax }), ...(problem && { problem }) };
}

/** How many variables an ENV or ARG can set. */
function countVariables({ name, args }: Instruction, escape: string): number {
  if (!/^(?:env|arg)$/i.test(name)) return 0;
  const words = pairWords(args, escape);
  // The older form, `ENV NAME value value`, sets one.
  const isOlder = /^env$/i.test(name) && words[0]?.includes("=") === false;
  return isOlder ? 1 : words.length;
}

/** The most of each that is read, and what to do about more. */
const LIMITS = {
  // Far more than an image can have: a stage has at most 127 layers.
  instructions: [1000, "put several commands into one RUN"],
  // Far more than a person sets. A stage that is based on another has all of its variables.
  variables: [1000, "set them in a script"],
} as const;

function refuseMany(what: keyof typeof LIMITS, count: number, line: number): void {
  const [most, wayOut] = LIMITS[what];
  if (count <= most) return;
  throw new Unreadable(
    line,
    `found more than ${most} ${what}, expected at most that many: ${wayOut}`,
  );
}

function refuseLong(lines: readonly string[]): void {
  // A piece is behind the last LF of a text, too.
  if (lines.length > MAX_LINES + 1 || lines[MAX_LINES]) {
    throw new Unreadable(
      MAX_LINES + 1,
      `found more than ${MAX_LINES} lines, expected at most that many: ` +
        "put long scripts into files of their own",
    );
  }
  for (const [index, line] of lines.entries()) {
    // A UTF-16 code unit takes at most three bytes of UTF-8: short lines need no encoding.
    if (line.length * 3 <= MAX_LINE_BYTES) continue;
    if (new TextEncoder().encode(line).length <= MAX_LINE_BYTES) continue;
    const found = `found a line of more than ${MAX_LINE_BYTES} bytes`;
    throw new Unreadable(index + 1, `${found}, expected shorter ones: split it`);
  }
}

/** A parser directive in a line that begins with `#`. */
function directiveIn(line: string): { readonly key: string; readonly value: string } | undefined {
  if (!line.startsWith("#")) return undefined;
  const [, name, rest] = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=([^]*)$/
    .exec(trimStart(line.slice(1))) ?? [];
  const key = name?.toLowerCase();
  if (key === undefined || !["escape", "syntax", "check"].includes(key) || rest === "") {
    return undefined;
  }
  const value = rest!.replace(/^[\t\n\f\r ]+/, "");
  let end = value.length;
  while (/^[\t\n\f\r ]$/.test(value[end - 1] ?? "")) end--;
  // Of blanks alone the last one is the value.
  return { key, value: value.slice(0, end) || rest!.slice(-1) };
}

/** Reads the directives that count for the parser; returns the character that continues a line. */
function readEscape(lines: readonly string[]): string {
  const seen = new Set<string>();
  let escape = "\\";
  for (const [index, line] of lines.entries()) {
    const directive = directiveIn(trimStart(bareLine(line)));
    if (directive === undefined) break;
    const { key, value } = directive;
    if (seen.has(key)) {
      const found = `found a second ${key} directive`;
      throw new Unreadable(index + 1, `${found}, expected one: remove one of them`);
    }
    seen.add(key);
    if (key !== "escape") continue;
    if (value !== "\\" && value !== "`") {
      const found = `found the escape character ${quote(value)}`;
      throw new Unreadable(index + 1, `${found}, expected \\ or \``);
    }
    escape = value;
  }
  return escape;
}

/**
 * The frontend that BuildKit hands the file to. It looks for it in its own way: behind a line `#!`, and in
 * no line that is indented.
 */
function findFrontend(lines: readonly string[]): Outline["syntax"] {
  const seen = new Set<string>();
  for (const [index, raw] of lines.entries()) {
    const line = index === 0 ? raw.replace(/^\ufeff/, "") : raw;
    if (index === 0 && line.startsWith("#!")) continue;
    const directive = directiveIn(line.replace(/\r$/, ""));
    if (directive === undefined || seen.has(directive.key)) return undefined;
    seen.add(directive.key);
    const [image = ""] = directive.value.split(" ", 1);
    if (directive.key === "syntax" && image !== "") return { image, line: index + 1 };
  }
  return undefined;
}

/** The instruction that begins in a line, if one does, and the line behind it. */
function readInstruction(
  lines: readonly string[],
  first: number,
  escape: string,
): { readonly instruction?: Instruction; readonly next: number } {
  const starts: [number, number][] = [];
  let at = first;
  let text = "";
  let part = trimStart(bareLine(lines[at++]!));
  if (part === "" || part.startsWith("#")) return { next: at };
  while (true) {
    const kept = cutContinuation(part, escape);
    starts.push([text.length, at]);
    text += kept ?? part;
    if (kept === undefined) break;
    while (at < lines.length && /^\p{White_Space}*(?:#|$)/u.test(bareLine(lines[at]!))) at++;
    if (at === lines.length) break;
    part = bareLine(lines[at++]!);
  }
  const line = first + 1;
  const instruction = parseInstruction(text, line, starts, escape);
  const isOnbuild = /^onbuild$/i.test(instruction.name) && instruction.args !== "";
  const trigger = isOnbuild
    ? parseInstruction(instruction.args, line, instruction.starts, escape)
    : undefined;
  const heredocs: Heredoc[] = [];
  const opens = text.includes("<<") && takesHeredocs(trigger ?? instruction);
  for (const opened of opens ? heredocsIn(text, line) : []) {
    const begin = at;
    const isEnd = (line: string) =>
      (opened.skipsTabs ? bareLine(line).replace(/^\t+/, "") : bareLine(line)) === opened.name;
    while (at < lines.length && !isEnd(lines[at]!)) at++;
    if (at === lines.length) {
      const found = `found the heredoc ${quote(opened.name)} without its end`;
      throw new Unreadable(line, `${found}, expected a line with that word alone: add it`);
    }
    heredocs.push({ name: opened.name, ...linesFrom(lines, begin, at++) });
  }
  return {
    instruction: {
      ...instruction,
      heredocs,
      ...(trigger && { trigger: { ...trigger, heredocs } }),
    },
    next: at,
  };
}

/** A line without the CRs at its end. */
function bareLine(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(0, end);
}

/** The line up to its continuation character; `undefined` if the line does not continue. */
function cutContinuation(line: string, escape: string): string | undefined {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  if (line[end - 1] !== escape || line[end - 2] === escape) return undefined;
  return line.slice(0, end - 1);
}

/** Some lines of the file as one text. */
function linesFrom(lines: readonly string[], begin: number, end: number): Omit<Heredoc, "name"> {
  const starts: [number, number][] = [];
  let offset = 0;
  for (let at = begin; at < end; at++) {
    starts.push([offset, at + 1]);
    offset += lines[at]!.length + 1;
  }
  return { line: begin + 1, text: lines.slice(begin, end).join("\n"), starts };
}

function parseInstruction(
  text: string,
  line: number,
  starts: Lined["starts"],
  escape: string,
): Instruction {
  const { name, args, at } = splitKeyword(text);
  const read = readFlags(args, escape);
  if (read === undefined) {
    const found = `found a flag with a character beyond ASCII in ${quote(`${name} ${args}`)}`;
    throw new Unreadable(
      line,
      `${found}, expected ASCII: BuildKit takes it for several characters`,
    );
  }
  const flags = read.flags.map((flag) => ({
    text: flag.text,
    line: lineOf({ line, starts }, at + flag.at),
  }));
  const behind = args.slice(read.end);
  const argsAt = at + read.end + behind.length - trimStart(behind).length;
  return {
    ...{ line, text, name, flags, args: trimSpace(behind), heredocs: [] },
    starts: starts.map(([offset, number]) => [Math.max(0, offset - argsAt), number]),
  };
}

function takesHeredocs({ name, args }: Instruction): boolean {
  return /^(?:add|copy|run)$/i.test(name) && readJson(args) === undefined;
}

/** The heredocs that an instruction opens. Here `\` alone escapes, whatever the directive says. */
function heredocsIn(text: string, line: number): readonly HeredocWord[] {
  const words = expand(text, { rawQuotes: true, rawEscapes: true })?.words ?? [];
  return words.flatMap((word) => {
    const heredoc = heredocIn(word);
    if (heredoc !== "malformed") return heredoc ?? [];
    throw new Unreadable(line, `found ${quote(word)}, expected << and a word: close its quotes`);
  });
}

/** The line of the file for an offset in an instruction's arguments, or in a heredoc. */
export function lineOf({ starts, line }: Lined, offset: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]![0] <= offset) low = middle + 1;
    else high = middle;
  }
  return starts[low - 1]?.[1] ?? line;
}
