/**
 * The config files in force, and copies of those that were, kept by hash.
 *
 * @module
 */

import { currentCopyPath, fileInForcePath, privateDir, queueDirForSlug } from "../disk/layout.ts";
import { ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { listNames, readUntrusted, stampOfFile } from "../disk/read_untrusted.ts";
import {
  clearDirectory,
  handOver,
  removeFile,
  removeQuietly,
  replaceFile,
  replaceFileAlone,
} from "../disk/write.ts";
import { parseJsonBytes } from "../records/codec.ts";
import { checkBottleSlug } from "../records/names.ts";
import { MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import { type Tool, TOOLS } from "../records/proposal.ts";
import { isCount, shapeOf } from "../records/shape.ts";
import { sha256Hex } from "../text/hash.ts";
import { join } from "@std/path";

/** Bytes that are not UTF-8 show as U+FFFD; hashes are of the bytes. */
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** A config file in force; its content is `null`, and its SHA-256 `""`, if there is no file. */
export interface FileInForce {
  readonly currentPath: string;
  readonly currentFile: string | null;
  readonly currentSha256: string;
}

/** Reads the config file in force that a tool asks to change. */
export function readFileInForce(tool: Tool, bottleSlug: string, root: string): FileInForce {
  const currentPath = fileInForcePath(bottleSlug, tool, root);
  const bytes = readOwnFile(currentPath);
  if (bytes === undefined) return { currentPath, currentFile: null, currentSha256: "" };
  return {
    currentPath,
    currentFile: lenient.decode(bytes),
    currentSha256: sha256Hex(bytes),
  };
}

/** How many copies are kept in a directory, unless an operator says otherwise. */
const MAX_COPIES = 50;

const KEEPING = shapeOf<{ readonly keep: number }>("number of versions", {
  keep: {
    wire: "keep",
    check: (value) => isCount(value) ?? (value === 0 ? "not 1 or more" : undefined),
  },
});

/**
 * How many files of a bottle are kept, by the operator's `versions.json`.
 *
 * @throws {MalformedRecordError} If that file is damaged.
 */
export function mostKept(root: string): number {
  const path = join(root, "versions.json");
  const bytes = readOwnFile(path, MAX_CONFIG_FILE_BYTES);
  return bytes === undefined ? MAX_COPIES : KEEPING.read(parseJsonBytes(bytes, path), path).keep;
}

function knownDir(bottleSlug: string, root: string): string {
  return join(privateDir(root), "known", checkBottleSlug(bottleSlug));
}

/** The states of a file in force and of its copy in the queue that need no second look, by the file's path. */
const keptBefore = new Map<string, string>();

/**
 * Keeps copies of a bottle's config files in force: by hash in `<root>/private`, and one of each in the bottle's
 * queue, where its sidecar works out a change on it. The operator's programs call it again and again. Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param stagingDir Where the holder of the bottle's lock prepares files: what a crash leaves there is cleared.
 */
export function keepFilesInForce(bottleSlug: string, root: string, stagingDir?: string): void {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  for (const tool of TOOLS) {
    const path = fileInForcePath(bottleSlug, tool, root);
    const copy = currentCopyPath(queueDir, tool);
    try {
      const stamp = ownFileStamp(path)?.text;
      if (keptBefore.get(path) === `${stamp} ${stampOfFile(copy)}`) continue;
      const bytes = readOwnFile(path, MAX_CONFIG_FILE_BYTES);
      if (bytes === undefined) removeFile(copy);
      else {
        keepFile(
          bottleSlug,
          bytes,
          root,
          stagingDir === undefined ? replaceFile : replaceFileAlone,
        );
        const staging = stagingDir ?? knownDir(bottleSlug, root);
        if (!isCopy(copy, bytes)) handOver(copy, bytes, staging, { isCopy: true });
      }
      keptBefore.set(path, `${stamp} ${stampOfFile(copy)}`);
    } catch {
      // The disk may be full, or the file too large. Without a copy, a stale proposal is shown without the
      // agent's diff, and an agent has to send the whole file; an old copy would make every change stale.
      removeQuietly(copy);
    }
  }
}

/** Whether a file that the bottle can write has exactly these bytes. */
function isCopy(path: string, bytes: Uint8Array): boolean {
  try {
    const copy = readUntrusted(path, { maxBytes: bytes.length }).bytes;
    return copy.length === bytes.length && copy.every((byte, index) => byte === bytes[index]);
  } catch {
    return false; // It is missing, or it is something else: that is replaced.
  }
}

/**
 * Keeps a copy of a config file by its hash, unless there is one. `replace` is `replaceFileAlone` for the
 * holder of the bottle's lock.
 */
export function keepFile(
  bottleSlug: string,
  bytes: Uint8Array,
  root: string,
  replace = replaceFile,
): void {
  writeCopy(knownDir(bottleSlug, root), bytes, replace);
}

/** Keeps a copy of a file in a directory of copies, by its hash, and removes the oldest ones. */
export function keepCopy(dir: string, bytes: Uint8Array, replace = replaceFile): void {
  if (writeCopy(dir, bytes, replace)) keepNewest(dir, MAX_COPIES);
}

function writeCopy(dir: string, bytes: Uint8Array, replace: typeof replaceFile): boolean {
  const copy = join(dir, sha256Hex(bytes));
  if (ownFileStamp(copy) !== undefined) return false;
  replace(copy, bytes);
  return true;
}

/**
 * Removes the kept files of a bottle that were written longest ago, so that as many are left as the operator wants.
 * Those whose hash `spared` gives stay. The caller holds the bottle's lock.
 */
export function evictFiles(bottleSlug: string, root: string, spared: Spared): void {
  keepNewest(knownDir(bottleSlug, root), mostKept(root), spared);
}

/** Removes what a crash left of a copy by a holder of the bottle's lock, which the caller holds now. */
export function clearHalfKept(bottleSlug: string, root: string): void {
  clearDirectory(knownDir(bottleSlug, root), (name) => name.endsWith(".new.tmp"));
}

/** Which files must stay, by name. Asked for if there are too many. */
type Spared = () => ReadonlySet<string | undefined>;

/** Removes the files of a directory that were written longest ago, so that `most` are left. */
export function keepNewest(dir: string, most: number, spared: Spared = () => new Set()): void {
  const names = listNames(dir);
  if (names.length <= most) return;
  const stays = spared();
  const aged = names.filter((name) => !stays.has(name)).map((name) => ({
    name,
    changed: ownFileStamp(join(dir, name))?.changedMs ?? 0,
  }));
  aged.sort((a, b) => a.changed - b.changed);
  for (const { name } of aged.slice(0, names.length - most)) removeFile(join(dir, name));
}

/**
 * The kept bytes of a config file that was in force, by their SHA-256; `undefined` if they are not kept. The
 * hash may come from an agent, and so may be any text.
 */
export function knownBytes(
  bottleSlug: string,
  sha256: string,
  root: string,
): Uint8Array | undefined {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  const bytes = readOwnFile(join(knownDir(bottleSlug, root), sha256));
  return bytes !== undefined && sha256Hex(bytes) === sha256 ? bytes : undefined;
}

/** The text of {@linkcode knownBytes}. */
export function knownFile(bottleSlug: string, sha256: string, root: string): string | undefined {
  const bytes = knownBytes(bottleSlug, sha256, root);
  return bytes && lenient.decode(bytes);
}
