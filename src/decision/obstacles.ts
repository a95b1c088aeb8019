/**
 * The obstacles to a decision. `decide` refuses for the first of them, and every verb and screen asks for
 * what clears them, so that all of them ask for the same.
 *
 * @module
 */

import { validateConfigFile } from "../config/check.ts";
import { compareAfter, FAILED_CHECK } from "../config/compare.ts";
import { mergeChange } from "../config/merge.ts";
import type { Confirmation } from "../records/audit_entry.ts";
import { type Mark, MAX_MARKS, nameMarks } from "../records/mark.ts";
import {
  type Clearance,
  type DecisionDraft,
  notStanding,
  type Obstacle,
  ObstacleError,
  type StandingDraft,
  unrecordedResponse,
} from "../records/obstacle.ts";
import type { ConfigProblem } from "../records/problem.ts";
import { CONFIG_FILE_FOR_TOOL, type Tool } from "../records/proposal.ts";
import type { Comparison } from "../records/reach.ts";
import { findBreaches, type FloorBreach } from "../policy/floor.ts";
import { quote } from "../text/quote.ts";
import type { Held, Inspection } from "./inspect.ts";

/**
 * Lists the obstacles to a decision, in the order in which {@linkcode decide}
 * refuses it. Each obstacle says what clears it, as data: a surface asks for that, adds it to the draft
 * and calls this again, until the list is empty.
 *
 * Reads and changes nothing, and is as fast as {@linkcode marksFor}.
 *
 * @example What a wildcard asks for
 * ```ts
 * import { inspectProposal, newProposal, obstaclesTo, queueDirForSlug } from "@claude-bottle/supervise";
 * import { writeProposal } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const proposal = newProposal({
 *   bottleSlug: "dev-1",
 *   tool: "pipelock-block",
 *   proposedFile: "*.example.com\n",
 *   justification: "The tests read from there.",
 *   currentFileHash: "",
 * });
 * await writeProposal(queueDirForSlug("dev-1", { root }), proposal);
 * const inspection = await inspectProposal({ root, bottleSlug: "dev-1", proposalId: proposal.id });
 *
 * const verdict = { status: "approved" } as const;
 * const [obstacle] = obstaclesTo(inspection, { verdict });
 * assertEquals(obstacle?.code, "unconfirmed");
 * assertEquals(obstacle?.clearedBy, {
 *   how: "confirm",
 *   word: "dev-1",
 *   gives: { confirmedSlug: "dev-1" },
 * });
 * assertEquals(obstaclesTo(inspection, { verdict, confirmedSlug: "dev-1" }), []);
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param inspection The proposal beside the file in force.
 * @param draft What the operator says so far.
 * @returns The obstacles; empty if `decide` finds none either, on the same files.
 */
export function obstaclesTo(inspection: Inspection, draft: DecisionDraft): readonly Obstacle[] {
  const { proposal, proposalSha256, currentSha256, unrecordedResponse: planted } = inspection;
  const { verdict, notes = "", proposalSha256: shown = proposalSha256 } = draft;
  const { currentSha256: shownCurrent = currentSha256 } = draft;
  const { finalSha256: shownFinal = inspection.finalSha256 } = draft;
  // A rejection changes nothing, so neither the file in force nor the marks matter.
  const rejects = verdict.status === "rejected";
  const file = fileOf(verdict, inspection);
  const judgement = file === undefined ? NOTHING : judge(inspection, file);
  const { marks } = judgement;

  const others = rejects
    ? []
    : [...unchangeable(inspection), ...byPolicy(inspection, file, judgement)];
  if (inspection.stale && !rejects && !isOnFileInForce(inspection, file)) {
    others.push(staleFor("agent", proposal.currentFileHash, inspection));
  }
  if (planted !== undefined) {
    others.push(
      unrecordedResponse(planted.says, clearedByWord("yes", { overrideUnrecorded: true })),
    );
  }
  others.push(...invalid(proposal.tool, judgement));

  const found: Obstacle[] = [];
  if (lacksNotes(verdict, notes)) found.push(NOTES_MISSING);
  if (shown !== proposalSha256) found.push(changed(shown, proposalSha256));
  if (draft.ifUnmarked === true && !rejects) found.push(...forPeople(judgement, others));
  if (shownCurrent !== currentSha256 && !rejects) {
    found.push(staleFor("operator", shownCurrent, inspection));
  }
  if (shownFinal !== inspection.finalSha256 && verdict.status === "approved") {
    found.push(changed(shownFinal, inspection.finalSha256, "the file that it would put in force"));
  }
  if (draft.standing !== undefined) found.push(...unableToStand(inspection, draft.standing));
  if (draft.grant !== undefined && judgement.reach === "no-new-reach") found.push(NOTHING_TO_END);
  found.push(...others, ...unconfirmed(proposal.bottleSlug, marks, draft));
  return found.filter(({ clearedBy }) => !isGiven(clearedBy, draft));
}

/** Why no file in force is changed now, whatever is decided. */
export function unchangeable({ notProven, frozenUntil }: Held): Obstacle[] {
  const found: Obstacle[] = [];
  if (notProven !== undefined) {
    const message =
      `it is not known which ${CONFIG_FILE_FOR_TOOL[notProven.tool]} its enforcer has ` +
      `(${notProven.reason}); resolve that first`;
    const { reason } = notProven;
    found.push({ code: "enforcer_not_proven", message, reason, clearedBy: { how: "nothing" } });
  }
  if (frozenUntil !== undefined) {
    const message = `its files are frozen until ${frozenUntil}`;
    found.push({ code: "frozen", message, until: frozenUntil, clearedBy: { how: "nothing" } });
  }
  return found;
}

/** Throws the obstacles to a decision, as {@linkcode decide} does. */
export function refuseObstacles(inspection: Inspection, draft: DecisionDraft): void {
  const { bottleSlug, id: proposalId } = inspection.proposal;
  const [first, ...others] = obstaclesTo(inspection, draft);
  if (first !== undefined) throw new ObstacleError({ bottleSlug, proposalId }, [first, ...others]);
}

/** Which code's obstacle it is that a confirmation clears. */
const CONFIRMED: Readonly<Partial<Record<Obstacle["code"], Confirmation>>> = {
  unconfirmed: "high-marks",
  stale: "stale",
  answered_without_record: "unrecorded-response",
};

/**
 * What an operator confirmed of a decision that nothing stands in the way of: what would stand there
 * without the confirmations. A confirmation of what is not there says nothing, and is left out.
 */
export function confirmedBy(inspection: Inspection, draft: DecisionDraft): readonly Confirmation[] {
  const { confirmedSlug: _, allowStale: __, overrideUnrecorded: ___, ...bare } = draft;
  return obstaclesTo(inspection, bare).flatMap(({ code }) => CONFIRMED[code] ?? []);
}

const NOTHING_TO_END: Obstacle = {
  code: "not_grantable",
  message: "it lets in nothing that could end; approve it for good",
  clearedBy: { how: "nothing" },
};

const NOTES_MISSING: Obstacle = {
  code: "notes_missing",
  message: "a rejection needs notes",
  clearedBy: { how: "notes" },
};

function lacksNotes({ status }: { readonly status: string }, notes: string): boolean {
  return status === "rejected" && notes.trim() === "";
}

/** The file that the agent gets; `undefined` for a rejection, and for a version yet to be written. */
export function fileOf(
  verdict: DecisionDraft["verdict"],
  { proposal, merged = proposal.proposedFile }: Inspection,
): string | undefined {
  if (verdict.status === "approved") return merged;
  return verdict.status === "modified" && "finalFile" in verdict ? verdict.finalFile : undefined;
}

interface Judgement extends Comparison {
  readonly problems: readonly ConfigProblem[];
}

const NOTHING: Judgement = {
  problems: [],
  reach: "no-new-reach",
  isWhole: true,
  added: [],
  removed: [],
  marks: [],
};

/** The version of each look that was judged last: it is asked for again at every step of a decision. */
const judged = new WeakMap<Inspection, Judgement & { readonly file: string }>();

/** The problems of a version of the file, and what it would let the bottle do. */
export function judge(inspection: Inspection, file: string): Judgement {
  const { tool, proposedFile } = inspection.proposal;
  if (file === (inspection.merged ?? proposedFile)) return inspection;
  let known = judged.get(inspection);
  if (known?.file !== file) {
    const problems = validateConfigFile(tool, file);
    const { currentFile } = inspection;
    known = { file, problems, ...compareAfter(() => problems, tool, currentFile, file) };
    judged.set(inspection, known);
  }
  return known;
}

/**
 * Whether a version of the file has all that came into force since the agent read it. One that is yet to be
 * written begins with the merged file.
 */
function isOnFileInForce(inspection: Inspection, file: string | undefined): boolean {
  const { merged, proposal: { tool } } = inspection;
  if (merged === undefined || file === undefined || file === merged) return merged !== undefined;
  const again = mergeChange(tool, inspection.startedFile!, file, inspection.currentFile!);
  return "merged" in again && again.merged === file;
}

const shortHash = (sha256: string): string => sha256.slice(0, 12);

function changed(shownSha256: string, foundSha256: string, what = "it"): Obstacle {
  const message = `${what} is not the one that was shown ` +
    `(shown ${shortHash(shownSha256)}, found ${shortHash(foundSha256)})`;
  return { code: "changed", message, clearedBy: { how: "look" }, shownSha256, foundSha256 };
}

function staleFor(
  seenBy: "agent" | "operator",
  seenSha256: string,
  { proposal, currentSha256, merged, mergeProblem }: Inspection,
): Obstacle {
  const file = CONFIG_FILE_FOR_TOOL[proposal.tool];
  const [which, clearedBy] = seenBy === "agent"
    ? ["the one the agent started from", clearedByWord("yes", { allowStale: true })] as const
    : ["the file that was shown", { how: "look" }] as const;
  const then = seenSha256 === "" ? "none" : shortHash(seenSha256);
  const now = currentSha256 === "" ? "no such file" : shortHash(currentSha256);
  const more = seenBy === "operator"
    ? ""
    : merged === undefined
    ? `, and the agent's change cannot be made in it: ${mergeProblem}`
    : ", and this version does not keep all that changed in it since";
  const message = `the ${file} in force is not ${which} (then ${then}, now ${now})${more}`;
  return { code: "stale", message, clearedBy, seenBy, seenSha256, inForceSha256: currentSha256 };
}

export function invalid(tool: Tool, { problems: checked, marks }: Judgement): Obstacle[] {
  const problems = [
    ...checked,
    ...marks.filter(({ rule }) => rule === FAILED_CHECK)
      .map(({ message }) => ({ where: "file", message })),
  ];
  if (problems.length === 0) return [];
  const list = problems.map(({ where, message }) => `${where}: ${message}`).join("; ");
  const message = `invalid ${CONFIG_FILE_FOR_TOOL[tool]}: ${list}`;
  return [{ code: "invalid_file", message, clearedBy: { how: "edit" }, problems }];
}

/** How many breaches of the floor a message names. */
const MAX_NAMED = 3;

/** What each version that was judged would add below the floor. */
const breaches = new WeakMap<Judgement, readonly FloorBreach[]>();

/** What the policy forbids anybody to approve; of a version yet to be written, whether it can be read at all. */
function byPolicy(
  inspection: Inspection,
  file: string | undefined,
  judgement: Judgement,
): Obstacle[] {
  const { policy: { policy, problem } } = inspection;
  if (policy === undefined) {
    const message =
      `policy.json cannot be used (${problem}), so nothing is approved; correct it, ` +
      "or reject the proposal";
    return [{ code: "policy_unusable", message, clearedBy: { how: "nothing" } }];
  }
  if (file === undefined) return [];
  let found = breaches.get(judgement);
  if (found === undefined) {
    const { proposal: { tool }, currentFile: before } = inspection;
    found = findBreaches(policy.floor, { ...judgement, tool, before, after: file });
    breaches.set(judgement, found);
  }
  if (found.length === 0) return [];
  const named = found.slice(0, MAX_NAMED)
    .map(({ value, reason }) => `${quote(value, 253)} (${reason})`);
  if (found.length > MAX_NAMED) named.push(`${found.length - MAX_NAMED} more`);
  const message = `it would add what no approval lets in: ${named.join(", ")}`;
  return [{ code: "below_floor", message, clearedBy: { how: "edit" }, breaches: found }];
}

/** Why a decision cannot stand for others like it. */
function unableToStand(
  { reach, isWhole, added, marks, proposal: { bottleSlug }, policy: { policy } }: Inspection,
  { group }: StandingDraft,
): Obstacle[] {
  const reasons = [
    ...(reach === "unknown" ? ["what it would let in could not be worked out"] : []),
    ...(!isWhole ? ["it changes instructions, and what those do is not proven"] : []),
    ...(added.length === 0 ? ["it adds nothing"] : []),
    ...(marks.length > MAX_MARKS ? [`it has more than ${MAX_MARKS} marks`] : []),
  ];
  if (group !== undefined && policy?.groups.get(group)?.includes(bottleSlug) === false) {
    reasons.push(`${bottleSlug} is not in the group ${quote(group)} of policy.json`);
  } else if (group !== undefined && policy?.groups.get(group) === undefined) {
    reasons.push(`policy.json has no group ${quote(group)}`);
  }
  return reasons.slice(0, 1).map(notStanding);
}

export function unconfirmed(
  slug: string,
  all: readonly Mark[],
  { confirmedSlug }: Pick<DecisionDraft, "confirmedSlug">,
): Obstacle[] {
  const marks = all.filter(({ severity }) => severity === "high");
  if (marks.length === 0) return [];
  const why = confirmedSlug === undefined
    ? "nobody did"
    : `${quote(confirmedSlug)} is not its bottle`;
  const message = `it has marks that somebody must confirm (${nameMarks(marks)}) and ${why}`;
  const clearedBy = clearedByWord(slug, { confirmedSlug: slug });
  return [{ code: "unconfirmed", message, clearedBy, marks }];
}

/** What a person has to look at, in one obstacle: no confirmation lets a program decide it. */
function forPeople({ reach, marks }: Judgement, others: readonly Obstacle[]): Obstacle[] {
  const reasons = others.map(({ message }) => message);
  if (reach !== "no-new-reach") reasons.unshift("it is not proven to add no reach");
  if (marks.length > 0) reasons.unshift(`it has marks (${nameMarks(marks)})`);
  if (reasons.length === 0) return [];
  return [{ code: "marked", message: reasons.join("; "), clearedBy: { how: "person" }, marks }];
}

type Confirmed = Extract<Clearance, { how: "confirm" }>["gives"];

const clearedByWord = (word: string, gives: Confirmed): Clearance => ({
  how: "confirm",
  word,
  gives,
});

function isGiven(clearedBy: Clearance, draft: DecisionDraft): boolean {
  return clearedBy.how === "confirm" &&
    Object.entries(clearedBy.gives).every(([field, value]) =>
      draft[field as keyof Confirmed] === value
    );
}
