/**
 * Grants: approvals that end. Lists those that are open, and takes them back.
 *
 * @module
 */

import { compareConfigFiles } from "../config/compare.ts";
import { auditLogPath, claudeBottleRoot } from "../disk/layout.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { keepFile, keepFilesInForce } from "../host/config_files.ts";
import type { Applier, ApplyOptions } from "../records/applier.ts";
import {
  ACTION_GRANT_EXPIRED,
  ACTION_GRANT_REVOKED,
  type AuditEntry,
  checkNoRule,
} from "../records/audit_entry.ts";
import { SuperviseError } from "../records/errors.ts";
import { formatHead } from "../records/head.ts";
import { checkBottleSlug, checkProposalId } from "../records/names.ts";
import { componentOf, type Tool, TOOLS } from "../records/proposal.ts";
import { describeReach } from "../records/reach.ts";
import { hashOf } from "../text/hash.ts";
import { stagingDir } from "./answer.ts";
import { type Applying, NotAppliedError, readInForce } from "./change.ts";
import {
  endIn,
  formatGranted,
  type Granted,
  type GrantsOptions,
  type OpenGrant,
  type OpenGrants,
  readGranted,
  readGrantedFile,
  readOpenGrants,
  writeGranted,
} from "./granted.ts";
import { diffAgainst, held } from "./inspect.ts";
import { carryOut, withBottleLock } from "./journal.ts";
import { unchangeable } from "./obstacles.ts";

/**
 * Lists the approvals that end and have not ended yet, of all bottles or of one, and what each lets in.
 *
 * Needs `--allow-read` for the root.
 *
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function listGrants(
  options: GrantsOptions = {},
): Omit<OpenGrants, "grants"> & {
  readonly grants: readonly (OpenGrant & { readonly lets: string })[];
} {
  const { root = claudeBottleRoot(), bottleSlug } = options;
  if (bottleSlug !== undefined) checkBottleSlug(bottleSlug);
  const { grants, unreadable } = readOpenGrants(options);
  return { grants: grants.map((grant) => ({ ...grant, lets: whatIt(root, grant) })), unreadable };
}

/** What a grant lets in beside what is in force for good, in one sentence. */
function whatIt(root: string, { tool, bottleSlug, proposalId }: OpenGrant): string {
  const { granted } = readGrantedFile(tool, bottleSlug, root);
  const grant = granted?.grants.find((grant) => grant.proposalId === proposalId);
  if (granted === undefined || grant === undefined) return "it ended just now";
  return describeReach(compareConfigFiles(tool, granted.forGood, grant.file), bottleSlug);
}

/** Which grant ends, and who ends it. */
export interface EndGrantRequest extends ApplyOptions {
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal that was granted. */
  readonly proposalId: string;
  /** Why, for the log. */
  readonly notes?: string | undefined;
  /** Who ends it, `user@host`. */
  readonly operator: string;
  /** Makes the file without it take effect; without one the file alone changes. */
  readonly applier?: Applier | undefined;
  /**
   * The bottle's slug, typed because the grant cannot be taken out of the file in force, which was changed by hand, or
   * because the applier refuses the file without it: the file in force stays as it is then.
   */
  readonly confirmedSlug?: string | undefined;
}

/** A grant that ended, and is recorded as such. */
export interface EndedGrant {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The proposal that was granted. */
  readonly proposalId: string;
  /** What made the file without it take effect; missing if the file did not change. */
  readonly applied?: string;
  /** The log's head after it, `seq:hash`. */
  readonly auditHead: string;
  /** The path of the log that has it. */
  readonly auditLog: string;
  /** What failed after it was recorded, in words; missing if nothing did. */
  readonly warning?: string;
}

/**
 * Takes an open grant back, by the same steps as a decision, and records it as `grant-revoked`. Connections that
 * are open stay open, unless the applier ends them.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @returns What ended; `undefined` if no such grant is open.
 * @throws {InvalidNameError} If the slug or the id is not valid, or the operator's name is a rule's.
 * @throws {NotAppliedError} If the file without it does not take effect: the grant stays open.
 * @throws {SuperviseError} `frozen` or `enforcer_not_proven`, if no file of the bottle is changed now; `stale`, if
 * the file in force was changed by hand and the grant cannot be taken out of it.
 */
export async function revokeGrant(request: EndGrantRequest): Promise<EndedGrant | undefined> {
  return await endGrant(request, ACTION_GRANT_REVOKED);
}

/** Ends a grant; one that expires only if its time is over at `now`. */
async function endGrant(
  request: EndGrantRequest,
  action: typeof ACTION_GRANT_EXPIRED | typeof ACTION_GRANT_REVOKED,
  now = new Date(),
): Promise<EndedGrant | undefined> {
  const { bottleSlug, proposalId, operator, applier, onProgress } = request;
  const { root = claudeBottleRoot() } = request;
  checkBottleSlug(bottleSlug);
  checkProposalId(proposalId);
  checkNoRule(operator);
  const applying = { applier, ...(onProgress && { onProgress }) };
  return await withBottleLock(root, bottleSlug, async () => {
    for (const tool of TOOLS) {
      const grant = readGranted(root, bottleSlug, tool)?.grants
        .find((grant) => grant.proposalId === proposalId);
      if (grant === undefined) continue;
      const isOver = Date.parse(grant.until) <= now.getTime();
      if (action === ACTION_GRANT_EXPIRED && !isOver) return undefined;
      const refuseLater = () => refuseHeld(root, bottleSlug, proposalId);
      refuseLater();
      try {
        const about = { ...request, root };
        try {
          return await takeOut(about, tool, action, { applying, refuseLater });
        } catch (error) {
          const isRefused = error instanceof NotAppliedError && error.code === "apply_failed";
          if (!isRefused || request.confirmedSlug !== bottleSlug) throw error;
          const ended = await takeOut(about, tool, action, { refuseLater, refused: error.message });
          const warning =
            `the file in force stays as it is, with what was granted: ${error.message}`;
          return { ...ended, warning };
        }
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error;
        noteProblem(root, bottleSlug, tool, proposalId, error, now);
        throw error;
      }
    }
    return undefined;
  }, { ...applying, pastAnswer: true });
}

/** Throws if no file of the bottle is changed now. */
function refuseHeld(root: string, bottleSlug: string, proposalId: string): void {
  const [obstacle] = unchangeable(held(root, bottleSlug));
  if (obstacle === undefined) return;
  const message = `Cannot end the grant ${proposalId} of ${bottleSlug}: ${obstacle.message}`;
  throw new SuperviseError(obstacle.code, message);
}

/** Puts the file without a grant into force, and records that. The caller holds the bottle's lock. */
async function takeOut(
  { root, bottleSlug, proposalId, notes = "", operator, confirmedSlug }: EndGrantRequest & {
    readonly root: string;
  },
  tool: Tool,
  action: string,
  { applying = {}, refuseLater, refused }: {
    readonly applying?: Applying;
    readonly refuseLater: () => void;
    /** Why the applier refuses the file without the grant. */
    readonly refused?: string;
  },
): Promise<EndedGrant> {
  const before = readInForce(root, bottleSlug, tool);
  const { inForce, granted, problem } = readGrantedFile(tool, bottleSlug, root);
  const { left, file } = endOf(granted!, proposalId, inForce.currentFile, {
    problem: refused ?? problem,
    isAsItIs: confirmedSlug === bottleSlug,
  });
  if (before !== null) keepFile(bottleSlug, before, root, replaceFileAlone);
  const component = componentOf(tool);
  // Also to the bytes that it has: an enforcer, and the log, may have others.
  const isSame = file === inForce.currentFile;
  const after = isSame ? before : file === null ? null : new TextEncoder().encode(file);
  const change = { tool, before, after };
  const entry: AuditEntry = {
    timestamp: new Date().toISOString(),
    bottleSlug,
    component,
    operatorAction: action,
    operatorNotes: notes,
    justification: "",
    diff: diffAgainst(inForce, file ?? ""),
    operator,
    finalSha256: hashOf(after),
    grant: proposalId,
  };
  const deed = { entry, change, refuseLater, granted: { tool, record: formatGranted(left) } };
  const { head, entry: { applied }, afterAnswer } = await carryOut(root, deed, applying);
  keepFilesInForce(bottleSlug, root, stagingDir(root, bottleSlug));
  const warning = await afterAnswer();
  const auditLog = auditLogPath(component, bottleSlug, { root });
  const ended = { bottleSlug, proposalId, auditLog, auditHead: formatHead(head) };
  return { ...ended, ...(applied !== undefined && { applied }), ...(warning && { warning }) };
}

/** What is in force without a grant; as it is, if that cannot be worked out and the operator says so. */
function endOf(
  granted: Granted,
  proposalId: string,
  inForce: string | null,
  { problem, isAsItIs }: { readonly problem: string | undefined; readonly isAsItIs: boolean },
): ReturnType<typeof endIn> {
  let why = problem;
  try {
    if (why === undefined) return endIn(granted, proposalId, inForce);
  } catch (error) {
    if (!(error instanceof SuperviseError)) throw error;
    why = `what it changed cannot be taken out of the file in force (${error.message})`;
  }
  if (!isAsItIs) {
    const what = `Cannot end the grant ${proposalId} of ${granted.bottleSlug}`;
    const way = `confirm ${granted.bottleSlug} to end it with that file as it is, then edit that`;
    throw new SuperviseError("stale", `${what}: ${why}; ${way}`);
  }
  const grants = granted.grants.filter((grant) => grant.proposalId !== proposalId);
  return { left: { ...granted, grants }, file: inForce };
}

/** Notes why a grant could not be ended: the log has no line for each try, and every surface says why. */
function noteProblem(
  root: string,
  slug: string,
  tool: Tool,
  proposalId: string,
  error: unknown,
  now: Date,
): void {
  const problem = error instanceof Error ? error.message : String(error);
  try {
    const granted = readGranted(root, slug, tool);
    if (granted === undefined) return;
    // Somebody who ends the program, or the machine, does not put the end off.
    const isInterrupted = error instanceof NotAppliedError && error.cause.isInterrupted;
    const triedAt = isInterrupted ? undefined : now.toISOString();
    const grants = granted.grants.map((grant) =>
      grant.proposalId === proposalId ? { ...grant, problem, triedAt } : grant
    );
    writeGranted(root, slug, tool, formatGranted({ ...granted, grants }));
  } catch {
    // The disk may be full. Then it is tried again sooner.
  }
}

/** When a grant that could not be ended is tried again: each try may leave a line in the log. */
const AGAIN_MS = 3_600_000;

/** The grants that are to be ended at a time: overdue, of a bottle whose files may be changed, not tried just now. */
export function dueGrants(options: GrantsOptions = {}): readonly OpenGrant[] {
  const { now = new Date() } = options;
  return readOpenGrants({ ...options, now }).grants.filter(({ isOverdue, isHeld, triedAt }) =>
    isOverdue && !isHeld &&
    (triedAt === undefined || Math.abs(now.getTime() - Date.parse(triedAt)) >= AGAIN_MS)
  );
}

/** Who ends what is overdue. */
export interface EndOverdueRequest extends GrantsOptions, ApplyOptions {
  /** Who runs this, `user@host`, for the log. */
  readonly operator: string;
  /** Makes the files take effect; without one the files alone change. */
  readonly applier?: Applier | undefined;
}

/** What became of the grants whose time was over. */
export interface EndedGrants {
  /** They are taken back and recorded. */
  readonly ended: readonly EndedGrant[];
  /** They stay open. */
  readonly failed: readonly {
    readonly bottleSlug: string;
    readonly proposalId: string;
    readonly error: Error;
  }[];
}

/**
 * Takes back every grant whose time is over, by the same steps as a decision, and records each as `grant-expired`.
 * What fails stays open, stops no other one, and is tried again an hour later. In a frozen bottle, and in one whose
 * enforcer is not proven, nothing is tried. Bottles do not wait for each other.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @throws {InvalidNameError} If the slug is not valid, or the operator's name is a rule's.
 */
export async function endOverdueGrants(request: EndOverdueRequest): Promise<EndedGrants> {
  const { now = new Date() } = request;
  const ended: EndedGrant[] = [];
  const failed: EndedGrants["failed"][number][] = [];
  const bottles = Map.groupBy(dueGrants({ ...request, now }), ({ bottleSlug }) => bottleSlug);
  await Promise.all(
    bottles.values().map(async (grants) => {
      for (const { bottleSlug, proposalId } of grants) {
        try {
          const grant = { ...request, bottleSlug, proposalId };
          const one = await endGrant(grant, ACTION_GRANT_EXPIRED, now);
          if (one !== undefined) ended.push(one);
        } catch (error) {
          if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
          failed.push({ bottleSlug, proposalId, error });
        }
      }
    }),
  );
  return { ended, failed };
}
