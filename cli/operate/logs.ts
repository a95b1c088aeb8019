/**
 * Which audit logs a command is about.
 *
 * @module
 */

import {
  AUDIT_COMPONENTS,
  type AuditLogId,
  listAuditLogs,
  slugsEver,
  verifyAuditLogs,
} from "../../internal_mod.ts";
import type { Context } from "../command/context.ts";
import { NotFoundError } from "../command/exit.ts";
import { checkChoice } from "../command/resolve.ts";

/** A test for the logs that `--bottle` and `--component` select. */
export function isSelected({ flags }: Context): (id: AuditLogId) => boolean {
  const { bottle, component } = flags;
  checkChoice("component", component, AUDIT_COMPONENTS);
  return (id) =>
    (component === undefined || id.component === component) &&
    (bottle === undefined || id.slug === bottle);
}

export function selectLogs(context: Context): AuditLogId[] {
  return listAuditLogs(context.root).filter(isSelected(context));
}

/** The error of a command that needs a line of a log, and finds none in what the flags select. */
export function noAuditLog({ root, flags }: Context, verb: string): NotFoundError {
  const { bottle, component, archive } = flags;
  const only = [
    ...(bottle === undefined ? [] : [`--bottle ${bottle}`]),
    ...(component === undefined ? [] : [`--component ${component}`]),
  ];
  const place = archive === undefined ? `under ${root}` : `in ${archive}`;
  const selected = only.length === 0 ? "" : ` for ${only.join(" ")}`;
  const way = archive === undefined ? "; the first decision writes one" : "";
  return new NotFoundError(
    `Cannot ${verb}: there is no line of an audit log ${place}${selected}${way}`,
  );
}

export function nameOfLog({ component, slug }: AuditLogId): string {
  return `${component}-${slug}`;
}

/** The logs of the root, and those that its bottles, removed ones too, could have: a removed log is among these. */
export function logsThatMayBe(root: string): AuditLogId[] {
  const there = listAuditLogs(root);
  const names = new Set(there.map(nameOfLog));
  const possible = slugsEver(root)
    .flatMap((slug) => AUDIT_COMPONENTS.map((component) => ({ component, slug })));
  return [...there, ...possible.filter((id) => !names.has(nameOfLog(id)))];
}

/**
 * Says which of the selected logs fail their check, those that were removed too: a copy of them must not pass
 * for a good one. Gives the exit code for that.
 */
export async function complainOfUnsound(context: Context): Promise<0 | 1> {
  const { root, supervise } = context;
  let code: 0 | 1 = 0;
  const logs = logsThatMayBe(root).filter(isSelected(context));
  for await (const log of verifyAuditLogs(logs, { root })) {
    const { ok, firstError } = log;
    if (!ok) {
      code = 1;
      context.complain(
        `! ${nameOfLog(log)} is not sound: ${firstError}; see ${supervise} audit verify`,
      );
    }
  }
  return code;
}
