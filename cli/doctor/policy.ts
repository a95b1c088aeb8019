/**
 * Checks `policy.json` and `standing.json`: whether they hold, and whether they are those of the last decision.
 *
 * @module
 */

import {
  isDecision,
  listAuditLogs,
  ownFileStamp,
  policyCopyPath,
  type PolicyInForce,
  readLatestEntries,
  readPolicy,
} from "../../internal_mod.ts";
import type { AuditEntry } from "../../mod.ts";
import { shellWord } from "../command/split_words.ts";
import { counted, type Finding, findingsOf, type Subject } from "./finding.ts";
import { join } from "@std/path";

/** The last decision of all logs that says under which policy it was made. */
function lastDecision(root: string): AuditEntry | undefined {
  return listAuditLogs(root)
    .flatMap(({ component, slug }) => readLatestEntries(component, slug, root).entries)
    .filter((entry) => isDecision(entry) && entry.policySha256 !== undefined)
    .reduce<AuditEntry | undefined>(
      (last, entry) => last === undefined || entry.timestamp >= last.timestamp ? entry : last,
      undefined,
    );
}

const nameOf = (sha256: string, file: string): string =>
  sha256 === "" ? `no ${file}` : `the one with sha256 ${sha256.slice(0, 12)}`;

/** How many rules and limits a policy has. */
export function limitsOf(policy: NonNullable<PolicyInForce["policy"]>): string {
  const { floor: { hosts, credentialsOnlyTo, imagesOnly }, rules } = policy;
  const standing = rules.filter(({ exactly }) => exactly !== undefined).length;
  return [
    counted(rules.length - standing, "rule"),
    ...(standing > 0 ? [counted(standing, "standing decision")] : []),
    counted(hosts.length, "host") + " below the floor",
    ...(credentialsOnlyTo ? [`credentials to ${counted(credentialsOnlyTo.length, "host")}`] : []),
    ...(imagesOnly ? [`${counted(imagesOnly.length, "image")} allowed`] : []),
  ].join(", ");
}

/** Says what holds, and what held at the last decision if that was something else. */
export function checkPolicy(
  { root, supervise }: Pick<Subject, "root" | "supervise">,
): Finding[] {
  const { ok, warn, bad } = findingsOf("policy");
  const { sha256, standingSha256, policy, problem } = readPolicy(root);
  const found: Finding[] = [];
  if (policy === undefined) {
    const says = `policy.json cannot be used, so nothing is approved: ${problem}`;
    found.push(bad(says, "correct it; docs/policy.md says how it is written"));
  } else if (sha256 === "" && policy.rules.length === 0) {
    found.push(ok("there is no policy.json: the built-in floor holds alone"));
  } else {
    const name = sha256 === "" ? "standing.json" : `policy.json ${sha256.slice(0, 12)}`;
    found.push(ok(`${name} holds: ${limitsOf(policy)}`));
  }
  const before = lastDecision(root);
  if (before?.policySha256 === undefined) return found;
  const { timestamp, policySha256, standingSha256: standingWas = "" } = before;
  if (policySha256 !== sha256) {
    const says = `policy.json changed after the last decision, at ${timestamp}, which was made ` +
      `under ${nameOf(policySha256, "policy.json")}`;
    const way = "find out who changed it, and why";
    found.push(warn(says, compareWith(root, policySha256, "policy.json") ?? way));
  }
  if (policy !== undefined && standingWas !== standingSha256) {
    const says = `standing.json is not as the last decision, at ${timestamp}, left it, which is ` +
      `${nameOf(standingWas, "standing.json")}: somebody ended a standing decision, or changed ` +
      "the file, or one could not be written";
    const way = `${supervise} policy standing lists what stands`;
    found.push(warn(says, compareWith(root, standingWas, "standing.json") ?? way));
  }
  return found;
}

/** The command that shows how a file differs from the kept copy of the one with that hash. */
function compareWith(root: string, sha256: string, file: string): string | undefined {
  const copy = policyCopyPath(root, sha256);
  if (copy === undefined || ownFileStamp(copy) === undefined) return undefined;
  return `diff ${shellWord(copy)} ${shellWord(join(root, file))}`;
}
