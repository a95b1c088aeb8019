/**
 * What the host remembers between two commands: what an operator was shown, how it went with each
 * receiver of notifications, and an operator's own version of a file until it is decided.
 *
 * @module
 */

import { claudeBottleRoot, privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { namesInOwn, readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import {
  makeDirectoryIn,
  removeDirectory,
  removeFile,
  replaceFile,
  replaceFileAlone,
  writeNewFile,
} from "../disk/write.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { checkBottleSlug, checkProposalId } from "../records/names.ts";
import { CONFIG_FILE_FOR_TOOL, type ProposalRef, type Tool } from "../records/proposal.ts";
import { asciiJson } from "../text/json.ts";
import { join } from "@std/path";

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
 * @param root The root.
 * @returns The record; an empty one if there is none, or it cannot be read.
 * @throws {TypeError} If the name is none.
 */
export function readReceiverRecord(
  receiver: string,
  root: string,
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
 * @param root The root.
 * @throws {TypeError} If the name is none.
 */
export async function updateReceiverRecord(
  receiver: string,
  change: (record: ReceiverRecord) => ReceiverRecord,
  root: string,
): Promise<void> {
  const path = recordPath(receiver, root);
  await withLock(path.replace(/json$/, "lock"), () => {
    replaceFileAlone(path, encodeRecord(change(parseRecord(readOwnFile(path)))));
  });
}

/** What was on the operator's screen. */
export interface Shown {
  /** SHA-256 of the proposal's bytes, lower-case hex. */
  readonly proposalSha256: string;
  /** SHA-256 of the file in force, lower-case hex; `""` if there was none. */
  readonly currentSha256: string;
}

function shownDir(bottleSlug: string, root: string): string {
  return join(privateDir(root), "shown", checkBottleSlug(bottleSlug));
}

function shownPath({ root = claudeBottleRoot(), bottleSlug, proposalId }: ProposalRef): string {
  return join(shownDir(bottleSlug, root), checkProposalId(proposalId));
}

/**
 * Remembers what was shown of a proposal, on this host.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 * @param shown What was shown.
 */
export function rememberShown(ref: ProposalRef, shown: Shown): void {
  const text = `${shown.proposalSha256} ${shown.currentSha256}\n`;
  replaceFile(shownPath(ref), new TextEncoder().encode(text));
}

/**
 * What was last shown of a proposal, on this host. Half a hash would bind a decision to less than what
 * was shown, so there are two whole ones or none.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param ref The proposal.
 * @returns What was shown, or `undefined` if it was not.
 * @throws {InvalidNameError} If the slug or the id is none.
 * @throws {MalformedRecordError} If what was remembered cannot be read.
 */
export function lastShown(ref: ProposalRef): Shown | undefined {
  const path = shownPath(ref);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const hashes = /^([0-9a-f]{64}) ((?:[0-9a-f]{64})?)\n$/.exec(new TextDecoder().decode(bytes));
  if (hashes === null) {
    throw new MalformedRecordError(
      path,
      undefined,
      "it does not say what was shown; look at the proposal again",
    );
  }
  return { proposalSha256: hashes[1]!, currentSha256: hashes[2]! };
}

/**
 * The ids that were shown of a bottle, and are not decided through this host's tools yet.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param bottleSlug The bottle.
 * @param root The root.
 * @returns The ids.
 */
export function shownIds(
  bottleSlug: string,
  root: string,
): readonly string[] {
  return listNames(shownDir(bottleSlug, root));
}

/**
 * Forgets that a proposal was shown, once it is decided. That it cannot be forgotten is no harm: a
 * decided proposal is not decided again.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param ref The proposal.
 */
export function forgetShown(ref: ProposalRef): void {
  const path = shownPath(ref);
  try {
    removeFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/** A file for an editor, alone in a directory of its own. */
export interface EditBuffer {
  /** The directory. */
  readonly dir: string;
  /** The file, under the config file's own name. */
  readonly path: string;
  /** What is in it now; `undefined` if the editor removed it. */
  readonly read: () => Uint8Array<ArrayBuffer> | undefined;
  /** Whether the editor left another file beside it. */
  readonly hasOthers: () => boolean;
  /** Removes the directory. */
  readonly discard: () => Promise<void>;
}

function editsDir(root: string): string {
  return join(privateDir(root), "edit");
}

/** Makes a buffer, mode 0600, with a text in it. */
export function openEditBuffer(root: string, tool: Tool, start: string): EditBuffer {
  const dir = makeDirectoryIn(editsDir(root));
  const name = CONFIG_FILE_FOR_TOOL[tool];
  const path = join(dir, name);
  writeNewFile(path, new TextEncoder().encode(start));
  return {
    dir,
    path,
    read: () => readOwnFile(path),
    hasOthers: () => namesInOwn(dir).some((other) => other !== name),
    discard: () => removeDirectory(dir),
  };
}

/** The files that are still in buffers: their paths. */
export function keptEdits(root: string): readonly string[] {
  const edits = editsDir(root);
  return namesInOwn(edits).flatMap((dir) =>
    namesInOwn(join(edits, dir)).map((name) => join(edits, dir, name))
  );
}
