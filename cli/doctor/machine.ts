/**
 * The machine: room on the disk, the Deno that runs this.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { type Finding, shellWord, type Subject } from "./finding.ts";

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
  let stat: ReturnType<typeof statfsSync>;
  try {
    stat = statfsSync(root);
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
  const free = Math.floor(Number(stat.bavail) * Number(stat.bsize) / MIB);
  // Some file systems count no inodes, and say zero of zero.
  const inodes = Number(stat.files) === 0 ? Infinity : Number(stat.ffree);
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
