/**
 * Lists what is pending in one queue directory, and what in it cannot be read.
 *
 * @module
 */

import { processedDir } from "../disk/layout.ts";
import {
  directoryIdentity,
  listNames,
  MAX_DIRECTORY_BYTES,
  MAX_QUEUE_FILE_BYTES,
  sizeAndChange,
  stampOfFile,
} from "../disk/read_untrusted.ts";
import { instantOf } from "../records/audit_entry.ts";
import { UnsafeFileError } from "../records/errors.ts";
import { isProposalId, PROPOSAL_SUFFIX, RESPONSE_SUFFIX } from "../records/names.ts";
import type { Proposal } from "../records/proposal.ts";
import {
  archiveModeProblem,
  type Arrival,
  compareArrivals,
  type PendingProposal,
  type QueueEntry,
  readQueueEntry,
  type UnreadableFile,
} from "./files.ts";

/**
 * Lists the proposals that have no response file, by instant of arrival, then by id: all of them, up
 * to 20,000 unless given otherwise. A file that cannot be read is skipped, and reported through
 * `onUnreadable`.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory; one that does not exist has nothing pending.
 * @param options Whose queue it is, and what to call for broken files.
 * @returns The proposals.
 * @throws {UnsafeFileError} If the queue directory is a link, or not a directory.
 */
// deno-lint-ignore require-await
export async function listPendingProposals(
  queueDir: string,
  options: ListOptions & {
    /**
     * Called for every file that looks like a proposal or a response and cannot be read, and once,
     * with the file `.`, if more are pending than are listed.
     */
    readonly onUnreadable?: (file: UnreadableFile) => void;
  } = {},
): Promise<Proposal[]> {
  const { onUnreadable = () => {}, ...listOptions } = options;
  const view = openQueueView(queueDir, { maxPending: MAX_LISTED, ...listOptions });
  const { pending, unlisted, unreadable } = view.refresh();
  unreadable.forEach(onUnreadable);
  if (unlisted > 0) onUnreadable({ file: ".", reason: unlistedReason(unlisted) });
  return pending.map((entry) => entry.proposal);
}

/** What one look at a queue directory found. */
export interface QueueListing {
  /** The proposals without a response, by instant of arrival, then by id. */
  readonly pending: readonly PendingProposal[];
  /**
   * How many more are pending and not listed, because they are too many, or too large. They are counted
   * by their names, and not opened.
   */
  readonly unlisted: number;
  /** What is wrong in the directory: `processed` first, then files by name. */
  readonly unreadable: readonly UnreadableFile[];
}

/** Which pending proposals to list. */
export interface ListOptions {
  /**
   * The bottle. Of one queue it says whose it is: a proposal that claims to come from another bottle is
   * unreadable. Of all queues it selects one.
   */
  readonly bottleSlug?: string;
  /** How many pending proposals of a bottle are listed at most; 1,000 unless given. */
  readonly maxPending?: number;
}

/** A view of one queue directory that remembers what it has read. */
export interface QueueView {
  /**
   * Looks again, with the names in the directory if the caller knows them. A file that was read before is
   * read again only if it changed. One look checks some of them, in turn, so a look at 10,000 files
   * costs little. A file whose change is not noticed yet is still not decided unseen, because a decision
   * names the hash.
   */
  refresh(names?: Iterable<string>): QueueListing;
}

/** How many pending proposals of one bottle are listed by default. The rest is counted. */
export const MAX_PENDING = 1_000;

/** How many {@linkcode listPendingProposals} lists by default. */
const MAX_LISTED = 20_000;

/**
 * How much of the proposals of all bottles is kept at most, in bytes of their files; each bottle has an even
 * share. In memory a byte may take two. V8 ends the process at a quarter of the machine's memory.
 */
export const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/** How much of one bottle's responses is read, at most, in bytes. */
const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

/** How many valid responses of one bottle are read: those that no sidecar has archived. */
const MAX_RESPONSES = 10_000;

/** How many broken proposals of one bottle are opened; and how many broken responses. */
const MAX_BROKEN = 2_000;

/** Of how many proposals a look asks whether they fit, after those that did not. */
const MAX_TRIED = 1_000;

/** How many files of one bottle are reported one by one. */
const MAX_REPORTED = 100;

/** How many files that were read before are checked for changes in one look, at most. */
const MAX_RECHECKED = 250;

/** A small queue has no more files than this; in a large one, each has its turn within twenty looks. */
const LEAST_RECHECKED = 50;

const LOOKS_FOR_ALL = 20;

/** What a view remembers of the proposals it has read, or of the responses. */
interface Load {
  sound: number;
  broken: number;
  bytes: number;
}

/** Kept, so that sorting does not parse a time again. */
const arrivals = new WeakMap<PendingProposal, Arrival>();

function arrivalOf(entry: PendingProposal): Arrival {
  let arrival = arrivals.get(entry);
  if (arrival === undefined) {
    const { id, arrivalTimestamp } = entry.proposal;
    arrival = { id, arrivedAt: instantOf(arrivalTimestamp) };
    arrivals.set(entry, arrival);
  }
  return arrival;
}

/** Orders pending proposals by instant of arrival, then by id. */
export function comparePending(a: PendingProposal, b: PendingProposal): number {
  return compareArrivals(arrivalOf(a), arrivalOf(b));
}

/**
 * Opens a view of a queue directory, which need not exist: the first look reads every file, later ones
 * what is new.
 *
 * If more than `maxPending` are pending, or more bytes than `maxBytes()` says in a look, some are listed
 * and the others counted. A proposal that is listed stays listed while it is pending and fits; then
 * another one takes its place.
 *
 * Needs `--allow-read` for the queue directory.
 */
export function openQueueView(
  queueDir: string,
  options: ListOptions & { readonly maxBytes?: () => number } = {},
): QueueView {
  const { bottleSlug, maxPending = MAX_PENDING, maxBytes = () => MAX_KEPT_BYTES } = options;
  const known = new Map<string, QueueEntry>();
  const proposals: Load = { sound: 0, broken: 0, bytes: 0 };
  const responses: Load = { sound: 0, broken: 0, bytes: 0 };
  /** What was pending at the last look, in order: a look sorts only what is new to it. */
  let last: PendingProposal[] = [];
  /** The names of one round. New files have their turn in the next one, or a round would never end. */
  let toRecheck = [...known.keys()].values();

  function count(name: string, entry: QueueEntry, by: 1 | -1): void {
    const load = name.endsWith(PROPOSAL_SUFFIX) ? proposals : responses;
    load[entry.problem === undefined ? "sound" : "broken"] += by;
    load.bytes += by * entry.bytesRead;
  }

  function hasRoomFor(name: string): boolean {
    if (!name.endsWith(PROPOSAL_SUFFIX)) {
      const { sound, broken, bytes } = responses;
      return sound < MAX_RESPONSES && broken < MAX_BROKEN && bytes < MAX_RESPONSE_BYTES;
    }
    if (proposals.sound >= maxPending || proposals.broken >= MAX_BROKEN) return false;
    // Any file fits, so its size need not be asked for.
    if (proposals.bytes + MAX_QUEUE_FILE_BYTES <= maxBytes()) return true;
    const size = sizeAndChange(`${queueDir}/${name}`)?.bytes ?? 0;
    // Of a file that is too large for any queue nothing is read.
    return size > MAX_QUEUE_FILE_BYTES || proposals.bytes + size <= maxBytes();
  }

  function read(name: string): QueueEntry | undefined {
    const entry = readQueueEntry(queueDir, name, bottleSlug);
    if (entry === undefined) return undefined;
    known.set(name, entry);
    count(name, entry, 1);
    return entry;
  }

  function forget(name: string): void {
    const entry = known.get(name);
    if (entry !== undefined) count(name, entry, -1);
    known.delete(name);
  }

  function recheck(): void {
    const turn = Math.max(LEAST_RECHECKED, Math.ceil(known.size / LOOKS_FOR_ALL));
    for (let n = Math.min(known.size, turn, MAX_RECHECKED); n > 0; n--) {
      let next = toRecheck.next();
      if (next.done) next = (toRecheck = [...known.keys()].values()).next();
      if (next.done) return;
      const name = next.value;
      if (!known.has(name) || known.get(name)?.stamp === stampOfFile(`${queueDir}/${name}`)) {
        continue;
      }
      forget(name);
      // At once, or another one would take its place in the list.
      if (hasRoomFor(name)) read(name);
    }
  }

  return {
    refresh(names: Iterable<string> = listNames(queueDir)): QueueListing {
      const present = names instanceof Set ? names as ReadonlySet<string> : new Set(names);
      const answered = answeredIn(present);
      for (const name of known.keys()) {
        const isOver = proposals.bytes > maxBytes() && name.endsWith(PROPOSAL_SUFFIX);
        if (!present.has(name) || answered.has(name) || isOver) forget(name);
      }
      recheck();

      const pending = new Set<PendingProposal>();
      const unreadable: UnreadableFile[] = [];
      let [unlisted, unread] = [0, 0];
      for (const name of present) {
        let entry = known.get(name);
        if (entry === undefined) {
          const id = idOf(name);
          if (id === undefined || answered.has(name)) continue; // Not a queue file, or answered already.
          if (!isProposalId(id)) {
            unreadable.push({ file: name, reason: "its name is no proposal id" });
            continue;
          }
          const isProposal = name.endsWith(PROPOSAL_SUFFIX);
          if (isProposal && unlisted >= MAX_TRIED || !hasRoomFor(name)) {
            if (isProposal) unlisted++;
            else unread++;
            continue;
          }
          entry = read(name);
        }
        if (entry?.pending !== undefined) pending.add(entry.pending);
        else if (entry?.problem !== undefined) unreadable.push(entry.problem);
      }
      last = inOrder(last, pending);
      const archive = present.has("processed") ? archiveProblem(queueDir) : undefined;
      return { pending: last, unlisted, unreadable: report(archive, unreadable, unread) };
    },
  };
}

/** Such as `39000 more are pending and not listed: somebody floods this queue`. */
export function unlistedReason(count: number): string {
  return `${count} more ${
    count === 1 ? "is" : "are"
  } pending and not listed: somebody floods this queue`;
}

/**
 * What is wrong with `processed/`: a link there would lead out of the queue, one too large is not listed, and
 * one that its owner may not use keeps everything from being decided.
 */
function archiveProblem(queueDir: string): UnreadableFile | undefined {
  try {
    directoryIdentity(processedDir(queueDir), MAX_DIRECTORY_BYTES);
    const reason = archiveModeProblem(queueDir);
    return reason === undefined ? undefined : { file: "processed", reason };
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    return { file: "processed", reason: error.reason };
  }
}

/** What is wrong, by name; and what is too much, in one line each. */
function report(
  archive: UnreadableFile | undefined,
  unreadable: UnreadableFile[],
  unread: number,
): UnreadableFile[] {
  unreadable.sort((a, b) => (a.file < b.file ? -1 : 1));
  const more = unreadable.length - MAX_REPORTED;
  const reported = unreadable.slice(0, MAX_REPORTED);
  // First, so that no number of broken files can hide it.
  if (archive !== undefined) reported.unshift(archive);
  if (more > 0) reported.push({ file: ".", reason: `${more} more files cannot be read` });
  if (unread > 0) {
    const reason = `${unread} more responses were not read: somebody floods this queue`;
    reported.push({ file: ".", reason });
  }
  return reported;
}

/** The id in the file name of a proposal or a response, valid or not. */
function idOf(name: string): string | undefined {
  if (name.endsWith(PROPOSAL_SUFFIX)) return name.slice(0, -PROPOSAL_SUFFIX.length);
  if (name.endsWith(RESPONSE_SUFFIX)) return name.slice(0, -RESPONSE_SUFFIX.length);
  return undefined;
}

/** The file names of the proposals that have a response, whether there is such a file or not. */
function answeredIn(names: Iterable<string>): Set<string> {
  const answered = new Set<string>();
  for (const name of names) {
    if (name.endsWith(RESPONSE_SUFFIX)) {
      answered.add(name.slice(0, -RESPONSE_SUFFIX.length) + PROPOSAL_SUFFIX);
    }
  }
  return answered;
}

/** Keeps the order of the last look: to sort what is new at its end takes little more than one pass. */
function inOrder(
  last: readonly PendingProposal[],
  pending: Set<PendingProposal>,
): PendingProposal[] {
  const ordered = last.filter((entry) => pending.delete(entry));
  if (pending.size === 0) return ordered;
  for (const entry of pending) ordered.push(entry);
  return ordered.sort(comparePending);
}
