/**
 * What is pending in a queue directory, and what in it cannot be read.
 *
 * @module
 */

import { sha256Hex } from "./hash.ts";
import { quote } from "./config/problem.ts";
import { MalformedRecordError, UnsafeFileError } from "./errors.ts";
import { instantOf } from "./instant.ts";
import { isProposalId } from "./paths.ts";
import type { Proposal } from "./proposal.ts";
import { proposalFromBytes, responseFromFile } from "./queue.ts";
import { listNames, MAX_QUEUE_FILE_BYTES, readUntrusted, stampOfFile } from "./untrusted.ts";

/** A proposal without an answer, and the hash that binds a decision to what was shown. */
export interface PendingProposal {
  /** The proposal. */
  readonly proposal: Proposal;
  /** SHA-256 of the file's bytes, lower-case hex. */
  readonly proposalSha256: string;
}

/** A file in the queue that is no proposal or response that can be read. */
export interface UnreadableFile {
  /** The file's name within the queue directory. */
  readonly file: string;
  /** Why it is passed over, without the file's name. */
  readonly reason: string;
}

/** What one look at a queue directory found. */
export interface QueueListing {
  /** What waits for an answer, by instant of arrival, then by id. */
  readonly pending: readonly PendingProposal[];
  /** What is wrong with the other files, by name. */
  readonly unreadable: readonly UnreadableFile[];
}

/** How a queue is listed. */
export interface ListOptions {
  /**
   * The bottle whose queue it is. A proposal that claims to come from another one is unreadable.
   * Not checked unless given.
   */
  readonly bottleSlug?: string;
}

/** A view of one queue directory that remembers what it has read. */
export interface QueueView {
  /**
   * Looks again. Files read before are read again only if they changed: at most
   * {@linkcode MAX_RECHECKED} of them are looked at a time, in turn, so a look at 10,000 files costs
   * little; what changed is still never decided unseen, because a decision names the hash.
   *
   * @param names The names in the directory, if the caller knows them already.
   * @returns What is there now.
   */
  refresh(names?: Iterable<string>): QueueListing;
}

/** How many proposals of one bottle are kept, at most. The rest is counted, not read. */
export const MAX_LISTED = 20_000;

/** How much of one bottle's proposals is kept, at most, in bytes of their files. */
const MAX_LISTED_BYTES = 128 * 1024 * 1024;

/** How many files of one bottle are reported one by one. */
const MAX_REPORTED = 100;

/** How many files that were read before are checked for changes in one look. */
export const MAX_RECHECKED = 250;

interface PendingEntry {
  readonly stamp: string;
  readonly size: number;
  readonly pending: PendingProposal;
}

/** The instant of arrival of what was read, so that sorting need not parse it again. */
const instants = new WeakMap<PendingProposal, number>();

/** What is remembered of a file. One without a problem that is not pending is a sound response. */
type Entry = PendingEntry | {
  readonly stamp: string;
  readonly problem?: UnreadableFile;
};

function reasonOf(error: unknown): string {
  if (error instanceof MalformedRecordError && error.field !== undefined) {
    return `field "${error.field}": ${error.reason}`;
  }
  if (
    error instanceof MalformedRecordError || error instanceof UnsafeFileError
  ) {
    return error.reason;
  }
  return error instanceof Error ? error.message : String(error);
}

const PROPOSAL = ".proposal.json";
const RESPONSE = ".response.json";

function readProposalEntry(queueDir: string, name: string, slug: string | undefined): PendingEntry {
  const path = `${queueDir}/${name}`;
  const { bytes, stamp } = readUntrusted(path, {
    maxBytes: MAX_QUEUE_FILE_BYTES,
  });
  const proposal = proposalFromBytes(bytes, path);
  if (slug !== undefined && proposal.bottleSlug !== slug) {
    const reason = `${quote(proposal.bottleSlug)} is not the bottle whose queue this is`;
    throw new MalformedRecordError(path, "bottle_slug", reason);
  }
  const proposalSha256 = sha256Hex(bytes);
  const pending = { proposal, proposalSha256 };
  instants.set(pending, instantOf(proposal.arrivalTimestamp));
  return { stamp, size: bytes.length, pending };
}

/** Reads a file that is new or has changed; `undefined` if it is gone meanwhile. */
function readEntry(queueDir: string, name: string, slug: string | undefined): Entry | undefined {
  const path = `${queueDir}/${name}`;
  try {
    if (name.endsWith(PROPOSAL)) {
      return readProposalEntry(queueDir, name, slug);
    }
    const stamp = stampOfFile(path);
    responseFromFile(path);
    return stamp === undefined ? undefined : { stamp };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    const stamp = stampOfFile(path);
    if (stamp === undefined) return undefined;
    return { stamp, problem: { file: name, reason: reasonOf(error) } };
  }
}

/**
 * Orders pending proposals by instant of arrival, then by id.
 *
 * @param a One.
 * @param b The other.
 * @returns Less than zero if `a` comes first.
 */
export function comparePending(a: PendingProposal, b: PendingProposal): number {
  const instantA = instants.get(a) ?? instantOf(a.proposal.arrivalTimestamp);
  const instantB = instants.get(b) ?? instantOf(b.proposal.arrivalTimestamp);
  if (instantA !== instantB) return instantA < instantB ? -1 : 1;
  return a.proposal.id < b.proposal.id ? -1 : 1;
}

/**
 * Opens a view of a queue directory: the first look reads every file, later ones what is new.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory; it need not exist.
 * @param options Whose queue it is.
 * @returns The view. It holds no resource.
 */
export function openQueueView(queueDir: string, options: ListOptions = {}): QueueView {
  const known = new Map<string, Entry>();
  /** What was pending at the last look, in order: a look sorts only what is new to it. */
  let last: PendingProposal[] = [];
  let toRecheck = known.keys();
  /** Bytes of the files whose proposals are kept. */
  let kept = 0;

  function read(name: string): Entry | undefined {
    forget(name);
    const entry = readEntry(queueDir, name, options.bottleSlug);
    if (entry === undefined) return undefined;
    known.set(name, entry);
    if ("pending" in entry) kept += entry.size;
    return entry;
  }

  function forget(name: string): void {
    const entry = known.get(name);
    if (entry !== undefined && "pending" in entry) kept -= entry.size;
    known.delete(name);
  }

  function recheck(): void {
    for (let n = Math.min(known.size, MAX_RECHECKED); n > 0; n--) {
      let next = toRecheck.next();
      if (next.done) next = (toRecheck = known.keys()).next();
      if (next.done) return;
      const name = next.value;
      if (known.get(name)?.stamp !== stampOfFile(`${queueDir}/${name}`)) read(name);
    }
  }

  return {
    refresh(names: Iterable<string> = listNames(queueDir)): QueueListing {
      const present = names instanceof Set ? names as ReadonlySet<string> : new Set(names);
      for (const name of known.keys()) if (!present.has(name)) forget(name);
      recheck();

      const answered = answeredIn(present);
      const pending = new Set<PendingProposal>();
      const unreadable: UnreadableFile[] = [];
      let unread = 0;
      for (const name of present) {
        if (answered.has(name)) {
          forget(name);
          continue;
        }
        const id = known.has(name) ? undefined : idOf(name);
        if (id === undefined && !known.has(name)) continue; // Neither a proposal nor a response.
        if (id !== undefined && !isProposalId(id)) {
          unreadable.push({ file: name, reason: "its name is no proposal id" });
          continue;
        }
        let entry = known.get(name);
        if (entry === undefined && (known.size >= MAX_LISTED || kept >= MAX_LISTED_BYTES)) {
          unread++;
          continue;
        }
        entry ??= read(name);
        if (entry === undefined) continue;
        if ("pending" in entry) pending.add(entry.pending);
        else if (entry.problem !== undefined) unreadable.push(entry.problem);
      }
      last = inOrder(last, pending);
      return { pending: last, unreadable: report(unreadable, unread) };
    },
  };
}

/** What is wrong, by name; and what is too much, in one line each. */
function report(unreadable: UnreadableFile[], unread: number): UnreadableFile[] {
  unreadable.sort((a, b) => (a.file < b.file ? -1 : 1));
  const more = unreadable.length - MAX_REPORTED;
  const reported = unreadable.slice(0, MAX_REPORTED);
  if (more > 0) reported.push({ file: ".", reason: `${more} more files cannot be read` });
  if (unread > 0) {
    const reason = `${unread} more files were not read: somebody floods this queue`;
    reported.push({ file: ".", reason });
  }
  return reported;
}

/** The id in a proposal's or a response's file name, whatever it is. */
function idOf(name: string): string | undefined {
  const suffix = [PROPOSAL, RESPONSE].find((suffix) => name.endsWith(suffix));
  return suffix === undefined ? undefined : name.slice(0, -suffix.length);
}

/** The names that the proposals with a response have, or would have. */
function answeredIn(names: Iterable<string>): Set<string> {
  const answered = new Set<string>();
  for (const name of names) {
    if (name.endsWith(RESPONSE)) answered.add(name.slice(0, -RESPONSE.length) + PROPOSAL);
  }
  return answered;
}

/** Keeps the order of the last look. Sorting what is new at its end is hardly more than one pass. */
function inOrder(
  last: readonly PendingProposal[],
  pending: Set<PendingProposal>,
): PendingProposal[] {
  const ordered = last.filter((entry) => pending.delete(entry));
  if (pending.size === 0) return ordered;
  for (const entry of pending) ordered.push(entry);
  return ordered.sort(comparePending);
}

/** How {@linkcode listPendingProposals} reports what it passes over. */
export interface ListPendingOptions extends ListOptions {
  /** Called for every file that looks like a proposal or a response and cannot be read. */
  readonly onUnreadable?: (file: UnreadableFile) => void;
}

/**
 * Lists the proposals that have no response file, by instant of arrival, then by id. A file that
 * cannot be read is skipped, and reported through `onUnreadable`.
 *
 * Needs `--allow-read` for the queue directory.
 *
 * @param queueDir The queue directory; one that does not exist has nothing pending.
 * @param options Whose queue it is, and who is told of broken files.
 * @returns The proposals.
 * @throws {UnsafeFileError} If the queue directory is a link, or no directory.
 */
// deno-lint-ignore require-await
export async function listPendingProposals(
  queueDir: string,
  options: ListPendingOptions = {},
): Promise<Proposal[]> {
  const { pending, unreadable } = openQueueView(queueDir, options).refresh();
  if (options.onUnreadable !== undefined) {
    unreadable.forEach(options.onUnreadable);
  }
  return pending.map((entry) => entry.proposal);
}
