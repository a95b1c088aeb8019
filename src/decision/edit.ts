/**
 * Changes a config file in force without a proposal: an operator's own edit, recorded as one.
 *
 * @module
 */

import { validateConfigFile } from "../config/check.ts";
import { compareAfter } from "../config/compare.ts";
import { auditLogPath, claudeBottleRoot } from "../disk/layout.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { keepFile, keepFilesInForce, knownBytes, readFileInForce } from "../host/config_files.ts";
import { readPolicy } from "../host/policy_file.ts";
import type { Applier, ApplyOptions } from "../records/applier.ts";
import { ACTION_OPERATOR_EDIT, checkNoRule } from "../records/audit_entry.ts";
import { SuperviseError } from "../records/errors.ts";
import { formatHead } from "../records/head.ts";
import { shortenMarks, shortenMessage } from "../records/mark.ts";
import { checkBottleSlug } from "../records/names.ts";
import type { Obstacle } from "../records/obstacle.ts";
import type { ConfigProblem } from "../records/problem.ts";
import { componentOf, CONFIG_FILE_FOR_TOOL } from "../records/proposal.ts";
import { type Comparison, describeReach } from "../records/reach.ts";
import { sha256Hex } from "../text/hash.ts";
import { stagingDir } from "./answer.ts";
import { readInForce } from "./change.ts";
import { diffAgainst, type Held, held } from "./inspect.ts";
import { changeInForce, formatGranted, readGranted, readGrantedFile } from "./granted.ts";
import { carryOut, withBottleLock } from "./journal.ts";
import { invalid, unchangeable, unconfirmed } from "./obstacles.ts";
import { type FilePlace, readRecorded } from "./versions.ts";

/** Which file in force is edited. */
export interface EditPlace extends FilePlace {
  /**
   * Set to record the file that is in force without a record: that is the version, and it is compared with the
   * file that was recorded last.
   */
  readonly found?: boolean;
}

/** A version of a file beside the one in force, or the one that was recorded last, and what it would let the bottle do. */
export interface EditInspection extends Comparison, Held {
  /** The path of the file in force. */
  readonly currentPath: string;
  /** Its content, or `null` if there is none. */
  readonly currentFile: string | null;
  /** SHA-256 of the file in force, lower-case hex; `""` if there is none. */
  readonly currentSha256: string;
  /** From the file in force to the version. */
  readonly diff: string;
  /** The problems of the version. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the file in force and compares a version of it. Needs `--allow-read` for the root.
 *
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function inspectEdit(place: EditPlace, file: string): EditInspection {
  const { bottleSlug, tool, root = claudeBottleRoot() } = place;
  checkBottleSlug(bottleSlug);
  const current = place.found
    ? readRecorded({ root, bottleSlug, tool })
    : readFileInForce(tool, bottleSlug, root);
  const problems = validateConfigFile(tool, file);
  return {
    ...current,
    ...compareAfter(() => problems, tool, current.currentFile, file),
    problems,
    diff: diffAgainst(current, file),
    ...held(root, bottleSlug),
  };
}

/** What stands in the way of an edit. The floor does not: what is below it, an operator may put in force. */
export function obstaclesToEdit(
  { bottleSlug, tool }: EditPlace,
  inspection: EditInspection,
  draft: { readonly confirmedSlug?: string } = {},
): readonly Obstacle[] {
  const isConfirmed = draft.confirmedSlug === bottleSlug;
  return [
    ...unchangeable(inspection),
    ...invalid(tool, inspection),
    ...(isConfirmed ? [] : unconfirmed(bottleSlug, inspection.marks, draft)),
  ];
}

/** An operator's edit of a file in force. */
export interface EditRequest extends EditPlace, ApplyOptions {
  /** The whole new file. */
  readonly file: string;
  /** SHA-256 of the file that the operator saw it compared with, `""` if there was none. */
  readonly currentSha256: string;
  /** The number of the version, if it was in force before, for the log. */
  readonly version?: number;
  /** The bottle's slug, typed because the version has high marks. */
  readonly confirmedSlug?: string;
  /** Why, for the log. */
  readonly notes: string;
  /** Who edits, `user@host`. */
  readonly operator: string;
  /** Another name of the operator, for the log. */
  readonly operatorName?: string;
  /** Makes the file take effect; without it the file alone changes. */
  readonly applier?: Applier | undefined;
}

/** An edit that is in force and recorded. */
export interface RecordedEdit {
  /** The path of the log that has it. */
  readonly auditLog: string;
  /** The log's head after it, `seq:hash`. */
  readonly auditHead: string;
  /** What made the file take effect, and what was seen of it. */
  readonly applied: string;
  /** What failed after it was recorded, in words; missing if nothing did. */
  readonly warning?: string;
}

/**
 * Puts another version of a config file into force and records it as `operator-edit`, by the same steps as a
 * decision: after a crash the next run finishes it, or takes it back. If the file that was found in force
 * without a record does not take effect, the one that was recorded last is in force again, unless its bytes are
 * not kept. What it takes out of a grant that is open is out of it;
 * what it leaves in still ends with the grant.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @throws {InvalidNameError} If the slug is not valid, or the operator's name is a rule's.
 * @throws {NotAppliedError} If the change does not take effect; the file before is in force.
 * @throws {SuperviseError} If something stands in the way, as {@linkcode obstaclesToEdit} lists it; `stale` if
 * the file in force is not the one that was seen; `changed` if the version is in force already.
 */
export async function editFile(request: EditRequest): Promise<RecordedEdit> {
  const { bottleSlug, tool, file, found, notes, operator, operatorName, applier } = request;
  const { root = claudeBottleRoot(), version, onProgress } = request;
  checkBottleSlug(bottleSlug);
  for (const name of [operator, operatorName]) checkNoRule(name);
  const applying = { applier, ...(onProgress && { onProgress }) };
  return await withBottleLock(root, bottleSlug, async () => {
    const inspection = inspectEdit({ ...request, root }, file);
    const inForce = readInForce(root, bottleSlug, tool);
    refuse(request, inspection, inForce);
    if (inForce !== null) keepFile(bottleSlug, inForce, root, replaceFileAlone);
    const recorded = found && knownBytes(bottleSlug, inspection.currentSha256, root);
    const before = recorded || inForce;
    const origin = found ? "found" : version && `version ${version}`;
    const component = componentOf(tool);
    const entry = {
      timestamp: new Date().toISOString(),
      bottleSlug,
      component,
      operatorAction: ACTION_OPERATOR_EDIT,
      operatorNotes: notes,
      justification: "",
      diff: inspection.diff,
      operator,
      ...(operatorName !== undefined && { operatorName }),
      finalSha256: sha256Hex(file),
      ...(origin && { origin }),
      marks: shortenMarks(inspection.marks),
      reach: inspection.reach,
      reachSummary: shortenMessage(describeReach(inspection, bottleSlug)),
      policySha256: readPolicy(root).sha256,
    };
    const after = new TextEncoder().encode(file);
    const change = { tool, before, after, ...(found && { found }) };
    const refuseLater = () =>
      refuse(request, { ...inspection, ...held(root, bottleSlug) }, inForce);
    const deed = { entry, change, refuseLater, granted: grantedAfter(request, root) };
    const { head, entry: { applied }, afterAnswer } = await carryOut(root, deed, applying);
    keepFilesInForce(bottleSlug, root, stagingDir(root, bottleSlug));
    const auditLog = auditLogPath(component, bottleSlug, { root });
    const warning = await afterAnswer();
    const done = { auditLog, auditHead: formatHead(head), applied: applied! };
    return { ...done, ...(warning !== undefined && { warning }) };
  }, { ...applying, pastAnswer: true });
}

/** The record of the open grants after an edit; `undefined` if none is open. */
function grantedAfter({ tool, bottleSlug, file }: EditRequest, root: string) {
  const { granted } = readGrantedFile(tool, bottleSlug, root);
  if (granted === undefined) return undefined;
  // Put back as this program left it, such as by a restore, it is what the record is about.
  if (sha256Hex(file) === readGranted(root, bottleSlug, tool)?.inForceSha256) return undefined;
  try {
    const after = { ...changeInForce(granted, file), inForceSha256: sha256Hex(file) };
    return { tool, record: formatGranted(after) };
  } catch (error) {
    if (!(error instanceof SuperviseError)) throw error;
    const what = `Cannot change the ${CONFIG_FILE_FOR_TOOL[tool]} of ${bottleSlug}`;
    const why = "the open grants on it could not be taken out of that version";
    throw new SuperviseError(error.code, `${what}: ${why} (${error.message}); revoke those first`);
  }
}

function refuse(
  request: EditRequest,
  inspection: EditInspection,
  inForce: Uint8Array | null,
): void {
  const { bottleSlug, tool, file, found, currentSha256 } = request;
  const what = `Cannot change the ${CONFIG_FILE_FOR_TOOL[tool]} of ${bottleSlug}`;
  const isOther = found && (inForce === null || sha256Hex(inForce) !== sha256Hex(file));
  if (inspection.currentSha256 !== currentSha256 || isOther) {
    throw new SuperviseError("stale", `${what}: it changed since it was shown; look at it again`);
  }
  if (inspection.currentFile === file) {
    const is = found ? "recorded" : "in force";
    throw new SuperviseError("changed", `${what}: that version is ${is} already`);
  }
  const [first] = obstaclesToEdit(request, inspection, request);
  if (first !== undefined) throw new SuperviseError(first.code, `${what}: ${first.message}`);
}
