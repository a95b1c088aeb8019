/**
 * Where things live on the host.
 *
 * @module
 */

import {
  auditLogName,
  checkBottleSlug,
  checkProposalId,
  PROPOSAL_SUFFIX,
  RESPONSE_SUFFIX,
} from "../records/names.ts";
import { CONFIG_FILE_FOR_TOOL, type Tool } from "../records/proposal.ts";
import { join } from "@std/path";

/**
 * The root of everything on the host: `$CLAUDE_BOTTLE_ROOT`, unless that is blank, else `~/.claude-bottle`.
 *
 * Needs `--allow-env=CLAUDE_BOTTLE_ROOT,HOME`.
 *
 * @returns The root's path; nothing is created.
 * @throws {TypeError} If neither variable is set.
 */
export function claudeBottleRoot(): string {
  const root = Deno.env.get("CLAUDE_BOTTLE_ROOT");
  if (root?.trim()) return root;
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".claude-bottle");
  throw new TypeError("Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME");
}

/** Where everything of the host is kept. */
export interface RootOptions {
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

/** The directory that holds the queue directory of every bottle, `<root>/queue`. */
export function queueRoot(root: string): string {
  return join(root, "queue");
}

/**
 * The queue directory of a bottle, `<root>/queue/<slug>`.
 *
 * @param slug The bottle's slug.
 * @param options Which root.
 * @returns The directory's path; nothing is created.
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function queueDirForSlug(slug: string, options: RootOptions = {}): string {
  const { root = claudeBottleRoot() } = options;
  return join(queueRoot(root), checkBottleSlug(slug));
}

/** The directory that has a directory of config files in force for each bottle. */
export function currentConfigRoot(root: string): string {
  return join(root, "current-config");
}

/**
 * The directory of a bottle's config files in force, `<root>/current-config/<slug>`.
 *
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function currentConfigDirForSlug(slug: string, root: string): string {
  return join(currentConfigRoot(root), checkBottleSlug(slug));
}

/** The path of a config file in force, `<root>/current-config/<slug>/<file>`. */
export function fileInForcePath(slug: string, tool: Tool, root: string): string {
  return join(currentConfigDirForSlug(slug, root), CONFIG_FILE_FOR_TOOL[tool]);
}

/**
 * The directory of the audit logs, `<root>/audit`.
 *
 * @param options Which root.
 * @returns The directory's path; nothing is created.
 */
export function auditDir(options: RootOptions = {}): string {
  const { root = claudeBottleRoot() } = options;
  return join(root, "audit");
}

/**
 * The audit log of one component of one bottle, `<root>/audit/<component>-<slug>.log`.
 *
 * @param component The component, such as `cred-proxy`.
 * @param slug The bottle's slug.
 * @param options Which root.
 * @returns The file's path; nothing is created.
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
export function auditLogPath(
  component: string,
  slug: string,
  options: RootOptions = {},
): string {
  return join(auditDir(options), `${auditLogName(component, slug)}.log`);
}

/**
 * What only the host has, `<root>/private`: the signing key, locks, staging, intents, the indexes of the
 * logs, editors' buffers. It must never be mounted into a container.
 */
export function privateDir(root: string): string {
  return join(root, "private");
}

/** The key that signs the audit logs, PEM. */
export function signingKeyPath(root: string): string {
  return join(privateDir(root), "audit-signing-key.pem");
}

/** The decisions that are being recorded. After a crash, a file in it is a decision to be finished. */
export function intentsDir(root: string): string {
  return join(privateDir(root), "intents");
}

/** The directory to which the queues of removed bottles move, one directory for each slug. */
export function removedRoot(root: string): string {
  return join(privateDir(root), "removed");
}

/**
 * The path of a proposal in a queue directory, `<queueDir>/<id>.proposal.json`.
 *
 * @throws {InvalidNameError} If the id is not valid.
 */
export function proposalPath(queueDir: string, id: string): string {
  return join(queueDir, checkProposalId(id) + PROPOSAL_SUFFIX);
}

/**
 * The path of a response in a queue directory, `<queueDir>/<id>.response.json`.
 *
 * @throws {InvalidNameError} If the id is not valid.
 */
export function responsePath(queueDir: string, id: string): string {
  return join(queueDir, checkProposalId(id) + RESPONSE_SUFFIX);
}

/** The directory to which a proposal moves with its response, `<queueDir>/processed`. */
export function processedDir(queueDir: string): string {
  return join(queueDir, "processed");
}

/**
 * The host's copy, in a queue directory, of the config file in force that a tool changes. It is no file in a
 * directory `current/`: a program that can write the queue could put a link in that directory's place while the
 * host writes into it.
 */
export function currentCopyPath(queueDir: string, tool: Tool): string {
  return join(queueDir, `current.${CONFIG_FILE_FOR_TOOL[tool]}`);
}

/** What the host is doing right now for a proposal of a queue directory, if it is doing anything. */
export function underwayPath(queueDir: string): string {
  return join(queueDir, "underway.json");
}
