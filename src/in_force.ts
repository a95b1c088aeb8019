/**
 * The config files in force, as the operator's tools see them.
 *
 * @module
 */

import { join } from "@std/path";
import { sha256Hex } from "./hash.ts";
import { readOwnFile } from "./own_files.ts";
import { currentConfigDirForSlug } from "./paths.ts";
import { CONFIG_FILE_FOR_TOOL, type Tool } from "./proposal.ts";

/** A config file in force. */
export interface FileInForce {
  /** Where it is, or would be. */
  readonly currentPath: string;
  /** Its content, or `null` if there is none. */
  readonly currentFile: string | null;
  /** SHA-256 of its bytes, lower-case hex, or `undefined` if there is none. */
  readonly currentSha256: string | undefined;
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
  if (bytes === undefined) return { currentPath, currentFile: null, currentSha256: undefined };
  return {
    currentPath,
    // Bytes that are not UTF-8 show as U+FFFD. The hash is of the bytes.
    currentFile: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    currentSha256: sha256Hex(bytes),
  };
}
