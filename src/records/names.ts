/**
 * Says which texts may be an id, a slug or a component and so become part of a path; has the names on which
 * host, sidecar and agent agree. Pure.
 *
 * @module
 */

import { InvalidNameError } from "./errors.ts";

/** The host name under which a bottle reaches its sidecar. */
export const SUPERVISE_HOSTNAME = "supervise";

/** The default TCP port of a sidecar. */
export const SUPERVISE_PORT = 9100;

/** The mount point of a bottle's queue directory in the sidecar's container. */
export const QUEUE_DIR_IN_CONTAINER = "/run/supervise/queue";

/** The read-only mount point of a bottle's config in force in the agent's container. */
export const CURRENT_CONFIG_DIR_IN_AGENT = "/etc/claude-bottle/current-config";

/** The end of a proposal's file name. */
export const PROPOSAL_SUFFIX = ".proposal.json";

/** The end of a response's file name. */
export const RESPONSE_SUFFIX = ".response.json";

const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;

const SLUG = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}$/;

const COMPONENT = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * Whether a text may be a proposal's id: 1 to 128 letters, digits, `_` and `-`, starting with a letter or
 * a digit.
 */
export function isProposalId(id: string): boolean {
  return ID.test(id);
}

/** The id in the file name of a proposal or a response; `undefined` if the name is not of that kind. */
export function proposalIdIn(fileName: string, suffix: string): string | undefined {
  if (!fileName.endsWith(suffix)) return undefined;
  const id = fileName.slice(0, -suffix.length);
  return isProposalId(id) ? id : undefined;
}

/**
 * Whether a text may be a bottle's slug: 1 to 63 lower-case letters, digits, `.`, `_` and `-`, starting
 * with a letter or a digit, without `..`.
 */
export function isBottleSlug(slug: string): boolean {
  return SLUG.test(slug);
}

/**
 * Returns a proposal's id, checked before it becomes part of a path.
 *
 * @throws {InvalidNameError} If it is not a valid proposal id.
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
 * Returns a bottle's slug, checked before it becomes part of a path.
 *
 * @throws {InvalidNameError} If it is not a valid slug.
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
 * The name of an audit log, `<component>-<slug>`. The signature of each line covers it.
 *
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
export function auditLogName(component: string, slug: string): string {
  return `${checkComponent(component)}-${checkBottleSlug(slug)}`;
}
