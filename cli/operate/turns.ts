/**
 * Which proposals the rules are still to be asked about, and in which order: bottles take turns, so that
 * one full queue holds up no other.
 *
 * @module
 */

import type { Changes } from "../../internal_mod.ts";

/** A proposal that the rules are to be asked about. */
export interface DueProposal {
  readonly bottleSlug: string;
  readonly proposalId: string;
  /** Not before this time, in milliseconds since 1970. */
  readonly atMs: number;
  /** What was said of it last. */
  readonly said?: string;
}

const nameOf = ({ bottleSlug, proposalId }: Pick<DueProposal, "bottleSlug" | "proposalId">) =>
  `${bottleSlug}/${proposalId}`;

export function openTurns() {
  const due = new Map<string, DueProposal>();
  /** The number of each bottle's last turn. */
  const turns = new Map<string, number>();
  let turn = 0;
  const turnOf = ({ bottleSlug }: DueProposal) => turns.get(bottleSlug) ?? 0;

  return {
    /** Takes what is new in a look, and forgets what is no longer pending. */
    take({ events }: Changes): void {
      for (const event of events) {
        if (event.event === "arrived" || event.event === "changed") {
          const { bottleSlug, proposalId } = event;
          due.set(nameOf(event), { bottleSlug, proposalId, atMs: 0 });
        } else if ("proposalId" in event) due.delete(nameOf(event));
      }
    },
    /** How long no proposal is due; `Infinity` if there is none. */
    waitMs: (nowMs: number): number =>
      due.values().reduce(
        (least, { atMs }) => Math.min(least, Math.max(0, atMs - nowMs)),
        Infinity,
      ),
    /** A proposal that is due, of the bottle whose last turn was before those of the others. */
    next(nowMs: number): DueProposal | undefined {
      let first: DueProposal | undefined;
      for (const one of due.values()) {
        if (one.atMs <= nowMs && (!first || turnOf(one) < turnOf(first))) first = one;
      }
      if (first === undefined) return undefined;
      turns.set(first.bottleSlug, ++turn);
      const asked = { ...first, atMs: Infinity };
      due.set(nameOf(first), asked);
      return asked;
    },
    /** Puts one that was asked about back for another time; unless it changed meanwhile, or is gone. */
    again(asked: DueProposal, atMs: number, said: string): void {
      if (due.get(nameOf(asked)) === asked) due.set(nameOf(asked), { ...asked, atMs, said });
    },
  };
}
