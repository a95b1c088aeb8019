/**
 * The hash chain and the signatures of an audit log, over the raw bytes of its lines: pure.
 *
 * `H(0)` is 32 zero bytes, `H(n+1)` is SHA-256 of `H(n)` and the bytes of line n, its LF included. A
 * chained line ends with `,"seq":n,"prev":"<hex H(n)>","sig":"<hex>"}` and LF. The signature is
 * Ed25519 over `audit-line-v1`, LF, the log's name, LF, and the line's bytes up to `,"sig":`. Because
 * the line states where it stands and in which log, no line can be moved, and because it covers all
 * lines before, none of these can be changed.
 *
 * @module
 */

import { formatHead, type Head, type SignedHead } from "../records/head.ts";
import { createHash, type KeyObject, sign, verify } from "node:crypto";

/** What a chained line says of itself. */
export interface Link {
  /** The line's number, from 0. */
  readonly seq: number;
  /** The hash over all lines before it, lower-case hex. */
  readonly prev: string;
  /** The signature, lower-case hex. */
  readonly signature: string;
}

/** The keys that make a line a chained one. */
export const LINK_KEYS = ["seq", "prev", "sig"] as const;

/** The one form in which a line is written, so that no byte of it can change and still verify. */
const LINK = /,"seq":(0|[1-9]\d{0,15}),"prev":"([0-9a-f]{64})","sig":"([0-9a-f]{128})"\}\n$/;

const SIGNATURE_LENGTH = `,"sig":"${"0".repeat(128)}"}\n`.length;

const LONGEST_LINK = SIGNATURE_LENGTH + `,"seq":,"prev":"${"0".repeat(64 + 16)}"`.length;

const encoder = new TextEncoder();

/**
 * The head after one more line.
 *
 * @param head The head before it.
 * @param line The line's bytes, the LF included.
 * @returns The head after it.
 */
export function advance(head: Head, line: Uint8Array): Head {
  const hash = createHash("sha256").update(head.hash, "hex").update(line).digest("hex");
  return { seq: head.seq + 1, hash };
}

function signedText(kind: string, log: string, bytes: Uint8Array): Uint8Array {
  const domain = encoder.encode(`${kind}\n${log}\n`);
  const text = new Uint8Array(domain.length + bytes.length);
  text.set(domain);
  text.set(bytes, domain.length);
  return text;
}

/**
 * Makes a line of the chain.
 *
 * @param log The log's name, `<component>-<slug>`.
 * @param entry A JSON object, without the chain's keys.
 * @param head The head before it.
 * @param key The private key.
 * @returns The line's bytes, the LF included.
 */
export function sealLine(log: string, entry: string, head: Head, key: KeyObject): Uint8Array {
  const body = encoder.encode(
    `${entry.slice(0, entry.lastIndexOf("}"))},"seq":${head.seq},"prev":"${head.hash}"`,
  );
  const signature = sign(null, signedText("audit-line-v1", log, body), key).toString("hex");
  const end = encoder.encode(`,"sig":"${signature}"}\n`);
  const line = new Uint8Array(body.length + end.length);
  line.set(body);
  line.set(end, body.length);
  return line;
}

/**
 * What a line says of its place in the chain.
 *
 * @param line The line's bytes, the LF included.
 * @returns The link, or `undefined` if the line does not end like a chained one.
 */
export function linkOf(line: Uint8Array): Link | undefined {
  const end = new TextDecoder("latin1").decode(line.subarray(-LONGEST_LINK));
  const match = end.match(LINK);
  if (match === null) return undefined;
  return { seq: Number(match[1]), prev: match[2]!, signature: match[3]! };
}

/**
 * Whether a chained line was signed for a log with a key.
 *
 * @param log The log's name.
 * @param line The line's bytes, the LF included.
 * @param link What the line says of itself.
 * @param key The public key.
 * @returns Whether the signature is the key's.
 */
export function lineIsSigned(log: string, line: Uint8Array, link: Link, key: KeyObject): boolean {
  const body = line.subarray(0, line.length - SIGNATURE_LENGTH);
  const signature = Uint8Array.fromHex(link.signature);
  return verify(null, signedText("audit-line-v1", log, body), key, signature);
}

/**
 * States a head.
 *
 * @param log The log's name.
 * @param head The head.
 * @param key The private key.
 * @returns The head with its signature.
 */
export function signHead(log: string, head: Head, key: KeyObject): SignedHead {
  const text = signedText("audit-head-v1", log, encoder.encode(formatHead(head)));
  return { ...head, log, signature: sign(null, text, key).toString("hex") };
}

/**
 * Whether a head was stated with a key.
 *
 * @param head The head.
 * @param key The public key.
 * @returns Whether the signature is the key's.
 */
export function headIsSigned(head: SignedHead, key: KeyObject): boolean {
  if (!/^[0-9a-f]{128}$/.test(head.signature)) return false;
  const text = signedText("audit-head-v1", head.log, encoder.encode(formatHead(head)));
  return verify(null, text, key, Uint8Array.fromHex(head.signature));
}

/**
 * Splits a log into its lines.
 *
 * @param bytes The log.
 * @returns Each line's bytes; all but perhaps the last one end with LF.
 */
export function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(0x0a, start);
    const end = lf === -1 ? bytes.length : lf + 1;
    yield bytes.subarray(start, end);
    start = end;
  }
}
