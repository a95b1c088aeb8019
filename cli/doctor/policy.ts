/**
 * Checks `policy.json`: whether it holds, and whether it is the one under which the last decision was made.
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

const nameOf = (sha256: string): string =>
  sha256 === "" ? "no policy.json" : `the one with sha256 ${sha256.slice(0, 12)}`;

/** How many rules and limits a policy has. */
export function limitsOf(policy: NonNullable<PolicyInForce["policy"]>): string {
  const { floor: { hosts, credentialsOnlyTo, imagesOnly }, rules } = policy;
  return [
    counted(rules.length, "rule"),
    counted(hosts.length, "host") + " below the floor",
    ...(credentialsOnlyTo ? [`credentials to ${counted(credentialsOnlyTo.length, "host")}`] : []),
    ...(imagesOnly ? [`${counted(imagesOnly.length, "image")} allowed`] : []),
  ].join(", ");
}

/** Says what holds, and what held at the last decision if that was something else. */
export function checkPolicy({ root }: Pick<Subject, "root">): Finding[] {
  const { ok, warn, bad } = findingsOf("policy");
  const { sha256, policy, problem } = readPolicy(root);
  const found: Finding[] = [];
  if (policy === undefined) {
    const says = `policy.json cannot be used, so nothing is approved: ${problem}`;
    found.push(bad(says, "correct it; docs/policy.md says how it is written"));
  } else if (sha256 === "") {
    found.push(ok("there is no policy.json: the built-in floor holds alone"));
  } else {
    found.push(ok(`policy.json ${sha256.slice(0, 12)} holds: ${limitsOf(policy)}`));
  }
  const before = lastDecision(root);
  if (before?.policySha256 === undefined || before.policySha256 === sha256) return found;
  const was = before.policySha256;
  const copy = policyCopyPath(root, was);
  const [current, way] = [shellWord(join(root, "policy.json")), "find out who changed it, and why"];
  const todo = copy !== undefined && ownFileStamp(copy) !== undefined
    ? `diff ${shellWord(copy)} ${current}`
    : way;
  const says =
    `policy.json changed after the last decision, at ${before.timestamp}, which was made ` +
    `under ${nameOf(was)}`;
  found.push(warn(says, todo));
  return found;
}
