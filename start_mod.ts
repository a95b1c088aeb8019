/**
 * What the operator's command line is read with: names. It loads no package and no module of Node's,
 * so that `--help` waits for none. Not in `exports`: it changes with our programs.
 *
 * @module
 */

export { checkBottleSlug } from "./src/records/names.ts";
export { AUDIT_COMPONENTS, TOOLS } from "./src/records/proposal.ts";
