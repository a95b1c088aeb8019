/**
 * Checks the audit logs, and what was begun and not finished: decisions, and the operator's own versions
 * of files.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  findUnfinished,
  keptEdits,
  mostKept,
  readPublicKey,
  readSigningKey,
  type SigningKeyInfo,
  verifyAuditLogs,
} from "../../internal_mod.ts";
import { findDrift } from "../../mod.ts";
import { logsThatMayBe, nameOfLog } from "../operate/logs.ts";
import { shellWord } from "../command/split_words.ts";
import { counted, type Finding, findingsOf, named, type Subject } from "./finding.ts";
import { relative } from "@std/path";

/**
 * Checks for decisions that a crash interrupted. Every verb that may write finishes them when it starts; `doctor`
 * leaves them, so that it can name them.
 */
export function checkIntents({ root, supervise }: Pick<Subject, "root" | "supervise">): Finding[] {
  const { ok, warn, bad } = findingsOf("intents");
  const { intents, staged } = findUnfinished(root);
  const found = intents.map(({ bottleSlug, path, isBroken }) =>
    isBroken
      ? bad(
        `${relative(root, path)} is not an intent; no decision for its bottle goes through`,
        `mv ${shellWord(path)} ${shellWord(`${path}.broken`)}`,
      )
      : warn(
        `a decision for ${bottleSlug} was interrupted, or is being made right now`,
        `${supervise} list --bottle ${shellWord(bottleSlug)}; it says what came of the decision`,
      )
  );
  if (staged.length > 0) {
    found.push(warn(
      `${named(staged)}: a decision was interrupted while its response was written`,
      "nothing: the next decision for that bottle clears it up",
    ));
  }
  return found.length > 0 ? found : [ok("no decision was interrupted")];
}

export function checkEdits({ root, supervise }: Pick<Subject, "root" | "supervise">): Finding[] {
  const { ok, warn } = findingsOf("edits");
  const kept = keptEdits(root);
  const [first] = kept;
  if (first === undefined) return [ok("no version of yours was left behind")];
  return [warn(
    `a version of yours is kept: ${named(kept.map((path) => relative(root, path)))}`,
    `${supervise} modify ID --file ${shellWord(first)}, or remove it`,
  )];
}

/** Checks that each file of which a change is recorded is the one in force. */
export function checkDrift({ root, supervise }: Pick<Subject, "root" | "supervise">): Finding[] {
  const { ok, warn } = findingsOf("drift");
  mostKept(root); // What it throws is a finding.
  const found = findDrift({ root });
  if (found.length === 0) return [ok("each file of which a change is recorded is in force")];
  return found.map(({ bottleSlug, tool, recordedSha256, foundSha256, problem }) => {
    const [recorded, inForce] = [recordedSha256, foundSha256].map((sha) =>
      sha.slice(0, 12) || "none"
    );
    const file = `${bottleSlug}: the ${CONFIG_FILE_FOR_TOOL[tool]} in force`;
    const says = problem === undefined
      ? `${file} is not the recorded one (recorded ${recorded}, found ${inForce})`
      : `${file} cannot be compared with the record: ${problem}`;
    return warn(says, `${supervise} drift --bottle ${shellWord(bottleSlug)}`);
  });
}

/** Checks every audit log: chain, signatures, and the heads in this root and in the responses. */
export async function checkLogs(
  { root, supervise }: Pick<Subject, "root" | "supervise">,
): Promise<Finding[]> {
  const { ok, warn, bad } = findingsOf("logs");
  const found: Finding[] = [];
  const unsigned: string[] = [];
  let [logs, lines, chained] = [0, 0, 0];
  for await (const log of verifyAuditLogs(logsThatMayBe(root), { root, ...trustedIn(root) })) {
    if (!log.ok) {
      found.push(bad(
        `${nameOfLog(log)} is not sound: ${log.firstError}`,
        `${supervise} audit verify --bottle ${log.slug}; then compare with the heads saved elsewhere`,
      ));
    }
    if (log.lines > 0) logs++;
    if (log.uncovered > 0 && log.ok) unsigned.push(nameOfLog(log));
    lines += log.lines;
    chained += log.chained;
  }
  if (unsigned.length > 0) {
    found.push(warn(
      `the last lines of ${named(unsigned)} are not signed: by the Python original, or by hand`,
      `${supervise} audit show; the next decision there covers them with its signature`,
    ));
  }
  if (found.length === 0) {
    const sound = `${counted(logs, "log")} with ${counted(lines, "line")} ${
      logs === 1 ? "is" : "are"
    } sound`;
    found.push(ok(logs === 0 ? "nothing is recorded yet" : sound));
  }
  return [...found, checkKey(root, supervise, chained)];
}

/** A key that must not sign, or cannot be read, hides no edited log: what is left of it is used. */
function trustedIn(root: string): { readonly publicKeys?: string; readonly chainOnly?: boolean } {
  try {
    const publicKeys = readPublicKey(root);
    return publicKeys === undefined ? {} : { publicKeys };
  } catch {
    return { chainOnly: true };
  }
}

function checkKey(root: string, supervise: string, chained: number): Finding {
  const { ok, bad } = findingsOf("signing-key");
  let key: SigningKeyInfo | undefined;
  try {
    key = readSigningKey(root);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return bad(
      message,
      `nothing is decided until that is repaired; ${supervise} audit verify after it`,
    );
  }
  if (key !== undefined) return ok(`the key is ${key.fingerprint}`);
  if (chained === 0) return ok("there is no key yet; the first decision makes it");
  return bad(
    "lines are signed, and the key that signed them is not here",
    "put private/audit-signing-key.pem back from a copy; without a copy, the next decision says what to do",
  );
}
