/**
 * Anchors: heads of audit logs that are kept where a person who changes a log cannot write, so that a
 * cut, rolled back or emptied log is found. They are in a file elsewhere, in the responses in the
 * queues, and in `private/`.
 *
 * @module
 */

import { processedDir } from "../disk/layout.ts";
import {
  listNames,
  MAX_QUEUE_FILE_BYTES,
  readUntrusted,
  sizeAndChange,
} from "../disk/read_untrusted.ts";
import { queueDirsEver } from "../queue/find.ts";
import { parseJsonBytes, parseResponse } from "../records/codec.ts";
import { UnsafeFileError } from "../records/errors.ts";
import { formatHead, type Head, parseHead, type SignedHead } from "../records/head.ts";
import { isProposalId, RESPONSE_SUFFIX } from "../records/names.ts";
import { quote } from "../text/quote.ts";
import { rememberedHead, writtenPath } from "./written.ts";
import { join } from "@std/path";

/** A head that a log once had. */
export interface Anchor extends Omit<SignedHead, "signature"> {
  /** Where the anchor is from, for people. */
  readonly source: string;
  /**
   * Only for an anchor from a place where others can write: it counts if this is the signing key's
   * signature over it. Lower-case hex.
   */
  readonly signature?: string;
}

const LINE = /^([a-z0-9][a-z0-9._-]*)[ \t]+([0-9]+:[0-9a-f]+)$/;

/** Writes anchors as text: `<log> <seq>:<hash>` a line. */
export function formatAnchors(anchors: readonly (Head & { readonly log: string })[]): string {
  return anchors.map((anchor) => `${anchor.log} ${formatHead(anchor)}\n`).join("");
}

/**
 * Reads anchors from text, as {@linkcode formatAnchors} writes them. A log may have several. Blank
 * lines and lines that begin with `#` are passed over.
 *
 * @param file The file's name, for the error and as the anchors' source.
 * @throws {SyntaxError} If another line is not an anchor; names the file, the line and the form.
 */
export function parseAnchors(text: string, file: string): readonly Anchor[] {
  const anchors: Anchor[] = [];
  for (const [n, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = line.match(LINE);
    const head = match && parseHead(match[2]!);
    if (!head) {
      throw new SyntaxError(
        `Cannot read ${file}, line ${n + 1}: expected LOG SEQ:HASH, as audit head prints it, ` +
          `found ${quote(line.slice(0, 80))}`,
      );
    }
    anchors.push({ ...head, log: match[1]!, source: `${file}, line ${n + 1}` });
  }
  return anchors;
}

/**
 * The head after the line that this root wrote last to a log: one anchor, or none.
 *
 * @throws {MalformedRecordError} If the record is damaged.
 */
export function rememberedAnchor(root: string, log: string): readonly Anchor[] {
  const head = rememberedHead(root, log);
  if (head === undefined || head.seq === 0) return [];
  return [{ ...head, log, source: writtenPath(root, log) }];
}

/** How many responses of one queue directory are read at most, and how many bytes of them. */
const MAX_RESPONSES = 50_000;

const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

/** What the responses of a bottle state. */
export interface StatedHeads {
  readonly anchors: readonly Anchor[];
  /** Why there may be others: the first response, or directory of responses, that was not read. */
  readonly unread: string | undefined;
}

/**
 * The heads that a bottle's responses state, archived ones and those of removed bottles of that name too:
 * anchors of all its logs, unchecked. The sidecar can write there, so each counts only if it is signed; and
 * a flood must not keep a log from being checked, so the responses that changed last are read: at most
 * 50,000 of each queue directory, and 128 MiB, and `unread` says that there are more.
 */
export function anchorsInResponses(root: string, slug: string): StatedHeads {
  const anchors: Anchor[] = [];
  const unread: string[] = [];
  const newest = queueDirsEver(slug, root).flatMap((dir) => newestResponses(dir, unread));
  for (const { source } of newest) {
    try {
      // Whatever directory it is in: the signature alone makes it count.
      const options = { maxBytes: MAX_QUEUE_FILE_BYTES, allowHardLinks: true };
      const { bytes } = readUntrusted(source, options);
      const { auditHead } = parseResponse(parseJsonBytes(bytes, source), source);
      if (auditHead !== undefined) anchors.push({ ...auditHead, source });
    } catch (error) {
      // What is no plain file, or no response, states no head; the listing reports it.
      if (error instanceof UnsafeFileError && error.cause !== undefined) unread.push(error.message);
    }
  }
  return { anchors, unread: unread[0] };
}

function newestResponses(queueDir: string, unread: string[]) {
  const all = [queueDir, processedDir(queueDir)]
    .flatMap((dir) => responseNames(dir, unread).map((name) => join(dir, name)))
    .flatMap((source) => {
      // What may not be looked at is read last, which says so.
      const look = sizeAndChange(source) ?? { bytes: 0, changed: 0, writtenMs: 0 };
      return look.bytes <= MAX_QUEUE_FILE_BYTES ? [{ source, ...look }] : [];
    })
    .sort((a, b) => b.changed - a.changed || b.writtenMs - a.writtenMs);
  let bytesLeft = MAX_RESPONSE_BYTES;
  const read = all.slice(0, MAX_RESPONSES).filter(({ bytes }) => (bytesLeft -= bytes) >= 0);
  if (read.length < all.length) {
    unread.push(
      `${queueDir} has more than ${MAX_RESPONSES} responses, or more than ` +
        `${MAX_RESPONSE_BYTES >> 20} MiB of them; move old ones elsewhere`,
    );
  }
  return read;
}

function responseNames(dir: string, unread: string[]): readonly string[] {
  try {
    return listNames(dir).filter((name) =>
      name.endsWith(RESPONSE_SUFFIX) && isProposalId(name.slice(0, -RESPONSE_SUFFIX.length))
    );
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    unread.push(error.message);
    return [];
  }
}
