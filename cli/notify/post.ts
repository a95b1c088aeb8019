/**
 * One try to hand a message to a receiver. Whoever receives is not trusted: it may hang, redirect,
 * answer without end, or answer in words meant for the operator.
 *
 * @module
 */

import type { ReceiverUrl } from "./receiver_url.ts";

/** What came of a try. */
export type Outcome =
  | {
    readonly told: true;
    /** What was said, in words of ours. */
    readonly says: string;
  }
  | {
    readonly told: false;
    /** Why not, in words of ours: neither the receiver's, nor any of the address. */
    readonly says: string;
    /** Whether another try may do better; `"never"`: no message will. */
    readonly again: boolean | "never";
    /** How long the receiver wants to be left alone, in milliseconds. */
    readonly afterMs?: number;
  };

/** A request, but for its address. */
export interface PostRequest {
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: string;
}

/** How long a try may take. */
export const TRY_MS = 5_000;

/** However long a receiver wants to be left alone. */
const MAX_AFTER_MS = 300_000;

/** What the runtime says, and what we say: its own words have the address in them. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/dns error|lookup address/i, "its name is not known here"],
  [/connection refused/i, "it refused the connection"],
  [/certificate|UnknownIssuer/i, "its certificate is not accepted"],
];

/**
 * Posts a message, once. Follows no redirect, and reads nothing of what comes behind the status line and
 * the headers.
 *
 * Needs `--allow-net` for the receiver's host and port.
 *
 * @param url The address.
 * @param request What to post.
 * @param signal Gives it up.
 * @param tryMs How long it may take; {@linkcode TRY_MS} unless given.
 * @returns What came of it; never throws.
 */
export async function post(
  url: ReceiverUrl,
  request: PostRequest,
  signal: AbortSignal,
  tryMs: number = TRY_MS,
): Promise<Outcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), tryMs);
  try {
    const response = await fetch(url.href, {
      method: "POST",
      headers: { "user-agent": "supervise", ...request.headers },
      body: request.body,
      redirect: "manual",
      signal: AbortSignal.any([signal, late.signal]),
    });
    // Not awaited: what comes is dropped, and the connection with it.
    response.body?.cancel().catch(() => {});
    return outcomeOf(response);
  } catch (error) {
    if (signal.aborted) {
      return { told: false, says: "no answer before the program ended", again: false };
    }
    if (late.signal.aborted) {
      return { told: false, says: `no answer within ${tryMs / 1000} s`, again: true };
    }
    return failureOf(error, url);
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf({ status, headers }: Response): Outcome {
  if (status >= 200 && status < 300) return { told: true, says: `it answered ${status}` };
  if (status >= 300 && status < 400) {
    const says =
      `it redirects (${status}), which is not followed; write the address it redirects to`;
    return { told: false, says, again: false };
  }
  if (status === 410) {
    return { told: false, says: "it answered 410: it wants no more messages", again: "never" };
  }
  const again = status >= 500 || status === 408 || status === 425 || status === 429;
  const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
  const after = seconds === undefined
    ? {}
    : { afterMs: Math.min(Number(seconds) * 1000, MAX_AFTER_MS) };
  return { told: false, says: `it answered ${status}`, again, ...after };
}

function failureOf(error: unknown, { hostPort }: ReceiverUrl): Outcome {
  if (error instanceof Deno.errors.NotCapable) {
    const says = `this program may not reach it; start it anew through cli/supervise.sh, or with ` +
      `--allow-net=${hostPort}`;
    return { told: false, says, again: false };
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const words = `${error} ${cause}`;
  if (/Requests to port \d+ are blocked/.test(words)) {
    return { told: false, says: "its port is one that no HTTP client uses", again: false };
  }
  const says = REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? "the connection failed";
  return { told: false, says, again: true };
}
