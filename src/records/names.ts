/**
 * Checks ids, slugs and components before they become part of a path; the names on which host, sidecar and
 * agent agree. Pure.
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

export const PROPOSAL_SUFFIX = ".proposal.json";
export const RESPONSE_SUFFIX = ".response.json";

const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;
const SLUG = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}$/;
const COMPONENT = /^[a-z][a-z0-9-]{0,31}$/;

export function isProposalId(id: string): boolean {
  return ID.test(id);
}

/** The id in a file name that ends with `suffix`; `undefined` for any other name. */
export function proposalIdIn(fileName: string, suffix: string): string | undefined {
  if (!fileName.endsWith(suffix)) return undefined;
  const id = fileName.slice(0, -suffix.length);
  return isProposalId(id) ? id : undefined;
}

export function isBottleSlug(slug: string): boolean {
  return SLUG.test(slug);
}

/** @throws {InvalidNameError} If the id is not valid, and so must not become part of a path. */
export function checkProposalId(id: string): string {
  if (isProposalId(id)) return id;
  throw new InvalidNameError(
    "proposal id",
    id,
    "1 to 128 letters, digits, _ and -, starting with a letter or a digit",
  );
}

/** @throws {InvalidNameError} If the slug is not valid, and so must not become part of a path. */
export function checkBottleSlug(slug: string): string {
  if (isBottleSlug(slug)) return slug;
  throw new InvalidNameError(
    "bottle slug",
    slug,
    "1 to 63 lower-case letters, digits, ., _ and -, starting with a letter or a digit, without ..",
  );
}

/**
 * The name of an audit log, `<component>-<slug>`. The signature of each line covers it.
 *
 * @throws {InvalidNameError} If the component or the slug is not valid.
 */
export function auditLogName(component: string, slug: string): string {
  if (!COMPONENT.test(component)) {
    throw new InvalidNameError("component", component, "lower-case letters, digits and -");
  }
  return `${component}-${checkBottleSlug(slug)}`;
}
