/**
 * Checks the notification receivers.
 *
 * @module
 */

import { readReceiverRecord, type ReceiverRecord } from "../../internal_mod.ts";
import { readReceivers, type Receiver } from "../notify/receivers.ts";
import { counted, type Finding, findingsOf, type Subject } from "./finding.ts";

const TRY_IT = "fix that, then try it with supervise notify";

/**
 * Checks `notify.json`, the files that it names, and how each receiver is doing. Sends nothing.
 *
 * Needs `--allow-read` for the root, and `--allow-sys=uid`.
 */
export function checkReceivers({ root }: Pick<Subject, "root">): Finding[] {
  const { ok } = findingsOf("notify");
  const { configured, terminal, remote, problems } = readReceivers(root);
  if (!configured) return [ok("Notifications are off: no notify.json")];
  const found = problems.map(({ name, says }) =>
    findingsOf(name === "notify.json" ? "notify" : `notify ${name}`).bad(says, TRY_IT)
  );
  for (const receiver of remote) {
    found.push(findingOf(receiver, readReceiverRecord(receiver.name, root)));
  }
  if (terminal !== undefined) {
    const says = `The terminal of watch and review is notified (${terminal})`;
    found.push(findingsOf("notify terminal").ok(says));
  }
  if (found.length > 0) return found;
  return [ok("Notifications are off: notify.json names no receiver")];
}

function findingOf({ name, place }: Receiver, record: ReceiverRecord): Finding {
  const { ok, warn, bad } = findingsOf(`notify ${name}`);
  const { lastSuccess = "?", lastFailure = "?", reason = "?", failures, dropped } = record;
  const isNew = record.lastSuccess === undefined;
  if (failures > 0) {
    const lost = dropped === 0 ? "" : `; ${counted(dropped, "proposal")} not sent`;
    return bad(
      `${place} has taken no message ${isNew ? "yet" : `since ${lastSuccess}`}: ` +
        `${reason} (${counted(failures, "try", "tries")}, the last at ${lastFailure})${lost}`,
      TRY_IT,
    );
  }
  if (dropped > 0) {
    return warn(
      `${place} took a message at ${lastSuccess}; since then ` +
        `${counted(dropped, "proposal")} not sent: more came than it took`,
      "look at what is pending with supervise list",
    );
  }
  if (isNew) {
    return warn(`${place} has not been sent a message yet`, "try it with supervise notify");
  }
  return ok(`${place} took a message at ${lastSuccess}`);
}
