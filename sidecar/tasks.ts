/**
 * Calls as tasks, for clients that declare the extension: a call returns at once, and the task's id is the
 * proposal's. Plain values in the shapes of the extension's revision 2026-07-28. Nothing of a task is
 * kept: its state is read from the queue directory each time.
 *
 * @module
 */

import type { ProposalState } from "./hold.ts";
import { wordsOfProgress } from "./telling.ts";
import { z } from "zod";

/** The extension's name, as clients and servers declare it. */
const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** A declaration of the extension, in the shape of capabilities of either side. */
export const TASKS_CAPABILITY = { extensions: { [TASKS_EXTENSION]: {} } };

/** Where a request says what its client can do. */
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** The parameters of every task method; `tasks/update` brings more, which nothing here waits for. */
export const TASK_PARAMS = z.object({ taskId: z.string() });

/** The key under which a result says more than the protocol has room for. */
const NOTICE = "supervise/notice";

/** How often a client should ask, in milliseconds: people take minutes, and asking reads files. */
const POLL_INTERVAL_MS = 5_000;

/** The error for an unknown id; another bottle's id is unknown too. */
export const NO_SUCH_TASK = "Cannot find that task: this bottle has proposed nothing with that id";

/** A task in a result. */
interface Task {
  /** The proposal's id. */
  readonly taskId: string;
  /** There is no `cancelled`: only the operator ends a proposal. */
  readonly status: "working" | "completed";
  /** The same, in words. */
  readonly statusMessage: string;
  /** When the proposal arrived, ISO 8601. */
  readonly createdAt: string;
  /** When it was answered, or else arrived. */
  readonly lastUpdatedAt: string;
  /** It is kept without limit. */
  readonly ttlMs: null;
  /** How often to ask. */
  readonly pollIntervalMs: number;
}

/**
 * Whether a request's client declares the extension, and so may get a task. Only the `_meta` envelope of
 * the request itself counts, because the next request may come from another client.
 */
export function declaresTasks(envelope: Readonly<Record<string, unknown>> | undefined): boolean {
  const extensions = member(envelope?.[CLIENT_CAPABILITIES], "extensions");
  const declared = member(extensions, TASKS_EXTENSION);
  return typeof declared === "object" && declared !== null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** A proposal may have any text as its time of arrival; the protocol wants ISO 8601. */
function isoOf(instant: string | number): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

function taskOf(state: ProposalState, status: Task["status"], statusMessage: string): Task {
  const { id, arrivalTimestamp } = state.proposal;
  const createdAt = isoOf(arrivalTimestamp);
  return {
    taskId: id,
    status,
    statusMessage,
    createdAt,
    lastUpdatedAt: state.kind === "answered" ? isoOf(state.answeredAtMs) : createdAt,
    ttlMs: null,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
}

function waitingWords(state: ProposalState): string {
  if (state.kind === "answered") return "The operator has decided; ask for the result.";
  const place = state.ahead === 0 ? "it is next" : `${state.ahead} before it`;
  const words = [wordsOfProgress(state.progress), place].filter((word) => word !== undefined);
  return `No response is here yet (${words.join("; ")}). The proposal stays in the queue, ` +
    "whether you wait or cancel.";
}

/**
 * The result of a call that becomes a task: always `working`, because a result of this kind has no room
 * for an output, and a client that saw `completed` here might look for it in vain.
 */
export function createdTask(state: ProposalState): Task & { readonly resultType: "task" } {
  return { resultType: "task", ...taskOf(state, "working", waitingWords(state)) };
}

/** The result of `tasks/get`. Once there is a decision it has the result that a held call would have. */
export function taskState<R>(state: ProposalState, result: R): Task & { readonly result?: R } {
  if (state.kind === "pending") return taskOf(state, "working", waitingWords(state));
  const words = `The operator has decided: ${state.response.status}.`;
  return { ...taskOf(state, "completed", words), result };
}

/**
 * The result of `tasks/cancel`, which changes nothing about the proposal. The protocol wants the result
 * empty, and allows a server's own words in `_meta` only.
 */
export function cancelResult(state: ProposalState): { readonly _meta: Record<string, string> } {
  const notice = state.kind === "answered"
    ? "Detached. The operator has decided on the proposal already; tasks/get tells what."
    : "Detached. The proposal remains in the queue, and the operator may still approve it: " +
      "tasks/get, proposal-status, or the same call again tell what was decided.";
  return { _meta: { [NOTICE]: notice } };
}
