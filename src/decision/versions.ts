/**
 * The versions of a config file in force by the audit log, and files in force that the log does not have.
 *
 * @module
 */

import {
  auditLogPath,
  claudeBottleRoot,
  currentConfigDirForSlug,
  intentsDir,
  queueDirForSlug,
  type RootOptions,
} from "../disk/layout.ts";
import { isThere, ownFileStamp } from "../disk/read_own.ts";
import { evictFiles, type FileInForce, knownBytes, readFileInForce } from "../host/config_files.ts";
import { listAuditLogs } from "../log/entries.ts";
import { changesFromEnd } from "../log/history.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { componentOf, type Tool, TOOLS } from "../records/proposal.ts";
import { sha256Hex } from "../text/hash.ts";
import { readInForce } from "./change.ts";
import { join } from "@std/path";

/** One config file of a bottle. */
export interface FilePlace {
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
  /** The bottle. */
  readonly bottleSlug: string;
  /** The tool whose file it is. */
  readonly tool: Tool;
}

/** What the audit log has of a change, without the agent's words and the diff. */
export type ChangeRecord = Omit<AuditEntry, "diff" | "justification" | "marks">;

/** One version of a file that was in force. */
export interface FileVersion {
  /** Its number: the versions of a file are counted from 1, in the order in which they came into force. */
  readonly number: number;
  /** SHA-256 of its bytes, lower-case hex; `""` if there was no file. */
  readonly sha256: string;
  /** Whether it is the one in force. */
  readonly isInForce: boolean;
  /** Whether its bytes are kept. */
  readonly isKept: boolean;
  /**
   * The record of how it came into force. Missing if there is none: it was there before the first change that is
   * recorded, or was put there by hand between two.
   */
  readonly entry?: ChangeRecord;
}

/**
 * Lists the versions of a file, the newest first: by the audit log, whose signatures are not checked. Older logs do
 * not say what was in force before a change.
 *
 * Needs `--allow-read` for the root.
 *
 * @param place Which file.
 * @returns The versions; none if no change of the file is recorded.
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function listVersions(place: FilePlace): readonly FileVersion[] {
  const { root = claudeBottleRoot(), bottleSlug, tool } = place;
  const changes = changesFromEnd({ component: componentOf(tool), slug: bottleSlug }, root)
    .map(({ diff: _, justification: __, marks: ___, ...entry }) => entry).toArray().reverse();
  const { currentSha256 } = readFileInForce(tool, bottleSlug, root);
  const found: Pick<FileVersion, "sha256" | "entry">[] = [];
  let last = "";
  for (const entry of changes) {
    const { beforeSha256 = last, finalSha256: sha256 } = entry;
    if (beforeSha256 !== last && beforeSha256 !== sha256) {
      found.push({ sha256: beforeSha256 });
      last = beforeSha256;
    }
    // A decision on what was in force, and recorded, already makes no version.
    if (sha256 !== last) found.push({ sha256, entry });
    last = sha256;
  }
  return found.map((version, n) => ({
    number: n + 1,
    ...version,
    isInForce: n === found.length - 1 && version.sha256 === currentSha256,
    isKept: readVersion(place, version.sha256) !== undefined,
  })).reverse();
}

/**
 * The bytes of a version of a file, by its SHA-256.
 *
 * @param place Which file.
 * @param sha256 Of which version.
 * @returns The bytes; `undefined` if they are not kept.
 */
export function readVersion(place: FilePlace, sha256: string): Uint8Array | undefined {
  const { root = claudeBottleRoot(), bottleSlug, tool } = place;
  const kept = knownBytes(bottleSlug, sha256, root);
  if (kept !== undefined) return kept;
  const inForce = readInForce(root, bottleSlug, tool);
  return inForce !== null && sha256Hex(inForce) === sha256 ? inForce : undefined;
}

/** A file in force that is not the one that was recorded last. */
export interface Drift {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The tool whose file it is. */
  readonly tool: Tool;
  /** SHA-256 of the file that was recorded last, lower-case hex; `""` if there was none. */
  readonly recordedSha256: string;
  /** SHA-256 of the file in force, lower-case hex; `""` if there is none. */
  readonly foundSha256: string;
  /** Why it cannot be told whether there is a drift; the hashes are `""` then. */
  readonly problem?: string;
}

/**
 * Finds the files in force that are not the ones that were recorded last. It leaves out a file of which no
 * change was ever recorded, and one that is being changed right now. Each log is read from its end up to the last
 * change.
 *
 * Needs `--allow-read` for the root.
 *
 * @param options Which bottle; all unless given.
 * @returns The files, by the names of their logs.
 */
export function findDrift(
  options: RootOptions & { readonly bottleSlug?: string } = {},
): readonly Drift[] {
  const { root = claudeBottleRoot(), bottleSlug } = options;
  return listAuditLogs(root).flatMap(({ component, slug }) => {
    const tool = TOOLS.find((tool) => componentOf(tool) === component);
    const isWanted = tool !== undefined && (bottleSlug === undefined || slug === bottleSlug);
    // Of a bottle that was removed the logs stay.
    const dirs = [currentConfigDirForSlug(slug, root), queueDirForSlug(slug, { root })];
    if (!isWanted || !dirs.some(isThere)) return [];
    try {
      return driftOf({ root, bottleSlug: slug, tool }) ?? [];
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      return [{ bottleSlug: slug, tool, recordedSha256: "", foundSha256: "", problem }];
    }
  });
}

function driftOf({ root, bottleSlug, tool }: Required<FilePlace>): Drift | undefined {
  const log = { component: componentOf(tool), slug: bottleSlug };
  const path = auditLogPath(log.component, log.slug, { root });
  while (true) {
    const before = ownFileStamp(path)?.text;
    const [recorded] = changesFromEnd(log, root);
    const { currentSha256: foundSha256 } = readFileInForce(tool, bottleSlug, root);
    const { finalSha256: recordedSha256 = foundSha256 } = recorded ?? {};
    if (recordedSha256 === foundSha256) return undefined;
    // A change is recorded after the file, and its intent goes after that.
    if (isThere(join(intentsDir(root), `${bottleSlug}.json`))) return undefined;
    if (ownFileStamp(path)?.text === before) {
      return { bottleSlug, tool, recordedSha256, foundSha256 };
    }
  }
}

/**
 * Removes kept files of a bottle that were written longest ago, if there are more than the operator wants. Of each
 * config file three stay: the one in force, the one that was recorded last, and the one before that. Nothing depends
 * on it, so that it throws nothing. The caller holds the bottle's lock.
 */
export function evictVersions(root: string, bottleSlug: string): void {
  try {
    evictFiles(bottleSlug, root, () =>
      new Set(TOOLS.flatMap((tool) => {
        const [last] = changesFromEnd({ component: componentOf(tool), slug: bottleSlug }, root);
        const { currentSha256 } = readFileInForce(tool, bottleSlug, root);
        return [currentSha256, last?.finalSha256, last?.beforeSha256];
      })));
  } catch {
    // Where anything cannot be read, all are kept. `doctor` says what.
  }
}

/** The file that was recorded last, as if it was in force: as empty as none if its bytes are not kept. */
export function readRecorded(place: Required<FilePlace>): FileInForce {
  const { root, bottleSlug, tool } = place;
  const [recorded] = changesFromEnd({ component: componentOf(tool), slug: bottleSlug }, root);
  const { currentPath } = readFileInForce(tool, bottleSlug, root);
  const currentSha256 = recorded?.finalSha256 ?? "";
  const bytes = readVersion(place, currentSha256);
  const currentFile = bytes === undefined ? null : lenient.decode(bytes);
  return { currentPath, currentFile, currentSha256 };
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
