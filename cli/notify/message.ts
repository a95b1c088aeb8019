/**
 * The text of a notification: fixed words, numbers, and names that the host gave. It has no word of an
 * agent's, no file, no link, and no button. And the signature of a webhook (Standard Webhooks 1.0.0). Pure.
 *
 * @module
 */

import { asciiJson } from "../../internal_mod.ts";
import { type PendingProposal, sha256Hex, type Tool } from "../../mod.ts";
import { createHmac } from "node:crypto";

/** What a message may say of a proposal. */
export interface Arrival {
  readonly bottleSlug: string;
  readonly proposalId: string;
  readonly tool: Tool;
}

export function arrivalOf({ proposal }: Pick<PendingProposal, "proposal">): Arrival {
  const { bottleSlug, id: proposalId, tool } = proposal;
  return { bottleSlug, proposalId, tool };
}

export interface Message {
  /** The same for the same proposals, whichever program sends it, so that a receiver can drop doubles. */
  readonly id: string;
  /** One line of printable ASCII, without a semicolon. */
  readonly text: string;
  /** The same for programs, as the body of a webhook. */
  readonly body: string;
}

/** How many proposals, and how many bottles, a message names. */
const [MAX_PROPOSALS, MAX_BOTTLES] = [20, 3];

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A key that is the same in every program that sees the arrival. */
export function arrivalKey({ bottleSlug, proposalId }: Arrival): string {
  return sha256Hex(`${bottleSlug}/${proposalId}`).slice(0, 16);
}

/** The sidecar chooses ids. One that is not a UUID may be a sentence, and is left out. */
function safeId(id: string): string | undefined {
  return UUID.test(id) ? id : undefined;
}

function sentence(arrivals: readonly Arrival[], waiting: number): string {
  const [first] = arrivals;
  const slugs = [...new Set(arrivals.map(({ bottleSlug }) => bottleSlug))].sort();
  const named = slugs.slice(0, MAX_BOTTLES).join(", ");
  const more = slugs.length > MAX_BOTTLES ? ` and ${slugs.length - MAX_BOTTLES} more` : "";
  const bottles = slugs.length === 1 ? slugs[0] : `${slugs.length} bottles: ${named}${more}`;
  const id = safeId(first?.proposalId ?? "")?.slice(0, 8);
  const all = waiting > arrivals.length ? `. ${waiting} wait in all` : "";
  if (arrivals.length !== 1) return `${arrivals.length} proposals wait in ${bottles}${all}`;
  return `1 proposal waits in ${bottles}${id === undefined ? "" : ` (${id})`}${all}`;
}

/** The message that some proposals arrived (at least one), and that so many wait in all. */
export function arrivalMessage(
  arrivals: readonly Arrival[],
  waiting: number,
  nowMs: number,
): Message {
  const text = sentence(arrivals, waiting);
  const body = asciiJson({
    type: "proposals.arrived",
    timestamp: new Date(nowMs).toISOString(),
    data: {
      text,
      arrived: arrivals.length,
      waiting,
      proposals: arrivals.slice(0, MAX_PROPOSALS).map(({ bottleSlug, proposalId, tool }) => ({
        bottle_slug: bottleSlug,
        id: safeId(proposalId) ?? null,
        tool,
      })),
    },
  });
  const keys = arrivals.map(arrivalKey).sort().join("\n");
  return { id: `msg_${sha256Hex(keys).slice(0, 32)}`, text, body };
}

/** A test message; each has its own id. */
export function testMessage(nowMs: number): Message {
  const text = "A test: nothing waits because of this message";
  const timestamp = new Date(nowMs).toISOString();
  const body = asciiJson({ type: "supervise.test", timestamp, data: { text } });
  return { id: `msg_${crypto.randomUUID().replaceAll("-", "")}`, text, body };
}

/** What Standard Webhooks 1.0.0 allows, in bytes. */
const [MIN_KEY_BYTES, MAX_KEY_BYTES] = [24, 64];

const MAX_KEYS = 4;

/**
 * Reads the secrets of a webhook: one a line, `whsec_` and base64; or returns what is wrong, without any
 * of the text. With two secrets each message has two signatures, so that a receiver can change at any time.
 */
export function parseWebhookSecrets(text: string): readonly Uint8Array[] | string {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length === 0) return "it is empty; write whsec_ and the base64 of 32 random bytes";
  if (lines.length > MAX_KEYS) return `it has more than ${MAX_KEYS} lines; write one secret a line`;
  const keys: Uint8Array[] = [];
  for (const [n, line] of lines.entries()) {
    const at = `line ${n + 1}`;
    if (!line.startsWith("whsec_")) return `${at} does not begin with whsec_`;
    const key = decodeBase64(line.slice("whsec_".length));
    if (key === undefined) return `${at} is not whsec_ and base64`;
    if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
      return `${at} has ${key.length} bytes, expected ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES}`;
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

/** The value of `webhook-signature`. The id has no dot; the timestamp is in whole seconds since 1970. */
export function signWebhook(
  { id, timestamp, body }: {
    readonly id: string;
    readonly timestamp: number;
    readonly body: string;
  },
  keys: readonly Uint8Array[],
): string {
  return keys.map((key) =>
    "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  ).join(" ");
}
