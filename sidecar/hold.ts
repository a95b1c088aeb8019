/**
 * Asks, waits, tells the client that it waits, archives; limits how much is taken on.
 *
 * @module
 */

import {
  type Answered,
  type Asked,
  type AskedLately,
  askedOf,
  compareArrivals,
  newProposal,
  openAskingQueue,
  type Proposal,
  type ProposalResponse,
  type Question,
  readUnderway,
  STATUS_REJECTED,
  waitForResponse,
} from "../sidecar_mod.ts";
import type { HoldLimits, Log } from "./settings.ts";
import { keepTelling, type Progress } from "./telling.ts";

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
  /** The session that the client names; `undefined` if it names none. */
  readonly session: string | undefined;
  /** The JSON-RPC id of the call; other clients' calls may have the same. */
  readonly requestId: string | number;
  /** How many characters of its request are kept while it is held: neither the file nor the reason. */
  readonly characters: number;
  /** Called before it is held: its question is on the disk, and no longer in memory. */
  readonly onHeld: () => void;
  /** Waits for its turn among the calls that get a file of the operator's. */
  readonly nextTurn: () => Promise<void>;
  /** Tells the client that it is still being held; `undefined` if it did not ask to be told. */
  readonly tell: ((elapsedMs: number, message: string) => Promise<void>) | undefined;
  /** The client gets the proposal's id only, and asks for the response later. */
  readonly detached?: boolean;
}

/** What a call keeps of its proposal. It is read anew where more is needed. */
type Kept = Pick<Proposal, "id" | "tool" | "arrivalTimestamp">;

/** A proposal, and the key of what it asks. */
type Asking = { readonly proposal: Kept; readonly key: string };

/** What has become of a proposal. */
export type ProposalState =
  | {
    readonly kind: "answered";
    readonly proposal: Kept;
    readonly response: ProposalResponse;
    /** When the response was written, in milliseconds since 1970. */
    readonly answeredAtMs: number;
  }
  | {
    readonly kind: "pending";
    readonly proposal: Kept;
    readonly ahead: number;
    readonly progress: Progress;
  };

/** A call is refused. */
export type Refusal = { readonly kind: "refused"; readonly reason: string };

/** The result of a call. */
export type Outcome = ProposalState | Refusal;

/** Works out what a change asks for. */
type WorkOut = () => Question | Refusal;

/** Holds the calls of one bottle. */
export interface Holder {
  /** Asks a question, or the same one again. */
  readonly ask: (question: Question, call: HeldCall) => Promise<Outcome>;
  /**
   * Asks what a change becomes of the file in force. A change with the same key is the same question, also if
   * the file in force is another one by then: it is not worked out again.
   */
  readonly askChange: (key: string, work: WorkOut, call: HeldCall) => Promise<Outcome>;
  /** Asks what has become of a proposal; `undefined` if this bottle has no such proposal. */
  readonly status: (
    proposalId: string,
    waitMs: number,
    call: HeldCall,
  ) => Promise<Outcome | undefined>;
  /** Answers the held call of this session that has this JSON-RPC id with "pending". */
  readonly release: (session: string, requestId: string | number) => void;
  /** Answers every held call with "pending", and holds no more. */
  readonly close: () => void;
}

/** For how long a file that was rejected cannot be proposed again with other words. */
const REJECTED_MS = 60_000;

/** A call that would keep more of its request is not held. Clients send a few hundred characters. */
const MAX_KEPT_CHARACTERS = 16 * 1024;

/** How many changes are kept in mind, with the proposal that each became. */
const MAX_CHANGES = 1_000;

/** Why a held call ends before its response is there. */
const RELEASED = new Error("the call is released");

/** Why a proposal is not written. */
type Objection =
  | { readonly kind: "pending" | "repeated"; readonly id: string }
  | { readonly kind: "rejected"; readonly notes: string }
  | { readonly kind: "full"; readonly pending: number };

/** Opens a holder. */
export function openHolder(options: HoldOptions): Holder {
  const { bottleSlug, queueDir, log, limits } = options;
  const queue = openAskingQueue(queueDir, bottleSlug, Math.max(limits.repeatMs, REJECTED_MS));
  /** How many calls wait for each proposal: the last one to get the response archives both. */
  const waiting = new Map<string, number>();
  /** The calls that are held, and how to end each. */
  const holding = new Map<HeldCall, AbortController>();
  /** Every call, also before it is held: a cancellation may come while its proposal is being written. */
  const running = new Set<HeldCall>();
  const released = new WeakSet<HeldCall>();
  /** The proposals whose files the host was seen to put into force. */
  const tried = new Set<string>();
  /** What changes became, by their keys; the newest come last. */
  const became = new Map<string, Asking>();
  let isClosing = false;

  /** Waits within the bounds. Whatever happens, the proposal stays. */
  async function wait(
    proposal: Kept,
    capMs: number,
    call: HeldCall,
    isNew = false,
  ): Promise<Outcome> {
    const { id } = proposal;
    // Nothing is archived: the agent has yet to ask for the response.
    if (call.detached) return outcomeOf(proposal, await queue.response(id));
    // Before anything is awaited: from here on no other call archives the response.
    waiting.set(id, (waiting.get(id) ?? 0) + 1);
    let response: ProposalResponse | undefined;
    try {
      response = isNew ? undefined : await queue.response(id);
      // A call that does not wait needs no place: an agent can always ask about a proposal.
      if (response === undefined && capMs > 0) {
        if (holding.size >= limits.maxHeld) return tooManyHeld(id);
        response = await hold(proposal, capMs, call);
      }
      return outcomeOf(proposal, response);
    } finally {
      const others = waiting.get(id)! - 1;
      if (others > 0) waiting.set(id, others);
      else waiting.delete(id);
      if (response !== undefined && others === 0) await archive(proposal, response);
    }
  }

  function outcomeOf(proposal: Kept, response: ProposalResponse | undefined): Outcome {
    const { id } = proposal;
    return response === undefined
      ? { kind: "pending", proposal, ahead: queue.ahead(id), progress: progressOf(id) }
      : { kind: "answered", proposal, response, answeredAtMs: queue.answeredAtMs(id) };
  }

  function progressOf(id: string): Progress {
    const underway = readUnderway(queueDir, id);
    if (underway !== undefined) tried.add(id);
    // The host answers before it takes its words back.
    return underway ?? (tried.has(id) && !queue.hasResponse(id) ? "failed" : undefined);
  }

  function tooManyHeld(id: string): Refusal {
    const held = holding.size;
    log("refused", { reason: "held calls", held });
    return {
      kind: "refused",
      reason:
        `this sidecar holds ${held} calls already; proposal ${id} is in the queue: ask about ` +
        "it with proposal-status in a minute",
    };
  }

  /** The response, or `undefined` once the time is up or the call is released. */
  async function hold(
    { id, tool }: Kept,
    capMs: number,
    call: HeldCall,
  ): Promise<ProposalResponse | undefined> {
    if (isClosing || released.has(call)) return undefined;
    const end = new AbortController();
    const onGone = () => end.abort(call.signal.reason);
    holding.set(call, end);
    call.onHeld();
    call.signal.addEventListener("abort", onGone);
    if (call.signal.aborted) onGone();
    const stopTelling = call.tell &&
      keepTelling(call.tell, call.signal, () => progressOf(id), () => queue.ahead(id));
    try {
      const response = await waitForResponse(queueDir, id, {
        signal: end.signal,
        timeoutMs: capMs,
        onUnreadable: ({ name }) => log("answer_unreadable", { proposal_id: id, error: name }),
      });
      // All that wait for it get it now. To send the file takes several times its size.
      if (response.finalFile !== null) await call.nextTurn();
      return response;
    } catch (error) {
      const isTimeUp = error instanceof DOMException && error.name === "TimeoutError";
      if (!call.signal.aborted && (error === RELEASED || isTimeUp)) return undefined;
      log("detached", { proposal_id: id, tool });
      throw error;
    } finally {
      stopTelling?.();
      call.signal.removeEventListener("abort", onGone);
      holding.delete(call);
    }
  }

  async function archive({ id, tool }: Kept, response: ProposalResponse): Promise<void> {
    const about = { proposal_id: id, tool };
    log("answered", about);
    tried.delete(id);
    try {
      await queue.archive(id, response);
    } catch (error) {
      // The agent gets the response all the same: the decision is made, and stays in the queue.
      log("archive_failed", { ...about, error: error instanceof Error ? error.name : "unknown" });
    }
  }

  function capOf(call: HeldCall): number {
    if (call.characters > MAX_KEPT_CHARACTERS) return 0;
    return call.tell === undefined ? limits.holdMs : limits.holdWithProgressMs;
  }

  function objectionTo(fresh: Asked, { pending, answered }: AskedLately): Objection | undefined {
    let same: Asked | undefined;
    for (const asked of pending.values()) {
      if (asked.key !== fresh.key) continue;
      if (same === undefined || compareArrivals(asked, same) < 0) same = asked;
    }
    if (same !== undefined) return { kind: "pending", id: same.id };
    const now = Date.now();
    let [repeated, rejected]: (Answered | undefined)[] = [];
    for (const asked of answered.values()) {
      const { key, fileKey, status, answeredAtMs } = asked;
      const ageMs = now - answeredAtMs;
      if (key === fresh.key && ageMs <= limits.repeatMs) repeated = later(repeated, asked);
      const isRejected = status === STATUS_REJECTED && ageMs <= REJECTED_MS;
      if (isRejected && fileKey === fresh.fileKey) rejected = later(rejected, asked);
    }
    if (repeated !== undefined) return { kind: "repeated", id: repeated.id };
    if (rejected !== undefined) return { kind: "rejected", notes: rejected.notes };
    return pending.size < limits.maxPending ? undefined : { kind: "full", pending: pending.size };
  }

  /** Nothing but this function has the file, and it has ended before the call is held. */
  async function propose(
    question: Question,
  ): Promise<Refusal | Asking & { readonly kind: "new" | "pending" | "repeated" }> {
    const fresh = newProposal({ bottleSlug, ...question });
    const { id, tool, proposedFile } = fresh;
    const { key } = askedOf(fresh);
    while (true) {
      const objection = await queue.propose(fresh, objectionTo);
      if (objection === undefined) {
        log("proposed", { proposal_id: id, tool, characters: proposedFile.length });
        return { kind: "new", proposal: keptOf(fresh), key };
      }
      if (objection.kind === "rejected") {
        const reason = "the operator rejected exactly this file less than a minute ago, with the " +
          `notes ${JSON.stringify(objection.notes)}; change the file, or wait a minute`;
        return { kind: "refused", reason };
      }
      if (objection.kind === "full") {
        const { pending } = objection;
        log("refused", { reason: "pending proposals", pending });
        const reason = `${pending} proposals of this bottle wait for the operator already; ` +
          "ask about those with proposal-status, and propose more when one is decided";
        return { kind: "refused", reason };
      }
      // What is on disk counts. If it is gone, or asks something else by now, the call is judged again.
      const proposal = await queue.proposal(objection.id, key);
      if (proposal === undefined) continue;
      if (objection.kind === "pending") log("attached", { proposal_id: proposal.id, tool });
      return { kind: objection.kind, proposal: keptOf(proposal), key };
    }
  }

  // An `async` function would keep the question as long as it waits: it keeps its parameters.
  function ask(question: Question, call: HeldCall, changeKey?: string): Promise<Outcome> {
    return propose(question).then((found) => {
      if (found.kind === "refused") return found;
      const { kind, proposal, key } = found;
      if (changeKey !== undefined) {
        if (became.size >= MAX_CHANGES) became.delete(became.keys().next().value!);
        became.set(changeKey, { proposal, key });
      }
      return wait(proposal, kind === "repeated" ? 0 : capOf(call), call, kind === "new");
    });
  }

  /** What a change became, unless it is gone, asks something else by now, or was answered too long ago. */
  async function askedBefore(changeKey: string): Promise<Kept | undefined> {
    const before = became.get(changeKey);
    if (before === undefined) return undefined;
    const { proposal: { id }, key } = before;
    if (await queue.proposal(id, key) === undefined) return undefined;
    const isOld = await queue.response(id) !== undefined &&
      Date.now() - queue.answeredAtMs(id) > limits.repeatMs;
    return isOld ? undefined : before.proposal;
  }

  function askChange(changeKey: string, work: WorkOut, call: HeldCall): Promise<Outcome> {
    return askedBefore(changeKey).then((before) => {
      if (before !== undefined) return wait(before, capOf(call), call);
      const question = work();
      return "kind" in question ? question : ask(question, call, changeKey);
    });
  }

  function status(id: string, waitMs: number, call: HeldCall): Promise<Outcome | undefined> {
    return queue.proposal(id).then((proposal) => proposal && keptOf(proposal)).then((kept) =>
      kept && wait(kept, Math.min(waitMs, capOf(call)), call)
    );
  }

  async function track<T>(call: HeldCall, outcome: Promise<T>): Promise<T> {
    running.add(call);
    try {
      return await outcome;
    } finally {
      running.delete(call);
    }
  }

  return {
    ask: (question, call) => track(call, ask(question, call)),
    askChange: (key, work, call) => track(call, askChange(key, work, call)),
    status: (proposalId, waitMs, call) => track(call, status(proposalId, waitMs, call)),
    release(session, requestId) {
      for (const call of running) {
        if (call.session !== session || call.requestId !== requestId) continue;
        log("released", {});
        released.add(call);
        holding.get(call)?.abort(RELEASED);
      }
    },
    close() {
      isClosing = true;
      for (const end of holding.values()) end.abort(RELEASED);
      queue.close();
    },
  };
}

function keptOf({ id, tool, arrivalTimestamp }: Proposal): Kept {
  return { id, tool, arrivalTimestamp };
}

function later(a: Answered | undefined, b: Answered): Answered {
  return a !== undefined && a.answeredAtMs >= b.answeredAtMs ? a : b;
}
