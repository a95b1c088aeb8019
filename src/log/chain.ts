/**
 * The hash chain and the signatures of an audit log, over the raw bytes of its lines: pure.
 *
 * `H(0)` is 32 zero bytes, `H(n+1)` is SHA-256 of `H(n)` and the bytes of line n, its LF included. A
 * chained line ends with `,"seq":n,"prev":"<hex H(n)>","sig":"<hex>"}` and LF. The signature is
 * Ed25519 over `audit-line-v1`, LF, the log's name, LF, and the line's bytes up to `,"sig":`. Because
 * the line states its number and its log, it cannot be moved, and because it covers all lines before
 * it, none of them can be changed.
 *
 * @module
 */

import { formatHead, type Head, type SignedHead } from "../records/head.ts";
import { createHash, type KeyObject, sign, verify } from "node:crypto";

/** What a chained line states about itself. */
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

/** The one form in which they are written, so that no byte of them can change and still verify. */
const LINK = /,"seq":(0|[1-9]\d{0,15}),"prev":"([0-9a-f]{64})","sig":"([0-9a-f]{128})"\}\n$/;

const SIGNATURE_LENGTH = `,"sig":"${"0".repeat(128)}"}\n`.length;

const LONGEST_LINK = SIGNATURE_LENGTH + `,"seq":,"prev":"${"0".repeat(64 + 16)}"`.length;

const LF = 0x0a;

const encoder = new TextEncoder();

const latin1 = new TextDecoder("latin1");

/** The head after one more line, whose LF is included. */
export function advance(head: Head, line: Uint8Array): Head {
  const hash = createHash("sha256").update(head.hash, "hex").update(line).digest("hex");
  return { seq: head.seq + 1, hash };
}

function signedText(kind: string, log: string, bytes: Uint8Array): Uint8Array {
  return joined([encoder.encode(`${kind}\n${log}\n`), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}

/**
 * Makes a line of the chain, LF included.
 *
 * @param log The log's name, `<component>-<slug>`.
 * @param entry A JSON object, without the chain's keys.
 * @param head The head before the line.
 * @param key The private key.
 */
export function sealLine(log: string, entry: string, head: Head, key: KeyObject): Uint8Array {
  const body = encoder.encode(
    `${entry.slice(0, entry.lastIndexOf("}"))},"seq":${head.seq},"prev":"${head.hash}"`,
  );
  const signature = sign(null, signedText("audit-line-v1", log, body), key).toString("hex");
  return joined([body, encoder.encode(`,"sig":"${signature}"}\n`)]);
}

/** What a line states about its place in the chain; `undefined` if it does not end like a chained one. */
export function linkOf(line: Uint8Array): Link | undefined {
  const end = latin1.decode(line.subarray(-LONGEST_LINK));
  const match = end.match(LINK);
  if (match === null) return undefined;
  return { seq: Number(match[1]), prev: match[2]!, signature: match[3]! };
}

/** Whether a chained line, which states `link`, was signed for this log with the key's private half. */
export function lineIsSigned(log: string, line: Uint8Array, link: Link, key: KeyObject): boolean {
  const body = line.subarray(0, line.length - SIGNATURE_LENGTH);
  const signature = Uint8Array.fromHex(link.signature);
  return verify(null, signedText("audit-line-v1", log, body), key, signature);
}

/** Signs the head of a log. */
export function signHead(log: string, head: Head, key: KeyObject): SignedHead {
  const text = signedText("audit-head-v1", log, encoder.encode(formatHead(head)));
  return { ...head, log, signature: sign(null, text, key).toString("hex") };
}

/** Whether a head was signed with the key's private half. */
export function headIsSigned(head: SignedHead, key: KeyObject): boolean {
  if (!/^[0-9a-f]{128}$/.test(head.signature)) return false;
  const text = signedText("audit-head-v1", head.log, encoder.encode(formatHead(head)));
  return verify(null, text, key, Uint8Array.fromHex(head.signature));
}

const ARCHIVE_SIGNATURE = /,"sig":"([0-9a-f]{128})"\}$/;

function signedArchive(body: Uint8Array): Uint8Array {
  return joined([encoder.encode("audit-archive-v1\n"), body]);
}

/** Adds to an archive's first line, a JSON object without LF, the signature over the rest of it. */
export function sealArchive(header: string, key: KeyObject): string {
  const body = header.slice(0, header.lastIndexOf("}"));
  const signature = sign(null, signedArchive(encoder.encode(body)), key).toString("hex");
  return `${body},"sig":"${signature}"}`;
}

/**
 * The key whose signature is at the end of an archive's first line, without its LF, over the rest of it:
 * `false` if it is that of no key, `undefined` if the line does not end with a signature.
 */
export function archiveSigner(
  line: Uint8Array,
  keys: Iterable<KeyObject>,
): KeyObject | false | undefined {
  const [end, signature] = latin1.decode(line).match(ARCHIVE_SIGNATURE) ?? [];
  if (end === undefined) return undefined;
  const text = signedArchive(line.subarray(0, line.length - end.length));
  return [...keys].find((key) => verify(null, text, key, Uint8Array.fromHex(signature!))) ?? false;
}

/**
 * Splits a log into its lines. All but perhaps the last one end with LF. A line's bytes are valid until
 * the next one is taken, because the chunks may share their memory.
 *
 * @param chunks The log's bytes, in pieces of any size.
 */
export function* linesOf(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  /** The beginning of a line that goes on in the next chunk. */
  let begun: Uint8Array[] = [];
  for (const chunk of chunks) {
    let start = 0;
    for (let lf; (lf = chunk.indexOf(LF, start)) !== -1; start = lf + 1) {
      const end = chunk.subarray(start, lf + 1);
      yield begun.length === 0 ? end : joined([...begun, end]);
      begun = [];
    }
    if (start < chunk.length) begun.push(chunk.slice(start));
  }
  if (begun.length > 0) yield joined(begun);
}

/** How much of a log is read at once from its end. */
const BACKWARDS_BYTES = 64 * 1024;

/**
 * Splits a log into its lines like {@linkcode linesOf}, the last one first, and holds no more of it than a
 * line and {@linkcode BACKWARDS_BYTES}.
 *
 * @param read Gives the log's bytes from one offset up to another.
 * @param size How many bytes there are.
 */
export function* linesFromEnd(
  read: (start: number, end: number) => Uint8Array,
  size: number,
): Generator<Uint8Array> {
  /** What is known of a line whose beginning is in the chunk before. */
  let known: Uint8Array[] = [];
  for (let end = size; end > 0; end -= BACKWARDS_BYTES) {
    const chunk = read(Math.max(0, end - BACKWARDS_BYTES), end);
    let lineEnd = chunk.length;
    while (lineEnd > 0) {
      // The LF at `lineEnd - 1`, if there is one, ends a line that begins behind the LF before it.
      const from = known.length === 0 ? lineEnd - 2 : lineEnd - 1;
      const lf = from < 0 ? -1 : chunk.lastIndexOf(LF, from);
      const piece = chunk.subarray(lf + 1, lineEnd);
      lineEnd = lf + 1;
      if (piece.length > 0) known.unshift(piece);
      if (lf === -1) break;
      yield joined(known);
      known = [];
    }
  }
  if (known.length > 0) yield joined(known);
}

/** Whether a line is whole: one without LF was torn, or is being written. */
export function isWhole(line: Uint8Array): boolean {
  return line.at(-1) === LF;
}
