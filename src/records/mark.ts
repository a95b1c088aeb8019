/**
 * What a reviewer should notice in a change of a config file, whatever the file's format. Pure.
 *
 * @module
 */

/** How much a mark matters. A change with a high one is decided with a word more than a letter. */
export type MarkSeverity = "high" | "medium" | "low";

/** One thing that a reviewer should notice. What it quotes is in printable ASCII. */
export interface Mark {
  /** How much it matters. */
  readonly severity: MarkSeverity;
  /** Which rule found it: a word that stays the same, such as `wildcard-host`. */
  readonly rule: string;
  /** What would happen, in one sentence without a full stop that names the thing. */
  readonly message: string;
  /** The file whose line is meant: the one in force or the proposed one. */
  readonly side: "old" | "new";
  /** The line in that file, counted from 1. */
  readonly line: number;
}

/** How many marks are told; one more then says that there are others. */
export const MAX_MARKS = 50;

/** How many marks an error names. */
const MOST_NAMED = 3;

const WEIGHT: Readonly<Record<MarkSeverity, number>> = { high: 0, medium: 1, low: 2 };

/**
 * Puts marks in the order in which they are told: by severity, then as the lines stand. What is beyond
 * {@linkcode MAX_MARKS} is the least severe, so that nobody hides a high mark behind many low ones; a
 * last mark, as severe as the most severe one left out, says how many there are.
 *
 * @param found The marks, in any order.
 * @returns The marks to tell.
 */
export function rankMarks(found: readonly Mark[]): readonly Mark[] {
  const ranked = found.toSorted((a, b) =>
    WEIGHT[a.severity] - WEIGHT[b.severity] || a.line - b.line
  );
  const [first] = ranked.slice(MAX_MARKS);
  if (first === undefined) return ranked;
  const message = `${ranked.length - MAX_MARKS} more marks are not shown`;
  return [...ranked.slice(0, MAX_MARKS), { ...first, rule: "more-marks", message }];
}

/**
 * Names marks in an error: what was found, and where.
 *
 * @param marks The marks, the most severe first.
 * @returns Such as `high wildcard-host on line 2, low removed-host on old line 7`; of more than three,
 * how many more.
 */
export function nameMarks(marks: readonly Mark[]): string {
  const named = marks.slice(0, MOST_NAMED).map(({ severity, rule, side, line }) =>
    `${severity} ${rule} on ${side === "old" ? "old " : ""}line ${line}`
  );
  const more = marks.length - MOST_NAMED;
  return named.join(", ") + (more > 0 ? `, and ${more} more` : "");
}
