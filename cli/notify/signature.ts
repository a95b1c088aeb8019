/**
 * Signs webhooks after Standard Webhooks 1.0.0, with HMAC-SHA256. Pure.
 *
 * @module
 */

import { createHmac } from "node:crypto";

/** A key that the receiver of a webhook shares with this host. */
export type WebhookKey = Uint8Array;

/** What the specification allows, in bytes. */
const [MIN_BYTES, MAX_BYTES] = [24, 64];

/** More than one change of the secret at a time needs. */
const MAX_KEYS = 4;

/**
 * Reads the secrets of a webhook: one a line, `whsec_` and base64. With two of them each message has two
 * signatures, so that a receiver can change from one to the other at any time.
 *
 * @returns The keys in order; or what is wrong, without any of the text.
 */
export function parseWebhookSecrets(text: string): readonly WebhookKey[] | string {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length === 0) return "it is empty; write whsec_ and the base64 of 32 random bytes";
  if (lines.length > MAX_KEYS) return `it has more than ${MAX_KEYS} lines; write one secret a line`;
  const keys: WebhookKey[] = [];
  for (const [n, line] of lines.entries()) {
    const at = `line ${n + 1}`;
    if (!line.startsWith("whsec_")) return `${at} does not begin with whsec_`;
    const key = decodeBase64(line.slice("whsec_".length));
    if (key === undefined) return `${at} is not whsec_ and base64`;
    if (key.length < MIN_BYTES || key.length > MAX_BYTES) {
      return `${at} has ${key.length} bytes, expected ${MIN_BYTES} to ${MAX_BYTES}`;
    }
    keys.push(key);
  }
  return keys;
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "loose" });
  } catch {
    return undefined;
  }
}

/** A message as it is sent. */
export interface SignedMessage {
  /** The message's id, without a dot; the same for every try. */
  readonly id: string;
  /** When this try was made, in whole seconds since 1970. */
  readonly timestamp: number;
  /** The body, exactly. */
  readonly body: string;
}

/** The value of `webhook-signature`: one signature for each key. */
export function signWebhook(
  { id, timestamp, body }: SignedMessage,
  keys: readonly WebhookKey[],
): string {
  return keys.map((key) =>
    "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  ).join(" ");
}
