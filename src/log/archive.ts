/**
 * Takes audit logs to another machine: the lines, the public key and the heads in one file.
 *
 * The archive is one line of JSON, then the logs' bytes one after the other, exactly as they are, so
 * that `head -n 1` and `tail -n +2` take it apart:
 * `{"version":1,"kind":"supervise-audit","made":"…","public_key":"<PEM>","logs":[{"log":"<name>",
 * "bytes":n,"head":"<seq>:<hash>","head_sig":"<hex>"}],"sig":"<hex>"}`. The signature is over
 * `audit-archive-v1`, LF, and the first line up to `,"sig":`, so it covers which logs there are, their
 * lengths and heads, and the date. Older versions wrote none.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot, type RootOptions } from "../disk/layout.ts";
import { openLogAtRest } from "../disk/lock.ts";
import { parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead, type Head, parseHead } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { isJsonObject } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import type { Anchor } from "./anchors.ts";
import {
  advance,
  archiveSigner,
  headIsSigned,
  isWhole,
  linesOf,
  sealArchive,
  signHead,
} from "./chain.ts";
import { type AuditVerification, verifyLog, withProblem } from "./check.ts";
import type { AuditLogId } from "./entries.ts";
import { fingerprintOf, openSigningKey, parsePublicKeys, publicKeyPem } from "./key.ts";

/** What is trusted when an archive is checked. */
export interface VerifyArchiveOptions {
  /** The archive's name, for people. */
  readonly file: string;
  /** Trusted public keys, PEM; the archive's own unless given, which proves only that it is whole. */
  readonly publicKeys?: string;
  /** Heads that were kept elsewhere, of any logs. */
  readonly anchors?: readonly Anchor[];
}

/** What {@linkcode verifyAuditArchive} found. */
export interface ArchiveVerification {
  /** Fingerprints of the keys that were trusted. */
  readonly keys: readonly string[];
  /** Whether they came with the archive: one key, whose fingerprint a person must compare. */
  readonly ownKey: boolean;
  /** Fingerprint of the trusted key that signed the archive as a whole, and its heads; `""` if none did. */
  readonly signedBy: string;
  /** What is wrong with the archive as a whole; `""` if a trusted key signed it. */
  readonly problem: string;
  /** What was found, log by log. */
  readonly logs: readonly AuditVerification[];
}

interface Header {
  readonly version: 1;
  readonly kind: "supervise-audit";
  readonly public_key: string;
  readonly logs: readonly {
    readonly log: string;
    readonly bytes: number;
    readonly head: string;
    readonly head_sig: string;
  }[];
}

/** How many values the first line may have: five a log, for more logs than a host has in its life. */
const MAX_HEADER_VALUES = 1_000_000;

const UNSIGNED =
  "it is not signed as a whole, as archives of older versions are not: its signed lines are genuine, but " +
  "it may have been cut back, and whole logs may have been taken out; compare its heads and logs with " +
  "those that were kept elsewhere, or have it exported again";

const NOT_ITS_SIGNATURE =
  "no trusted key signed it as it is: its list of logs, a head, a length or its date was changed";

function isHeader(raw: unknown): raw is Header {
  return isJsonObject(raw) && raw.version === 1 && raw.kind === "supervise-audit" &&
    typeof raw.public_key === "string" && Array.isArray(raw.logs) && raw.logs.every(isStatedLog);
}

function isStatedLog(raw: unknown): boolean {
  // The name is printed, and part of what is signed.
  return isJsonObject(raw) && typeof raw.log === "string" &&
    /^[a-z][a-z0-9._-]{0,95}$/.test(raw.log) && Number.isSafeInteger(raw.bytes) &&
    Number(raw.bytes) >= 0 && typeof raw.head === "string" && typeof raw.head_sig === "string";
}

function headOf(chunks: Iterable<Uint8Array>): Head {
  let head = EMPTY_HEAD;
  for (const line of linesOf(chunks)) if (isWhole(line)) head = advance(head, line);
  return head;
}

/**
 * The head of an audit log as it is now, with the log's name: what to keep elsewhere as an anchor. A log
 * that does not exist has the head of an empty one.
 *
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
export async function readAuditHead(
  { component, slug }: AuditLogId,
  options: RootOptions = {},
): Promise<Head & { readonly log: string }> {
  using opened = await openLogAtRest(auditLogPath(component, slug, options));
  return { log: auditLogName(component, slug), ...headOf(opened?.chunks() ?? []) };
}

/**
 * Makes an archive of audit logs, signed heads and public key included. Nothing is checked. All of it is
 * in memory at once.
 *
 * @param onUnreadable Called for a log that cannot be read, which is left out; unless given, the error is thrown.
 * @throws {InvalidNameError} If a component or a slug is not valid.
 */
export async function exportAuditLogs(
  ids: readonly AuditLogId[],
  options: RootOptions & { readonly onUnreadable?: (id: AuditLogId, error: unknown) => void } = {},
): Promise<Uint8Array> {
  const { root = claudeBottleRoot(), onUnreadable } = options;
  const { privateKey, publicKey } = await openSigningKey(root);
  const contents: Uint8Array[] = [];
  const logs: object[] = [];
  for (const { component, slug } of ids) {
    let bytes: Uint8Array;
    try {
      using opened = await openLogAtRest(auditLogPath(component, slug, { root }));
      bytes = opened?.read(0, opened.stamp.size) ?? new Uint8Array();
    } catch (error) {
      if (onUnreadable === undefined) throw error;
      onUnreadable({ component, slug }, error);
      continue;
    }
    const log = auditLogName(component, slug);
    const head = signHead(log, headOf([bytes]), privateKey);
    contents.push(bytes);
    logs.push({ log, bytes: bytes.length, head: formatHead(head), head_sig: head.signature });
  }
  const made = new Date().toISOString();
  const public_key = publicKeyPem(publicKey);
  const header = asciiJson({ version: 1, kind: "supervise-audit", made, public_key, logs });
  const first = sealArchive(header, privateKey);
  const blob = new Blob([first + "\n", ...contents as BlobPart[]]);
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * Checks an archive: a trusted key signed it as a whole; and its logs as {@linkcode verifyAuditLog} does,
 * without the root, each of which must have exactly the head that the archive states.
 *
 * @throws {MalformedRecordError} If the bytes are not an archive, or not a whole one.
 * @throws {TypeError} If `publicKeys` holds no Ed25519 key.
 */
export function verifyAuditArchive(
  archive: Uint8Array,
  options: VerifyArchiveOptions,
): ArchiveVerification {
  const { file, publicKeys, anchors = [] } = options;
  const lf = archive.indexOf(0x0a);
  const header = parseJsonBytes(archive.subarray(0, lf === -1 ? 0 : lf), file, MAX_HEADER_VALUES);
  if (!isHeader(header)) {
    throw new MalformedRecordError(file, undefined, "it is not an archive that audit export made");
  }
  const { logs, public_key } = header;
  const present = new Set(logs.map(({ log }) => log));
  if (present.size < logs.length) {
    throw new MalformedRecordError(file, "logs", "it has a log twice");
  }
  const keys = parsePublicKeys(publicKeys ?? public_key, publicKeys ? "the public key" : file);
  // A second key would be somebody else's, shown beside the one that a person compares.
  if (publicKeys === undefined && public_key !== publicKeyPem([...keys.values()][0]!)) {
    throw new MalformedRecordError(
      file,
      "public_key",
      "it is not one key as audit export writes it",
    );
  }
  const signer = archiveSigner(archive.subarray(0, lf), keys.values());
  const headKeys = signer ? [signer] : [...keys.values()];
  let start = lf + 1;
  const verified = logs.map(({ log, bytes: length, head, head_sig: signature }) => {
    const chunks = [archive.subarray(start, start += length)];
    const stated = parseHead(head);
    const anchor = stated && { ...stated, log, signature, source: `${file}, its first line` };
    const all = anchor === undefined ? anchors : [...anchors, anchor];
    const found = verifyLog({ log, file: `${log}.log`, chunks, keys, anchors: all });
    if (anchor === undefined || !headKeys.some((key) => headIsSigned(anchor, key))) {
      return withProblem(found, "no trusted key signed the head that the archive states");
    }
    if (head === found.head) return found;
    return withProblem(found, "the head that the archive states is not the log's");
  });
  if (start !== archive.length) {
    const reason = `it has ${archive.length - lf - 1} bytes of logs, and says ${start - lf - 1}`;
    throw new MalformedRecordError(file, "bytes", reason);
  }
  const missing = [...new Set(anchors.map(({ log }) => log))].filter((log) => !present.has(log))
    .map((log) => verifyLog({ log, file: `${log}.log`, chunks: [], keys, anchors }));
  return {
    keys: [...keys.keys()],
    ownKey: publicKeys === undefined,
    signedBy: signer ? fingerprintOf(signer) : "",
    problem: signer ? "" : signer === undefined ? UNSIGNED : NOT_ITS_SIGNATURE,
    logs: [...verified, ...missing],
  };
}
