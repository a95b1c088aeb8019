/**
 * What must hold of a root: after any fault; of what a command said; and once all is done again.
 * Each check gives the sentences that say what is wrong, none if all is well.
 *
 * @module
 */

import { sha256Hex } from "../../mod.ts";
import type { Disk, Fields } from "./disk.ts";

/** A decision as it was meant. */
export interface Decision {
  readonly id: string;
  readonly status: "approved" | "modified" | "rejected";
  readonly notes: string;
  readonly finalFile: string | null;
}

/** What a command said when it ended. */
export interface Said {
  /** The exit code. */
  readonly exit: number;
  /** The word in `error.code`, if it failed. */
  readonly code: string | undefined;
}

const STATUSES: readonly unknown[] = ["approved", "modified", "rejected"];

/**
 * The decisions on a proposal that took effect, as the log has them.
 *
 * @param disk The root.
 * @param id The proposal.
 * @returns Their lines; of a sound root, at most one.
 */
export function decisionsOn(disk: Disk, id: string): readonly Fields[] {
  const standing: Fields[] = [];
  for (const line of disk.lines) {
    if (line.proposal_id !== id) continue;
    if (line.operator_action === "superseded") standing.shift();
    else if (STATUSES.includes(line.operator_action)) standing.push(line);
  }
  return standing;
}

/**
 * What holds at any moment, whatever has happened: nothing is half there, no answer without a record,
 * one decision.
 *
 * @param disk The root.
 * @returns What is wrong.
 */
export function problemsAtAnyTime(disk: Disk): string[] {
  const problems = [...disk.broken];
  const made = disk.lines.map(({ standing }) => (standing as Fields | undefined)?.name);
  for (const name of disk.standing) {
    if (!made.includes(name)) problems.push(`no decision made the rule ${name}`);
  }
  const known = hashesKnown(disk);
  for (const [path, sha256] of disk.inForce) {
    // The lanes change the allowlist alone.
    if (path.endsWith("/allowlist") && !known.has(sha256)) {
      problems.push(`${path} is neither the file before nor the one after`);
    }
  }
  for (const answer of disk.answers) {
    const id = String(answer.proposal_id);
    const recorded = decisionsOn(disk, id).some((line) => line.operator_action === answer.status);
    if (!recorded) problems.push(`the answer ${answer.status} of ${id} has no record`);
  }
  for (const id of new Set(disk.lines.map((line) => line.proposal_id))) {
    const count = id === undefined ? 0 : decisionsOn(disk, String(id)).length;
    if (count > 1) problems.push(`${count} decisions on ${id} are recorded`);
  }
  return problems;
}

/** The files that may be in force: those that agents started from, and those that a decision puts there. */
function hashesKnown({ proposals, lines, changes }: Disk): ReadonlySet<unknown> {
  return new Set([
    ...proposals.values().map((proposal) => proposal.current_file_hash),
    ...proposals.values().map((proposal) => sha256Hex(String(proposal.proposed_file))),
    ...lines.map((line) => line.final_sha256),
    ...changes.map(({ after_sha256: after }) => after),
  ]);
}

/** In force is, of each file, what the last decision that let one in put there. */
function filesNotInForce(disk: Disk): string[] {
  const last = new Map<string, unknown>();
  for (const line of disk.lines) {
    const id = String(line.proposal_id);
    const counts = line.operator_action === "operator-edit" ||
      ["approved", "modified"].includes(String(line.operator_action)) &&
        decisionsOn(disk, id).includes(line);
    const file = FILES[String(line.component)];
    if (counts && file !== undefined && line.final_sha256 !== undefined) {
      last.set(`current-config/${line.bottle_slug}/${file}`, line.final_sha256);
    }
  }
  return [...last].filter(([path, sha256]) => disk.inForce.get(path) !== sha256)
    .map(([path]) => `${path} is not what was recorded last`);
}

const FILES: Readonly<Record<string, string>> = {
  "pipelock": "allowlist",
  "cred-proxy": "routes.json",
  "rebuild": "Dockerfile",
};

/**
 * Whether the disk bears out what a command said: decided, recorded but not yet answered, or nothing
 * of the kind. A command that died said nothing.
 *
 * @param disk The root, as the command left it.
 * @param said What it said.
 * @param decision What it was to decide.
 * @returns What is wrong.
 */
export function problemsOfReport(
  disk: Disk,
  said: Said | "died",
  decision: Decision,
): string[] {
  if (said === "died") return [];
  if (said.exit === 0 || said.code === "standing_not_written") {
    const lost = said.exit !== 0 ? [] : decisionsOn(disk, decision.id)
      .flatMap(({ standing }) => (standing as Fields | undefined)?.name ?? [])
      .filter((name) => !disk.standing.includes(name))
      .map((name) => `the rule ${name} is missing`);
    return [...problemsOfDecision(disk, decision), ...lost]
      .map((problem) => `it said done, but ${problem}`);
  }
  const recorded = decisionsOn(disk, decision.id).length;
  if (said.code === "recorded") {
    return recorded > 0 ? [] : ["it said recorded, but no line is there"];
  }
  const answered = disk.answers.some((answer) => answer.proposal_id === decision.id);
  const way = `it said ${said.code}, which is "nothing was decided", but`;
  return [
    ...recorded > 0 ? [`${way} the decision is recorded`] : [],
    ...answered ? [`${way} the answer is there`] : [],
  ];
}

/**
 * What is missing or wrong of a decision that should stand: one record, one answer, and they agree.
 *
 * @param disk The root.
 * @param decision The decision.
 * @returns What is wrong.
 */
export function problemsOfDecision(
  disk: Disk,
  { id, status, notes, finalFile }: Decision,
): string[] {
  const lines = decisionsOn(disk, id);
  const answers = disk.answers.filter((answer) => answer.proposal_id === id);
  const problems: string[] = [];
  if (lines.length !== 1) problems.push(`${lines.length} decisions on ${id} are recorded`);
  if (answers.length !== 1) problems.push(`${id} has ${answers.length} answers`);
  for (const line of lines) {
    if (line.operator_action === status && line.operator_notes === notes) continue;
    problems.push(`the record of ${id} says ${line.operator_action}, not ${status}`);
  }
  for (const answer of answers) {
    const agrees = answer.status === status && answer.notes === notes &&
      answer.final_file === finalFile;
    if (!agrees) {
      problems.push(`the answer of ${id} says ${answer.status}, or another file or notes`);
    }
  }
  return problems;
}

/**
 * What must hold once the same was done again: each decision stands once, every record is answered,
 * and nothing is left over. What a sidecar left behind is another matter: only its host could tell
 * that it is dead.
 *
 * @param disk The root.
 * @param decisions What was decided, as far as that is known.
 * @returns What is wrong.
 */
export function problemsAtTheEnd(disk: Disk, decisions: readonly Decision[]): string[] {
  return [
    ...problemsAtAnyTime(disk),
    ...decisions.flatMap((decision) => problemsOfDecision(disk, decision)),
    ...recordsWithoutAnswer(disk),
    ...filesNotInForce(disk),
    ...disk.torn.map((path) => `${path} ends in a torn line`),
    ...disk.intents.map((path) => `${path} is still there`),
    ...disk.leftovers.map((path) => `${path} is left behind`),
  ];
}

function recordsWithoutAnswer(disk: Disk): string[] {
  const answered = new Set(disk.answers.map((answer) => answer.proposal_id));
  return [...new Set(disk.lines.map((line) => line.proposal_id))]
    .filter((id) => id !== undefined && decisionsOn(disk, String(id)).length > 0)
    .filter((id) => !answered.has(id))
    .map((id) => `the recorded decision on ${id} has no answer`);
}
