/**
 * What became of proposals that are pending no more. Only the log says what was decided, and a log is
 * long: whoever takes a thousand proposals back must not have it read a thousand times.
 *
 * @module
 */

import { AUDIT_COMPONENTS, auditLogPath, decidedAmong, type PendingProposal } from "../../mod.ts";
import { WITHDRAWN } from "./row.ts";

/** What became of proposals. */
export interface Fates {
  /** Takes what is listed now. */
  readonly list: (pending: readonly PendingProposal[]) => void;
  /** Says what became of a proposal that was listed, and is pending no more. */
  readonly of: (entry: PendingProposal) => string;
}

/** What a bottle's logs said of what was listed, when they were read. */
interface LogLook {
  readonly stamp: string;
  readonly words: ReadonlyMap<string, string>;
}

/**
 * Follows what becomes of proposals. A bottle's logs are read once for each state of theirs.
 *
 * Needs `--allow-read` for the root.
 *
 * @param root The root.
 * @param stampOf What tells one state of a file from another.
 * @returns What became of them.
 */
export function openFates(root: string, stampOf: (path: string) => string): Fates {
  let before: readonly PendingProposal[] = [];
  let now: readonly PendingProposal[] = [];
  const looks = new Map<string, LogLook>();

  /** All that is or was listed of the bottle: what is decided next may be in the log already. */
  function look(slug: string, stamp: string): LogLook {
    const ids = [...before, ...now]
      .filter(({ proposal }) => proposal.bottleSlug === slug)
      .map(({ proposal }) => proposal.id);
    const entries = decidedAmong(new Set(ids), slug, root);
    const words = new Map([...entries].map(([id, { operatorAction, operator = "somebody" }]) => [
      id,
      `${operatorAction} by ${operator}`,
    ]));
    return { stamp, words };
  }

  return {
    list(pending) {
      [before, now] = [now, pending];
    },
    of({ proposal: { bottleSlug, id } }) {
      // Before the logs are read: a line that comes meanwhile must have them read again.
      const stamp = AUDIT_COMPONENTS
        .map((component) => stampOf(auditLogPath(component, bottleSlug, root))).join();
      let known = looks.get(bottleSlug);
      if (known?.stamp !== stamp) {
        known = look(bottleSlug, stamp);
        looks.set(bottleSlug, known);
      }
      return known.words.get(id) ?? WITHDRAWN;
    },
  };
}
