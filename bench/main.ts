/**
 * The bench: each figure beside its floor, measured in the same run. It prints, and never fails for
 * slowness; what is expected stands in CONTRIBUTING.
 *
 * ```sh
 * deno task bench            # everything
 * deno task bench queue diff # the named subjects; queue stands for writes, reads, listing and waiting
 * ```
 *
 * @module
 */

import { sidecarFlags } from "../sidecar/settings.ts";
import { applying } from "./apply.ts";
import { comparing } from "./compare.ts";
import { diff } from "./diff.ts";
import { floods } from "./flood.ts";
import { holding } from "./holding.ts";
import { index } from "./index.ts";
import { listing } from "./listing.ts";
import { log } from "./log.ts";
import { type Subject, table } from "./measure.ts";
import { reads } from "./reads.ts";
import { review } from "./review.ts";
import { sidecar } from "./sidecar.ts";
import { start } from "./start.ts";
import { visibleText } from "./visible.ts";
import { waiting } from "./waiting.ts";
import { writes } from "./writes.ts";

const SUBJECTS: Readonly<Record<string, readonly Subject[]>> = {
  queue: [writes, reads, listing, waiting],
  log: [log],
  index: [index],
  start: [start],
  apply: [applying],
  writes: [writes],
  reads: [reads],
  listing: [listing],
  waiting: [waiting],
  diff: [diff],
  compare: [comparing],
  visible: [visibleText],
  review: [review],
  sidecar: [sidecar(sidecarFlags)],
  holding: [holding(sidecarFlags)],
  flood: [floods(sidecarFlags)],
};

const ALL = [
  "start",
  "apply",
  "queue",
  "log",
  "index",
  "diff",
  "compare",
  "visible",
  "review",
  "sidecar",
  "holding",
  "flood",
];

/** The kind of file system on which temporary files lie: on some, a sync costs nothing. */
async function temporaryFileSystem(): Promise<string> {
  const dir = await Deno.makeTempDir();
  try {
    const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n");
    const around = mounts.map((line) => line.split(" ")).filter(([, point]) =>
      point !== undefined && `${dir}/`.startsWith(point === "/" ? "/" : `${point}/`)
    );
    const nearest = around.toSorted((a, b) => b[1]!.length - a[1]!.length)[0];
    return nearest?.[2] ?? "an unknown file system";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "an unknown file system";
    throw error;
  } finally {
    await Deno.remove(dir);
  }
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(SUBJECTS, name));
  if (unknown.length > 0) {
    console.error(
      `Cannot measure ${unknown.join(", ")}: expected ${Object.keys(SUBJECTS).join(", ")}`,
    );
    return 2;
  }
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores, ${Deno.build.os} ` +
      `${Deno.osRelease()}, temporary files on ${await temporaryFileSystem()}`,
  );
  console.log("Medians; figure and floor took turns in this run.");
  const chosen = new Set((names.length > 0 ? names : ALL).flatMap((name) => SUBJECTS[name]!));
  for (const { title, about, run } of chosen) {
    console.log(`\n${title}\n${about}\n`);
    console.log(table(await run()));
  }
  return 0;
}

Deno.exit(await main(Deno.args));
