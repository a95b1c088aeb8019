/**
 * Remembers how it went with each receiver of notifications, and of what it was told, so that of two
 * programs that watch one of them tells, and `doctor` knows what failed.
 *
 * @module
 */

import { join } from "@std/path";
import { replaceFileAlone } from "./durable.ts";
import { withLock } from "./durable_log.ts";
import { readOwnFile } from "./own_files.ts";
import { claudeBottleRoot, privateDir } from "./paths.ts";
import { asciiJson } from "./wire.ts";

/** How it went with one receiver. */
export interface ReceiverRecord {
  /** When it took a message last, ISO 8601. */
  readonly lastSuccess?: string;
  /** When it took none last, ISO 8601. */
  readonly lastFailure?: string;
  /** Why, in words of ours: never what the receiver said. */
  readonly reason?: string;
  /** How many tries have failed since it took a message. */
  readonly failures: number;
  /** How many proposals it will never be told of, since it took a message. */
  readonly dropped: number;
  /** Keys of what was told, or is being told by whoever put it here; the newest last. */
  readonly told: readonly string[];
}

/** What is known of a receiver that was never told anything. */
const UNTOLD: ReceiverRecord = { failures: 0, dropped: 0, told: [] };

/** How many keys are kept: more than can be pending at once in a few flooded bottles. */
const MAX_TOLD = 4_000;

function recordPath(receiver: string, root: string): string {
  if (!/^[a-z]{1,32}$/.test(receiver)) {
    throw new TypeError(`Cannot use ${receiver} as a receiver's name: expected lower-case letters`);
  }
  return join(privateDir(root), "notify", `${receiver}.json`);
}

/** A record that cannot be read counts as none: then something is told twice, which is no harm. */
function parseRecord(bytes: Uint8Array | undefined): ReceiverRecord {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return UNTOLD;
  }
  if (typeof value !== "object" || value === null) return UNTOLD;
  const fields = value as Record<string, unknown>;
  const text = (name: string) => typeof fields[name] === "string" ? fields[name] : undefined;
  const count = (name: string) => Number.isSafeInteger(fields[name]) ? Number(fields[name]) : 0;
  const told = Array.isArray(fields["told"]) ? fields["told"] as unknown[] : [];
  return {
    ...optional("lastSuccess", text("last_success")),
    ...optional("lastFailure", text("last_failure")),
    ...optional("reason", text("reason")),
    failures: count("failures"),
    dropped: count("dropped"),
    told: told.filter((key) => typeof key === "string"),
  };
}

function optional(name: string, value: string | undefined): object {
  return value === undefined ? {} : { [name]: value };
}

function encodeRecord(record: ReceiverRecord): Uint8Array {
  const json = asciiJson({
    version: 1,
    last_success: record.lastSuccess,
    last_failure: record.lastFailure,
    reason: record.reason,
    failures: record.failures,
    dropped: record.dropped,
    told: record.told.slice(-MAX_TOLD),
  }, 1);
  return new TextEncoder().encode(json + "\n");
}

/**
 * How it went with a receiver.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param receiver The receiver's name, lower-case letters.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The record; an empty one if there is none, or it cannot be read.
 * @throws {TypeError} If the name is none.
 */
export function readReceiverRecord(
  receiver: string,
  root: string = claudeBottleRoot(),
): ReceiverRecord {
  return parseRecord(readOwnFile(recordPath(receiver, root)));
}

/**
 * Changes what is remembered of a receiver. Of any number of programs one at a time does, so that none
 * forgets what another one remembered.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param receiver The receiver's name, lower-case letters.
 * @param change What to remember instead of what is remembered; called under the lock.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @throws {TypeError} If the name is none.
 */
export async function updateReceiverRecord(
  receiver: string,
  change: (record: ReceiverRecord) => ReceiverRecord,
  root: string = claudeBottleRoot(),
): Promise<void> {
  const path = recordPath(receiver, root);
  await withLock(path.replace(/json$/, "lock"), () => {
    replaceFileAlone(path, encodeRecord(change(parseRecord(readOwnFile(path)))));
  });
}
