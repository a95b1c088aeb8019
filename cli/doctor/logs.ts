/**
 * What was begun and not brought to an end: decisions, and the operator's own versions of files.
 *
 * @module
 */

import {
  AUDIT_COMPONENTS,
  type AuditLogId,
  findUnfinished,
  keptEdits,
  listAuditLogs,
  listBottles,
  readSigningKey,
} from "../../internal_mod.ts";
import { verifyAuditLog } from "../../mod.ts";
import { counted, type Finding, named, shellWord, type Subject } from "./finding.ts";
import { relative } from "@std/path";

/**
 * Checks for decisions that a crash left open. Every other verb finishes them when it starts; this one
 * does not, so that it can tell.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkIntents({ root }: Pick<Subject, "root">): Finding[] {
  const found: Finding[] = [];
  const { intents, staged } = findUnfinished(root);
  for (const { bottleSlug, path, isBroken } of intents) {
    found.push(
      isBroken
        ? {
          check: "intents",
          state: "bad",
          says: `${relative(root, path)} is no intent; no decision for its bottle goes through`,
          todo: `mv ${shellWord(path)} ${shellWord(`${path}.broken`)}`,
        }
        : {
          check: "intents",
          state: "warn",
          says: `a decision for ${bottleSlug} was interrupted, or is being made right now`,
          todo: `supervise list --bottle ${
            shellWord(bottleSlug)
          }; it says what came of the decision`,
        },
    );
  }
  if (staged.length > 0) {
    found.push({
      check: "intents",
      state: "warn",
      says: `${named(staged)}: a decision was interrupted while its answer was written`,
      todo: "nothing: the next decision for that bottle clears it up",
    });
  }
  if (found.length > 0) return found;
  return [{ check: "intents", state: "ok", says: "no decision was interrupted" }];
}

/**
 * Checks for versions of files that an operator wrote and never answered with.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkEdits({ root }: Pick<Subject, "root">): Finding[] {
  const kept = keptEdits(root);
  const [first] = kept;
  if (first === undefined) {
    return [{ check: "edits", state: "ok", says: "no version of yours was left behind" }];
  }
  return [{
    check: "edits",
    state: "warn",
    says: `a version of yours is kept: ${named(kept.map((path) => relative(root, path)))}`,
    todo: `supervise modify ID --file ${shellWord(first)}, or remove it`,
  }];
}

/** The logs that are there, and those that a bottle could have: one that was removed is one of these. */
function* logsToCheck(root: string): Generator<AuditLogId> {
  const there = listAuditLogs(root);
  yield* there;
  const names = new Set(there.map(({ component, slug }) => `${component}-${slug}`));
  for (const slug of listBottles(root).slugs) {
    for (const component of AUDIT_COMPONENTS) {
      if (!names.has(`${component}-${slug}`)) yield { component, slug };
    }
  }
}

/**
 * Checks every audit log: chain, signatures, and the heads that this root and the answers remember.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export async function checkLogs({ root }: Pick<Subject, "root">): Promise<Finding[]> {
  const found: Finding[] = [];
  const bare: string[] = [];
  let [logs, lines, chained] = [0, 0, 0];
  for (const { component, slug } of logsToCheck(root)) {
    const name = `${component}-${slug}`;
    const log = await verifyAuditLog(component, slug, { root });
    if (!log.ok) {
      found.push({
        check: "logs",
        state: "bad",
        says: `${name} is not sound: ${log.firstError}`,
        todo: `supervise audit verify --bottle ${slug}; then compare with the heads kept elsewhere`,
      });
    }
    if (log.lines > 0) logs++;
    if (log.uncovered > 0 && log.ok) bare.push(name);
    lines += log.lines;
    chained += log.chained;
  }
  if (bare.length > 0) {
    found.push({
      check: "logs",
      state: "warn",
      says: `the last lines of ${named(bare)} are not signed: by the Python original, or by hand`,
      todo: "supervise audit show; the next decision there covers them with its signature",
    });
  }
  if (found.length === 0) {
    const says = logs === 0
      ? "nothing is recorded yet"
      : `${counted(logs, "log")} with ${counted(lines, "line")} ${logs === 1 ? "is" : "are"} sound`;
    found.push({ check: "logs", state: "ok", says });
  }
  return [...found, checkKey(root, chained)];
}

function checkKey(root: string, chained: number): Finding {
  const key = readSigningKey(root);
  if (key !== undefined) {
    return { check: "signing-key", state: "ok", says: `the key is ${key.fingerprint}` };
  }
  return chained === 0
    ? {
      check: "signing-key",
      state: "ok",
      says: "there is no key yet; the first decision makes it",
    }
    : {
      check: "signing-key",
      state: "bad",
      says: "lines are signed, and the key that signed them is not here",
      todo:
        "put private/audit-signing-key.pem back from a copy; the next decision would make another",
    };
}
