/**
 * Checks the host: its clock and those of the sidecars, its disk, its Deno, its notification receivers.
 *
 * @module
 */

import {
  type DiskRoom,
  instantOf,
  listAuditLogs,
  readReceiverRecord,
  type ReceiverRecord,
  roomAt,
} from "../../internal_mod.ts";
import { readAuditEntries } from "../../mod.ts";
import { readReceivers, type Receiver } from "../notify/receivers.ts";
import { nameOfLog } from "../operate/logs.ts";
import { quoteFile } from "../render/quote.ts";
import { shellWord } from "../command/split_words.ts";
import { counted, type Finding, findingsOf, named, type Subject } from "./finding.ts";

/** How far two clocks may differ before there is a warning. */
const TOLERANCE_MS = 120_000;

/** Checks timestamps against the clock, and against each other. */
export async function checkClock(
  { root, supervise, nowMs, overview }: Subject,
): Promise<Finding[]> {
  const { ok, warn } = findingsOf("clock");
  const found: Finding[] = [];
  const latest = (nowMs + TOLERANCE_MS) * 1000;
  const ahead = overview().pending
    .filter(({ proposal }) => instantOf(proposal.arrivalTimestamp) > latest)
    .map(({ proposal: { bottleSlug, id } }) => `${bottleSlug}/${quoteFile(id)}`);
  if (ahead.length > 0) {
    found.push(warn(
      `${named(ahead)} arrived in the future, or at no time at all, says the sidecar`,
      "date; compare it with the clock where that sidecar runs",
    ));
  }
  for (const id of listAuditLogs(root)) {
    const { component, slug } = id;
    let newest = -Infinity;
    let back: string | undefined;
    // The check of the logs tells the broken lines, and which log cannot be read.
    const options = { root, onBroken: () => {} };
    for (const { timestamp } of await readAuditEntries(component, slug, options).catch(() => [])) {
      const instant = instantOf(timestamp);
      if (instant < newest - TOLERANCE_MS * 1000) back ??= timestamp;
      if (instant !== Infinity) newest = Math.max(newest, instant);
    }
    if (newest > latest) {
      found.push(warn(
        `${nameOfLog(id)} has a line from the future: this clock was ahead, or is behind now`,
        "date; set the clock, or have it set by the network",
      ));
    }
    if (back !== undefined) {
      found.push(warn(
        `${nameOfLog(id)}: the line of ${back} is older than one before it: the clock was set back`,
        `${supervise} audit show --bottle ${slug}; the order of the lines is the chain's`,
      ));
    }
  }
  return found.length > 0 ? found : [ok(`it says ${new Date(nowMs).toISOString()}`)];
}

const MIB = 1024 * 1024;

/** With less, a decision may fail; nothing is lost then, but nothing is decided either. */
const BAD_MIB = 32;

const WARN_MIB = 256;

/** The same for the number of files: a decision takes a handful of them for a moment. */
const BAD_INODES = 100;

/** The oldest Deno on which this was measured. */
const OLDEST_DENO = [2, 9] as const;

/** Checks the room on the disk of the root. Needs `--allow-read` for it, and `--allow-sys=statfs`. */
export function checkDisk({ root }: Pick<Subject, "root">): Finding[] {
  const { ok, warn, bad } = findingsOf("disk");
  const at = shellWord(root);
  let room: DiskRoom;
  try {
    room = roomAt(root);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return [warn(
      "the room on the disk may not be read",
      `df ${at}; or start this with --allow-sys=statfs, as cli/supervise.sh does`,
    )];
  }
  const free = Math.floor(room.bytes / MIB);
  const says = room.files < BAD_INODES
    ? `room for ${room.files} more files is left`
    : `${free < 10_240 ? `${free} MiB are` : `${Math.floor(free / 1024)} GiB are`} free`;
  if (free >= WARN_MIB && room.files >= BAD_INODES) return [ok(says)];
  const tell = free < BAD_MIB || room.files < BAD_INODES ? bad : warn;
  return [tell(says, `df -h ${at}; df -i ${at}`)];
}

/** Checks that this Deno, or the one of `version`, is one on which the command line was tried. */
export function checkDeno(version: string = Deno.version.deno): Finding[] {
  const { ok, warn } = findingsOf("deno");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_DENO;
  const says = `this is Deno ${version}`;
  if (major === oldestMajor && minor >= oldestMinor) return [ok(says)];
  return [warn(
    `${says}; this was measured on ${OLDEST_DENO.join(".")}`,
    major > oldestMajor ? "look for a newer supervise" : "deno upgrade",
  )];
}

const tryIt = (supervise: string) => `fix that, then try it with ${supervise} notify`;

/** Checks `notify.json`, the files that it names, and how each receiver is doing. Sends nothing. */
export function checkReceivers(
  { root, supervise }: Pick<Subject, "root" | "supervise">,
): Finding[] {
  const { ok } = findingsOf("notify");
  const { configured, terminal, remote, problems } = readReceivers(root);
  if (!configured) return [ok("Notifications are off: no notify.json")];
  const found = problems.map(({ name, says }) =>
    findingsOf(name === "notify.json" ? "notify" : `notify ${name}`).bad(says, tryIt(supervise))
  );
  for (const receiver of remote) {
    found.push(findingOf(receiver, readReceiverRecord(receiver.name, root), supervise));
  }
  if (terminal !== undefined) {
    const says = `The terminal of watch and review is notified (${terminal})`;
    found.push(findingsOf("notify terminal").ok(says));
  }
  if (found.length > 0) return found;
  return [ok("Notifications are off: notify.json names no receiver")];
}

function findingOf(
  { name, place }: Receiver,
  record: ReceiverRecord,
  supervise: string,
): Finding {
  const { ok, warn, bad } = findingsOf(`notify ${name}`);
  const { lastSuccess = "?", lastFailure = "?", reason = "?", failures, dropped } = record;
  const isNew = record.lastSuccess === undefined;
  if (failures > 0) {
    const lost = dropped === 0 ? "" : `; ${counted(dropped, "proposal")} not sent`;
    return bad(
      `${place} has taken no message ${isNew ? "yet" : `since ${lastSuccess}`}: ` +
        `${reason} (${counted(failures, "try", "tries")}, the last at ${lastFailure})${lost}`,
      tryIt(supervise),
    );
  }
  if (dropped > 0) {
    return warn(
      `${place} took a message at ${lastSuccess}; since then ` +
        `${counted(dropped, "proposal")} not sent: more came than it took`,
      `look at what is pending with ${supervise} list`,
    );
  }
  if (isNew) {
    return warn(`${place} has not been sent a message yet`, `try it with ${supervise} notify`);
  }
  return ok(`${place} took a message at ${lastSuccess}`);
}
