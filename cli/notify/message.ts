/**
 * What a receiver is told: fixed words, numbers, and names of ours. Nothing that an agent wrote, no file,
 * no link, and nothing that could be answered. Pure.
 *
 * @module
 */

import { asciiJson } from "../../internal_mod.ts";
import { type PendingProposal, sha256Hex, type Tool } from "../../mod.ts";

/** What may be told of a proposal. */
export interface Arrival {
  /** The bottle; the host named it. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly id: string;
  /** One of our tools. */
  readonly tool: Tool;
}

/** What is told at once. */
export interface Message {
  /** The same for the same proposals, whoever tells of them, so that a receiver can drop doubles. */
  readonly id: string;
  /** One line of printable ASCII, without a semicolon. */
  readonly text: string;
  /** The same for programs, as the body of a webhook. */
  readonly body: string;
}

/** How many proposals, and how many bottles, a message names. */
const [MAX_PROPOSALS, MAX_BOTTLES] = [20, 3];

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What may be told of a pending proposal.
 *
 * @param entry The proposal.
 * @returns The bottle, the id, the tool.
 */
export function arrivalOf({ proposal }: PendingProposal): Arrival {
  const { bottleSlug, id, tool } = proposal;
  return { bottleSlug, id, tool };
}

/**
 * What makes an arrival one and the same for every program that sees it.
 *
 * @param arrival The arrival.
 * @returns A key.
 */
export function arrivalKey({ bottleSlug, id }: Arrival): string {
  return sha256Hex(`${bottleSlug}/${id}`).slice(0, 16);
}

/** Whoever owns a sidecar chooses the ids: one that is no UUID may be a sentence, and is left out. */
function tellableId(id: string): string | undefined {
  return UUID.test(id) ? id : undefined;
}

function sentence(arrivals: readonly Arrival[], waiting: number): string {
  const [first] = arrivals;
  const slugs = [...new Set(arrivals.map(({ bottleSlug }) => bottleSlug))].sort();
  const named = slugs.slice(0, MAX_BOTTLES).join(", ");
  const more = slugs.length > MAX_BOTTLES ? ` and ${slugs.length - MAX_BOTTLES} more` : "";
  const bottles = slugs.length === 1 ? slugs[0] : `${slugs.length} bottles: ${named}${more}`;
  const id = tellableId(first?.id ?? "")?.slice(0, 8);
  const all = waiting > arrivals.length ? `. ${waiting} wait in all` : "";
  if (arrivals.length !== 1) return `${arrivals.length} proposals wait in ${bottles}${all}`;
  return `1 proposal waits in ${bottles}${id === undefined ? "" : ` (${id})`}${all}`;
}

/**
 * Says what arrived.
 *
 * @param arrivals What arrived; at least one.
 * @param waiting How many wait, these and others.
 * @param nowMs Now, in milliseconds since 1970.
 * @returns The message.
 */
export function tellArrivals(
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
      proposals: arrivals.slice(0, MAX_PROPOSALS).map(({ bottleSlug, id, tool }) => ({
        bottle_slug: bottleSlug,
        id: tellableId(id) ?? null,
        tool,
      })),
    },
  });
  const keys = arrivals.map(arrivalKey).sort().join("\n");
  return { id: `msg_${sha256Hex(keys).slice(0, 32)}`, text, body };
}

/**
 * Says that this is a test.
 *
 * @param nowMs Now, in milliseconds since 1970.
 * @returns The message; each has an id of its own.
 */
export function tellTest(nowMs: number): Message {
  const text = "A test: nothing waits because of this message";
  const timestamp = new Date(nowMs).toISOString();
  const body = asciiJson({ type: "supervise.test", timestamp, data: { text } });
  return { id: `msg_${crypto.randomUUID().replaceAll("-", "")}`, text, body };
}
