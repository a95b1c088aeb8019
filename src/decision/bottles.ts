/**
 * Adds a bottle on the host, and removes it: its directories, its files in force, its port.
 *
 * @module
 */

import { validateConfigFile } from "../config/check.ts";
import {
  currentConfigDirForSlug,
  privateDir,
  queueDirForSlug,
  removedRoot,
} from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { isThere, namesInOwn, ownEntry, ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import {
  createOnce,
  ensureDirectory,
  moveAside,
  openToReaders,
  removeFile,
  replaceFile,
} from "../disk/write.ts";
import { keepFilesInForce } from "../host/config_files.ts";
import { archivedUnrecorded } from "../log/decisions.ts";
import { findLeftovers, findProposals } from "../queue/find.ts";
import { parseJsonBytes } from "../records/codec.ts";
import { SuperviseError } from "../records/errors.ts";
import { checkBottleSlug, isBottleSlug, SUPERVISE_PORT } from "../records/names.ts";
import { CONFIG_FILE_FOR_TOOL, type Tool, TOOLS } from "../records/proposal.ts";
import { type Check, isCount, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { withBottleLock } from "./journal.ts";
import { readOverview } from "./overview.ts";
import { join } from "@std/path";

/** How a bottle's sidecar is started. */
export interface BottleSettings {
  /** Its port on the host; a container has its own network, and so the default port. */
  readonly port: number;
  /** How long it holds a call, in seconds; the sidecar's default unless given. */
  readonly holdSeconds?: number;
  /** The program that runs its container. */
  readonly engine?: string;
}

const isPort: Check = (value) =>
  isCount(value) === undefined && Number(value) > 0 && Number(value) < 65_536
    ? undefined
    : "not a port";

/** The programs that can run a sidecar's container; the first that answers is taken. */
export const ENGINES: readonly string[] = ["podman", "docker"];

const isEngine: Check = (value) =>
  ENGINES.some((engine) => engine === value) ? undefined : "not podman or docker";

const SETTINGS = shapeOf<BottleSettings>("settings of a bottle", {
  port: { wire: "port", check: isPort },
  holdSeconds: { wire: "hold_seconds", check: isCount, optional: true },
  engine: { wire: "engine", check: isEngine, optional: true },
});

/** The first files of a bottle, for a person to go on with: valid, and they allow nothing. */
const FIRST_FILES: Readonly<Record<Tool, string>> = {
  "cred-proxy-block": '{\n  "routes": []\n}\n',
  "pipelock-block": "# The hosts that the bottle may reach, one a line\n",
  "capability-block": "# Put the Dockerfile of the agent's container here\nFROM scratch\n",
};

const encoder = new TextEncoder();

function settingsDir(root: string): string {
  return join(privateDir(root), "bottles");
}

function settingsPath(slug: string, root: string): string {
  return join(settingsDir(root), `${checkBottleSlug(slug)}.json`);
}

/** Where the systemd unit of a bottle's sidecar is kept. */
export function unitPath(slug: string, root: string): string {
  return join(settingsDir(root), `supervise-${checkBottleSlug(slug)}.service`);
}

/**
 * How a bottle's sidecar is started; `undefined` if the bottle was not added, or has no queue.
 *
 * @throws {MalformedRecordError} If the settings are malformed.
 * @throws {UnsafeFileError} If something other than a file has their name.
 */
export function readBottle(slug: string, root: string): BottleSettings | undefined {
  const path = settingsPath(slug, root);
  const bytes = readOwnFile(path);
  if (bytes === undefined || ownFileStamp(queueDirForSlug(slug, { root })) === undefined) {
    return undefined;
  }
  return SETTINGS.read(parseJsonBytes(bytes, path), path);
}

/** Runs a function while no other command starts or stops the bottle's sidecar. */
export function withSidecarLock<T>(slug: string, root: string, run: () => Promise<T>): Promise<T> {
  return withLock(join(settingsDir(root), `${checkBottleSlug(slug)}.lock`), run);
}

export function writeBottle(slug: string, settings: BottleSettings, root: string): void {
  const json = asciiJson({ version: 1, ...SETTINGS.write(settings) }, 1);
  replaceFile(settingsPath(slug, root), encoder.encode(json + "\n"));
}

/** The text of the systemd unit of a bottle's sidecar; `undefined` if there is no such file. */
export function readUnit(slug: string, root: string): string | undefined {
  const bytes = readOwnFile(unitPath(slug, root));
  return bytes && new TextDecoder().decode(bytes);
}

export function forgetUnit(slug: string, root: string): void {
  removeFile(unitPath(slug, root));
}

export function writeUnit(slug: string, text: string, root: string): void {
  replaceFile(unitPath(slug, root), encoder.encode(text));
}

/** The lowest port from the default one on that no other bottle has; settings that cannot be read have none. */
function freePort(root: string): number {
  const taken = new Set<number>();
  for (const name of namesInOwn(settingsDir(root))) {
    const slug = name.replace(/\.json$/, "");
    if (slug === name || !isBottleSlug(slug)) continue;
    const path = settingsPath(slug, root);
    try {
      taken.add(
        SETTINGS.read(parseJsonBytes(readOwnFile(path) ?? new Uint8Array(), path), path).port,
      );
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error;
    }
  }
  let port = SUPERVISE_PORT;
  while (taken.has(port)) port++;
  return port;
}

/** What `addBottle` made, and what it found and left as it was. */
export interface AddedBottle {
  readonly settings: BottleSettings;
  readonly made: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Makes what a bottle needs on the host, and leaves as it is whatever is there: a call after a crash makes
 * the rest. Needs `--allow-read` and `--allow-write` for the root.
 *
 * @param files The files to put in force; the others start empty.
 * @throws {TypeError} If a file breaks the rules of its format; then nothing is made.
 */
export async function addBottle(
  slug: string,
  files: Readonly<Partial<Record<Tool, string>>>,
  holdSeconds: number | undefined,
  root: string,
): Promise<AddedBottle> {
  for (const tool of TOOLS) {
    const [problem] = validateConfigFile(tool, files[tool] ?? FIRST_FILES[tool]);
    if (problem === undefined) continue;
    const name = CONFIG_FILE_FOR_TOOL[tool];
    throw new TypeError(
      `Cannot add ${slug}: the ${name} is not valid: ${problem.where}: ${problem.message}`,
    );
  }
  const made: string[] = [];
  const kept: string[] = [];
  const note = (path: string, wasThere: boolean) => (wasThere ? kept : made).push(path);
  const settings = await withLock(join(settingsDir(root), "lock"), () => {
    const configDir = currentConfigDirForSlug(slug, root);
    for (const dir of [queueDirForSlug(slug, { root }), configDir]) {
      const wasThere = isThere(dir);
      note(dir, wasThere);
      ensureDirectory(dir);
      // The agent reads what is in force, perhaps as another user. The root keeps the host's users out.
      if (dir === configDir && !wasThere) openToReaders(dir);
    }
    for (const tool of TOOLS) {
      const path = join(configDir, CONFIG_FILE_FOR_TOOL[tool]);
      note(path, isThere(path));
      if (isThere(path)) continue;
      const bytes = encoder.encode(files[tool] ?? FIRST_FILES[tool]);
      createOnce(path, bytes, join(privateDir(root), "staging", "bottles"));
      openToReaders(path);
    }
    // The settings come last: a bottle that has them has everything.
    const before = readBottle(slug, root);
    if (before !== undefined) return before;
    const chosen = { port: freePort(root), ...(holdSeconds !== undefined && { holdSeconds }) };
    writeBottle(slug, chosen, root);
    return chosen;
  });
  keepFilesInForce(slug, root);
  return { settings, made, kept };
}

/**
 * @returns The proposals whose archived response has no record. That was returned to the agent long ago, and
 * nobody can decide these any more: the operator has to hear of them.
 * @throws {TypeError} If a bottle cannot be removed: a proposal is pending, a response in the queue has no
 * record or cannot be checked for one, or the queue's owner may not move the queue.
 * @throws {UnsafeFileError} If the archive cannot be listed.
 */
export function checkRemovable(slug: string, root: string): readonly string[] {
  const queueDir = queueDirForSlug(slug, { root });
  const mode = ownEntry(queueDir)?.mode ?? 0o700;
  if ((mode & 0o700) !== 0o700) {
    throw new TypeError(
      `Cannot remove ${slug}: its queue has mode ${(mode & 0o777).toString(8).padStart(3, "0")}; ` +
        `chmod u+rwx ${queueDir} first`,
    );
  }
  const found = findProposals("", { root, bottleSlug: slug });
  const count = found.filter(({ pending }) => pending).length;
  if (count > 0) {
    throw new TypeError(
      `Cannot remove ${slug}: it has ${count} pending; decide that first. If a file cannot be read, ` +
        `remove it from ${queueDir} yourself`,
    );
  }
  const { unrecordedResponses: [planted], unreadable } = readOverview({ root, bottleSlug: slug });
  if (planted !== undefined) {
    throw new TypeError(
      `Cannot remove ${slug}: ${
        quote(planted.proposalId)
      } is answered without a record; decide it ` +
        `with --override-unrecorded first. If it has no proposal, move its response out of ${queueDir} yourself`,
    );
  }
  // Then nobody knows whether every response has a record.
  const unknown = unreadable.find(({ file }) => file === ".");
  if (unknown === undefined) {
    return archivedUnrecorded(queueDir, slug, root).map(({ proposalId }) => proposalId);
  }
  throw new TypeError(
    `Cannot remove ${slug}: its responses cannot be checked against its logs: ${unknown.reason}; ` +
      "repair that first",
  );
}

/** What `removeBottle` left of a bottle's queue. */
export interface RemovedBottle {
  /** Where the queue is now; `undefined` if there was none. */
  readonly movedTo: string | undefined;
  /** How many responses no call has collected. */
  readonly uncollected: number;
  /** The proposals whose archived response has no record. */
  readonly unrecorded: readonly string[];
}

/**
 * Moves a bottle's queue into `private/`, in one step and with all that is in it, and removes its settings.
 * Its audit logs and its files in force stay. Needs `--allow-read` and `--allow-write` for the root.
 *
 * @throws {TypeError} As {@linkcode checkRemovable} does; then nothing is moved or removed.
 */
export function removeBottle(slug: string, root: string): Promise<RemovedBottle> {
  return withBottleLock(root, slug, () => {
    const unrecorded = checkRemovable(slug, root);
    const any = { uncollectedMs: Infinity, unfinishedMs: Infinity };
    const uncollected = findLeftovers(slug, root, any).uncollected?.count ?? 0;
    const movedTo = moveAside(queueDirForSlug(slug, { root }), join(removedRoot(root), slug));
    removeFile(unitPath(slug, root));
    removeFile(settingsPath(slug, root));
    return { movedTo, uncollected, unrecorded };
  });
}
