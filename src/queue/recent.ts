/**
 * The asking side of one bottle's queue: writes proposals that are not there yet, and knows what was
 * asked and answered lately. The directory is the only state. What is kept in memory is a cache of it,
 * which the next process fills again; a response or a proposal that is returned is read from the disk.
 *
 * @module
 */

import { openNames } from "../disk/known_names.ts";
import { processedDir, proposalPath } from "../disk/layout.ts";
import { sizeAndChange, stampOfFile } from "../disk/read_untrusted.ts";
import { instantOf } from "../records/audit_entry.ts";
import { isProposalId, PROPOSAL_SUFFIX, proposalIdIn, RESPONSE_SUFFIX } from "../records/names.ts";
import type { Proposal, ProposalResponse, Status } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import {
  archiveFiles,
  type Arrival,
  compareArrivals,
  proposalFromFile,
  readAnswer,
  readQueueEntry,
  responseFromFile,
  responsePlaces,
  writeProposalFile,
} from "./files.ts";
import { basename } from "@std/path";

/** What an agent asks for: the tool, the file, the reason, and the hash of the file it started from. */
export type Question = Pick<
  Proposal,
  "tool" | "proposedFile" | "justification" | "currentFileHash"
>;

/** What is kept in memory of a proposal. */
export interface Asked extends Arrival {
  /** Equal for equal questions, different for others. */
  readonly key: string;
  /** Equal for questions with the same tool and the same file. */
  readonly fileKey: string;
}

/** What is kept in memory of a proposal with a response. */
export interface Answered extends Asked {
  /** What the operator decided, and what the operator said. */
  readonly status: Status;
  readonly notes: string;
  /** When the response was written, in milliseconds since 1970. */
  readonly answeredAtMs: number;
}

/** What was asked lately, by id, in no particular order. */
export interface AskedLately {
  /** The proposals without a response. */
  readonly pending: ReadonlyMap<string, Asked>;
  /** The proposals with a response. Some may be too old to count. */
  readonly answered: ReadonlyMap<string, Answered>;
}

/** The asking side of one bottle's queue. */
export interface AskingQueue {
  /**
   * Writes a proposal, unless the caller objects after a look at what was asked lately. The next caller
   * sees this proposal there at once: of equal ones that are proposed at the same time, one is written.
   *
   * @returns The objection; `undefined` once the proposal is on disk.
   */
  readonly propose: <T extends object>(
    proposal: Proposal,
    objectionTo: (fresh: Asked, lately: AskedLately) => T | undefined,
  ) => Promise<T | undefined>;
  /**
   * Reads a proposal of this bottle, answered or not; `undefined` if there is none, or if it does not
   * ask what the key says.
   */
  readonly proposal: (id: string, key?: string) => Promise<Proposal | undefined>;
  /** Reads the response to a proposal; `undefined` if there is none that can be read. */
  readonly response: (id: string) => Promise<ProposalResponse | undefined>;
  /** Whether there is a response, one that cannot be read too. */
  readonly hasResponse: (id: string) => boolean;
  /** When a response was written, in milliseconds since 1970; now, if that cannot be told. */
  readonly answeredAtMs: (id: string) => number;
  /** How many proposals the operator sees before this one; 0 if it is not pending. */
  readonly ahead: (id: string) => number;
  /** Moves a proposal and its response to `processed/`. Both can still be read. */
  readonly archive: (id: string, response: ProposalResponse) => Promise<void>;
  /** Ends what runs in the background. */
  readonly close: () => void;
}

/** How often the queue is listed again while a change by another process could have been missed. */
const LIST_AGAIN_MS = 500;

/** How many proposals are read, broken ones too. A sidecar refuses new ones long before there are so many. */
const MAX_READ = 20_000;

/** Tells a proposal from others that were asked lately. */
export function askedOf(proposal: Proposal): Asked {
  const { id, tool, proposedFile, justification, currentFileHash, arrivalTimestamp } = proposal;
  const fileKey = `${tool} ${sha256Hex(proposedFile)}`;
  const key = sha256Hex(JSON.stringify([fileKey, justification, currentFileHash]));
  return { id, key, fileKey, arrivedAt: instantOf(arrivalTimestamp) };
}

/**
 * Opens the asking side of a bottle's queue. Nothing is read before the first call.
 *
 * Needs `--allow-read` and `--allow-write` for the queue directory.
 *
 * @param bottleSlug The bottle; a proposal that claims another one is not seen.
 * @param keepMs How long a response is kept in mind.
 */
export function openAskingQueue(
  queueDir: string,
  bottleSlug: string,
  keepMs: number,
): AskingQueue {
  const processed = processedDir(queueDir);
  const queueNames = openNames(queueDir);
  const processedNames = openNames(processed);
  const pending = new Map<string, Asked>();
  const answered = new Map<string, Answered>();
  /** The ids whose response needs no second look: it is in `answered`, or was too old. */
  const lookedAt = new Set<string>();
  /** Files that could not be read, by path. Their writer may not be done yet. */
  const unread = new Map<string, { readonly stamp: string | undefined; again: () => void }>();
  /** What this process writes at the moment, by id. */
  const writing = new Map<
    string,
    { readonly proposal: Proposal; readonly done: Promise<unknown> }
  >();
  /** Whether there is a `processed`; it cannot come without a change to the queue directory. */
  let hasProcessed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function findProposal(id: string): Proposal | undefined {
    for (const dir of [queueDir, processed]) {
      try {
        const proposal = proposalFromFile(proposalPath(dir, id));
        if (proposal.bottleSlug === bottleSlug) return proposal;
      } catch {
        // Not there, or not to be read: it may be in the other place.
      }
    }
    return undefined;
  }

  function retryOnChange(path: string, again: () => void): void {
    unread.set(path, { stamp: stampOfFile(path), again });
  }

  function readPending(name: string): void {
    const path = `${queueDir}/${name}`;
    if (pending.size + unread.size >= MAX_READ || unread.has(path)) return;
    const entry = readQueueEntry(queueDir, name, bottleSlug);
    if (entry?.problem !== undefined) retryOnChange(path, () => readPending(name));
    if (entry?.pending === undefined) return;
    const asked = askedOf(entry.pending.proposal);
    pending.set(asked.id, asked);
  }

  function readAnswered(dir: string, id: string, asked?: Asked): void {
    const path = `${dir}/${id}${RESPONSE_SUFFIX}`;
    if (lookedAt.has(id) || unread.size >= MAX_READ || unread.has(path)) return;
    const writtenMs = sizeAndChange(path)?.writtenMs;
    if (writtenMs === undefined) return;
    if (writtenMs < Date.now() - keepMs) return void lookedAt.add(id);
    try {
      const response = responseFromFile(path);
      const proposal = asked === undefined ? findProposal(id) : undefined;
      const known = asked ?? (proposal && askedOf(proposal));
      if (known !== undefined) return remember(known, response, writtenMs);
    } catch {
      // Not a response, or not one yet.
    }
    retryOnChange(path, () => readAnswered(dir, id, asked));
  }

  function remember(asked: Asked, response: ProposalResponse, answeredAtMs: number): void {
    const oldestMs = Date.now() - keepMs;
    for (const [id, old] of answered) if (old.answeredAtMs < oldestMs) answered.delete(id);
    const { status, notes } = response;
    answered.set(asked.id, { ...asked, status, notes, answeredAtMs });
    lookedAt.add(asked.id);
  }

  function takeQueue(names: ReadonlySet<string>): void {
    hasProcessed = names.has(basename(processed));
    const withResponse = new Set<string>();
    for (const name of names) {
      const id = proposalIdIn(name, RESPONSE_SUFFIX);
      if (id !== undefined) withResponse.add(id);
    }
    const gone = new Map(pending);
    for (const name of names) {
      const id = proposalIdIn(name, PROPOSAL_SUFFIX);
      if (id !== undefined && !withResponse.has(id) && !gone.delete(id)) readPending(name);
    }
    for (const id of withResponse) readAnswered(queueDir, id, gone.get(id));
    for (const [id, asked] of gone) {
      if (writing.has(id)) continue;
      pending.delete(id);
      // If it is gone with its response, another process has archived both.
      if (!withResponse.has(id)) readAnswered(processed, id, asked);
    }
  }

  function takeProcessed(): void {
    if (!hasProcessed) return;
    try {
      if (!processedNames.mayDiffer()) return;
      for (const name of processedNames.list()) {
        const id = proposalIdIn(name, RESPONSE_SUFFIX);
        if (id !== undefined) readAnswered(processed, id);
      }
    } catch {
      // A link, or not a directory: nothing of it is read.
    }
  }

  /** Takes in what other processes have changed since the last look. */
  function look(): void {
    if (queueNames.mayDiffer()) takeQueue(queueNames.list());
    takeProcessed();
    for (const [path, { stamp, again }] of unread) {
      if (stampOfFile(path) === stamp) continue;
      unread.delete(path);
      again();
    }
    listAgainLater();
  }

  /** Lists the queue until no change can have been missed. No call waits for it. */
  function listAgainLater(): void {
    if (timer !== undefined || isClosed || queueNames.isSettled()) return;
    timer = setTimeout(() => {
      timer = undefined;
      try {
        takeQueue(queueNames.list());
      } catch {
        queueNames.forget(); // The next call fails for the same reason, and says so.
      }
      listAgainLater();
    }, LIST_AGAIN_MS);
    Deno.unrefTimer(timer);
  }

  function answeredAtMs(id: string): number {
    const known = answered.get(id)?.answeredAtMs;
    if (known !== undefined) return known;
    const written = responsePlaces(queueDir, id).map((path) => sizeAndChange(path)?.writtenMs);
    return written.find((writtenMs) => writtenMs !== undefined) ?? Date.now();
  }

  return {
    answeredAtMs,
    async propose(proposal, objectionTo) {
      look();
      // From here to `writing` nothing is awaited, so no other call comes in between.
      const fresh = askedOf(proposal);
      const objection = objectionTo(fresh, { pending, answered });
      if (objection !== undefined) return objection;
      const done = writeProposalFile(queueDir, proposal, queueNames.change);
      pending.set(fresh.id, fresh);
      writing.set(fresh.id, { proposal, done });
      try {
        await done;
      } catch (error) {
        // If only the last sync failed it is there all the same: the next look decides.
        pending.delete(fresh.id);
        queueNames.forget();
        throw error;
      } finally {
        writing.delete(fresh.id);
      }
      listAgainLater();
      return undefined;
    },
    async proposal(id, key) {
      if (!isProposalId(id)) return undefined;
      const written = writing.get(id);
      await written?.done;
      const found = written?.proposal ?? findProposal(id);
      const asked = found && askedOf(found);
      // The cache follows the disk.
      if (asked === undefined) pending.delete(id);
      else if (pending.has(id)) pending.set(id, asked);
      if (answered.get(id)?.key !== asked?.key) answered.delete(id);
      return key === undefined || key === asked?.key ? found : undefined;
    },
    response: (id) => readAnswer(queueDir, id).catch(() => undefined),
    hasResponse: (id) =>
      responsePlaces(queueDir, id).some((path) => stampOfFile(path) !== undefined),
    ahead(id) {
      look();
      const mine = pending.get(id);
      if (mine === undefined) return 0;
      let ahead = 0;
      for (const other of pending.values()) if (compareArrivals(other, mine) < 0) ahead++;
      return ahead;
    },
    async archive(id, response) {
      const asked = pending.get(id);
      if (asked !== undefined) {
        pending.delete(id);
        remember(asked, response, answeredAtMs(id));
      }
      const change = <T>(make: () => T) => queueNames.change(() => processedNames.change(make));
      await archiveFiles(queueDir, id, change);
      hasProcessed = true;
      listAgainLater();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
