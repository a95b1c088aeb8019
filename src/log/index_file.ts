/**
 * The form of an index on disk: pure. A head of 512 bytes, then pages of 4,096 bytes with records in the
 * order of their keys, so that a look-up reads a few pages however many there are. Head and pages are
 * authenticated, each for its own place: one that is damaged, or from elsewhere, is not read.
 *
 * A record is a number of 64 bits, little-endian: 24 bits for the key of a proposal's id, then 40 bits
 * for the offset of a line that names it.
 *
 * @module
 */

import { hmacSha256 } from "../text/hash.ts";

const HEAD_BYTES = 512;

const PAGE_BYTES = 4096;

const MAC_BYTES = 16;

/** Where the head's text ends, and its authentication in hex and an LF begin. */
const TEXT_BYTES = HEAD_BYTES - 2 * MAC_BYTES - 1;

const RECORD_BYTES = 8;

const RECORDS_A_PAGE = (PAGE_BYTES - MAC_BYTES) / RECORD_BYTES;

const KEYS = 2 ** 24;

/** The first offset for which a record has no room. */
export const MOST_OFFSET = 2 ** 40;

/** What the head states. It alone is changed in place. */
export interface IndexHead {
  /** The offset up to which all lines of the log are covered. */
  readonly covered: number;
  /** How many records there are. */
  readonly records: number;
  /** Random, and part of what authenticates the pages: those of an older index do not fit. */
  readonly nonce: string;
  /** The stamp of the log that has these lines. */
  readonly stamp: string;
}

/** Authenticates the index of one log. */
export interface IndexSeal {
  /** The log's name. */
  readonly log: string;
  readonly key: Uint8Array;
}

/** An index, of which single pages are read. */
export interface IndexFile extends IndexHead {
  /** The records of a page; `undefined` if it is not the page that was written. */
  readonly page: (n: number) => DataView | undefined;
}

/**
 * The key of a proposal's id: FNV-1a, of which 24 bits are kept. Ids with the same key can be made. They
 * cost time alone, because each line that is found is read and its id compared.
 */
export function keyOf(id: string): number {
  let key = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) key = Math.imul(key ^ id.charCodeAt(at), 0x01000193);
  return (key >>> 8) ^ (key & 0xff);
}

function mac({ log, key }: IndexSeal, place: string, bytes: Uint8Array): Uint8Array {
  const where = new TextEncoder().encode(`audit-index-v1\n${log}\n${place}\n`);
  return hmacSha256(key, where, bytes).subarray(0, MAC_BYTES);
}

/** The bytes of a head. */
export function encodeHead(head: IndexHead, seal: IndexSeal): Uint8Array {
  const { covered, records, nonce, stamp } = head;
  const text = `index-1 ${covered} ${records} ${nonce} ${stamp}`.padEnd(TEXT_BYTES);
  const encoder = new TextEncoder();
  return encoder.encode(`${text}${mac(seal, "head", encoder.encode(text)).toHex()}\n`);
}

/** Reads a head from the first bytes; `undefined` if it is not one that was written with this seal. */
export function decodeHead(bytes: Uint8Array, seal: IndexSeal): IndexHead | undefined {
  const text = bytes.subarray(0, TEXT_BYTES);
  const stated = new TextDecoder().decode(bytes.subarray(TEXT_BYTES));
  if (stated !== `${mac(seal, "head", text).toHex()}\n`) return undefined;
  const [, covered, records, nonce = "", stamp = ""] = new TextDecoder().decode(text).split(" ");
  return { covered: Number(covered), records: Number(records), nonce, stamp };
}

/** Opens an index; `undefined` if its head is not one that was written with this seal. */
export function openIndexFile(
  read: (start: number, end: number) => Uint8Array,
  seal: IndexSeal,
): IndexFile | undefined {
  const head = decodeHead(read(0, HEAD_BYTES), seal);
  if (head === undefined) return undefined;
  const pages = new Map<number, DataView | undefined>();
  function readPage(n: number): DataView | undefined {
    const start = HEAD_BYTES + n * PAGE_BYTES;
    const bytes = read(start, start + PAGE_BYTES);
    const records = bytes.subarray(0, PAGE_BYTES - MAC_BYTES);
    const stated = bytes.subarray(PAGE_BYTES - MAC_BYTES).toHex();
    if (stated !== mac(seal, `${head!.nonce} ${n}`, records).toHex()) return undefined;
    const count = Math.min(RECORDS_A_PAGE, head!.records - n * RECORDS_A_PAGE);
    return new DataView(records.buffer, records.byteOffset, count * RECORD_BYTES);
  }
  const page = (n: number) => {
    if (!pages.has(n)) pages.set(n, readPage(n));
    return pages.get(n);
  };
  return { ...head, page };
}

const pageCount = ({ records }: IndexHead) => Math.ceil(records / RECORDS_A_PAGE);

const keyAt = (page: DataView, at: number) => page.getUint32(at + 4, true) >>> 8;

const offsetAt = (page: DataView, at: number) =>
  page.getUint8(at + 4) * 2 ** 32 + page.getUint32(at, true);

/** Gives each record to `add`. Returns whether all pages are those that were written. */
export function readRecords(index: IndexFile, add: RecordList["add"]): boolean {
  for (let n = 0; n < pageCount(index); n++) {
    const page = index.page(n);
    if (page === undefined) return false;
    for (let at = 0; at < page.byteLength; at += RECORD_BYTES) {
      add(keyAt(page, at), offsetAt(page, at));
    }
  }
  return true;
}

/** The offsets with one key; `undefined` if a page is not the one that was written. */
export function offsetsOf(index: IndexFile, key: number): number[] | undefined {
  // The page that the key's first record would be in. Keys are spread evenly unless somebody chose the
  // ids, so it is looked for where it should be, then beside that, then by halves.
  let [first, end] = [0, pageCount(index)];
  let guess = Math.floor(end * key / KEYS);
  for (let tries = 0; first < end; tries++) {
    const page = index.page(guess);
    if (page === undefined) return undefined;
    const isBefore = keyAt(page, page.byteLength - RECORD_BYTES) < key;
    if (isBefore) first = guess + 1;
    else end = guess;
    // Records with the key may begin on the page before, unless this one has a lower key too.
    if (!isBefore && keyAt(page, 0) < key) first = guess;
    guess = tries > 3 ? (first + end) >>> 1 : isBefore ? first : end - 1;
  }
  const offsets: number[] = [];
  for (let n = first; n < pageCount(index); n++) {
    const page = index.page(n);
    if (page === undefined) return undefined;
    for (let at = 0; at < page.byteLength; at += RECORD_BYTES) {
      if (keyAt(page, at) > key) return offsets;
      if (keyAt(page, at) === key) offsets.push(offsetAt(page, at));
    }
  }
  return offsets;
}

/** Records on their way into an index. */
export interface RecordList {
  readonly add: (key: number, offset: number) => void;
  /** The bytes of an index of them. */
  readonly encode: (about: Pick<IndexHead, "covered" | "stamp">, seal: IndexSeal) => Uint8Array;
}

/** Makes an empty list. It needs 8 bytes for each record, and as many while it grows. */
export function makeRecordList(): RecordList {
  // Of each record the lower half, then the upper one: every machine that Deno runs on is little-endian.
  let halves = new Uint32Array(2 * RECORDS_A_PAGE);
  let count = 0;

  function add(key: number, offset: number): void {
    if (2 * count === halves.length) {
      const full = halves;
      halves = new Uint32Array(2 * full.length);
      halves.set(full);
    }
    halves[2 * count] = offset % 2 ** 32;
    halves[2 * count++ + 1] = (key << 8) | Math.floor(offset / 2 ** 32);
  }

  function encode(about: Pick<IndexHead, "covered" | "stamp">, seal: IndexSeal): Uint8Array {
    const nonce = crypto.getRandomValues(new Uint8Array(16)).toHex();
    const head = { ...about, records: count, nonce };
    const records = new BigUint64Array(halves.buffer, 0, count).sort();
    const bytes = new Uint8Array(HEAD_BYTES + pageCount(head) * PAGE_BYTES);
    bytes.set(encodeHead(head, seal));
    for (let n = 0; n < pageCount(head); n++) {
      const some = records.subarray(n * RECORDS_A_PAGE, (n + 1) * RECORDS_A_PAGE);
      const page = bytes.subarray(HEAD_BYTES + n * PAGE_BYTES).subarray(0, PAGE_BYTES);
      page.set(new Uint8Array(some.buffer, some.byteOffset, some.byteLength));
      const end = PAGE_BYTES - MAC_BYTES;
      page.set(mac(seal, `${nonce} ${n}`, page.subarray(0, end)), end);
    }
    return bytes;
  }

  return { add, encode };
}
