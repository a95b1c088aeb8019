/**
 * Anchors: heads of audit logs that were kept where whoever changes a log does not reach, so that a
 * log that was cut, rolled back or emptied shows. They are kept in a file elsewhere, in the answers,
 * and in `private/`.
 *
 * @module
 */

import { processedDir, queueDirForSlug } from "../disk/layout.ts";
import {
  listNames,
  MAX_QUEUE_FILE_BYTES,
  type SizeAndChange,
  sizeAndChange,
} from "../disk/read_untrusted.ts";
import { responseFromFile } from "../queue/files.ts";
import { formatHead, type Head, parseHead, type SignedHead } from "../records/head.ts";
import { isProposalId, RESPONSE_SUFFIX } from "../records/names.ts";
import { quote } from "../text/quote.ts";
import { rememberedHead, writtenPath } from "./append.ts";
import { join } from "@std/path";

/** A head that a log once had. */
export interface Anchor extends Omit<SignedHead, "signature"> {
  /** Where the anchor is from, for people. */
  readonly source: string;
  /**
   * Set for an anchor from a place that others can write to: it counts only if this is the signing
   * key's signature over it. Lower-case hex.
   */
  readonly signature?: string;
}

const LINE = /^([a-z0-9][a-z0-9._-]*)[ \t]+([0-9]+:[0-9a-f]+)$/;

/**
 * Writes anchors as text: `<log> <seq>:<hash>` a line.
 *
 * @param anchors The heads, with their logs' names.
 * @returns The text.
 */
export function formatAnchors(anchors: readonly (Head & { readonly log: string })[]): string {
  return anchors.map((anchor) => `${anchor.log} ${formatHead(anchor)}\n`).join("");
}

/**
 * Reads anchors from text, as {@linkcode formatAnchors} writes them. A log may have several. Blank
 * lines and lines that begin with `#` are passed over.
 *
 * @param text The text.
 * @param file The file's name, for the error and as the anchors' source.
 * @returns The anchors.
 * @throws {SyntaxError} If a line is none; names the file, the line and the form.
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
 * The head after the line that this root wrote last to a log.
 *
 * @param root The root.
 * @param log The log's name.
 * @returns One anchor, or none.
 * @throws {MalformedRecordError} If the record is damaged.
 */
export function rememberedAnchor(root: string, log: string): readonly Anchor[] {
  const head = rememberedHead(root, log);
  if (head === undefined || head.seq === 0) return [];
  return [{ ...head, log, source: writtenPath(root, log) }];
}

/** How many answers of a bottle are read at most, and how many bytes of them. */
const MAX_ANSWERS = 10_000;

const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * The heads that a bottle's answers state, archived ones too. Whoever owns the sidecar can write
 * there, so each counts only if it is signed; and a flood must keep nobody from checking a log, so only
 * what changed last is read: at most 10,000 answers, and 128 MiB.
 *
 * @param root The root.
 * @param slug The bottle.
 * @returns The anchors of all its logs, not yet checked.
 */
export function anchorsInAnswers(root: string, slug: string): readonly Anchor[] {
  const anchors: Anchor[] = [];
  let bytesLeft = MAX_ANSWER_BYTES;
  for (const { source, bytes } of newestAnswers(queueDirForSlug(slug, { root }))) {
    if (bytes > bytesLeft) break;
    bytesLeft -= bytes;
    try {
      const { auditHead } = responseFromFile(source);
      if (auditHead !== undefined) anchors.push({ ...auditHead, source });
    } catch {
      // What cannot be read states nothing; the listing reports it.
    }
  }
  return anchors;
}

interface AnswerFile extends SizeAndChange {
  readonly source: string;
}

function newestAnswers(queueDir: string): readonly AnswerFile[] {
  const answers: AnswerFile[] = [];
  for (const dir of [queueDir, processedDir(queueDir)]) {
    for (const name of namesOrNone(dir)) {
      if (
        !name.endsWith(RESPONSE_SUFFIX) || !isProposalId(name.slice(0, -RESPONSE_SUFFIX.length))
      ) continue;
      const source = join(dir, name);
      const look = sizeAndChange(source);
      if (look !== undefined && look.bytes <= MAX_QUEUE_FILE_BYTES) {
        answers.push({ source, ...look });
      }
    }
  }
  answers.sort((a, b) => b.changed - a.changed || b.writtenMs - a.writtenMs);
  return answers.slice(0, MAX_ANSWERS);
}

function namesOrNone(dir: string): readonly string[] {
  try {
    return listNames(dir);
  } catch {
    return []; // A link, or no directory: the listing reports it.
  }
}
