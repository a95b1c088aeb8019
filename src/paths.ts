/**
 * Where things live, and which names may become part of a path.
 *
 * @module
 */

import { join } from "@std/path";
import { InvalidNameError } from "./errors.ts";

/** The host name under which a bottle reaches its sidecar. */
export const SUPERVISE_HOSTNAME = "supervise";
/** The TCP port on which a sidecar listens unless told otherwise. */
export const SUPERVISE_PORT = 9100;
/** Where the bottle's queue directory is mounted in the sidecar's container. */
export const QUEUE_DIR_IN_CONTAINER = "/run/supervise/queue";
/** Where the bottle's config in force is mounted, read-only, in the agent's container. */
export const CURRENT_CONFIG_DIR_IN_AGENT = "/etc/claude-bottle/current-config";

/** How the name of a proposal's file ends. */
export const PROPOSAL_SUFFIX = ".proposal.json";
/** How the name of a response's file ends. */
export const RESPONSE_SUFFIX = ".response.json";

const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;
const SLUG = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}$/;
const COMPONENT = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * Says whether a text may be a proposal's id: 1 to 128 letters, digits, `_` and `-`, the first one
 * a letter or a digit.
 *
 * @param id The text.
 * @returns Whether it may be an id.
 */
export function isProposalId(id: string): boolean {
  return ID.test(id);
}

/**
 * Says whether a text may be a bottle's slug: 1 to 63 lower-case letters, digits, `.`, `_` and `-`,
 * the first one a letter or a digit, without `..`.
 *
 * @param slug The text.
 * @returns Whether it may be a slug.
 */
export function isBottleSlug(slug: string): boolean {
  return SLUG.test(slug);
}

/**
 * Checks a proposal's id before it touches a path.
 *
 * @param id The id.
 * @returns The id, unchanged.
 * @throws {InvalidNameError} If it is none.
 */
export function checkProposalId(id: string): string {
  if (isProposalId(id)) return id;
  throw new InvalidNameError(
    "proposal id",
    id,
    "1 to 128 letters, digits, _ and -, starting with a letter or a digit",
  );
}

/**
 * Checks a bottle's slug before it touches a path.
 *
 * @param slug The slug.
 * @returns The slug, unchanged.
 * @throws {InvalidNameError} If it is none.
 */
export function checkBottleSlug(slug: string): string {
  if (isBottleSlug(slug)) return slug;
  throw new InvalidNameError(
    "bottle slug",
    slug,
    "1 to 63 lower-case letters, digits, ., _ and -, starting with a letter or a digit, without ..",
  );
}

function checkComponent(component: string): string {
  if (COMPONENT.test(component)) return component;
  throw new InvalidNameError("component", component, "lower-case letters, digits and -");
}

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
 * The name of an audit log, `<component>-<slug>`. It is part of what each line's signature covers.
 *
 * @param component The component, such as `cred-proxy`.
 * @param slug The bottle's slug.
 * @returns The name.
 * @throws {InvalidNameError} If the component or the slug is none.
 */
export function auditLogName(component: string, slug: string): string {
  return `${checkComponent(component)}-${checkBottleSlug(slug)}`;
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
