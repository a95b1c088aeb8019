/**
 * Whoever is told, as `notify.json` and the files that it names have it.
 *
 * @module
 */

import {
  type NotifyConfig,
  NotifyConfigError,
  notifyConfigPath,
  readNotifyConfig,
  readSecretFile,
  type TerminalSignal,
} from "./config.ts";
import type { Message } from "./message.ts";
import { type Outcome, post } from "./post.ts";
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
