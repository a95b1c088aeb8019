/**
 * What an agent has asked already. The queue directory is the only state: everything here is read
 * from it, and can be read again by the next process.
 *
 * @module
 */

import { isProposalId } from "../records/names.ts";
import type { Proposal, ProposalResponse } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { type PendingProposal, readAnswer, readProposal } from "./files.ts";
import { MAX_LISTED, openQueueView } from "./pending.ts";
import { join } from "@std/path";

/** What an agent asks: the tool, the file, the reason, and the hash of the file it started from. */
export type Question = Pick<
  Proposal,
  "tool" | "proposedFile" | "justification" | "currentFileHash"
>;

/** A question that was answered not long ago. */
export interface RecentAnswer {
  /** The proposal. */
  readonly proposal: Proposal;
  /** The answer. */
  readonly response: ProposalResponse;
  /** When it was written, in milliseconds since 1970. */
  readonly answeredAtMs: number;
}

/** What an agent has asked. */
export interface Questions {
  /** What waits for an answer, in the operator's order. */
  readonly pending: () => readonly PendingProposal[];
  /**
   * How many of those come before a proposal, 0 if it is not among them; as it is now, or as it was
   * at most so many milliseconds ago. A thousand calls that ask in one turn share one look.
   */
  readonly aheadOf: (proposalId: string, ageMs?: number) => number;
  /** Answers of at most that age, newest first. */
  readonly answeredWithin: (ageMs: number) => Promise<readonly RecentAnswer[]>;
  /** A question of this bottle, whatever has become of it. */
  readonly find: (proposalId: string) => Promise<Proposal | undefined>;
  /** When a question was answered, in milliseconds since 1970; now, if that cannot be told. */
  readonly answeredAtMs: (proposalId: string) => number;
}

/** A proposal that is pending is asked for its identity by every question after it. */
const identities = new WeakMap<object, string>();

/**
 * What makes two questions the same: the tool, the file, the reason, and the file it started from.
 *
 * @param proposal The question.
 * @returns SHA-256, lower-case hex.
 */
export function identityOf(proposal: Question): string {
  const known = identities.get(proposal);
  if (known !== undefined) return known;
  const { tool, proposedFile, justification, currentFileHash } = proposal;
  const identity = sha256Hex(
    JSON.stringify([tool, proposedFile, justification, currentFileHash]),
  );
  identities.set(proposal, identity);
  return identity;
}

const SUFFIX = ".response.json";

/**
 * Opens the questions of one bottle.
 *
 * @param queueDir Its queue directory.
 * @param bottleSlug The bottle; what claims another one is not seen.
 * @returns The questions.
 */
export function openQuestions(queueDir: string, bottleSlug: string): Questions {
  // All of them: how many are pending is what the next one is refused by.
  const view = openQueueView(queueDir, { bottleSlug, maxPending: MAX_LISTED });
  const dirs = [queueDir, join(queueDir, "processed")];
  /** What was found of an answer, by its file's name; it never changes once it is there. */
  const known = new Map<string, RecentAnswer | undefined>();

  let ranks: ReadonlyMap<string, number> = new Map();
  let rankedAt = -Infinity;
  let rankedInThisTurn = false;

  function rank(): void {
    ranks = new Map(view.refresh().pending.map(({ proposal }, n) => [proposal.id, n]));
    rankedAt = performance.now();
    if (!rankedInThisTurn) setTimeout(() => rankedInThisTurn = false);
    rankedInThisTurn = true;
  }

  async function find(proposalId: string): Promise<Proposal | undefined> {
    if (!isProposalId(proposalId)) return undefined;
    for (const place of dirs) {
      const proposal = await readProposal(place, proposalId).catch(() => undefined);
      if (proposal?.bottleSlug === bottleSlug) return proposal;
    }
    return undefined;
  }

  async function learn(place: string, name: string, oldestMs: number): Promise<void> {
    const answeredAtMs = Deno.lstatSync(join(place, name)).mtime?.getTime() ?? 0;
    if (answeredAtMs < oldestMs) {
      known.set(name, undefined);
      return;
    }
    const id = name.slice(0, -SUFFIX.length);
    const proposal = await find(id);
    const response = proposal && await readAnswer(queueDir, id).catch(() => undefined);
    if (proposal === undefined || response === undefined) return;
    known.set(name, { proposal, response, answeredAtMs });
  }

  return {
    find,
    pending: () => view.refresh().pending,
    aheadOf(proposalId: string, ageMs = 0): number {
      const isRecent = rankedInThisTurn || performance.now() - rankedAt < ageMs;
      // One that is missing may have been written since.
      if (!isRecent || !ranks.has(proposalId)) rank();
      return ranks.get(proposalId) ?? 0;
    },
    answeredAtMs(proposalId: string): number {
      for (const place of dirs) {
        try {
          const { mtime } = Deno.lstatSync(join(place, proposalId + SUFFIX));
          if (mtime !== null) return mtime.getTime();
        } catch {
          // Archived meanwhile, or not yet: look in the other place.
        }
      }
      return Date.now();
    },
    async answeredWithin(ageMs: number): Promise<readonly RecentAnswer[]> {
      const oldestMs = Date.now() - ageMs;
      for (const place of dirs) {
        for (const name of namesIn(place)) {
          if (name.endsWith(SUFFIX) && !known.has(name)) {
            await learn(place, name, oldestMs).catch(() => {}); // Moved meanwhile: next time.
          }
        }
      }
      const recent: RecentAnswer[] = [];
      for (const [name, answer] of known) {
        if (answer === undefined) continue;
        // What is too old once stays so; its file need not be kept in memory.
        if (answer.answeredAtMs < oldestMs) known.set(name, undefined);
        else recent.push(answer);
      }
      return recent.sort((a, b) => b.answeredAtMs - a.answeredAtMs);
    },
  };
}

function namesIn(dir: string): string[] {
  try {
    return Array.from(Deno.readDirSync(dir), ({ name }) => name);
  } catch {
    return []; // Not there yet, or no directory: then it has no answers.
  }
}
