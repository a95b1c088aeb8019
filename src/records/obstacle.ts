/**
 * What stands in the way of a decision, as data: it can be sent as JSON.
 *
 * @module
 */

import { SuperviseError } from "./errors.ts";
import type { Mark } from "./mark.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ProposalRef } from "./proposal.ts";

/** What an operator confirmed by hand, because an obstacle asked for it. */
export interface Confirmations {
  /** Decide although the file in force is not the one the agent started from. */
  readonly allowStale?: boolean;
  /**
   * Decide although the queue holds a response that no record backs. That response is moved to
   * `<root>/private/foreign/<slug>/`, and the log keeps what it said.
   */
  readonly overrideUnrecorded?: boolean;
  /**
   * The bottle's slug, typed because the file has high marks. It is no secret: it keeps a hurried
   * operator from approving what nobody looked at. Needs `currentSha256`, which says what the marks
   * were compared with.
   */
  readonly confirmedSlug?: string;
}

/** What clears an obstacle. Treat a `how` that you do not know as `nothing`. */
export type Clearance =
  /** A person types `word`; the request is then made with the fields in `gives`. */
  | { readonly how: "confirm"; readonly word: string; readonly gives: Confirmations }
  /**
   * `notes`: write some. `look`: show the proposal again, and decide what is there now. `edit`: answer
   * with another version of the file. `person`: have a person decide.
   */
  | { readonly how: "notes" | "look" | "edit" | "person" | "nothing" };

/** One thing that stands in the way of a decision: a code, a sentence, what clears it, and its data. */
export type Obstacle =
  & {
    /**
     * Why, without a capital letter and a full stop. It may quote what others wrote: escape it before
     * it is shown.
     */
    readonly message: string;
    /** What clears it. */
    readonly clearedBy: Clearance;
  }
  & (
    | { readonly code: "notes_missing" }
    | { readonly code: "changed"; readonly shownSha256: string; readonly foundSha256: string }
    | { readonly code: "marked"; readonly marks: readonly Mark[] }
    | {
      readonly code: "stale";
      /** Who saw another file: the agent when it asked, or the operator on the screen. */
      readonly seenBy: "agent" | "operator";
      /** SHA-256 of the file that was seen, `""` if there was none. */
      readonly seenSha256: string;
      /** SHA-256 of the file in force, `""` if there is none. */
      readonly inForceSha256: string;
    }
    | { readonly code: "answered_without_record"; readonly says: string }
    | { readonly code: "invalid_file"; readonly problems: readonly ConfigProblem[] }
    | { readonly code: "unconfirmed"; readonly marks: readonly Mark[] }
  );

/**
 * A response that no audit record backs: somebody planted it, or decided with a program that keeps no
 * record. It never counts as a decision.
 */
export function unrecordedResponse(says: string, clearedBy: Clearance): Obstacle {
  const message = `it is answered without a record (${says}): somebody planted that response, ` +
    "or decided with a program that keeps no record";
  return { code: "answered_without_record", message, says, clearedBy };
}

/** What a program does about an obstacle. A surface with flags or keys says it in its own words. */
function wayOut({ clearedBy }: Obstacle): string {
  switch (clearedBy.how) {
    case "confirm": {
      const fields = Object.entries(clearedBy.gives)
        .map(([field, value]) => `${field} to ${JSON.stringify(value)}`);
      return `; look at it, then set ${fields.join(" and ")}`;
    }
    case "notes":
      return "; say why, the agent reads it";
    case "look":
      return "; look at it again";
    case "edit":
      return "; answer with another version, or reject it";
    case "person":
      return "; have a person decide it";
    case "nothing":
      return "";
  }
}

/** Thrown if something stands in the way of a decision. Its code is that of the first obstacle. */
export class ObstacleError extends SuperviseError {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;
  /** Everything that stands in the way, in the order in which it is refused; at least one. */
  readonly obstacles: readonly [Obstacle, ...Obstacle[]];
  /** The message without its way out, for a surface that names its own. */
  readonly refusal: string;

  /**
   * Makes the error.
   *
   * @param proposal The proposal.
   * @param obstacles What stands in the way.
   */
  constructor(
    { bottleSlug, proposalId }: ProposalRef,
    obstacles: readonly [Obstacle, ...Obstacle[]],
  ) {
    const [first] = obstacles;
    const unseen = first.clearedBy.how === "person" ? " unseen" : "";
    const refusal = `Cannot decide proposal ${proposalId}${unseen}: ${first.message}`;
    super(first.code, refusal + wayOut(first));
    this.bottleSlug = bottleSlug;
    this.proposalId = proposalId;
    this.obstacles = obstacles;
    this.refusal = refusal;
  }
}
