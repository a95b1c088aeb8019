/**
 * Decides proposals. Every surface goes through this door: nothing else records a decision and answers.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot } from "../disk/layout.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { keepFile, keepFilesInForce } from "../host/config_files.ts";
import { keepPolicy, readPolicy } from "../host/policy_file.ts";
import { standingResponse, type UnrecordedResponse } from "../log/decisions.ts";
import type { Applier, ApplyOptions } from "../records/applier.ts";
import { type AuditEntry, checkNoRule, type MadeStanding } from "../records/audit_entry.ts";
import { formatHead } from "../records/head.ts";
import { shortenMarks, shortenMessage } from "../records/mark.ts";
import { AlreadyDecidedError, SuperviseError } from "../records/errors.ts";
import { checkBottleSlug, checkProposalId } from "../records/names.ts";
import {
  type DecisionDraft,
  ObstacleError,
  unrecordedResponse,
  type Verdict,
} from "../records/obstacle.ts";
import {
  componentOf,
  type ProposalRef,
  type Status,
  STATUS_MODIFIED,
  STATUSES,
} from "../records/proposal.ts";
import { type Check, isCount, isFlag, isJsonObject, isText } from "../records/shape.ts";
import { describeReach } from "../records/reach.ts";
import { MAX_STANDING_DAYS, MAX_STANDING_MS } from "../policy/standing.ts";
import { hashOf, sha256Hex } from "../text/hash.ts";
import { diffAgainst, held, type Inspection, inspectProposal } from "./inspect.ts";
import { keepUnrecorded, stagingDir } from "./answer.ts";
import { carryDraft } from "./carry.ts";
import type { Applying } from "./change.ts";
import { formatGranted, type Granted } from "./granted.ts";
import { carryOut, withBottleLock } from "./journal.ts";
import { answerAgain } from "./proven_response.ts";
import { confirmedBy, fileOf, judge, refuseObstacles } from "./obstacles.ts";
import { endOf, planChange, untilWords } from "./plan.ts";
import { recordStanding, type ToStand } from "./standing.ts";

/** Which proposal is decided, and who makes the file take effect. */
export interface DecisionPlace extends ProposalRef, ApplyOptions {
  /** Makes the file in force take effect, and shows that it did; without it the file alone changes. */
  readonly applier?: Applier | undefined;
}

/** One operator's decision on one proposal. */
export interface DecideRequest extends DecisionDraft, DecisionPlace {
  /** SHA-256 of the proposal's bytes that the operator saw, lower-case hex. */
  readonly proposalSha256: string;
  /** What the operator decides. */
  readonly verdict: Verdict;
  /** The operator's words for the agent and the log. A rejection needs some. */
  readonly notes: string;
  /** Who decides, `user@host`. The log adds the key that signs. */
  readonly operator: string;
  /** Another name of the operator, for the log. It does not replace `operator`. */
  readonly operatorName?: string;
}

/** A decision that is recorded and answered. */
export interface Decision {
  /** The proposal's id. */
  readonly proposalId: string;
  /** The bottle that asked. */
  readonly bottleSlug: string;
  /** What was decided. */
  readonly status: Status;
  /** The operator's words. */
  readonly notes: string;
  /** The path of the log that has it. */
  readonly auditLog: string;
  /** The log's head after it, `seq:hash`. Saved elsewhere, it shows later whether the log was cut. */
  readonly auditHead: string;
  /** The rule that stands for others like it, if it was to make one. */
  readonly standing?: MadeStanding;
  /** What made the file in force take effect, and what was seen of it; missing if no file was approved. */
  readonly applied?: string;
  /** When it ends, ISO 8601; missing if it is for good. */
  readonly until?: string;
  /** What failed after the agent was answered, in words; missing if nothing did. */
  readonly warning?: string;
}

/**
 * Decides a proposal: puts the file into force, has `applier` make it take effect, records the decision, then answers, each durable before the next.
 *
 * The record has the marks of what is decided, worked out under the bottle's lock on the files as they are
 * then, and what the operator confirmed.
 *
 * If several operators decide at once, the first wins. What was shown is what is decided: anything that
 * {@linkcode obstaclesTo} lists stops it, on the files as they are under the bottle's lock. If the file in force
 * moved since it was shown, the change that was shown is made in it, as long as that lets in nothing else. If the
 * process dies in between, the next run finishes the decision or drops it. With a `grant` the approval ends:
 * {@linkcode endOverdueGrants} takes it back then.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @example Approve
 * ```ts
 * import { decide, newProposal, queueDirForSlug, readResponse } from "@claude-bottle/supervise";
 * import { inspectProposal, writeProposal } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const proposal = newProposal({
 *   bottleSlug: "dev-1",
 *   tool: "pipelock-block",
 *   proposedFile: "api.github.com\n",
 *   justification: "The tests read a public gist.",
 *   currentFileHash: "",
 * });
 * const queueDir = queueDirForSlug("dev-1", { root });
 * await writeProposal(queueDir, proposal);
 *
 * const shown = await inspectProposal({ root, bottleSlug: "dev-1", proposalId: proposal.id });
 * await decide({
 *   ...shown,
 *   root,
 *   verdict: { status: "approved" },
 *   notes: "",
 *   operator: "ada@host",
 * });
 * assertEquals((await readResponse(queueDir, proposal.id)).status, "approved");
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param request The decision.
 * @returns The decision, as it was recorded.
 * @throws {InvalidNameError} If the slug or the id is not valid.
 * @throws {TypeError} If a field is missing or of another kind, a verdict other than `"modified"` has a file, or
 * there is a `confirmedSlug` and no `currentSha256`.
 * @throws {ProposalNotFoundError} If there is no such proposal.
 * @throws {AlreadyDecidedError} If it is decided; names the first operator and the decision. If its response
 * is gone from the queue, it is written again as it was recorded, or the message says why not.
 * @throws {ObstacleError} If anything that {@linkcode obstaclesTo} lists stands in the way; its code is
 * the first one's. Also if a response without a record is all that is left of the proposal, or another
 * program wrote its response in between: then the log says that this decision did not take effect.
 * @throws {NotAppliedError} If the change does not take effect; nothing is decided, and the log says so.
 * @throws {AuditLogChangedError} If the log was removed, replaced or truncated; nothing is decided.
 * @throws {ResponseNotWrittenError} If it is recorded, but the response could not be written yet. Then it does
 * not stand for others.
 * @throws {SuperviseError} `standing_not_written`, if it is recorded and answered, but does not stand for others.
 * @throws {UnsafeFileError} If the proposal is not a plain file, or its directory not a directory.
 * @throws {MalformedRecordError} If the proposal, or a record in `<root>/private`, is malformed.
 * @throws {SuperviseError} If no response can be written that the queue's owner can read; nothing is decided.
 * @throws {Error} If the signing key cannot be used; nothing is decided.
 */
export async function decide(request: DecideRequest): Promise<Decision> {
  checkRequest(request);
  return await decideAfterLook(request, () => request);
}

/** What a decision says of the proposal that it names. */
export type DecisionOnLook = Omit<DecideRequest, keyof DecisionPlace>;

/**
 * Decides what `look` says to a proposal, as {@linkcode decide} does. For a caller who need not wait for
 * the operator in between: the files are read once, under the bottle's lock, for the look and the
 * decision.
 */
export async function decideAfterLook(
  ref: DecisionPlace,
  look: (inspection: Inspection) => DecisionOnLook | Promise<DecisionOnLook>,
): Promise<Decision> {
  const decision = await decideUnderLock(
    ref,
    async (inspection) => ({ said: await look(inspection) }),
  );
  return decision!;
}

/** What rules say of a decision that they make. */
export interface ByRules {
  /** The names of all rules that the decision needs. */
  readonly rules: readonly string[];
}

/**
 * Decides what `look` says to a proposal; decides nothing and gives `undefined` if it says nothing. It is the only
 * way to decide as a rule.
 */
export async function decideUnderLock(
  ref: DecisionPlace,
  look: (inspection: Inspection) => Promise<
    { readonly said: DecisionOnLook; readonly byRules?: ByRules } | undefined
  >,
): Promise<Decision | undefined> {
  const { bottleSlug, proposalId, root = claudeBottleRoot(), applier, onProgress } = ref;
  const applying = { applier, ...(onProgress && { onProgress }) };
  checkBottleSlug(bottleSlug);
  checkProposalId(proposalId);
  return await withBottleLock(root, bottleSlug, async () => {
    const inspection = await inspectOrAnswerAgain({ root, bottleSlug, proposalId });
    const looked = await look(inspection);
    if (looked === undefined) return undefined;
    const { said, byRules } = looked;
    // Who does not say which file was shown saw the agent's.
    const { finalSha256 = sha256Hex(inspection.proposal.proposedFile) } = said;
    const request = { ...said, finalSha256, root, bottleSlug, proposalId };
    checkRequest(request, byRules);
    const { inspection: carried, draft } = carryDraft(root, inspection, request);
    refuseObstacles(carried, draft);
    const { standing, notes, currentSha256: shownSha256 } = request;
    const how = { byRules, applying, shownSha256 };
    if (standing === undefined) return await record(root, draft, carried, how);
    return await recordStanding(
      root,
      carried,
      standing,
      notes,
      (toStand) => record(root, draft, carried, { ...how, toStand }),
    );
  }, applying);
}

/** Reads a proposal; of one that is decided, and whose response is gone, the response is written again. */
async function inspectOrAnswerAgain(ref: Required<ProposalRef>): Promise<Inspection> {
  try {
    return await inspectProposal(ref);
  } catch (error) {
    throw error instanceof AlreadyDecidedError ? await answerAgain(ref, error) : error;
  }
}

/**
 * Reads a proposal that is about to be decided, as {@linkcode inspectProposal} does. If it is decided, and
 * its response is gone, the response is written again.
 */
export async function inspectToDecide(ref: Required<ProposalRef>): Promise<Inspection> {
  try {
    return await inspectProposal(ref);
  } catch (error) {
    if (!(error instanceof AlreadyDecidedError)) throw error;
    return await withBottleLock(ref.root, ref.bottleSlug, () => inspectOrAnswerAgain(ref));
  }
}

const isName: Check = (value) => isText(value) ?? (value === "" ? "empty" : undefined);

const orUndefined = (check: Check): Check => (value) =>
  value === undefined ? undefined : check(value);

/** A file belongs to a version of the operator's, and to no other verdict. */
const isVerdict: Check = (value) => {
  if (!isJsonObject(value) || !STATUSES.includes(value.status as Status)) return "no such status";
  const { status, finalFile } = value;
  if (status === "modified") return typeof finalFile === "string" ? undefined : "without its file";
  return finalFile === undefined ? undefined : `${status}, and has a file`;
};

const isGrant: Check = (value) => {
  if (!isJsonObject(value)) return "not an object";
  const { forMs, until } = value;
  if ((forMs === undefined) === (until === undefined)) return "expected forMs or until";
  if (forMs !== undefined) return forMs === 0 ? "forMs: 0" : isCount(forMs);
  return Date.parse(String(until)) > Date.now() ? undefined : "until: not a time that is to come";
};

const isStanding: Check = (value) => {
  if (!isJsonObject(value)) return "not an object";
  const { forMs, group } = value;
  if (isCount(forMs) !== undefined || forMs === 0) return "forMs: not a number of milliseconds";
  return Number(forMs) > MAX_STANDING_MS
    ? `forMs: more than ${MAX_STANDING_DAYS} days`
    : orUndefined(isName)(group);
};

/** What each field of a request must be. */
const REQUEST: Readonly<Record<keyof DecideRequest, Check>> = {
  root: orUndefined(isName),
  bottleSlug: isName,
  proposalId: isName,
  proposalSha256: isText,
  currentSha256: orUndefined(isText),
  finalSha256: orUndefined(isText),
  verdict: isVerdict,
  notes: isText,
  operator: isName,
  operatorName: orUndefined(isText),
  confirmedSlug: orUndefined(isText),
  allowStale: orUndefined(isFlag),
  overrideUnrecorded: orUndefined(isFlag),
  ifUnmarked: orUndefined(isFlag),
  standing: orUndefined(isStanding),
  grant: orUndefined(isGrant),
  applier: orUndefined((value) => isJsonObject(value) ? undefined : "not an applier"),
  onProgress: orUndefined((value) => typeof value === "function" ? undefined : "not a function"),
};

/** Refuses what no proposal could make right: a program that is not type-checked can say anything. */
function checkRequest(request: DecideRequest, byRules?: ByRules): void {
  for (const [name, check] of Object.entries(REQUEST)) {
    const problem = check(request[name as keyof DecideRequest]);
    if (problem !== undefined) throw new TypeError(`Cannot decide: ${name}: ${problem}`);
  }
  const { confirmedSlug, currentSha256, grant, operator, operatorName, standing, verdict } =
    request;
  if (standing !== undefined && (byRules || verdict.status !== "approved")) {
    throw new TypeError("Cannot decide: standing: a person's approval alone can stand for others");
  }
  if (grant !== undefined && (standing !== undefined || verdict.status === "rejected")) {
    throw new TypeError("Cannot decide: grant: an approval alone ends, and it cannot stand then");
  }
  for (const name of byRules ? [] : [operator, operatorName]) checkNoRule(name);
  if (confirmedSlug !== undefined && currentSha256 === undefined) {
    throw new TypeError(
      "Cannot take a confirmation without currentSha256: name the file in force that was shown",
    );
  }
}

/** The same, where grants are open: they are no part of what was decided. */
const GRANTED_NOTE = "What is in force for a time alone stays beside your change until it ends.";

/** What the agent is told of an approval that put another file in force than its own. */
const MERGED_NOTE =
  "This is your change on top of the file in force by now, which is not the one you started from.";

async function record(
  root: string,
  request: DecideRequest,
  inspection: Inspection,
  { byRules, toStand, applying, shownSha256 = "" }: {
    readonly byRules: ByRules | undefined;
    readonly toStand?: ToStand;
    readonly applying: Applying;
    readonly shownSha256: string | undefined;
  },
): Promise<Decision> {
  const { proposal, proposalSha256 } = inspection;
  const { bottleSlug, proposalId, verdict, operator, operatorName, grant } = request;
  const planted = inspection.unrecordedResponse &&
    keepUnrecorded({ root, bottleSlug, proposalId });
  const decidedFile = fileOf(verdict, inspection);
  const plan = decidedFile === undefined
    ? undefined
    : planChange(root, inspection, decidedFile, grant !== undefined);
  const finalFile = plan?.file ?? null;
  const isMerged = verdict.status === "approved" && finalFile !== proposal.proposedFile;
  const status = isMerged ? STATUS_MODIFIED : verdict.status;
  const mergedNote = plan?.granted === undefined ? MERGED_NOTE : GRANTED_NOTE;
  const notes = isMerged ? `${request.notes} ${mergedNote}`.trimStart() : request.notes;
  const component = componentOf(proposal.tool);
  const confirmed = confirmedBy(inspection, request);
  // A rejection is of what the agent sent.
  const decided = decidedFile ?? proposal.proposedFile;
  const judgement = judge(inspection, decided);
  const { sha256: standingSha256 } = toStand ?? { sha256: inspection.policy.standingSha256 };
  const entry: AuditEntry = {
    timestamp: new Date().toISOString(),
    bottleSlug,
    component,
    operatorAction: status,
    operatorNotes: notes,
    justification: proposal.justification,
    diff: plan?.granted !== undefined
      ? diffAgainst(plan.inForce, plan.file)
      : judgement === inspection
      ? inspection.diff
      : diffAgainst(inspection, decided),
    operator,
    ...(operatorName !== undefined && { operatorName }),
    proposalId,
    proposalSha256,
    finalSha256: hashOf(finalFile),
    ...(isMerged && { mergedFrom: proposal.currentFileHash || shownSha256 }),
    ...(planted !== undefined && { unrecordedResponse: wordsOf(planted) }),
    marks: shortenMarks(judgement.marks),
    reach: judgement.reach,
    reachSummary: shortenMessage(describeReach(judgement, bottleSlug)),
    // A rule confirms nothing: what it stands for, a person confirmed.
    ...(!byRules && confirmed.length > 0 && { confirmed }),
    ...(request.ifUnmarked === true && { ifUnmarked: true }),
    policySha256: inspection.policy.sha256,
    ...(standingSha256 !== "" && { standingSha256 }),
    ...(toStand && { standing: toStand.made }),
    ...byRules,
  };
  keepPolicy(root, inspection.policy, stagingDir(root, bottleSlug));
  const told = { proposalId, status, notes, finalFile };
  const change = plan?.change;
  const at = plan?.granted && ((inForceMs: number) => {
    const { grants, ...open } = plan.granted!;
    const inForceSha256 = sha256Hex(plan.file);
    const record = (more: Granted["grants"]) => ({
      tool: proposal.tool,
      record: formatGranted({ ...open, inForceSha256, grants: [...grants, ...more] }),
    });
    if (grant === undefined) return { entry, told, granted: record([]) };
    const until = endOf(grant, inForceMs);
    const operatorNotes = `${notes} ${untilWords(until)}`.trimStart();
    const since = new Date(inForceMs).toISOString();
    return {
      entry: { ...entry, operatorNotes, until },
      told: { ...told, notes: operatorNotes, until },
      granted: record([{ proposalId, operator, since, until, file: decided }]),
    };
  });
  const refuseLater = () => {
    const policy = readPolicy(root);
    // What stands in another bottle may change meanwhile; a rule that this decision needs may not.
    const needed = (all: Inspection["policy"]) =>
      JSON.stringify(all.policy?.rules.filter(({ name }) => byRules?.rules.includes(name)));
    const isSame = byRules === undefined || needed(policy) === needed(inspection.policy);
    if (policy.sha256 !== inspection.policy.sha256 || !isSame) {
      const message = `Cannot decide proposal ${proposalId}: the policy changed just now`;
      throw new SuperviseError("stale", `${message}; look at it again`);
    }
    // Somebody can plant one while a proxy reloads: then nothing could be answered.
    const foreign = planted ? undefined : standingResponse({ root, bottleSlug, proposalId });
    if (foreign !== undefined) {
      throw new ObstacleError(request, [unrecordedResponse(wordsOf(foreign), { how: "look" })]);
    }
    refuseObstacles({ ...inspection, ...held(root, bottleSlug) }, request);
  };
  const overrideUnrecorded = planted !== undefined;
  const deed = { entry, told, change, at, refuseLater, overrideUnrecorded };
  const { head, answered, takenBack, entry: recorded, afterAnswer } = await carryOut(
    root,
    deed,
    applying,
  );
  if (!answered) {
    const found = standingResponse({ root, bottleSlug, proposalId })?.says ?? "it is gone again";
    const { notProven } = takenBack ?? {};
    const back = takenBack === undefined
      ? ""
      : notProven === undefined
      ? "; the file before is in force again"
      : `; the file was taken back, and the enforcer is not proven to have it: ${notProven}`;
    const says = found + back;
    throw new ObstacleError(request, [unrecordedResponse(says, { how: "look" })]);
  }
  if (status === STATUS_MODIFIED) keepDecided(bottleSlug, finalFile!, root);
  const { applied, until } = recorded;
  // The sidecar works out the next change on a copy of the file in force.
  if (change !== undefined) keepFilesInForce(bottleSlug, root, stagingDir(root, bottleSlug));
  const auditLog = auditLogPath(component, bottleSlug, { root });
  const standing = toStand && { standing: toStand.made };
  const warning = await afterAnswer();
  return {
    proposalId,
    bottleSlug,
    status,
    notes: recorded.operatorNotes,
    auditLog,
    auditHead: formatHead(head),
    ...standing,
    ...(applied !== undefined && { applied }),
    ...(until !== undefined && { until }),
    ...(warning !== undefined && { warning }),
  };
}

/** Keeps a file that is not the agent's: only the response has it, and the queue's owner can remove that. */
function keepDecided(bottleSlug: string, file: string, root: string): void {
  try {
    keepFile(bottleSlug, new TextEncoder().encode(file), root, replaceFileAlone);
  } catch {
    // It is decided and answered. Without a copy, a response that gets lost cannot be written again.
  }
}

function wordsOf({ says, sha256 }: UnrecordedResponse): string {
  return sha256 === undefined ? says : `${says}, sha256 ${sha256}`;
}
