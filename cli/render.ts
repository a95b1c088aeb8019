/**
 * Puts proposals on the screen. Everything an agent wrote is made visible, and stands behind a bar
 * or a sign at the left margin, so that it cannot pass for a line of ours.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  type Inspection,
  instantOf,
  makeVisible,
  type Mark,
  type TextKind,
  visibleLine,
} from "../mod.ts";
import { marksBelow, renderMarks } from "./render_marks.ts";
import type { Style } from "./style.ts";
import { cut, wrap } from "./wrap.ts";

/**
 * How long ago something was.
 *
 * @param timestamp ISO 8601.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns `12 s`, `3 m`, `2 h`, `5 d`; `?` for what is no timestamp or in the future.
 */
export function age(timestamp: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - instantOf(timestamp) / 1000) / 1000);
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * How many characters were escaped, to stand where no agent writes: before its words, or in a heading.
 *
 * @param escaped How many.
 * @returns `[3 escaped]`; nothing for none.
 */
export function badge(escaped: number): string {
  return escaped === 0 ? "" : `[${escaped} escaped]`;
}

/**
 * A text without the blank lines and spaces around it. What else leaves a blank is a trick, to be shown.
 *
 * @param text The text.
 * @returns Its middle.
 */
export function trimPlain(text: string): string {
  const isPlain = (at: number) => text[at] === " " || text[at] === "\n";
  let [from, to] = [0, text.length];
  while (from < to && isPlain(from)) from++;
  while (from < to && isPlain(to - 1)) to--;
  return text.slice(from, to);
}

/** A line of a diff that is already visible, in rows that each show its sign, painted by it. */
function diffRows(line: string, n: number, columns: number, style: Style): string[] {
  const sign = n < 2 ? "" : line.slice(0, 1);
  const rows = wrap(sign, line.slice(sign.length), columns);
  if (n < 2) return rows.map(style.bold);
  switch (sign) {
    case "+":
      return rows.map(style.green);
    case "-":
      return rows.map(style.red);
    case "@":
      return rows.map(style.cyan);
    case "\\":
      return rows.map(style.dim);
    default:
      return rows;
  }
}

/**
 * A diff, with what should be noticed below the lines that it is about. The badge stands above it: below,
 * an added line could imitate even its header.
 *
 * @param diff The diff.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @param marks What should be noticed; nothing unless given.
 * @returns Lines.
 */
export function renderDiffLines(
  diff: string,
  columns: number,
  style: Style,
  marks: readonly Mark[] = [],
): string[] {
  if (diff === "") return ["(no change)"];
  const { text, escaped } = makeVisible(diff, { kind: "code" });
  const below = marksBelow(marks, columns, style);
  const rows = text.split("\n").slice(0, -1)
    .flatMap((line, n) => [...diffRows(line, n, columns, style), ...below(line)]);
  return escaped === 0 ? rows : [`In the diff:  ${style.yellow(badge(escaped))}`, ...rows];
}

/** A text that somebody else wrote, and how it is shown. */
export interface Quotation {
  /** What stands above it, the badge behind it; its indent is the text's. */
  readonly heading: string;
  /** The text. */
  readonly text: string;
  /** How it is meant to be read. */
  readonly kind: TextKind;
}

/**
 * Text that somebody else wrote, behind a bar.
 *
 * @param quotation The text, its kind, its heading.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns Lines.
 */
export function renderQuoted(
  { heading, text, kind }: Quotation,
  columns: number,
  style: Style,
): string[] {
  const indent = heading.length - heading.trimStart().length;
  const shown = makeVisible(trimPlain(text), { kind });
  const rows = shown.text.split("\n")
    .flatMap((line) => wrap("│ ", line, columns - indent))
    .map((row) => " ".repeat(indent) + row);
  const count = badge(shown.escaped);
  return [count === "" ? heading : `${heading}  ${style.yellow(count)}`, ...rows];
}

/**
 * One proposal, whole: who asks, why, and what would change.
 *
 * @param inspection The proposal beside the file in force.
 * @param nowMs Now, in milliseconds since 1970.
 * @param columns How wide the screen is.
 * @param style Colours.
 * @returns Lines.
 */
export function renderProposal(
  inspection: Inspection,
  nowMs: number,
  columns: number,
  style: Style,
): string[] {
  const { proposal, proposalSha256, diff, stale, currentFile, problems } = inspection;
  const { foreignAnswer, agentDiff, marks } = inspection;
  const file = CONFIG_FILE_FOR_TOOL[proposal.tool];
  const arrived = cut(visibleLine(proposal.arrivalTimestamp, "code"), 40);
  const lines = [
    `${style.bold(proposal.id)}  ${proposal.bottleSlug}  ${proposal.tool}`,
    cut(`arrived ${arrived} (${age(proposal.arrivalTimestamp, nowMs)} ago)`, columns - 1),
    ...wrap("", `sha256  ${proposalSha256}`, columns),
    "",
    ...renderQuoted(
      { heading: "The agent says:", text: proposal.justification, kind: "prose" },
      columns,
      style,
    ),
    "",
  ];
  const warn = (text: string) => lines.push(...wrap("! ", text, columns).map(style.yellow));
  if (foreignAnswer !== undefined) {
    warn(
      `It is answered without a record: ${visibleLine(foreignAnswer.says, "code")}. ` +
        "Nobody here did that.",
    );
  }
  if (currentFile === null) {
    warn(`There is no ${file} in force: all of it is new.`);
  }
  lines.push(...renderMarks(marks, columns, style));
  if (stale) {
    warn(`The agent did not start from the ${file} in force.`);
    if (agentDiff === undefined) warn("The file it started from is not known here.");
    else {
      lines.push("", "What the agent changed, in the file it started from:");
      lines.push(...renderDiffLines(agentDiff, columns, style));
    }
    lines.push("", `What would change, in the ${file} in force:`);
  }
  for (const { where, message } of problems) {
    const problem = `Not a sound ${file}: ${visibleLine(`${where}: ${message}`, "code")}`;
    lines.push(...wrap("! ", problem, columns).map(style.red));
  }
  if (diff === "") warn(`The proposed ${file} is the one in force.`);
  else lines.push(...renderDiffLines(diff, columns, style, marks));
  return lines;
}
