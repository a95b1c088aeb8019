/**
 * What an operator says to a proposal, and what stands in the way of that: plain data, also as JSON.
 *
 * @module
 */

import { SuperviseError } from "./errors.ts";
import type { Mark } from "./mark.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ProposalRef } from "./proposal.ts";

/** What an operator decides: approve the file, answer with another version of it, or reject it. */
export type Verdict =
  | { readonly status: "approved" }
  | { readonly status: "modified"; readonly finalFile: string }
  | { readonly status: "rejected" };

/** What an operator says so far: the part of a decision that its obstacles depend on. */
export interface DecisionDraft {
  /** What the operator decides. A version that is not written yet has no file. */
  readonly verdict: Verdict | { readonly status: "modified" };
  /** The operator's words for the agent and the log. A rejection needs some. */
  readonly notes?: string;
  /**
   * SHA-256 of the proposal's bytes that the operator saw, lower-case hex. Unless given, the operator
   * saw the inspection.
   */
  readonly proposalSha256?: string;
  /**
   * SHA-256 of the config file in force that the operator saw, lower-case hex, `""` if there was none.
   * If it is another one by now, nothing is decided; not checked unless given.
   */
  readonly currentSha256?: string;
  /**
   * SHA-256 of the file that the operator saw that an approval puts in force, lower-case hex: `finalSha256` of
   * the inspection. {@linkcode decide} takes it for the agent's own file unless given, and approves nothing else.
   */
  readonly finalSha256?: string;
  /**
   * The bottle's slug, typed because the file has high marks. It is no secret: it keeps a hurried
   * operator from approving what nobody looked at. Needs `currentSha256`, which says what the marks
   * were compared with.
   */
  readonly confirmedSlug?: string;
  /** Decide although the file in force is not the one the agent started from. */
  readonly allowStale?: boolean;
  /**
   * Decide although the queue holds a response that no record backs. A copy of it is kept in
   * `<root>/private/foreign/<slug>/`, the log keeps what it said and its hash, and what has the response's
   * name in the queue is moved there too.
   */
  readonly overrideUnrecorded?: boolean;
  /**
   * Decide only what no person has to look at: what is proven to add no reach (`reach` of the
   * inspection is `no-new-reach`), has no mark of any severity, and nothing to confirm.
   */
  readonly ifUnmarked?: boolean;
  /**
   * Have the approval stand: rules approve exactly this change, or a part of it, in this bottle or a group,
   * until a time.
   */
  readonly standing?: StandingDraft;
  /** Have the approval end: its change is taken back then. For good unless given. */
  readonly grant?: GrantDraft;
}

/** When an approval ends: one of the two. */
export interface GrantDraft {
  /** How long it lasts, in milliseconds from the moment at which it is in force. */
  readonly forMs?: number;
  /** When it ends, ISO 8601. */
  readonly until?: string;
}

/** For how long, and where, a decision is to stand for others like it. */
export interface StandingDraft {
  /** For how long from now, in milliseconds; at most 90 days. */
  readonly forMs: number;
  /** A group of `policy.json` that the bottle is in; that bottle alone unless given. */
  readonly group?: string;
}

/**
 * One thing that stands in the way of a decision, and what clears it. Treat a `how` that you do not know
 * as `nothing`.
 *
 * - `confirm`: a person types `word`; the decision is then made with the fields in `gives`.
 * - `notes`: the operator writes some.
 * - `look`: the operator is shown the proposal again, and decides what is there now.
 * - `edit`: the operator answers with another version of the file, or rejects it.
 * - `person`: a person looks, and decides; a program must not.
 * - `nothing`: it cannot be cleared.
 */
export type Obstacle =
  & {
    /**
     * Why, without a capital letter and a full stop. It may quote what others wrote: escape it before
     * it is shown.
     */
    readonly message: string;
    /** What clears it. */
    readonly clearedBy:
      | {
        readonly how: "confirm";
        readonly word: string;
        readonly gives: Pick<DecisionDraft, "confirmedSlug" | "allowStale" | "overrideUnrecorded">;
      }
      | { readonly how: "notes" | "look" | "edit" | "person" | "nothing" };
  }
  & (
    | { readonly code: "notes_missing" }
    | { readonly code: "changed"; readonly shownSha256: string; readonly foundSha256: string }
    | { readonly code: "marked"; readonly marks: readonly Mark[] }
    // `seenBy` is who saw another file than the one in force. A hash is `""` where there is no file.
    | {
      readonly code: "stale";
      readonly seenBy: "agent" | "operator";
      readonly seenSha256: string;
      readonly inForceSha256: string;
    }
    | { readonly code: "answered_without_record"; readonly says: string }
    | { readonly code: "invalid_file"; readonly problems: readonly ConfigProblem[] }
    | { readonly code: "unconfirmed"; readonly marks: readonly Mark[] }
    | { readonly code: "policy_unusable" }
    | { readonly code: "not_standing" }
    | { readonly code: "not_grantable" }
    // No file in force is changed: nobody knows which one the enforcer has, or the operator froze them.
    | { readonly code: "enforcer_not_proven"; readonly reason: string }
    | { readonly code: "frozen"; readonly until: string }
    // What the file would add, and why no approval lets it in.
    | {
      readonly code: "below_floor";
      readonly breaches: readonly { readonly value: string; readonly reason: string }[];
    }
  );

/** What clears an obstacle. */
export type Clearance = Obstacle["clearedBy"];

/**
 * A response that no audit record backs: somebody planted it, or decided with a program that keeps no
 * record. It never counts as a decision.
 */
export function unrecordedResponse(says: string, clearedBy: Clearance): Obstacle {
  const message = `it is answered without a record (${says}): somebody planted that response, ` +
    "or decided with a program that keeps no record";
  return { code: "answered_without_record", message, says, clearedBy };
}

/** Why a decision cannot stand for others like it. */
export function notStanding(reason: string): Obstacle {
  const message = `it cannot stand for others like it: ${reason}; decide it alone`;
  return { code: "not_standing", message, clearedBy: { how: "nothing" } };
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
