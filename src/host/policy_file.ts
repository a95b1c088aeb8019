/**
 * `policy.json` under the root: what the operator has decided for all changes, ahead of any. It counts only if
 * nobody else can write it.
 *
 * @module
 */

import { privateDir } from "../disk/layout.ts";
import {
  type OwnFileStamp,
  ownFileStamp,
  type ReadOwn,
  readOwnFileOnce,
} from "../disk/read_own.ts";
import { NO_POLICY, parsePolicy, type Policy } from "../policy/parse.ts";
import { PolicyError } from "../policy/read.ts";
import { sha256Hex } from "../text/hash.ts";
import { keepCopy } from "./config_files.ts";
import { join } from "@std/path";

/** The policy in force: it can be used, or there is a reason why not. */
export type PolicyInForce =
  & {
    /**
     * SHA-256 of `policy.json`, lower-case hex; `""` if there is no such file; `"unread"` if it was not
     * read.
     */
    readonly sha256: string;
  }
  & (
    | { readonly policy: Policy; readonly problem?: never }
    // Why it cannot be used, as the end of a sentence.
    | { readonly policy?: never; readonly problem: string }
  );

/** A policy is written by hand. */
const MAX_POLICY_BYTES = 1024 * 1024;

function policyPath(root: string): string {
  return join(root, "policy.json");
}

function policiesDir(root: string): string {
  return join(privateDir(root), "policies");
}

/** Where the copy of a policy is that a decision was made under; `undefined` if the text is no hash. */
export function policyCopyPath(root: string, sha256: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(sha256) ? join(policiesDir(root), sha256) : undefined;
}

/** What each file that was read means: it is asked for at every look. */
const parsed = new WeakMap<ReadOwn, PolicyInForce>();

/**
 * Reads the policy of a root. Never throws for what is wrong with the file: nothing is approved then, and a
 * rejection needs no policy.
 */
export function readPolicy(root: string): PolicyInForce {
  let read: ReadOwn | undefined;
  try {
    read = readPolicyFile(root);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { sha256: "unread", problem: reason };
  }
  if (read === undefined) return { sha256: "", policy: NO_POLICY };
  let inForce = parsed.get(read);
  if (inForce === undefined) {
    inForce = policyFromBytes(read.bytes);
    parsed.set(read, inForce);
  }
  return inForce;
}

/** @throws {Error} If others can write the file, or it is not a small plain file. */
function readPolicyFile(root: string): ReadOwn | undefined {
  const path = policyPath(root);
  const [dir, file] = [ownFileStamp(root), ownFileStamp(path)];
  if (dir === undefined || file === undefined) return undefined;
  for (const [stamp, what] of [[dir, root], [file, path]] as const) {
    if ((stamp.mode & 0o022) === 0) continue;
    throw new Error(`others can write ${what} (mode ${octal(stamp)}); run chmod go-w on it`);
  }
  if (file.uid !== dir.uid && file.uid !== 0) {
    throw new Error(`${path} belongs to another account than the root; make it yours with chown`);
  }
  if (file.size > MAX_POLICY_BYTES) {
    throw new Error(`${path} has more than ${MAX_POLICY_BYTES} bytes`);
  }
  return readOwnFileOnce(path);
}

const octal = ({ mode }: OwnFileStamp) => (mode & 0o777).toString(8);

/** What the bytes of a `policy.json` say. */
export function policyFromBytes(bytes: Uint8Array): PolicyInForce {
  const sha256 = sha256Hex(bytes);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { sha256, policy: parsePolicy(text) };
  } catch (error) {
    if (error instanceof PolicyError) return { sha256, problem: error.message };
    if (error instanceof TypeError) return { sha256, problem: "it is not UTF-8" };
    throw error;
  }
}

/**
 * Keeps a copy of the policy that a decision is made under, so that its hash in the log says something after
 * the file was changed. A copy that cannot be written stops no decision.
 */
export function keepPolicy(root: string, { sha256 }: PolicyInForce): void {
  try {
    const bytes = readOwnFileOnce(policyPath(root))?.bytes;
    if (bytes !== undefined && sha256Hex(bytes) === sha256) keepCopy(policiesDir(root), bytes);
  } catch {
    // The disk may be full. The hash is in the log all the same.
  }
}
