/**
 * Checks the notification receivers.
 *
 * @module
 */

import { readReceiverRecord, type ReceiverRecord } from "../../internal_mod.ts";
import { readReceivers, type Receiver } from "../notify/receivers.ts";
import { counted, type Finding, type Subject } from "./finding.ts";

const TRY_IT = "fix that, then try it with supervise notify";

/**
 * Checks `notify.json`, the files that it names, and how each receiver is doing. Sends nothing.
 *
 * Needs `--allow-read` for the root, and `--allow-sys=uid`.
 */
export function checkReceivers({ root }: Pick<Subject, "root">): Finding[] {
  const { configured, terminal, remote, problems } = readReceivers(root);
  if (!configured) {
    return [{ check: "notify", state: "ok", says: "Notifications are off: no notify.json" }];
  }
  const findings = problems.map(({ name, says }): Finding => ({
    check: name === "notify.json" ? "notify" : `notify ${name}`,
    state: "bad",
    says,
    todo: TRY_IT,
  }));
  for (const receiver of remote) {
    findings.push(findingOf(receiver, readReceiverRecord(receiver.name, root)));
  }
  if (terminal !== undefined) {
    const says = `The terminal of watch and review is notified (${terminal})`;
    findings.push({ check: "notify terminal", state: "ok", says });
  }
  if (findings.length > 0) return findings;
  const says = "Notifications are off: notify.json names no receiver";
  return [{ check: "notify", state: "ok", says }];
}

function findingOf({ name, place }: Receiver, record: ReceiverRecord): Finding {
  const check = `notify ${name}`;
  const { lastSuccess = "?", lastFailure = "?", reason = "?", failures, dropped } = record;
  const isNew = record.lastSuccess === undefined;
  if (failures > 0) {
    const lost = dropped === 0 ? "" : `; ${counted(dropped, "proposal")} not sent`;
    const says = `${place} has taken no message ${isNew ? "yet" : `since ${lastSuccess}`}: ` +
      `${reason} (${counted(failures, "try", "tries")}, the last at ${lastFailure})${lost}`;
    return { check, state: "bad", says, todo: TRY_IT };
  }
  if (dropped > 0) {
    const says = `${place} took a message at ${lastSuccess}; since then ` +
      `${counted(dropped, "proposal")} not sent: more came than it took`;
    return { check, state: "warn", says, todo: "look at what is pending with supervise list" };
  }
  if (isNew) {
    const says = `${place} has not been sent a message yet`;
    return { check, state: "warn", says, todo: "try it with supervise notify" };
  }
  return { check, state: "ok", says: `${place} took a message at ${lastSuccess}` };
}
