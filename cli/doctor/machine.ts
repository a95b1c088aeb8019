/**
 * Whether the clocks agree: this host's, those of the sidecars, and this host's of an earlier day.
 *
 * @module
 */

import { type DiskRoom, instantOf, listAuditLogs, roomAt } from "../../internal_mod.ts";
import { readAuditEntries } from "../../mod.ts";
import { type Finding, named, shellWord, type Subject } from "./finding.ts";

/** How far two clocks may be apart before anybody hears of it. */
const TOLERANCE_MS = 120_000;

/**
 * Checks timestamps against the clock, and against each other.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export async function checkClock({ root, nowMs, overview }: Subject): Promise<Finding[]> {
  const found: Finding[] = [];
  const latest = (nowMs + TOLERANCE_MS) * 1000;
  const ahead = overview().pending
    .filter(({ proposal }) => instantOf(proposal.arrivalTimestamp) > latest)
    .map(({ proposal: { bottleSlug, id } }) => `${bottleSlug}/${id}`);
  if (ahead.length > 0) {
    found.push({
      check: "clock",
      state: "warn",
      says: `${named(ahead)} arrived in the future, or at no time at all, says the sidecar`,
      todo: "date; compare it with the clock where that sidecar runs",
    });
  }
  for (const { component, slug } of listAuditLogs(root)) {
    let newest = -Infinity;
    let back: string | undefined;
    // What is broken is for the check of the logs to say.
    const options = { root, onBroken: () => {} };
    for (const { timestamp } of await readAuditEntries(component, slug, options)) {
      const instant = instantOf(timestamp);
      if (instant < newest - TOLERANCE_MS * 1000) back ??= timestamp;
      if (instant !== Infinity) newest = Math.max(newest, instant);
    }
    const name = `${component}-${slug}`;
    if (newest > latest) {
      found.push({
        check: "clock",
        state: "warn",
        says: `${name} has a line from the future: this clock was ahead, or is behind now`,
        todo: "date; set the clock, or have it set by the network",
      });
    }
    if (back !== undefined) {
      found.push({
        check: "clock",
        state: "warn",
        says: `${name}: the line of ${back} is older than one before it: the clock was set back`,
        todo: `supervise audit show --bottle ${slug}; the order of the lines is the chain's`,
      });
    }
  }
  if (found.length > 0) return found;
  return [{ check: "clock", state: "ok", says: `it says ${new Date(nowMs).toISOString()}` }];
}

const MIB = 1024 * 1024;

/** Below this a decision may fail; nothing is lost then, but nothing is decided either. */
const BAD_MIB = 32;

const WARN_MIB = 256;

/** The same for names of files: a decision takes a handful of them for a moment. */
const BAD_INODES = 100;

/** The oldest Deno whose behaviour this was measured on. */
const OLDEST_DENO = [2, 9] as const;

/**
 * Checks that there is room on the disk of the root.
 *
 * Needs `--allow-read` for the root, and `--allow-sys=statfs`.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkDisk({ root }: Pick<Subject, "root">): Finding[] {
  const check = "disk";
  let room: DiskRoom;
  try {
    room = roomAt(root);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return [{
      check,
      state: "warn",
      says: "how much room there is may not be asked",
      todo: `df ${
        shellWord(root)
      }; or start this with --allow-sys=statfs, as cli/supervise.sh does`,
    }];
  }
  const free = Math.floor(room.bytes / MIB);
  const inodes = room.files;
  const says = inodes < BAD_INODES
    ? `room for ${inodes} more files is left`
    : `${free < 10_240 ? `${free} MiB are` : `${Math.floor(free / 1024)} GiB are`} free`;
  if (free >= WARN_MIB && inodes >= BAD_INODES) return [{ check, state: "ok", says }];
  const state = free < BAD_MIB || inodes < BAD_INODES ? "bad" : "warn";
  return [{ check, state, says, todo: `df -h ${shellWord(root)}; df -i ${shellWord(root)}` }];
}

/**
 * Checks that the Deno that runs this is one that it was tried with.
 *
 * @param version Its version; this process's unless given.
 * @returns What was found.
 */
export function checkDeno(version: string = Deno.version.deno): Finding[] {
  const check = "deno";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_DENO;
  const says = `this is Deno ${version}`;
  if (major === oldestMajor && minor >= oldestMinor) return [{ check, state: "ok", says }];
  const newer = major > oldestMajor;
  return [{
    check,
    state: "warn",
    says: `${says}; this was measured on ${OLDEST_DENO.join(".")}`,
    todo: newer ? "look for a newer supervise" : "deno upgrade",
  }];
}
