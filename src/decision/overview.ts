/**
 * What waits in the queues of all bottles: pending proposals and their marks, responses without a
 * record, and what cannot be read.
 *
 * @module
 */

import {
  claudeBottleRoot,
  intentsDir,
  proposalPath,
  queueDirForSlug,
  responsePath,
  type RootOptions,
} from "../disk/layout.ts";
import { ownFileStamp } from "../disk/read_own.ts";
import { directoryIdentity, listNames, stampOfFile } from "../disk/read_untrusted.ts";
import { type HeldBottle, listHeld } from "../host/apply_state.ts";
import {
  decidedAmong,
  stampOfLogs,
  standingResponse,
  type UnrecordedResponse,
} from "../log/decisions.ts";
import type { PendingProposal, UnreadableFile } from "../queue/files.ts";
import { listBottles } from "../queue/find.ts";
import {
  comparePending,
  type ListOptions,
  MAX_KEPT_BYTES,
  MAX_PENDING,
  openQueueView,
  type QueueListing,
  type QueueView,
} from "../queue/pending.ts";
import { sameListing } from "../queue/watch.ts";
import { UnsafeFileError } from "../records/errors.ts";
import type { Mark } from "../records/mark.ts";
import type { Comparison, Reach } from "../records/reach.ts";
import { isBottleSlug, isProposalId, PROPOSAL_SUFFIX, RESPONSE_SUFFIX } from "../records/names.ts";
import { MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import { assessProposal } from "./assess.ts";
import { type FileForGood, readForGood } from "./granted.ts";
import { join } from "@std/path";

/** What waits for an operator. */
export interface Overview {
  /** The pending proposals of all bottles, by instant of arrival, then by id. */
  readonly pending: readonly PendingProposal[];
  /** Responses without a record: planted, or written by a program that keeps no record. */
  readonly unrecordedResponses: readonly UnrecordedResponse[];
  /** The bottles with more pending proposals than are listed, and how many more; by slug. */
  readonly unlisted: readonly {
    readonly bottleSlug: string;
    /** At least one. */
    readonly count: number;
  }[];
  /** Files that cannot be read, by the name in the bottle's queue directory; `.` for the directory. */
  readonly unreadable: readonly (UnreadableFile & {
    /** The bottle, or the name of an entry of `<root>/queue` that is not a bottle's directory. */
    readonly bottleSlug: string;
    /** Set if it is a bottle's queue that could not be looked into: anything may be pending there. */
    readonly isWholeQueue?: true;
  })[];
  /** The bottles whose files in force are not changed now, by slug. */
  readonly held: readonly HeldBottle[];
}

interface BottleLook extends QueueListing {
  readonly unreadable: readonly (UnreadableFile & { readonly isWholeQueue?: true })[];
  readonly unrecordedResponses: readonly UnrecordedResponse[];
}

interface BottleView {
  readonly queueDir: string;
  readonly queue: QueueView;
  readonly unrecorded: UnrecordedView;
  readonly withoutLost: LostView;
  /** What the last look found. */
  latest: BottleLook;
}

/**
 * Opens the queues of all bottles; reads nothing before the first `refreshBottles`. Remembers what it has
 * read, so that a later look costs little.
 */
export function openQueues(options: RootOptions & ListOptions) {
  const { root = claudeBottleRoot(), bottleSlug, maxPending = MAX_PENDING } = options;
  const isWanted = (slug: string) => bottleSlug === undefined || slug === bottleSlug;
  const views = new Map<string, BottleView>();
  /** How many bottles share what is kept. */
  let sharers = 1;
  let refused: Overview["unreadable"] = [];

  function openView(slug: string): BottleView {
    const queueDir = queueDirForSlug(slug, { root });
    const maxBytes = () => MAX_KEPT_BYTES / sharers;
    const queue = openQueueView(queueDir, { bottleSlug: slug, maxPending, maxBytes });
    const view = {
      queueDir,
      queue,
      unrecorded: openUnrecordedView(slug, root),
      withoutLost: openLostView(slug, root),
    };
    return { ...view, latest: lookOrReport(view) };
  }

  return {
    slugs: () => views.keys(),
    /** Looks for bottles, and into the new ones. Returns whether any came or went. */
    refreshBottles(): boolean {
      const found = listBottles(root);
      const wanted = new Set(found.slugs.filter(isWanted));
      const refusedBefore = JSON.stringify(refused);
      refused = found.refused.filter(({ name }) => isWanted(name))
        .map(({ name, reason }) => ({
          bottleSlug: name,
          file: ".",
          reason,
          ...(isBottleSlug(name) && { isWholeQueue: true as const }),
        }));
      let changed = JSON.stringify(refused) !== refusedBefore;
      for (const slug of views.keys()) if (!wanted.has(slug)) changed = views.delete(slug);
      if (wanted.size !== sharers) {
        sharers = wanted.size;
        for (const view of views.values()) view.latest = lookOrReport(view);
      }
      for (const slug of wanted) {
        if (views.has(slug)) continue;
        views.set(slug, openView(slug));
        changed = true;
      }
      return changed;
    },
    /** Looks into one bottle's queue, whose names were just read. Returns whether it has changed. */
    refreshBottle(slug: string, names?: ReadonlySet<string>): boolean {
      const view = views.get(slug);
      if (view === undefined) return false;
      const before = view.latest;
      view.latest = lookOrReport(view, names);
      return !sameListing(before, view.latest);
    },
    overview(): Overview {
      const pending: PendingProposal[] = [];
      const unrecordedResponses: UnrecordedResponse[] = [];
      const unlisted: Overview["unlisted"][number][] = [];
      const unreadable = [...refused];
      for (const slug of [...views.keys()].sort()) {
        const { latest } = views.get(slug)!;
        for (const entry of latest.pending) pending.push(entry);
        unrecordedResponses.push(...latest.unrecordedResponses);
        if (latest.unlisted > 0) unlisted.push({ bottleSlug: slug, count: latest.unlisted });
        for (const file of latest.unreadable) unreadable.push({ bottleSlug: slug, ...file });
      }
      const waiting = { pending: pending.sort(comparePending), unrecordedResponses };
      return { ...waiting, unlisted, unreadable, held: listHeld(root, bottleSlug) };
    },
  };
}

/** A bottle whose queue cannot be listed must not hide the proposals of the others. */
function lookOrReport(
  { queueDir, queue, unrecorded, withoutLost }: Omit<BottleView, "latest">,
  names?: ReadonlySet<string>,
): BottleLook {
  let look: BottleLook = { pending: [], unlisted: 0, unreadable: [], unrecordedResponses: [] };
  let what = "";
  try {
    const present = names ?? new Set(listNames(queueDir));
    const listing = queue.refresh(present);
    // Closed after its names were read, it would be a queue of files that are gone, or broken.
    directoryIdentity(`${queueDir}/.`);
    // What is listed stays so if a log cannot be read.
    look = { ...look, ...listing };
    what = "its logs cannot be read: ";
    const { named, more } = unrecorded(present);
    const { pending, lost } = withoutLost(listing.pending);
    const reason = `${more} more responses have no record`;
    const unnamed = more > 0 ? [{ file: ".", reason }] : [];
    const unreadable = [...unnamed, ...lost, ...listing.unreadable];
    return { ...listing, pending, unreadable, unrecordedResponses: named };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = what + (error instanceof UnsafeFileError ? error.reason : String(error));
    const problem = { file: ".", reason, ...(what === "" && { isWholeQueue: true as const }) };
    return { ...look, unreadable: [problem, ...look.unreadable] };
  }
}

/** How many unrecorded responses of one bottle are named; the others are counted. */
const MAX_NAMED = 100;

/** The most that is read of an unrecorded response to say what is in it, in bytes. */
const MAX_BYTES = 128 * 1024;

/** Finds the unrecorded responses among the names in a queue directory. */
type UnrecordedView = (names: Iterable<string>) => {
  readonly named: readonly UnrecordedResponse[];
  /** How many there are besides. */
  readonly more: number;
};

/**
 * Opens a view of a bottle's unrecorded responses. It asks the logs again when they changed, or there are
 * other responses. The names must be read before it is called: a response is written after its record,
 * so the log that is read later has the record of each response that was listed.
 */
function openUnrecordedView(bottleSlug: string, root: string): UnrecordedView {
  const read = new Map<string, { readonly stamp: string | undefined; readonly says: string }>();

  function whatItSays(proposalId: string): string | undefined {
    const stamp = stampOfFile(responsePath(queueDirForSlug(bottleSlug, { root }), proposalId));
    const known = read.get(proposalId);
    if (known !== undefined && known.stamp === stamp) return known.says;
    const standing = standingResponse({ root, bottleSlug, proposalId }, MAX_BYTES);
    if (standing !== undefined) read.set(proposalId, { stamp, says: standing.says });
    return standing?.says;
  }

  let asked = "";
  let unrecorded: readonly string[] = [];
  return (names) => {
    const ids = [...names].filter((name) => name.endsWith(RESPONSE_SUFFIX))
      .map((name) => name.slice(0, -RESPONSE_SUFFIX.length)).filter(isProposalId).sort();
    // Before the logs are read: a line that is appended meanwhile must make the next look ask again.
    const question = ids.length === 0 ? "" : [stampOfLogs(bottleSlug, root), ...ids].join();
    if (question !== asked) {
      const decided = decidedAmong(new Set(ids), bottleSlug, root);
      unrecorded = ids.filter((id) => !decided.has(id));
      asked = question;
      for (const id of read.keys()) if (!unrecorded.includes(id)) read.delete(id);
    }
    const named = unrecorded.slice(0, MAX_NAMED).flatMap((proposalId) => {
      const says = whatItSays(proposalId);
      return says === undefined ? [] : [{ bottleSlug, proposalId, says }];
    });
    return { named, more: Math.max(0, unrecorded.length - MAX_NAMED) };
  };
}

/** Takes the decided proposals out of those without a response, and reports them. */
type LostView = (pending: readonly PendingProposal[]) => {
  readonly pending: readonly PendingProposal[];
  readonly lost: readonly UnreadableFile[];
};

/**
 * Opens a view of a bottle's proposals that are decided and whose response is gone: the queue's owner can
 * remove it, or put the proposal back. They wait for no operator. The proposals must be listed before it is
 * called. It asks the logs again when they changed, or other proposals are pending.
 */
function openLostView(bottleSlug: string, root: string): LostView {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  let asked = "";
  let decided: ReturnType<typeof decidedAmong> = new Map();

  /**
   * Whether it is neither being answered right now, nor answered or archived since it was listed: a sidecar
   * archives the proposal before the response.
   */
  const isLost = (proposalId: string) =>
    ownFileStamp(join(intentsDir(root), `${bottleSlug}.json`)) === undefined &&
    stampOfFile(responsePath(queueDir, proposalId)) === undefined &&
    stampOfFile(proposalPath(queueDir, proposalId)) !== undefined;

  // What is in processed/ may be another's: to approve it reads that, and says what to do.
  const reasonFor = (id: string) =>
    `it is ${decided.get(id)!.operatorAction} already, and its response is gone; to approve it ` +
    "writes that again, unless it is in processed/";

  return (pending) => {
    const ids = pending.map(({ proposalId }) => proposalId);
    const question = ids.length === 0 ? "" : `${stampOfLogs(bottleSlug, root)} ${ids}`;
    if (question !== asked) {
      decided = decidedAmong(new Set(ids), bottleSlug, root);
      asked = question;
    }
    const lostIds = new Set(ids.filter((id) => decided.has(id) && isLost(id)));
    const lost = [...lostIds].slice(0, MAX_NAMED)
      .map((id) => ({ file: id + PROPOSAL_SUFFIX, reason: reasonFor(id) }));
    const more = lostIds.size - lost.length;
    const reason = `${more} more are decided already, and their responses are gone`;
    if (more > 0) lost.push({ file: ".", reason });
    return { pending: pending.filter(({ proposalId }) => !lostIds.has(proposalId)), lost };
  };
}

/**
 * Looks once into the queues of all bottles. Nothing that a bottle plants in its own queue hides the
 * proposals of another.
 *
 * Needs `--allow-read` for the root.
 *
 * @example Nothing is pending in an empty root
 * ```ts
 * import { readOverview } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * assertEquals(readOverview({ root }).pending, []);
 * await Deno.remove(root);
 * ```
 *
 * @param options Which bottles.
 * @returns What is pending, and what cannot be read.
 * @throws {UnsafeFileError} If `<root>/queue` is a link, or not a directory.
 */
export function readOverview(options: RootOptions & ListOptions = {}): Overview {
  const queues = openQueues(options);
  queues.refreshBottles();
  return queues.overview();
}

/**
 * How much is judged in one look, in characters of proposed files and of the files in force that they are
 * compared with: a few seconds of work at most, however full the queues are. The largest change fits.
 */
export const MAX_JUDGED_CHARS = 2 * MAX_CONFIG_FILE_BYTES;

interface Judged extends Pick<Comparison, "reach" | "marks"> {
  readonly currentSha256: string;
}

/** A queue's view gives the same entry as long as its file is the same: a later look judges what is new. */
const judged = new WeakMap<PendingProposal, Judged>();

/**
 * The marks of many pending proposals, each as `inspectProposal` finds them. Reads each file in force
 * once, and makes no diff. One look judges {@linkcode MAX_JUDGED_CHARS}, the proposals of a bottle in the
 * order given and as much of each bottle as of the others, and the next look goes on where it stopped. An
 * entry is missing if it was not judged: too much is pending, or the file in force cannot be read.
 */
export function marksOfPending(
  pending: readonly PendingProposal[],
  root: string,
): ReadonlyMap<PendingProposal, readonly Mark[]> {
  const marks = new Map<PendingProposal, readonly Mark[]>();
  const files = new Map<string, FileForGood | undefined>();
  const charsOfBottle = new Map<string, number>();
  const due: { entry: PendingProposal; file: FileForGood; before: number; chars: number }[] = [];
  for (const entry of pending) {
    const { bottleSlug, tool, proposedFile } = entry.proposal;
    const place = `${bottleSlug} ${tool}`;
    if (!files.has(place)) files.set(place, readFileInForceOrNot(entry, root));
    const file = files.get(place);
    if (file === undefined) continue;
    const known = judged.get(entry);
    if (known?.currentSha256 === file.currentSha256) {
      marks.set(entry, known.marks);
      continue;
    }
    const before = charsOfBottle.get(bottleSlug) ?? 0;
    const chars = judgedChars(proposedFile) + judgedChars(file.currentFile ?? "");
    charsOfBottle.set(bottleSlug, before + chars);
    due.push({ entry, file, before, chars });
  }
  let charsLeft = MAX_JUDGED_CHARS;
  for (const { entry, file, chars } of due.sort((a, b) => a.before - b.before)) {
    if (chars > charsLeft) continue;
    charsLeft -= chars;
    const { marks: found, reach } = assessProposal(entry.proposal, file, root);
    judged.set(entry, { currentSha256: file.currentSha256, marks: found, reach });
    marks.set(entry, found);
  }
  return marks;
}

/** What was found of the reach of a proposal whose marks are known. */
export function reachOfPending(entry: PendingProposal): Reach | undefined {
  return judged.get(entry)?.reach;
}

/** Of a larger file no more than its size is judged. */
function judgedChars({ length }: string): number {
  return Math.min(length, MAX_CONFIG_FILE_BYTES);
}

/** A file in force that cannot be read must not hide the marks of other bottles. */
export function readFileInForceOrNot(
  { proposal }: PendingProposal,
  root: string,
): FileForGood | undefined {
  try {
    return readForGood(proposal.tool, proposal.bottleSlug, root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}
