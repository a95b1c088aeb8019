/**
 * Whoever is told, as `notify.json` and the files that it names have it.
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
  type TerminalSignal,
} from "./config.ts";
import type { Message } from "./message.ts";
import { type Outcome, post } from "./outbox.ts";
import { parseWebhookSecrets, signWebhook } from "./signature.ts";

/** The names of the receivers on the network. */
export const REMOTE_NAMES = ["webhook", "ntfy"] as const;

/** Somebody who is told. */
export interface Receiver {
  /** Its name, as in `notify.json`. */
  readonly name: string;
  /** Where it is: host and port. */
  readonly place?: string;
  /** Sends a message, once; never throws. */
  readonly send: (message: Message, signal: AbortSignal) => Promise<Outcome>;
}

/** What cannot be used, and why. */
export interface ReceiverProblem {
  /** The receiver's name; `notify.json` if none can be used. */
  readonly name: string;
  /** One sentence: the file, the reason, the way out. */
  readonly says: string;
}

/** Whom to tell. */
export interface Receivers {
  /** Whether there is a `notify.json`. */
  readonly configured: boolean;
  /** How to tell the terminal, if at all. */
  readonly terminal?: TerminalSignal;
  /** The receivers on the network that can be used. */
  readonly remote: readonly Receiver[];
  /** What cannot be used. */
  readonly problems: readonly ReceiverProblem[];
}

/**
 * Reads whom to tell. A file that is wrong takes away what it is for, and nothing else.
 *
 * Needs `--allow-read` for the root, and `--allow-sys=uid`.
 *
 * @param root The root.
 * @returns Whom to tell, and what is wrong.
 */
export function readReceivers(root: string): Receivers {
  const problems: ReceiverProblem[] = [];
  const remote: Receiver[] = [];
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
  if (webhook !== undefined) {
    const receiver = attempt("webhook", () => webhookReceiver(webhook, root));
    if (receiver !== undefined) remote.push(receiver);
  }
  if (ntfy !== undefined) {
    const receiver = attempt("ntfy", () => ntfyReceiver(ntfy, root));
    if (receiver !== undefined) remote.push(receiver);
  }
  const configured = config !== undefined || problems.length > 0;
  return { configured, remote, problems, ...(terminal === undefined ? {} : { terminal }) };
}

/** The text of a file with a secret, which has to be there. */
function secretIn(file: string, root: string): { readonly path: string; readonly text: string } {
  const path = `${root}/${file}`;
  const text = readSecretFile(path);
  if (text !== undefined) return { path, text };
  throw new NotifyConfigError(
    `Cannot use ${path}: there is no such file; docs/notify.md makes one`,
  );
}

function webhookReceiver(
  { url, secretFile }: NonNullable<NotifyConfig["webhook"]>,
  root: string,
): Receiver {
  const { path, text } = secretIn(secretFile, root);
  const keys = parseWebhookSecrets(text);
  if (typeof keys === "string") throw new NotifyConfigError(`Cannot use ${path}: ${keys}`);
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
  const authorization: Record<string, string> = {};
  if (tokenFile !== undefined) {
    const { path, text } = secretIn(tokenFile, root);
    const token = text.trim();
    // Neither a key nor a header of its own can be in it.
    if (!/^[A-Za-z0-9._~+/=-]{1,512}$/.test(token)) {
      throw new NotifyConfigError(
        `Cannot use ${path}: it is no token; write the token and nothing else`,
      );
    }
    authorization["authorization"] = `Bearer ${token}`;
  }
  return {
    name: "ntfy",
    place: url.hostPort,
    send: ({ text }, signal) =>
      post(url, {
        headers: {
          "content-type": "text/plain; charset=utf-8",
          title: "supervise",
          ...authorization,
        },
        body: text,
      }, signal),
  };
}

/** The variables that say which terminal this is; a program that may not read them rings the bell. */
export const TERMINAL_VARIABLES = ["TERM", "TERM_PROGRAM"] as const;

/** What is sent to a terminal. */
export type TerminalForm = Exclude<TerminalSignal, "auto">;

/** What says so for sure, by the beginning of `TERM` or `TERM_PROGRAM`. */
const KNOWN: readonly (readonly [RegExp, TerminalForm])[] = [
  [/^xterm-kitty/, "osc99"],
  [/^(?:xterm-)?ghostty|^wezterm|^foot|^rxvt-unicode/i, "osc777"],
  [/^iTerm\.app|^WarpTerminal/, "osc9"],
];

/**
 * The form that a terminal understands. Within tmux and screen it is the bell, whatever is asked for:
 * they pass on no other.
 *
 * @param signal What is asked for.
 * @param term `TERM`.
 * @param termProgram `TERM_PROGRAM`.
 * @returns The form.
 */
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

/**
 * The bytes that tell a terminal.
 *
 * @param form The form.
 * @param text One line of printable ASCII, without a semicolon.
 * @returns The bytes: they move no cursor, and change no colour.
 */
export function terminalBytes(form: TerminalForm, text: string): Uint8Array {
  // It is so by construction. If ever it is not, a terminal is the wrong place to find out.
  const safe = text.replace(/[^ -:<-~]/g, "?");
  switch (form) {
    case "bell":
      return new TextEncoder().encode("\x07");
    case "osc9":
      // Some terminals take a number right behind the 9 for a command: so there is a word.
      return new TextEncoder().encode(`\x1b]9;supervise: ${safe}\x07`);
    case "osc777":
      return new TextEncoder().encode(`\x1b]777;notify;supervise;${safe}\x07`);
    case "osc99":
      return new TextEncoder().encode(`\x1b]99;;supervise: ${safe}\x1b\\`);
  }
}

function variable(name: string): string {
  try {
    return Deno.env.get(name) ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

/**
 * The terminal of a program, as somebody who is told.
 *
 * Needs `--allow-env=TERM,TERM_PROGRAM` to know which terminal it is.
 *
 * @param context The context.
 * @param signal What is asked for.
 * @returns The receiver; `undefined` where standard output is no terminal, or is for a program.
 */
export function terminalReceiver(context: Context, signal: TerminalSignal): Receiver | undefined {
  if (!context.outIsTerminal || context.flags.json) return undefined;
  const [term, termProgram] = TERMINAL_VARIABLES.map(variable);
  const form = terminalForm(signal, term ?? "", termProgram ?? "");
  return {
    name: "terminal",
    send: ({ text }) => {
      try {
        context.write(terminalBytes(form, text));
        return Promise.resolve({ told: true, says: `it was sent ${form}` });
      } catch {
        const says = "it cannot be written to";
        return Promise.resolve({ told: false, says, again: false });
      }
    },
  };
}
