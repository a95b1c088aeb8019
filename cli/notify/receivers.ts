/**
 * The receivers that `notify.json` names: a webhook, an ntfy topic, the program's own terminal.
 *
 * @module
 */

import type { Context } from "../command/context.ts";
import {
  type NotifyConfig,
  NotifyConfigError,
  notifyConfigPath,
  readNotifyConfig,
  readSecretFile,
  type ReceiverUrl,
  type TerminalSignal,
} from "./config.ts";
import { type Message, parseWebhookSecrets, signWebhook } from "./message.ts";

/** What came of a try. `says` is never the receiver's words, and has nothing of the address in it. */
export type Outcome =
  | { readonly told: true; readonly says: string }
  | {
    readonly told: false;
    readonly says: string;
    /** Whether another try may do better; `"never"`: the receiver wants no message any more. */
    readonly again: boolean | "never";
    /** How long the receiver asks to be left alone, in milliseconds. */
    readonly afterMs?: number;
  };

export interface Receiver {
  readonly name: string;
  /** Its host and port, if it is on the network. */
  readonly place?: string;
  /** Sends a message once; never throws. */
  readonly send: (message: Message, signal: AbortSignal) => Promise<Outcome>;
}

/**
 * Reads `notify.json` and the files that it names. A wrong secret takes away its own receiver alone;
 * `problems` has it by its name, or by `notify.json` if the whole file is wrong.
 */
export function readReceivers(root: string) {
  const problems: { readonly name: string; readonly says: string }[] = [];
  const attempt = <T>(name: string, run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof NotifyConfigError)) throw error;
      problems.push({ name, says: error.message });
      return undefined;
    }
  };
  const config = attempt("notify.json", () => readNotifyConfig(notifyConfigPath(root)));
  const { terminal, webhook, ntfy } = config ?? {};
  const remote = [
    webhook && attempt("webhook", () => webhookReceiver(webhook, root)),
    ntfy && attempt("ntfy", () => ntfyReceiver(ntfy, root)),
  ].filter((receiver) => receiver !== undefined);
  const configured = config !== undefined || problems.length > 0;
  return { configured, terminal, remote, problems };
}

function secretIn(file: string, root: string): { readonly path: string; readonly text: string } {
  const path = `${root}/${file}`;
  const text = readSecretFile(path);
  if (text !== undefined) return { path, text };
  throw unusable(path, "there is no such file; docs/notify.md makes one");
}

function unusable(path: string, reason: string): NotifyConfigError {
  return new NotifyConfigError(`Cannot use ${path}: ${reason}`);
}

function webhookReceiver(
  { url, secretFile }: NonNullable<NotifyConfig["webhook"]>,
  root: string,
): Receiver {
  const { path, text } = secretIn(secretFile, root);
  const keys = parseWebhookSecrets(text);
  if (typeof keys === "string") throw unusable(path, keys);
  return {
    name: "webhook",
    place: url.hostPort,
    send: ({ id, body }, signal) => {
      const timestamp = Math.floor(Date.now() / 1000);
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": `${timestamp}`,
        "webhook-signature": signWebhook({ id, timestamp, body }, keys),
      };
      return post(url, { headers, body }, signal);
    },
  };
}

function ntfyReceiver(
  { url, tokenFile }: NonNullable<NotifyConfig["ntfy"]>,
  root: string,
): Receiver {
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    title: "supervise",
  };
  if (tokenFile !== undefined) {
    const { path, text } = secretIn(tokenFile, root);
    const token = text.trim();
    // Neither a private key nor a second header fits this pattern.
    if (!/^[A-Za-z0-9._~+/=-]{1,512}$/.test(token)) {
      throw unusable(path, "it is not a token; write the token and nothing else");
    }
    headers["authorization"] = `Bearer ${token}`;
  }
  return {
    name: "ntfy",
    place: url.hostPort,
    send: ({ text }, signal) => post(url, { headers, body: text }, signal),
  };
}

type TerminalForm = Exclude<TerminalSignal, "auto">;

/** The form that a terminal surely understands, by the beginning of `TERM` or `TERM_PROGRAM`. */
const KNOWN: readonly (readonly [RegExp, TerminalForm])[] = [
  [/^xterm-kitty/, "osc99"],
  [/^(?:xterm-)?ghostty|^wezterm|^foot|^rxvt-unicode/i, "osc777"],
  [/^iTerm\.app|^WarpTerminal/, "osc9"],
];

/** The form for a terminal. Within tmux and screen it is always the bell: they pass on nothing else. */
export function terminalForm(
  signal: TerminalSignal,
  term: string,
  termProgram: string,
): TerminalForm {
  if (/^(?:tmux|screen)/.test(term) || termProgram === "tmux") return "bell";
  if (signal !== "auto") return signal;
  const known = KNOWN.find(([pattern]) => pattern.test(term) || pattern.test(termProgram));
  return known?.[1] ?? "bell";
}

/** The bytes that notify a terminal: they move no cursor, and change no colour. */
export function terminalBytes(form: TerminalForm, text: string): Uint8Array {
  // A message is printable ASCII without a semicolon. Were it ever not, it must not reach a terminal.
  const safe = text.replace(/[^ -:<-~]/g, "?");
  switch (form) {
    case "bell":
      return new TextEncoder().encode("\x07");
    case "osc9":
      // Some terminals take a number after the 9 for a command, so a word comes first.
      return new TextEncoder().encode(`\x1b]9;supervise: ${safe}\x07`);
    case "osc777":
      return new TextEncoder().encode(`\x1b]777;notify;supervise;${safe}\x07`);
    case "osc99":
      return new TextEncoder().encode(`\x1b]99;;supervise: ${safe}\x1b\\`);
  }
}

/** A variable of the environment; `""` if it may not be read: then the bell is rung. */
function variable(name: string): string {
  try {
    return Deno.env.get(name) ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

/** The program's own terminal; `undefined` if standard output is not a terminal, or a program reads it. */
export function terminalReceiver(context: Context, signal: TerminalSignal): Receiver | undefined {
  if (!context.outIsTerminal || context.flags.json) return undefined;
  const form = terminalForm(signal, variable("TERM"), variable("TERM_PROGRAM"));
  return {
    name: "terminal",
    send: ({ text }) => {
      try {
        context.write(terminalBytes(form, text));
        return Promise.resolve({ told: true, says: `it was sent ${form}` });
      } catch {
        return Promise.resolve(failed("it cannot be written to", false));
      }
    },
  };
}

const TRY_MS = 5_000;

/** The longest that a receiver is left alone, however long it asks for. */
const MAX_AFTER_MS = 300_000;

/** What the runtime says, and what is said instead: the runtime's words have the address in them. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/dns error|lookup address/i, "its name is not known here"],
  [/connection refused/i, "it refused the connection"],
  [/certificate|UnknownIssuer/i, "its certificate is not accepted"],
];

/** Posts a message. Follows no redirect, reads the status line and the headers alone, never throws. */
export async function post(
  url: ReceiverUrl,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
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
    // Not awaited: the rest is dropped, and the connection with it.
    response.body?.cancel().catch(() => {});
    return outcomeOf(response);
  } catch (error) {
    if (signal.aborted) return failed("no answer before the program ended", false);
    if (late.signal.aborted) return failed(`no answer within ${tryMs / 1000} s`, true);
    return failureOf(error, url);
  } finally {
    clearTimeout(timer);
  }
}

function failed(says: string, again: boolean | "never") {
  return { told: false, says, again } as const;
}

function outcomeOf({ status, headers }: Response): Outcome {
  if (status >= 200 && status < 300) return { told: true, says: `it answered ${status}` };
  if (status >= 300 && status < 400) {
    const says = `it redirects (${status}), and redirects are not followed; write the new address`;
    return failed(says, false);
  }
  if (status === 410) return failed("it answered 410: it wants no more messages", "never");
  const again = status >= 500 || status === 408 || status === 425 || status === 429;
  const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
  const outcome = failed(`it answered ${status}`, again);
  if (seconds === undefined) return outcome;
  return { ...outcome, afterMs: Math.min(Number(seconds) * 1000, MAX_AFTER_MS) };
}

function failureOf(error: unknown, { hostPort }: ReceiverUrl): Outcome {
  if (error instanceof Deno.errors.NotCapable) {
    const way = `start it again through cli/supervise.sh, or with --allow-net=${hostPort}`;
    return failed(`this program may not reach it; ${way}`, false);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const words = `${error} ${cause}`;
  if (/Requests to port \d+ are blocked/.test(words)) {
    return failed("its port is one that no HTTP client uses", false);
  }
  const reason = REASONS.find(([pattern]) => pattern.test(words))?.[1];
  return failed(reason ?? "the connection failed", true);
}
