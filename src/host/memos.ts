/**
 * What the host remembers between two commands: what an operator was shown, how it went with each
 * receiver of notifications, and an operator's own version of a file until it is decided.
 *
 * @module
 */

import { claudeBottleRoot, privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { namesInOwn, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { listNames, MAX_QUEUE_FILE_BYTES } from "../disk/read_untrusted.ts";
import {
  makeDirectoryIn,
  removeDirectory,
  replaceFile,
  replaceFileAlone,
  writeNewFile,
} from "../disk/write.ts";
import { parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { checkBottleSlug, checkProposalId, isBottleSlug, isProposalId } from "../records/names.ts";
import { CONFIG_FILE_FOR_TOOL, type ProposalRef, type Tool } from "../records/proposal.ts";
import { type Check, isCount, isText, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import { keepNewest } from "./config_files.ts";
import { dirname, join } from "@std/path";

/** How the notifications of one receiver went. The two times are ISO 8601. */
export interface ReceiverRecord {
  readonly lastSuccess?: string;
  readonly lastFailure?: string;
  /** Why the last one failed, in this program's words: never what the receiver said. */
  readonly reason?: string;
  /** How many tries have failed since the last success. */
  readonly failures: number;
  /** How many proposals were given up since the last success. */
  readonly dropped: number;
  /** Keys of the messages that were sent, or that a program is about to send; the newest last. */
  readonly told: readonly string[];
}

const NOTHING_SENT: ReceiverRecord = { failures: 0, dropped: 0, told: [] };

/** How many keys are kept: more than can be pending at once in a few flooded bottles. */
const MAX_TOLD = 4_000;

const isTexts: Check = (value) =>
  Array.isArray(value) && value.every((each) => isText(each) === undefined)
    ? undefined
    : "not a list of strings";

const RECORD = shapeOf<ReceiverRecord>("record of a receiver", {
  lastSuccess: { wire: "last_success", check: isText, optional: true },
  lastFailure: { wire: "last_failure", check: isText, optional: true },
  reason: { wire: "reason", check: isText, optional: true },
  failures: { wire: "failures", check: isCount, optional: true },
  dropped: { wire: "dropped", check: isCount, optional: true },
  told: { wire: "told", check: isTexts, optional: true },
});

function recordPath(receiver: string, root: string): string {
  if (!/^[a-z]{1,32}$/.test(receiver)) {
    throw new TypeError(`Cannot use ${receiver} as a receiver's name: expected lower-case letters`);
  }
  return join(privateDir(root), "notify", `${receiver}.json`);
}

/** A record that is not readable counts as empty: a message is sent twice then, which does no harm. */
function readRecord(path: string): ReceiverRecord {
  const bytes = readOwnFile(path);
  if (bytes === undefined) return NOTHING_SENT;
  try {
    return { ...NOTHING_SENT, ...RECORD.read(parseJsonBytes(bytes, path), path) };
  } catch (error) {
    if (error instanceof MalformedRecordError) return NOTHING_SENT;
    throw error;
  }
}

/** Reads the record of a receiver, whose name is lower-case letters. Needs `--allow-read` for the root. */
export function readReceiverRecord(receiver: string, root: string): ReceiverRecord {
  return readRecord(recordPath(receiver, root));
}

/**
 * Changes the record of a receiver under a lock, so that no program undoes the change of another one.
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 */
export async function updateReceiverRecord(
  receiver: string,
  change: (record: ReceiverRecord) => ReceiverRecord,
  root: string,
): Promise<void> {
  const path = recordPath(receiver, root);
  await withLock(path.replace(/json$/, "lock"), () => {
    const record = change(readRecord(path));
    const fields = RECORD.write({ ...record, told: record.told.slice(-MAX_TOLD) });
    const json = asciiJson({ version: 1, ...fields }, 1);
    replaceFileAlone(path, new TextEncoder().encode(json + "\n"));
  });
}

/** What was on the operator's screen. */
interface Shown {
  /** SHA-256 of the proposal's bytes, lower-case hex. */
  readonly proposalSha256: string;
  /** SHA-256 of the file in force, lower-case hex; `""` if there was none. */
  readonly currentSha256: string;
  /** SHA-256 of the file that an approval would put in force; missing if an older version showed it. */
  readonly finalSha256?: string;
}

/** How many proposals of a bottle are remembered: more than a person looks at while an id is in mind. */
const MAX_SHOWN = 1_000;

function shownRoot(root: string): string {
  return join(privateDir(root), "shown");
}

function shownPath({ root = claudeBottleRoot(), bottleSlug, proposalId }: ProposalRef): string {
  return join(shownRoot(root), checkBottleSlug(bottleSlug), checkProposalId(proposalId));
}

/**
 * Remembers what was shown of a proposal, also after it is decided: a beginning of its id that is typed
 * again must not mean another proposal. Needs `--allow-write` for `<root>/private`.
 */
export function rememberShown(ref: ProposalRef, shown: Required<Shown>): void {
  const { proposalSha256, currentSha256, finalSha256 } = shown;
  const text = `${proposalSha256} ${currentSha256} ${finalSha256}\n`;
  const path = shownPath(ref);
  replaceFile(path, new TextEncoder().encode(text));
  keepNewest(dirname(path), MAX_SHOWN);
}

/**
 * What was last shown of a proposal, if it was shown. Half a hash would bind a decision to less than
 * what was shown, so a file without whole ones is refused.
 *
 * @throws {InvalidNameError} If the slug or the id is not valid.
 * @throws {MalformedRecordError} If the file does not have whole hashes.
 */
export function lastShown(ref: ProposalRef): Shown | undefined {
  const path = shownPath(ref);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const hashes = /^([0-9a-f]{64}) ((?:[0-9a-f]{64})?)(?: ([0-9a-f]{64}))?\n$/
    .exec(new TextDecoder().decode(bytes));
  if (hashes === null) {
    throw new MalformedRecordError(
      path,
      undefined,
      "it does not say what was shown; look at the proposal again",
    );
  }
  const [, proposalSha256, currentSha256, finalSha256] = hashes;
  return {
    proposalSha256: proposalSha256!,
    currentSha256: currentSha256!,
    ...(finalSha256 !== undefined && { finalSha256 }),
  };
}

/** Which proposal was shown last, of those of any bottle whose id begins so; `undefined` if none was. */
export function lastShownAlike(prefix: string, root: string): Required<ProposalRef> | undefined {
  let latest: Required<ProposalRef> | undefined;
  let latestMs = -Infinity;
  for (const bottleSlug of listNames(shownRoot(root)).filter(isBottleSlug)) {
    const ids = listNames(join(shownRoot(root), bottleSlug)).filter(isProposalId);
    for (const proposalId of ids.filter((id) => id.startsWith(prefix))) {
      const ref = { root, bottleSlug, proposalId };
      const shownMs = ownFileStamp(shownPath(ref))?.changedMs ?? -Infinity;
      if (shownMs > latestMs) [latest, latestMs] = [ref, shownMs];
    }
  }
  return latest;
}

/** A file for an editor, with the config file's name, alone in a directory. */
export interface EditBuffer {
  readonly dir: string;
  readonly path: string;
  /** What is in the file now; `undefined` if the editor removed it. */
  readonly read: () => Uint8Array | undefined;
  /** Whether something was written into the file, or put in its place, since it was opened. */
  readonly isSaved: () => boolean;
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
  const before = ownFileStamp(path)?.text;
  return {
    dir,
    path,
    read: () => readOwnFile(path, MAX_QUEUE_FILE_BYTES),
    isSaved: () => ownFileStamp(path)?.text !== before,
    hasOthers: () => namesInOwn(dir).some((other) => other !== name),
    discard: () => removeDirectory(dir),
  };
}

/** The paths of the files that are still in buffers. */
export function keptEdits(root: string): readonly string[] {
  const edits = editsDir(root);
  return namesInOwn(edits).flatMap((dir) =>
    namesInOwn(join(edits, dir)).map((name) => join(edits, dir, name))
  );
}
