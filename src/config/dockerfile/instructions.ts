/**
 * Cuts a Dockerfile into instructions, and an instruction into words. Pure.
 *
 * @module
 */

import type { ConfigProblem } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";

/** BuildKit refuses longer lines, in heredocs too. */
const MAX_LINE_BYTES = 65_535;

/** Far more than an image can have: a stage has at most 127 layers. */
const MAX_INSTRUCTIONS = 1000;

/** Far more than a person reads. Each costs some work, even one that has a backslash alone. */
const MAX_LINES = 50_000;

/** A text, and where in the file it comes from. */
interface Lined {
  /** Its first line, counted from 1. */
  readonly line: number;
  /** The offset in the text at which each line of the file begins, and that line's number. */
  readonly starts: readonly (readonly [offset: number, line: number])[];
}

/** One instruction, without comments, continuations and heredocs; the lines are of its arguments. */
export interface Instruction extends Lined {
  /** Its first word, as written. */
  readonly name: string;
  /** The rest, joined to one line. */
  readonly args: string;
  readonly heredocs: readonly Heredoc[];
}

/** Lines that an instruction takes as a file or as a script, without the line that ends them. */
interface Heredoc extends Lined {
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

const DIRECTIVE = /^#[\t\v\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\v\f\r ]*=(.*)$/;

const SPACE_BEFORE = /^\p{White_Space}+/u;

/**
 * Cuts a Dockerfile into its instructions by the rules of BuildKit's `frontend/dockerfile/parser`: parser
 * directives, comments, continued lines, comments and empty lines between continued lines, heredocs. Stops
 * at the first error. Takes time linear in the text.
 */
export function outlineDockerfile(text: string): Outline {
  const lines = text.replace(/^\ufeff/, "").split("\n", MAX_LINES + 1);
  const instructions: Instruction[] = [];
  let escape = "\\";
  let syntax: Outline["syntax"];
  const outline = (): Outline => ({ instructions, escape, ...(syntax && { syntax }) });
  const stop = (line: number, message: string): Outline => ({
    ...outline(),
    problem: { where: `line ${line}`, message },
  });

  if (lines.length > MAX_LINES) {
    const expected = "at most that many: put long scripts into files of their own";
    return stop(lines.length, `found more than ${MAX_LINES} lines, expected ${expected}`);
  }
  for (const [index, line] of lines.entries()) {
    const bare = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (bare.includes("\r")) {
      const message = "found a CR inside a line, expected line ends of LF or CRLF: remove it";
      return stop(index + 1, message);
    }
    if (isTooLong(bare)) {
      const found = `found a line of more than ${MAX_LINE_BYTES} bytes`;
      return stop(index + 1, `${found}, expected shorter ones: split it`);
    }
    lines[index] = bare;
  }

  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const [, name, value] = DIRECTIVE.exec(line.replace(SPACE_BEFORE, "")) ?? [];
    const key = name?.toLowerCase();
    if (!key || value?.trim() === "" || !["escape", "syntax", "check"].includes(key)) break;
    if (seen.has(key)) {
      return stop(index + 1, `found a second ${key} directive, expected one: remove one of them`);
    }
    seen.add(key);
    if (key === "syntax") syntax = { image: value!.trim(), line: index + 1 };
    if (key !== "escape") continue;
    escape = value!.trim();
    if (escape !== "\\" && escape !== "`") {
      return stop(index + 1, `found the escape character ${quote(escape)}, expected \\ or \``);
    }
  }

  let at = 0;
  while (at < lines.length) {
    const start = at + 1;
    const parts: string[] = [];
    const starts: [number, number][] = [];
    let length = 0;
    let text = lines[at++]!.replace(SPACE_BEFORE, "");
    if (text.startsWith("#")) continue;
    for (;;) {
      const kept = cutContinuation(text, escape);
      parts.push(kept ?? text);
      starts.push([length, at]);
      length += parts.at(-1)!.length;
      if (kept === undefined) break;
      while (at < lines.length && /^\p{White_Space}*(?:#|$)/u.test(lines[at]!)) at++;
      if (at === lines.length) break;
      text = lines[at++]!;
    }
    const joined = parts.join("").trimEnd();
    const whole = joined.trimStart();
    if (whole === "") continue;
    if (instructions.length === MAX_INSTRUCTIONS) {
      const found = `found more than ${MAX_INSTRUCTIONS} instructions`;
      return stop(start, `${found}, expected at most that many: put several commands into one RUN`);
    }
    const [, name, args] = /^([^\t\v\f\r ]+)[\t\v\f\r ]*(.*)$/s.exec(whole)!;
    const heredocs: Heredoc[] = [];
    const instruction = { line: start, name: name!, args: args!, heredocs };
    const argsAt = joined.length - args!.length;
    instructions.push({ ...instruction, starts: shiftStarts(starts, argsAt) });

    for (const heredoc of findHeredocs(name!, args!, escape)) {
      const isEnd = (line: string) =>
        (heredoc.tabs ? line.replace(/^\t+/, "") : line) === heredoc.name;
      const first = at;
      const starts: [number, number][] = [];
      for (let offset = 0; at < lines.length && !isEnd(lines[at]!); at++) {
        starts.push([offset, at + 1]);
        offset += lines[at]!.length + 1;
      }
      heredocs.push({ line: first + 1, text: lines.slice(first, at).join("\n"), starts });
      if (at === lines.length) {
        const found = `found the heredoc ${quote(heredoc.name)} without its end`;
        return stop(start, `${found}, expected a line with that word alone: add it`);
      }
      at++;
    }
  }
  return outline();
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

/** The instruction in an ONBUILD's arguments; its name is empty if there is none. */
export function triggerOf(onbuild: Instruction): Instruction {
  // As for a whole line: any blank may precede the name, but few characters separate words.
  const [, name, args] = /^\p{White_Space}*([^\t\v\f\r ]*)[\t\v\f\r ]*(.*)$/su.exec(onbuild.args)!;
  const starts = shiftStarts(onbuild.starts, onbuild.args.length - args!.length);
  return { ...onbuild, name: name!, args: args!, starts };
}

/** The starts of lines in what follows the first `cut` units of a text. */
function shiftStarts(starts: Lined["starts"], cut: number): Lined["starts"] {
  return starts.map(([offset, line]) => [Math.max(0, offset - cut), line]);
}

function isTooLong(line: string): boolean {
  // A UTF-16 code unit takes at most three bytes of UTF-8: short lines need no encoding.
  return line.length * 3 > MAX_LINE_BYTES && new TextEncoder().encode(line).length > MAX_LINE_BYTES;
}

/** The line up to its continuation character; `undefined` if the line does not continue. */
function cutContinuation(line: string, escape: string): string | undefined {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  if (line[end - 1] !== escape || line[end - 2] === escape) return undefined;
  return line.slice(0, end - 1);
}

/**
 * The heredocs that an instruction opens, with words of the form `<<EOF` or `3<<-"EOF"`. Where `tabs` is
 * set (`<<-`), tabs before the end of the heredoc are skipped.
 */
function findHeredocs(
  name: string,
  args: string,
  escape: string,
): readonly { readonly name: string; readonly tabs: boolean }[] {
  const command = /^onbuild$/i.test(name) ? args.split(/[\t\v\f\r ]/, 1)[0]! : name;
  if (!/^(?:add|copy|run)$/i.test(command) || !args.includes("<<")) return [];
  if (stringArray(args)) return [];
  return splitWords(args, escape).flatMap((word) => {
    const [, dash, rest] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    if (rest === undefined) return [];
    return [{ name: rest.replace(/\\(.)|["']/gs, "$1"), tabs: dash === "-" }];
  });
}

/** Separates an instruction's flags from the words behind them. */
export function splitFlags(
  args: string,
): { readonly flags: readonly string[]; readonly words: readonly string[] } {
  const words = args.split(/[\t\v\f\r ]+/);
  const start = words.findIndex((word) => !/^--./.test(word));
  return start < 0
    ? { flags: words, words: [] }
    : { flags: words.slice(0, start), words: words.slice(start) };
}

/** Cuts arguments into words as a shell does, with their quotes and escapes. */
export function splitWords(args: string, escape: string): readonly string[] {
  const words: string[] = [];
  let start = 0;
  walkUnquoted(args, escape, (character, at) => {
    if (!/\s/.test(character)) return;
    if (at > start) words.push(args.slice(start, at));
    start = at + 1;
  });
  if (start < args.length) words.push(args.slice(start));
  return words;
}

export function closesQuotes(args: string, escape: string): boolean {
  return walkUnquoted(args, escape, () => {});
}

/** Visits each character outside quotes that is not escaped; returns whether every quote is closed. */
function walkUnquoted(
  args: string,
  escape: string,
  visit: (character: string, at: number) => void,
): boolean {
  let quoted = "";
  for (let at = 0; at < args.length; at++) {
    const character = args[at]!;
    if (character === escape && quoted !== "'") at++;
    else if (character === quoted) quoted = "";
    else if (quoted !== "") continue;
    else if (character === "'" || character === '"') quoted = character;
    else visit(character, at);
  }
  return quoted === "";
}

/** Reads arguments in JSON form, `["sh", "-c", "echo"]`; `undefined` for any other form. */
export function stringArray(args: string): readonly string[] | undefined {
  if (!args.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(args);
    return Array.isArray(value) && value.every((each) => typeof each === "string")
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
