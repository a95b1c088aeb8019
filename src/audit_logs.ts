/**
 * Which audit logs there are.
 *
 * @module
 */

import { join } from "@std/path";
import { auditDir, claudeBottleRoot, isBottleSlug, privateDir } from "./paths.ts";
import { COMPONENT_FOR_TOOL, COMPONENT_REBUILD, TOOLS } from "./proposal.ts";
import { listNames } from "./untrusted.ts";

/** The components that have an audit log. */
export const AUDIT_COMPONENTS: readonly string[] = TOOLS.map((tool) =>
  COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD
);

/** An audit log, by the two halves of its name. */
export interface AuditLogId {
  /** The component. */
  readonly component: string;
  /** The bottle's slug. */
  readonly slug: string;
}

/**
 * Takes a log's name apart.
 *
 * @param name `<component>-<slug>`.
 * @returns Its halves, or `undefined` if it is no name of a log.
 */
export function parseAuditLogName(name: string): AuditLogId | undefined {
  const component = AUDIT_COMPONENTS.find((component) => name.startsWith(`${component}-`));
  if (component === undefined) return undefined;
  const slug = name.slice(component.length + 1);
  return isBottleSlug(slug) ? { component, slug } : undefined;
}

/**
 * Lists the audit logs of a root by name: those that are there, and those that this root wrote to
 * and that should be there. What else lies in the directory is passed over.
 *
 * Needs `--allow-read` for the root.
 *
 * @param root The root; {@linkcode claudeBottleRoot} unless given.
 * @returns The logs.
 */
export function listAuditLogs(root: string = claudeBottleRoot()): AuditLogId[] {
  const names = new Set(listNames(join(privateDir(root), "heads")));
  for (const name of listNames(auditDir(root))) {
    if (name.endsWith(".log")) names.add(name.slice(0, -".log".length));
  }
  return [...names].sort().flatMap((name) => parseAuditLogName(name) ?? []);
}
