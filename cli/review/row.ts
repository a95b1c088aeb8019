/**
 * One proposal on the operator's list, and where it stands.
 *
 * @module
 */

import type { PendingProposal, Status } from "../../mod.ts";

/** Where a proposal stands. */
export type Standing =
  /** It waits, perhaps with something that the operator should know. */
  | { readonly kind: "open"; readonly notice?: string }
  /** It is decided here, and nothing is written before that instant. */
  | { readonly kind: "held"; readonly status: Status; readonly untilMs: number }
  /** It is being written. */
  | { readonly kind: "writing"; readonly status: Status }
  /** It waits no more: what became of it, and since when. */
  | { readonly kind: "over"; readonly words: string; readonly sinceMs: number };

/** One proposal on the list. */
export interface Row {
  /** The bottle's slug and the proposal's id. */
  readonly key: string;
  /** The proposal as it was listed last. */
  readonly entry: PendingProposal;
  /** Where it stands. */
  readonly standing: Standing;
}

/**
 * What tells a proposal from all others.
 *
 * @param entry The proposal.
 * @returns The bottle's slug and the proposal's id.
 */
export function keyOf({ proposal }: Pick<PendingProposal, "proposal">): string {
  return `${proposal.bottleSlug}/${proposal.id}`;
}

/**
 * Brings the rows up to date with what is pending now. No row moves: what is new comes last, and what
 * is pending no more stays where it stood, and says so.
 *
 * @param rows The rows so far.
 * @param pending What is pending now.
 * @param nowMs Now, in milliseconds since 1970.
 * @param becameOf Says in words what became of a proposal that is pending no more.
 * @returns The rows; one in which nothing has changed is the same object.
 */
export function mergeRows(
  rows: readonly Row[],
  pending: readonly PendingProposal[],
  nowMs: number,
  becameOf: (entry: PendingProposal) => string,
): readonly Row[] {
  const now = new Map(pending.map((entry) => [keyOf(entry), entry]));
  const merged = rows.map((row) => {
    const entry = now.get(row.key);
    now.delete(row.key);
    if (entry === undefined) return withdrawn(row, nowMs, becameOf);
    return entry.proposalSha256 === row.entry.proposalSha256
      ? stillThere(row)
      : { ...row, entry, standing: open("changed meanwhile: look again") };
  });
  for (const [key, entry] of now) merged.push({ key, entry, standing: open() });
  return merged;
}

/**
 * A row that waits.
 *
 * @param notice What the operator should know.
 * @returns The standing.
 */
export function open(notice?: string): Standing {
  return notice === undefined ? { kind: "open" } : { kind: "open", notice };
}

function withdrawn(row: Row, sinceMs: number, becameOf: (entry: PendingProposal) => string): Row {
  // What is being written leaves the queue because of us; its result says what became of it.
  if (row.standing.kind === "over" || row.standing.kind === "writing") return row;
  return { ...row, standing: { kind: "over", words: becameOf(row.entry), sinceMs } };
}

/** Words of a row that left without a decision, and may come back. */
export const WITHDRAWN = "withdrawn";

/** A look that was taken before our own decision still lists what it decided. */
function stillThere(row: Row): Row {
  const { standing } = row;
  const isBack = standing.kind === "over" && standing.words === WITHDRAWN;
  return isBack ? { ...row, standing: open("it was gone, and is back") } : row;
}

const DOING: Readonly<Record<Status, string>> = {
  approved: "approving",
  modified: "answering with your version",
  rejected: "rejecting",
};

/**
 * How long a decision can still be undone.
 *
 * @param untilMs When it is written, in milliseconds since 1970.
 * @param nowMs Now, likewise.
 * @returns Whole seconds; the last one counts.
 */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
}

/**
 * What a row says of where it stands.
 *
 * @param standing Where it stands.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns A few words; `undefined` while it simply waits.
 */
export function wordsOf(standing: Standing, nowMs: number): string | undefined {
  switch (standing.kind) {
    case "open":
      return standing.notice;
    case "held": {
      const seconds = secondsLeft(standing.untilMs, nowMs);
      return `${DOING[standing.status]} in ${seconds} s, u undoes`;
    }
    case "writing":
      return `${DOING[standing.status]}: being written`;
    case "over":
      return standing.words;
  }
}
