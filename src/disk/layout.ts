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

/** Where everything of the host is kept. */
export interface RootOptions {
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

/**
 * The directory that holds every bottle's queue directory, `<root>/queue`.
 *
 * @param root The root.
 * @returns The directory's path; nothing is created.
 */
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

/**
 * The directory of a bottle's config files in force, `<root>/current-config/<slug>`.
 *
 * @param slug The bottle's slug.
 * @param root The root.
 * @returns The directory's path; nothing is created.
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function currentConfigDirForSlug(slug: string, root: string): string {
  return join(root, "current-config", checkBottleSlug(slug));
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
 * @throws {InvalidNameError} If the component or the slug is none.
 */
export function auditLogPath(
  component: string,
  slug: string,
  options: RootOptions = {},
): string {
  return join(auditDir(options), `${auditLogName(component, slug)}.log`);
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

/** Where the decisions are noted that are being recorded; what a crash leaves there is unfinished. */
export function intentsDir(root: string): string {
  return join(privateDir(root), "intents");
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
