/**
 * Asks, waits, tells the client that it waits, archives; and how much is taken on.
 *
 * @module
 */

import {
  archiveProposal,
  identityOf,
  newProposal,
  openQuestions,
  type Proposal,
  type ProposalResponse,
  type Question,
  readAnswer,
  STATUS_REJECTED,
  waitForResponse,
  writeProposal,
} from "../sidecar_mod.ts";
import type { HoldLimits, Log } from "./settings.ts";

/** Where questions go. */
export interface HoldOptions {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** Its queue directory. */
  readonly queueDir: string;
  /** Where events are logged. */
  readonly log: Log;
  /** How much is taken on. */
  readonly limits: HoldLimits;
}

/** The client's side of a call that is held. */
export interface HeldCall {
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** The JSON-RPC id of the call; other clients' calls may have the same. */
  readonly requestId: string | number;
  /** Tells the client that it is still being held; `undefined` if it did not ask to be told. */
  readonly tell: ((elapsedMs: number, message: string) => Promise<void>) | undefined;
  /** The client is told the proposal's id only, and asks for the answer later. */
  readonly detached?: boolean;
}

/** What a call comes to. */
export type Outcome =
  | {
    readonly kind: "answered";
    readonly proposal: Proposal;
    readonly response: ProposalResponse;
    /** When it was answered, in milliseconds since 1970. */
    readonly answeredAtMs: number;
  }
  | { readonly kind: "pending"; readonly proposal: Proposal; readonly ahead: number }
  | { readonly kind: "refused"; readonly reason: string };

/** Holds the calls of one bottle. */
export interface Holder {
  /** Asks a question, or the same one again. */
  readonly ask: (question: Question, call: HeldCall) => Promise<Outcome>;
  /** Asks what has become of a question. `undefined`: this bottle never asked it. */
  readonly status: (
    proposalId: string,
    waitMs: number,
    call: HeldCall,
  ) => Promise<Outcome | undefined>;
  /** Answers the held calls with that JSON-RPC id, whoever's they are, with "pending". */
  readonly release: (requestId: string | number) => void;
  /** Answers every held call with "pending", and takes on no more. */
  readonly close: () => void;
}

/** How old the place in the queue may be that it is told: many calls then share one look. */
const TOLD_AGE_MS = 1_000;

/** How long a file that was rejected cannot be proposed again with other words. */
const REJECTED_MS = 60_000;

/**
 * Opens a holder.
 *
 * @param options Where questions go, and how many.
 * @returns The holder.
 */
export function openHolder(options: HoldOptions): Holder {
  const { bottleSlug, queueDir, log, limits } = options;
  const questions = openQuestions(queueDir, bottleSlug);
  const closing = new AbortController();
  /** How many calls wait for each proposal: the last one to get the answer archives it. */
  const waiting = new Map<string, number>();
  /** The calls that are held. */
  const holding = new Set<{ readonly call: HeldCall; readonly released: AbortController }>();

  function outcomeOf(proposal: Proposal, response: ProposalResponse | undefined): Outcome {
    const { id } = proposal;
    return response === undefined
      ? { kind: "pending", proposal, ahead: questions.aheadOf(id) }
      : { kind: "answered", proposal, response, answeredAtMs: questions.answeredAtMs(id) };
  }

  /** Waits within the bounds; the question stays whatever happens. */
  async function wait(proposal: Proposal, capMs: number, call: HeldCall): Promise<Outcome> {
    const { id } = proposal;
    const standing = () => readAnswer(queueDir, id).catch(() => undefined);
    // Nothing is archived: the agent has yet to ask for the answer.
    if (call.detached) return outcomeOf(proposal, await standing());
    // Before anything is awaited: from here on nobody archives the answer behind this call's back.
    waiting.set(id, (waiting.get(id) ?? 0) + 1);
    let response: ProposalResponse | undefined;
    try {
      response = await standing();
      // What does not wait takes nothing up: an agent can always ask what has become of a proposal.
      if (response === undefined && capMs > 0) {
        if (holding.size >= limits.maxHeld) return tooManyHeld(id);
        response = await holdFor(proposal, capMs, call);
      }
      return outcomeOf(proposal, response);
    } finally {
      const others = waiting.get(id)! - 1;
      if (others > 0) waiting.set(id, others);
      else waiting.delete(id);
      if (response !== undefined && others === 0) await archive(proposal);
    }
  }

  function tooManyHeld(id: string): Outcome {
    const held = holding.size;
    log("refused", { reason: "held calls", held });
    return {
      kind: "refused",
      reason:
        `this sidecar holds ${held} calls already; proposal ${id} is in the queue: ask about ` +
        "it with proposal-status in a minute",
    };
  }

  async function holdFor(
    { id, tool }: Proposal,
    capMs: number,
    call: HeldCall,
  ): Promise<ProposalResponse | undefined> {
    const hold = { call, released: new AbortController() };
    holding.add(hold);
    const stopTelling = keepTelling(call, () => questions.aheadOf(id, TOLD_AGE_MS));
    try {
      return await answerWithin(id, capMs, call.signal, hold.released.signal);
    } catch (error) {
      log("detached", { proposal_id: id, tool });
      throw error;
    } finally {
      stopTelling();
      holding.delete(hold);
    }
  }

  /** The answer, or `undefined` once the time is up or the sidecar stops. */
  async function answerWithin(
    id: string,
    capMs: number,
    signal: AbortSignal,
    released: AbortSignal,
  ): Promise<ProposalResponse | undefined> {
    if (closing.signal.aborted) return undefined;
    const bounds = {
      signal: AbortSignal.any([signal, released, closing.signal]),
      onUnreadable: (error: Error) =>
        log("answer_unreadable", { proposal_id: id, error: error.name }),
    };
    try {
      return await waitForResponse(queueDir, id, { ...bounds, timeoutMs: capMs });
    } catch (error) {
      if (signal.aborted) throw error;
      const timedOut = error instanceof DOMException && error.name === "TimeoutError";
      if (timedOut || released.aborted || closing.signal.aborted) return undefined;
      throw error;
    }
  }

  async function archive({ id, tool }: Proposal): Promise<void> {
    const about = { proposal_id: id, tool };
    log("answered", about);
    try {
      await archiveProposal(queueDir, id);
    } catch (error) {
      // The agent is told all the same: the answer is decided, and stays in the queue.
      log("archive_failed", { ...about, error: error instanceof Error ? error.name : "unknown" });
    }
  }

  function capOf(call: HeldCall): number {
    return call.tell === undefined ? limits.holdMs : limits.holdWithProgressMs;
  }

  async function ask(question: Question, call: HeldCall): Promise<Outcome> {
    const fresh = newProposal({ bottleSlug, ...question });
    const { tool } = fresh;
    const identity = identityOf(fresh);
    const recent = await questions.answeredWithin(Math.max(limits.repeatMs, REJECTED_MS));

    // From here to the write nothing is awaited, so that of any number of calls one writes.
    const pending = questions.pending();
    const same = pending.find(({ proposal }) => identityOf(proposal) === identity);
    if (same !== undefined) {
      log("attached", { proposal_id: same.proposal.id, tool });
      return await wait(same.proposal, capOf(call), call);
    }
    const repeatedSince = Date.now() - limits.repeatMs;
    const repeated = recent.find(({ proposal, answeredAtMs }) =>
      answeredAtMs >= repeatedSince && identityOf(proposal) === identity
    );
    if (repeated !== undefined) return await wait(repeated.proposal, 0, call);
    const rejected = recent.find(({ proposal, response, answeredAtMs }) =>
      response.status === STATUS_REJECTED && proposal.tool === tool &&
      proposal.proposedFile === fresh.proposedFile && answeredAtMs >= Date.now() - REJECTED_MS
    );
    if (rejected !== undefined) {
      return {
        kind: "refused",
        reason: "the operator rejected exactly this file less than a minute ago, with the notes " +
          `${JSON.stringify(rejected.response.notes)}; change the file, or wait a minute`,
      };
    }
    if (pending.length >= limits.maxPending) {
      log("refused", { reason: "pending proposals", pending: pending.length });
      return {
        kind: "refused",
        reason: `${pending.length} proposals of this bottle wait for the operator already; ` +
          "ask about those with proposal-status, and propose more when one is decided",
      };
    }
    await writeProposal(queueDir, fresh);
    log("proposed", { proposal_id: fresh.id, tool, characters: fresh.proposedFile.length });
    return await wait(fresh, capOf(call), call);
  }

  return {
    ask,
    async status(proposalId: string, waitMs: number, call: HeldCall): Promise<Outcome | undefined> {
      const proposal = await questions.find(proposalId);
      if (proposal === undefined) return undefined;
      return await wait(proposal, Math.min(waitMs, capOf(call)), call);
    },
    release(requestId): void {
      for (const { call, released } of holding) {
        if (call.requestId !== requestId) continue;
        log("released", {});
        released.abort();
      }
    },
    close: () => closing.abort(),
  };
}

/** How often a client that wants to know is told. */
const TELL_EVERY_MS = 10_000;

/** "3 m 20 s". */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${seconds % 60} s` : `${seconds} s`;
}

/**
 * Tells a client that wants to know, every ten seconds, how long it has waited and for whom.
 *
 * @param call The client's side of the call.
 * @param ahead How many proposals the operator sees before this one.
 * @returns A function that ends it.
 */
export function keepTelling({ tell, signal }: HeldCall, ahead: () => number): () => void {
  if (tell === undefined) return () => {};
  const started = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - started;
    const before = ahead();
    const place = before === 0 ? "you are next" : `${before} ahead of you`;
    tell(elapsedMs, `waiting for the operator, ${duration(elapsedMs)}, ${place}`).catch(() => {
      // The client is gone; its signal says so, or is about to.
      if (signal.aborted) clearInterval(timer);
    });
  }, TELL_EVERY_MS);
  return () => clearInterval(timer);
}
