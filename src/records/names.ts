/**
 * Which texts may be an id, a slug or a component, and so become part of a path; the names that are
 * agreed between host, sidecar and agent. Pure.
 *
 * @module
 */

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
