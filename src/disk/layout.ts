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
import { join } from "@std/path";

/**
 * The root of everything on the host: `$CLAUDE_BOTTLE_ROOT`, else `~/.claude-bottle`.
 *
 * Needs `--allow-env=CLAUDE_BOTTLE_ROOT,HOME`.
 *
 * @returns The root's path; nothing is created.
 * @throws {TypeError} If neither variable is set.
 */
export function claudeBottleRoot(): string {
  const root = Deno.env.get("CLAUDE_BOTTLE_ROOT");
  if (root) return root;
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".claude-bottle");
  throw new TypeError("Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME");
}

/**
 * The directory that holds every bottle's queue directory, `<root>/queue`.
 *
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The directory's path; nothing is created.
 */
export function queueRoot(root: string = claudeBottleRoot()): string {
  return join(root, "queue");
}

/**
 * The queue directory of a bottle, `<root>/queue/<slug>`.
 *
 * @param slug The bottle's slug.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The directory's path; nothing is created.
 * @throws {InvalidNameError} If the slug is none.
 */
export function queueDirForSlug(slug: string, root: string = claudeBottleRoot()): string {
  return join(queueRoot(root), checkBottleSlug(slug));
}

/**
 * The directory of a bottle's config files in force, `<root>/current-config/<slug>`.
 *
 * @param slug The bottle's slug.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The directory's path; nothing is created.
 * @throws {InvalidNameError} If the slug is none.
 */
export function currentConfigDirForSlug(slug: string, root: string = claudeBottleRoot()): string {
  return join(root, "current-config", checkBottleSlug(slug));
}

/**
 * The directory of the audit logs, `<root>/audit`.
 *
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The directory's path; nothing is created.
 */
export function auditDir(root: string = claudeBottleRoot()): string {
  return join(root, "audit");
}

/**
 * The audit log of one component of one bottle, `<root>/audit/<component>-<slug>.log`.
 *
 * @param component The component, such as `cred-proxy`.
 * @param slug The bottle's slug.
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The file's path; nothing is created.
 * @throws {InvalidNameError} If the component or the slug is none.
 */
export function auditLogPath(
  component: string,
  slug: string,
  root: string = claudeBottleRoot(),
): string {
  return join(auditDir(root), `${auditLogName(component, slug)}.log`);
}

/**
 * The host-only directory, `<root>/private`: locks, staging, intents, editors' buffers. It must
 * never be mounted into a container.
 *
 * @param root The root.
 * @returns The directory's path; nothing is created.
 */
export function privateDir(root: string): string {
  return join(root, "private");
}

/**
 * The path of a proposal in a queue directory.
 *
 * @param queueDir The queue directory.
 * @param id The proposal's id.
 * @returns `<queueDir>/<id>.proposal.json`.
 * @throws {InvalidNameError} If the id is none.
 */
export function proposalPath(queueDir: string, id: string): string {
  return join(queueDir, checkProposalId(id) + PROPOSAL_SUFFIX);
}

/**
 * The path of a response in a queue directory.
 *
 * @param queueDir The queue directory.
 * @param id The proposal's id.
 * @returns `<queueDir>/<id>.response.json`.
 * @throws {InvalidNameError} If the id is none.
 */
export function responsePath(queueDir: string, id: string): string {
  return join(queueDir, checkProposalId(id) + RESPONSE_SUFFIX);
}

/**
 * The directory to which answered proposals move, `<queueDir>/processed`.
 *
 * @param queueDir The queue directory.
 * @returns The directory's path; nothing is created.
 */
export function processedDir(queueDir: string): string {
  return join(queueDir, "processed");
}
