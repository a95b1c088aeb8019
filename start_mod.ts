/**
 * The names with which the command line is parsed. It loads no package and no module of Node's, so that
 * `--help` starts fast. Not in `exports`: it changes with our programs.
 *
 * @module
 */

export { checkBottleSlug, isProposalId } from "./src/records/names.ts";
export { AUDIT_COMPONENTS, STATUSES, TOOLS } from "./src/records/proposal.ts";
