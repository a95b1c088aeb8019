/**
 * `standing.json` under the root: the decisions that stand for others like them. This program writes it, so that
 * it never changes the `policy.json` that the operator wrote.
 *
 * @module
 */

import { privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { handOver, replaceFileAlone } from "../disk/write.ts";
import { formatStanding, listStanding, type StandingRule } from "../policy/standing.ts";
import { sha256Hex } from "../text/hash.ts";
import {
  keepPolicyBytes,
  MAX_POLICY_BYTES,
  policyWith,
  readOwnPolicy,
  standingPath,
} from "./policy_file.ts";
import { join } from "@std/path";

/** Runs a function while no other process changes the standing decisions. */
export function withStandingLock<T>(root: string, run: () => T | Promise<T>): Promise<T> {
  return withLock(join(privateDir(root), "standing.lock"), run);
}

/**
 * The standing decisions of a root, those included that have ended.
 *
 * @throws {Error} If others can write the file, or anything in it is wrong.
 */
export function readStandingRules(root: string): readonly StandingRule[] {
  return rulesIn(readOwnPolicy(root, standingPath(root))?.bytes);
}

function rulesIn(bytes: Uint8Array | undefined): readonly StandingRule[] {
  return bytes === undefined ? [] : listStanding(new TextDecoder().decode(bytes));
}

const bytesOf = (rules: readonly unknown[]) =>
  new TextEncoder().encode(`${JSON.stringify({ version: 1, rules }, null, 2)}\n`);

/** A standing decision that is about to be written. */
export interface NewStanding {
  readonly name: string;
  /** SHA-256 of `standing.json` with it, lower-case hex. */
  readonly sha256: string;
  /** Writes it. `stagingDir` is a directory of the caller's alone, which clears it after a crash. */
  readonly write: (stagingDir: string) => void;
}

/**
 * Makes a name for a standing decision, and the file with it; those that have ended are left out. The caller
 * holds the lock.
 *
 * @throws {Error} If that file could not be used.
 */
export function prepareStanding(
  root: string,
  rule: Omit<StandingRule["rule"], "name">,
  bottles: readonly string[],
): NewStanding {
  const { from } = rule.standsMs;
  const kept = readStandingRules(root).filter(({ rule: { standsMs } }) => from < standsMs.to);
  // Not from the proposal: an agent must not choose it. A name that was used is in the log.
  const name = `standing-${crypto.randomUUID().slice(0, 8)}`;
  const added = formatStanding({ ...rule, name }, bottles);
  const bytes = bytesOf([...kept.map(({ place }) => place.value), added]);
  if (bytes.length > MAX_POLICY_BYTES) {
    throw new Error(`it would have more than ${MAX_POLICY_BYTES} bytes`);
  }
  const { problem } = policyWith(root, { standing: bytes });
  if (problem !== undefined) throw new Error(problem);
  return {
    name,
    sha256: sha256Hex(bytes),
    write: (stagingDir) => handOver(standingPath(root), bytes, stagingDir),
  };
}

/** Ends a standing decision; gives whether there was one with that name. */
export async function removeStanding(root: string, name: string): Promise<boolean> {
  return await withStandingLock(root, () => {
    const bytes = readOwnPolicy(root, standingPath(root))?.bytes;
    const rules = rulesIn(bytes);
    const kept = rules.filter(({ rule }) => rule.name !== name);
    if (bytes === undefined || kept.length === rules.length) return false;
    // The last decision may have its hash in the log, and no decision may follow.
    keepPolicyBytes(root, bytes);
    replaceFileAlone(standingPath(root), bytesOf(kept.map(({ place }) => place.value)));
    return true;
  });
}
