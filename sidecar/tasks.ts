/**
 * Calls as tasks, for clients that declare the extension: a call returns at once, the task's id is
 * the proposal's. Plain values, in the shapes of the extension's revision 2026-07-28. Nothing of a
 * task is kept: what one has come to is read from the queue directory each time.
 *
 * @module
 */

import type { Outcome } from "./hold.ts";
import { z } from "zod";

/** The extension's name, as clients and servers declare it. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** A declaration of the extension, in the shape of capabilities of either side. */
export const TASKS_CAPABILITY = { extensions: { [TASKS_EXTENSION]: {} } };

/** Where a request says what its client can do. */
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** What every task method is asked with; `tasks/update` brings more, which nothing here waits for. */
export const TASK_PARAMS = z.object({ taskId: z.string() });

/** Under which key a result says more than the protocol has room for. */
export const NOTICE = "supervise/notice";

/** How often a client should ask, in milliseconds: people take minutes, and asking reads files. */
const POLL_INTERVAL_MS = 5_000;

/** What an unknown id is answered with; another bottle's is no less unknown. */
export const NO_SUCH_TASK = "Cannot find that task: this bottle has proposed nothing with that id";

/** A call that came to a question, answered or not. */
type Asked = Exclude<Outcome, { kind: "refused" }>;

/** A task, as it stands in a result. */
export interface Task {
  /** The proposal's id. */
  readonly taskId: string;
  /** What has become of it. There is no `cancelled`: only the operator ends a proposal. */
  readonly status: "working" | "completed";
  /** The same, in words. */
  readonly statusMessage: string;
  /** When the proposal arrived, ISO 8601. */
  readonly createdAt: string;
  /** When it was answered, or else arrived. */
  readonly lastUpdatedAt: string;
  /** How long it is kept: without limit. */
  readonly ttlMs: null;
  /** How often to ask. */
  readonly pollIntervalMs: number;
}

/**
 * Says whether a request's client declares the extension. Only what stands in the request itself
 * counts, because the next one may come from another client.
 *
 * @param envelope The `_meta` envelope of a 2026-07-28 request, if it has one.
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

/** The records take any text for an instant; the protocol takes ISO 8601. */
function isoOf(instant: string | number): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

function taskOf(asked: Asked, status: Task["status"], statusMessage: string): Task {
  const { id, arrivalTimestamp } = asked.proposal;
  const createdAt = isoOf(arrivalTimestamp);
  return {
    taskId: id,
    status,
    statusMessage,
    createdAt,
    lastUpdatedAt: asked.kind === "answered" ? isoOf(asked.answeredAtMs) : createdAt,
    ttlMs: null,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
}

function waitingWords(asked: Asked): string {
  if (asked.kind === "answered") return "The operator has decided; ask for the result.";
  const place = asked.ahead === 0 ? "it is next" : `${asked.ahead} before it`;
  return `The operator has not decided yet (${place}). The proposal stays in the queue, whether ` +
    "you wait or cancel.";
}

/**
 * The result of a call that became a task.
 *
 * @returns The task, as a client is first told of it: always `working`, since a result of this kind
 * has no room for an answer, and a client that saw `completed` here might look for it in vain.
 */
export function createdTask(asked: Asked): Task & { readonly resultType: "task" } {
  return { resultType: "task", ...taskOf(asked, "working", waitingWords(asked)) };
}

/**
 * The result of `tasks/get`.
 *
 * @param result What a held call would have returned now.
 */
export function taskState<R>(asked: Asked, result: R): Task & { readonly result?: R } {
  if (asked.kind === "pending") return taskOf(asked, "working", waitingWords(asked));
  const words = `The operator has decided: ${asked.response.status}.`;
  return { ...taskOf(asked, "completed", words), result };
}

/**
 * The result of `tasks/cancel`. The protocol wants it empty, and allows words of a server's own in
 * `_meta` only.
 *
 * @param asked What has become of the proposal; cancelling changes nothing in that.
 * @returns The acknowledgement, which says so.
 */
export function cancelResult(asked: Asked): { readonly _meta: Record<string, string> } {
  const notice = asked.kind === "answered"
    ? "Detached. The operator has decided on the proposal already; tasks/get tells what."
    : "Detached. The proposal remains in the queue, and the operator may still approve it: " +
      "tasks/get, proposal-status, or the same call again tell what was decided.";
  return { _meta: { [NOTICE]: notice } };
}
