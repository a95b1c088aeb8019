/**
 * Puts proposals on the screen. Everything an agent wrote is made visible, and stands behind a bar
 * or a sign at the left margin, so that it cannot pass for a line of ours.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  type Inspection,
  type PendingProposal,
  visible,
  visibleLine,
} from "../mod.ts";
import type { Style } from "./style.ts";

/**
 * How long ago something was.
 *
 * @param timestamp ISO 8601.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns `12 s`, `3 m`, `2 h`, `5 d`; `?` for what is no timestamp or in the future.
 */
export function age(timestamp: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(timestamp)) / 1000);
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** Cuts a line that is already visible, on whole characters. */
function cut(line: string, columns: number): string {
  const characters = [...line];
  return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join("")}…`;
}

/**
 * A table of what is pending.
 *
 * @param pending What is pending, in order.
 * @param shorts The short form of each id.
 * @param columns How wide the screen is.
 * @param nowMs Now, in milliseconds since 1970.
 * @param style Colours.
 * @returns Lines.
 */
export function renderPending(
  pending: readonly PendingProposal[],
  shorts: ReadonlyMap<string, string>,
  columns: number,
  nowMs: number,
  style: Style,
): string[] {
  const rows = [
    ["ID", "BOTTLE", "TOOL", "AGE", "JUSTIFICATION"],
    ...pending.map(({ proposal }) => [
      shorts.get(proposal.id) ?? proposal.id,
      proposal.bottleSlug,
      proposal.tool,
      age(proposal.arrivalTimestamp, nowMs),
      visibleLine(proposal.justification.trim()),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((n) => Math.max(...rows.map((row) => row[n]!.length)));
  return rows.map((row, n) => {
    const line = cut(
      row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd(),
      columns,
    );
    return n === 0 ? style.dim(line) : line;
  });
}

/** Paints a diff by the signs at its left margin; untrusted text has been made visible before. */
function paintDiff(diff: string, style: Style): string[] {
  const lines = visible(diff).split("\n");
  lines.pop();
  return lines.map((line, n) => {
    if (n < 2) return style.bold(line);
    switch (line[0]) {
      case "+":
        return style.green(line);
      case "-":
        return style.red(line);
      case "@":
        return style.cyan(line);
      case "\\":
        return style.dim(line);
      default:
        return line;
    }
  });
}

/** Puts text that somebody else wrote behind a bar. */
function quoted(text: string, style: Style): string[] {
  return visible(text.trimEnd()).split("\n").map((line) => `${style.dim("│")} ${line}`);
}

/**
 * One proposal, whole: who asks, why, and what would change.
 *
 * @param inspection The proposal beside the file in force.
 * @param nowMs Now, in milliseconds since 1970.
 * @param style Colours.
 * @returns Lines.
 */
export function renderProposal(inspection: Inspection, nowMs: number, style: Style): string[] {
  const { proposal, proposalSha256, diff, stale, currentFile, problems } = inspection;
  const file = CONFIG_FILE_FOR_TOOL[proposal.tool];
  const arrived = visibleLine(proposal.arrivalTimestamp);
  const lines = [
    `${style.bold(proposal.id)}  ${proposal.bottleSlug}  ${proposal.tool}`,
    `arrived ${arrived} (${age(proposal.arrivalTimestamp, nowMs)} ago)`,
    `sha256  ${proposalSha256}`,
    "",
    "The agent says:",
    ...quoted(proposal.justification, style),
    "",
  ];
  if (currentFile === null) {
    lines.push(style.yellow(`! There is no ${file} in force; the diff starts from nothing.`));
  }
  if (stale) {
    lines.push(style.yellow(`! The agent did not start from the ${file} in force.`));
  }
  for (const { where, message } of problems) {
    lines.push(style.red(`! Not a sound ${file}: ${visibleLine(where)}: ${visibleLine(message)}`));
  }
  if (diff === "") lines.push(style.yellow(`! The proposed ${file} is the one in force.`));
  lines.push(...paintDiff(diff, style));
  return lines;
}

/**
 * A diff alone.
 *
 * @param diff The diff.
 * @param style Colours.
 * @returns Lines.
 */
export function renderDiffLines(diff: string, style: Style): string[] {
  return diff === "" ? ["(no change)"] : paintDiff(diff, style);
}
