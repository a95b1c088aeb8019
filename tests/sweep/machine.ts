/**
 * What the machine allows: which parts of the sweep can run on it.
 *
 * @module
 */

import { hasProgram } from "../support/run.ts";
import { type Place, run } from "./place.ts";
import { attach } from "./tracer.ts";

/** Why a part cannot run; `undefined` if it can. */
export type Reason = string | undefined;

/**
 * The processors that this process may use.
 *
 * @returns Their numbers, four at most: more would wait for the one that judges.
 */
export function processors(): number[] {
  const allowed = /^Cpus_allowed_list:\t(.*)$/m.exec(Deno.readTextFileSync("/proc/self/status"));
  return allowed![1]!.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  }).slice(0, 4);
}

/**
 * Why system calls cannot be made to fail here.
 *
 * @returns The reason.
 */
export async function whyNoFaults(): Promise<Reason> {
  if (Deno.build.os !== "linux") return "this is not Linux";
  for (const program of ["strace", "taskset"]) {
    if (!hasProgram(program)) return `${program} cannot be started`;
  }
  const target = new Deno.Command("sleep", { args: ["60"], stdout: "null" }).spawn();
  try {
    const tracer = await attach({ target: { pid: target.pid }, cpu: processors()[0]!, flags: [] });
    await tracer.end();
  } catch (error) {
    return (error as Error).message;
  } finally {
    target.kill("SIGKILL");
    await target.status;
  }
}

function whyNoMounts(): Reason {
  if (Deno.build.os !== "linux") return "this is not Linux";
  if (Deno.uid() !== 0) return "mounting needs root";
  return hasProgram("mount") ? undefined : "mount cannot be started";
}

/**
 * Why no tmpfs can be mounted here.
 *
 * @param place Where to try.
 * @returns The reason.
 */
export async function whyNoTmpfs(place: Place): Promise<Reason> {
  const noMounts = whyNoMounts();
  if (noMounts !== undefined) return noMounts;
  try {
    await using _mount = await place.mount("probe", ["-t", "tmpfs", "tmpfs"]);
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Why no image of a disk can be mounted here.
 *
 * @param place Where to try.
 * @returns The reason.
 */
export async function whyNoImages(place: Place): Promise<Reason> {
  const noMounts = whyNoMounts();
  if (noMounts !== undefined) return noMounts;
  if (!hasProgram("mkfs.ext4", "-V")) return "mkfs.ext4 cannot be started";
  try {
    await makeImage(place.at("probe.img"));
    await using _mount = await place.mount("probe", ["-o", "loop", place.at("probe.img")]);
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Makes an image of an empty disk.
 *
 * @param path The image's file.
 */
export async function makeImage(path: string): Promise<void> {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(32 * 1024 * 1024);
  await run("mkfs.ext4", ["-q", "-F", path]);
}
