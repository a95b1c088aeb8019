/**
 * Config files that were in force, kept by their hash. An agent says by hash which file it started
 * from; if that is no longer the one in force, a kept copy shows what the agent itself changed.
 *
 * @module
 */

import { join } from "@std/path";
import { MAX_CONFIG_FILE_BYTES } from "./config/problem.ts";
import { removeFile, replaceFile } from "./durable.ts";
import { sha256Hex } from "./hash.ts";
import { ownFileStamp, readOwnFile } from "./own_files.ts";
import { checkBottleSlug, claudeBottleRoot, currentConfigDirForSlug, privateDir } from "./paths.ts";
import { CONFIG_FILE_FOR_TOOL, TOOLS } from "./proposal.ts";
import { listNames } from "./untrusted.ts";

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
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 */
export function keepFilesInForce(bottleSlug: string, root: string = claudeBottleRoot()): void {
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
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The file, or `undefined` if no copy of it was kept.
 */
export function knownFile(
  bottleSlug: string,
  sha256: string,
  root: string = claudeBottleRoot(),
): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  const bytes = readOwnFile(join(knownDir(bottleSlug, root), sha256));
  if (bytes === undefined || sha256Hex(bytes) !== sha256) return undefined;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
