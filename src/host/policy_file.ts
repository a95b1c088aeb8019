/**
 * `policy.json` under the root: what the operator has decided for all changes, ahead of any; and beside it
 * `standing.json`, which has the decisions that stand for others like them. Both count only if nobody else
 * can write them.
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
import { ensureDirectory, handOver, replaceFile } from "../disk/write.ts";
import { NO_POLICY, parsePolicy, type Policy, withStanding } from "../policy/parse.ts";
import { PolicyError } from "../policy/read.ts";
import { sha256Hex } from "../text/hash.ts";
import { keepCopy } from "./config_files.ts";
import { dirname, join } from "@std/path";

/** The policy in force: it can be used, or there is a reason why not. */
export type PolicyInForce =
  & {
    /**
     * SHA-256 of `policy.json`, lower-case hex; `""` if there is no such file; `"unread"` if it was not
     * read.
     */
    readonly sha256: string;
    /** The same of `standing.json`. */
    readonly standingSha256: string;
  }
  & (
    | { readonly policy: Policy; readonly problem?: never }
    // Why it cannot be used, as the end of a sentence.
    | { readonly policy?: never; readonly problem: string }
  );

/** A policy is written by hand. */
export const MAX_POLICY_BYTES = 1024 * 1024;

function policyPath(root: string): string {
  return join(root, "policy.json");
}

/** Where the standing decisions are. */
export function standingPath(root: string): string {
  return join(root, "standing.json");
}

function policiesDir(root: string): string {
  return join(privateDir(root), "policies");
}

/** Where the copy of a policy is that a decision was made under; `undefined` if the text is no hash. */
export function policyCopyPath(root: string, sha256: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(sha256) ? join(policiesDir(root), sha256) : undefined;
}

/** Both files of a root as they were read, and what they mean: it is asked for at every look. */
interface Parsed {
  readonly files: readonly (ReadOwn | undefined)[];
  readonly inForce: PolicyInForce;
}

const parsed = new Map<string, Parsed>();

/**
 * Reads the policy of a root. Never throws for what is wrong with a file: nothing is approved then, and a
 * rejection needs no policy.
 */
export function readPolicy(root: string): PolicyInForce {
  const files: (ReadOwn | undefined)[] = [];
  try {
    files.push(readOwnPolicy(root, policyPath(root)), readOwnPolicy(root, standingPath(root)));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { sha256: "unread", standingSha256: "unread", problem };
  }
  const [policy, standing] = files;
  const before = parsed.get(root);
  if (before !== undefined && before.files.every((file, n) => file === files[n])) {
    return before.inForce;
  }
  const inForce = policyFromBytes(policy?.bytes, standing?.bytes);
  parsed.set(root, { files, inForce });
  return inForce;
}

/** @throws {Error} If others can write the file, or it is not a small plain file. */
export function readOwnPolicy(root: string, path: string): ReadOwn | undefined {
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

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a text says; or why it cannot be used. */
function parsedOr<T>(
  parse: (text: string) => T,
  bytes: Uint8Array,
): T | { readonly problem: string } {
  try {
    return parse(utf8.decode(bytes));
  } catch (error) {
    if (error instanceof PolicyError) return { problem: error.message };
    if (error instanceof TypeError) return { problem: "it is not UTF-8" };
    throw error;
  }
}

/** What the bytes of a `policy.json` and of a `standing.json` say. */
function policyFromBytes(
  bytes: Uint8Array | undefined,
  standing: Uint8Array | undefined,
): PolicyInForce {
  const hashes = {
    sha256: bytes === undefined ? "" : sha256Hex(bytes),
    standingSha256: standing === undefined ? "" : sha256Hex(standing),
  };
  const policy = bytes === undefined ? NO_POLICY : parsedOr(parsePolicy, bytes);
  if ("problem" in policy) return { ...hashes, ...policy };
  if (standing === undefined) return { ...hashes, policy };
  const both = parsedOr((text) => withStanding(policy, text), standing);
  if ("problem" in both) return { ...hashes, problem: `standing.json beside it: ${both.problem}` };
  return { ...hashes, policy: both };
}

/** What a root's policy would be with other bytes in the place of one of its files. */
export function policyWith(
  root: string,
  changed: { readonly policy?: Uint8Array; readonly standing?: Uint8Array },
): PolicyInForce {
  return policyFromBytes(
    changed.policy ?? readOwnFileOnce(policyPath(root))?.bytes,
    changed.standing ?? readOwnFileOnce(standingPath(root))?.bytes,
  );
}

/** Keeps a copy of a policy, or of standing decisions, by its hash. */
export function keepPolicyBytes(root: string, bytes: Uint8Array, replace = replaceFile): void {
  keepCopy(policiesDir(root), bytes, replace);
}

/**
 * Keeps a copy of the policy that a decision is made under, so that its hash in the log says something after
 * the file was changed. A copy that cannot be written stops no decision.
 *
 * @param stagingDir A directory of the caller's alone, which clears it after a crash.
 */
export function keepPolicy(root: string, policy: PolicyInForce, stagingDir: string): void {
  const replace = (path: string, bytes: Uint8Array) => {
    ensureDirectory(dirname(path));
    handOver(path, bytes, stagingDir);
  };
  const files = [
    [policyPath(root), policy.sha256],
    [standingPath(root), policy.standingSha256],
  ] as const;
  for (const [path, sha256] of files) {
    try {
      const bytes = readOwnFileOnce(path)?.bytes;
      if (bytes !== undefined && sha256Hex(bytes) === sha256) {
        keepPolicyBytes(root, bytes, replace);
      }
    } catch {
      // The disk may be full. The hash is in the log all the same.
    }
  }
}
