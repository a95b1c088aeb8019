/**
 * The marks that the list shows: judged a few at a time, so that no screen and no key waits for them.
 *
 * @module
 */

import {
  type Mark,
  marksOfPending,
  MAX_CONFIG_FILE_BYTES,
  type PendingProposal,
} from "../../mod.ts";
import type { Later } from "./guard.ts";

/** How long judging may go on before keys have their turn. */
const SLICE_MS = 8;

/** The marks that the list shows. */
export interface ListMarks {
  /** The marks of a proposal; `undefined` until it was judged, and if it is too large for that. */
  readonly of: (entry: PendingProposal) => readonly Mark[] | undefined;
  /** Judges anew whatever is asked for: a file in force may have changed. */
  readonly forget: () => void;
}

/**
 * Opens the marks of a list.
 *
 * @param root The root.
 * @param later Runs something later.
 * @param changed Called when marks are there that were asked for.
 * @returns The marks.
 */
export function openMarks(root: string, later: Later, changed: () => void): ListMarks {
  type Judged = readonly Mark[] | undefined;
  let known = new WeakMap<PendingProposal, Judged>();
  const latest = new WeakMap<PendingProposal, Judged>();
  const wanted = new Set<PendingProposal>();

  function judge(): void {
    const started = performance.now();
    for (const entry of wanted) {
      wanted.delete(entry);
      // Nothing larger is sound, and whoever opens it sees its marks all the same.
      const isLarge = entry.proposal.proposedFile.length > MAX_CONFIG_FILE_BYTES;
      const marks = isLarge ? undefined : marksOfPending([entry], root).get(entry);
      known.set(entry, marks);
      latest.set(entry, marks);
      if (performance.now() - started > SLICE_MS) break;
    }
    if (wanted.size > 0) later(0, judge);
    changed();
  }

  return {
    of(entry) {
      if (known.has(entry)) return known.get(entry);
      if (wanted.size === 0) later(0, judge);
      wanted.add(entry);
      return latest.get(entry);
    },
    forget() {
      known = new WeakMap();
    },
  };
}
