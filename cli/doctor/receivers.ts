/**
 * Whether those who are to be told of arrivals are told.
 *
 * @module
 */

import { readReceiverRecord, type ReceiverRecord } from "../../internal_mod.ts";
import { readReceivers, type Receiver } from "../notify/receivers.ts";
import type { Finding, Subject } from "./finding.ts";

const TRY_IT = "mend that, then try it with supervise notify";

/**
 * Looks at `notify.json`, at the files it names, and at what is remembered of each receiver. Sends
 * nothing.
 *
 * Needs `--allow-read` for the root, and `--allow-sys=uid`.
 *
 * @param subject What is checked.
 * @returns A finding for each receiver, and for each file that cannot be used; one if nobody is told.
 */
export function checkReceivers({ root }: Pick<Subject, "root">): Finding[] {
  const { configured, terminal, remote, problems } = readReceivers(root);
  if (!configured) {
    return [{
      check: "notify",
      state: "ok",
      says: "Nobody is to be told: there is no notify.json",
    }];
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
    const says = `A terminal that watches is told (${terminal})`;
    findings.push({ check: "notify terminal", state: "ok", says });
  }
  if (findings.length > 0) return findings;
  return [{ check: "notify", state: "ok", says: "Nobody is to be told: notify.json names nobody" }];
}

function findingOf({ name, place }: Receiver, record: ReceiverRecord): Finding {
  const check = `notify ${name}`;
  const { lastSuccess, lastFailure, reason, failures, dropped } = record;
  const shown = (text: string | undefined) => text ?? "?";
  if (failures > 0) {
    const since = lastSuccess === undefined ? "yet" : `since ${shown(lastSuccess)}`;
    const lost = dropped === 0 ? "" : `; ${count(dropped, "proposal")} it was never told of`;
    const says = `${place} has taken no message ${since}: ${shown(reason)} ` +
      `(${count(failures, "try", "tries")}, the last one ${shown(lastFailure)})${lost}`;
    return { check, state: "bad", says, todo: TRY_IT };
  }
  if (dropped > 0) {
    const says = `${place} took a message ${shown(lastSuccess)}, and was not told of ` +
      `${count(dropped, "proposal")} since: more came than it took`;
    return { check, state: "warn", says, todo: "look at what is pending with supervise list" };
  }
  if (lastSuccess === undefined) {
    const says = `${place} was never told anything`;
    return { check, state: "warn", says, todo: "try it with supervise notify" };
  }
  return { check, state: "ok", says: `${place} took a message ${shown(lastSuccess)}` };
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
