/**
 * Marks: what a reviewer should notice in a change of a config file of any format. Pure.
 *
 * @module
 */

/** One thing that a reviewer should notice. Its message is printable ASCII. */
export interface Mark {
  /** How much it matters. An operator confirms a high mark by typing the bottle's name. */
  readonly severity: "high" | "medium" | "low";
  /** The rule that found it, such as `wildcard-host`. The name of a rule does not change. */
  readonly rule: string;
  /** What would happen, in one sentence without a full stop. */
  readonly message: string;
  /** Whether the line is in the file in force (`old`) or in the proposed one (`new`). */
  readonly side: "old" | "new";
  /** The line in that file, counted from 1. */
  readonly line: number;
}

export type MarkSeverity = Mark["severity"];

/** How many marks are listed at most. If there are more, one further mark counts the others. */
export const MAX_MARKS = 50;

/** The severities, the most severe first. */
export const SEVERITIES: readonly MarkSeverity[] = ["high", "medium", "low"];

/**
 * Sorts marks by severity, then by line, and leaves out the least severe: many low marks cannot hide a high
 * one. A last mark, as severe as the most severe one left out, counts those.
 */
export function rankMarks(found: readonly Mark[]): readonly Mark[] {
  const ranked = found.toSorted((a, b) =>
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.line - b.line
  );
  const [first] = ranked.slice(MAX_MARKS);
  if (first === undefined) return ranked;
  const message = `${ranked.length - MAX_MARKS} more marks are not shown`;
  return [...ranked.slice(0, MAX_MARKS), { ...first, rule: "more-marks", message }];
}

/** How much of a message an audit log keeps, in characters. */
const KEPT_MESSAGE = 400;

/**
 * Marks as an audit log keeps them: all that {@linkcode rankMarks} lists, each with the beginning of its
 * message, so that no file makes a line of the log much longer.
 */
export function shortenMarks(marks: readonly Mark[]): readonly Mark[] {
  return marks.map((mark) => ({ ...mark, message: shortenMessage(mark.message) }));
}

/** The beginning of a message, as an audit log keeps it. */
export function shortenMessage(message: string): string {
  return message.length > KEPT_MESSAGE ? `${message.slice(0, KEPT_MESSAGE)}...` : message;
}

const MOST_NAMED = 3;

/** Names marks for an error: `high wildcard-host on line 2, low removed-host on old line 7`. */
export function nameMarks(marks: readonly Mark[]): string {
  const named = marks.slice(0, MOST_NAMED).map(({ severity, rule, side, line }) =>
    `${severity} ${rule} on ${side === "old" ? "old " : ""}line ${line}`
  );
  const more = marks.length - MOST_NAMED;
  return named.join(", ") + (more > 0 ? `, and ${more} more` : "");
}
