/**
 * Turns a decision into one that stands: a rule for exactly that change, until a time.
 *
 * @module
 */

import { type NewStanding, prepareStanding, withStandingLock } from "../host/standing_file.ts";
import type { MadeStanding } from "../records/audit_entry.ts";
import { SuperviseError } from "../records/errors.ts";
import { notStanding, ObstacleError, type StandingDraft } from "../records/obstacle.ts";
import type { Inspection } from "./inspect.ts";
import { stagingDir } from "./answer.ts";

/** A standing decision, as the line of the decision that makes it has it. */
export interface ToStand extends Pick<NewStanding, "sha256"> {
  readonly made: MadeStanding;
}

/**
 * Records a decision, then writes the rule that it makes. The file is made before, so that what could not be
 * used is refused while nothing is decided.
 *
 * @param record Records and answers the decision; its line gets what it is given.
 * @throws {ObstacleError} If no rule can be made of it.
 * @throws {SuperviseError} `standing_not_written`, if the decision is recorded and answered, and the rule could
 * not be written.
 */
export async function recordStanding<T>(
  root: string,
  { proposal, added, removed, marks }: Inspection,
  { forMs, group }: StandingDraft,
  notes: string,
  record: (toStand: ToStand) => Promise<T>,
): Promise<T> {
  const { bottleSlug, id: proposalId, tool } = proposal;
  return await withStandingLock(root, async () => {
    const from = Date.now();
    const bottles = [group === undefined ? bottleSlug : `group:${group}`];
    const standsMs = { from, to: from + forMs };
    const exactly = { added, removed, marks };
    let prepared: NewStanding;
    try {
      prepared = prepareStanding(root, {
        tool,
        outcome: "approve",
        marksAtMost: "none",
        notes,
        exactly,
        standsMs,
      }, bottles);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ObstacleError({ bottleSlug, proposalId }, [
        notStanding(`standing.json: ${reason}`),
      ]);
    }
    const { name, sha256 } = prepared;
    const until = new Date(standsMs.to).toISOString();
    const decision = await record({ sha256, made: { name, bottles, until } });
    try {
      prepared.write(stagingDir(root, bottleSlug));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `Cannot write standing.json: ${reason}; proposal ${proposalId} of bottle ` +
        `${bottleSlug} is approved and answered, but the rule ${name} for others like it may be lost`;
      throw new SuperviseError("standing_not_written", message, { cause });
    }
    return decision;
  });
}
