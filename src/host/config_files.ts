/**
 * The config files in force, and copies of those that were, kept by hash.
 *
 * @module
 */

import { currentConfigDirForSlug, privateDir } from "../disk/layout.ts";
import { ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { removeFile, replaceFile } from "../disk/write.ts";
import { checkBottleSlug } from "../records/names.ts";
import { MAX_CONFIG_FILE_BYTES } from "../records/problem.ts";
import { CONFIG_FILE_FOR_TOOL, type Tool, TOOLS } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { join } from "@std/path";

/** A config file in force. */
export interface FileInForce {
  /** Where it is, or would be. */
  readonly currentPath: string;
  /** Its content, or `null` if there is none. */
  readonly currentFile: string | null;
  /** SHA-256 of its bytes, lower-case hex; `""` if there is none. */
  readonly currentSha256: string;
}

/**
 * Reads the config file in force that a tool asks to change.
 *
 * @param tool The tool.
 * @param bottleSlug The bottle.
 * @param root The root.
 * @returns The file.
 * @throws {InvalidNameError} If the slug is none.
 */
export function readFileInForce(tool: Tool, bottleSlug: string, root: string): FileInForce {
  const dir = currentConfigDirForSlug(bottleSlug, root);
  const currentPath = join(dir, CONFIG_FILE_FOR_TOOL[tool]);
  const bytes = readOwnFile(currentPath);
  if (bytes === undefined) return { currentPath, currentFile: null, currentSha256: "" };
  return {
    currentPath,
    // Bytes that are not UTF-8 show as U+FFFD. The hash is of the bytes.
    currentFile: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    currentSha256: sha256Hex(bytes),
  };
}

/** How many files of one bottle are kept; the oldest go. */
const MAX_KNOWN = 50;

function knownDir(bottleSlug: string, root: string): string {
  return join(privateDir(root), "known", checkBottleSlug(bottleSlug));
}

/**
 * Keeps a copy of a bottle's config files in force, in `<root>/private`. An operator's tool does it
 * whenever it lists or shows a proposal; what is kept already costs nothing more.
 *
 * Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param bottleSlug The bottle.
 * @param root The root.
 */
export function keepFilesInForce(bottleSlug: string, root: string): void {
  const dir = knownDir(bottleSlug, root);
  for (const tool of TOOLS) {
    const path = join(currentConfigDirForSlug(bottleSlug, root), CONFIG_FILE_FOR_TOOL[tool]);
    const bytes = readOwnFile(path);
    if (bytes === undefined || bytes.length > MAX_CONFIG_FILE_BYTES) continue;
    const copy = join(dir, sha256Hex(bytes));
    if (ownFileStamp(copy) !== undefined) continue;
    replaceFile(copy, bytes);
    forgetOldest(dir);
  }
}

function forgetOldest(dir: string): void {
  const names = listNames(dir);
  if (names.length <= MAX_KNOWN) return;
  const aged = names.map((name) => ({
    name,
    changed: ownFileStamp(join(dir, name))?.changedMs ?? 0,
  }));
  aged.sort((a, b) => a.changed - b.changed);
  for (const { name } of aged.slice(0, names.length - MAX_KNOWN)) removeFile(join(dir, name));
}

/**
 * A config file that was in force once, by its hash.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param bottleSlug The bottle.
 * @param sha256 SHA-256 of the file, lower-case hex, as somebody claims it.
 * @param root The root.
 * @returns The file, or `undefined` if no copy of it was kept.
 */
export function knownFile(
  bottleSlug: string,
  sha256: string,
  root: string,
): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  const bytes = readOwnFile(join(knownDir(bottleSlug, root), sha256));
  if (bytes === undefined || sha256Hex(bytes) !== sha256) return undefined;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
