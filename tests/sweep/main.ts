/**
 * The crash and fault sweep: every system call of the commands that decide, each killed and each
 * failing; and after each a look at the disk, and the same command again. Takes root, strace and some
 * minutes, so it is no `_test.ts` that every `deno test` would find:
 *
 * ```sh
 * deno task test:sweep                             # what chooseFaults() chooses of everything
 * deno task test:sweep --all                       # every fault at every system call
 * deno task test:sweep approve fdatasync SIGKILL   # what has all of these words in its name
 * ```
 *
 * What the machine does not allow is skipped, and says so; with `CI=true` it fails.
 *
 * @module
 */

import { applyingCommands } from "./applied.ts";
import { COLLECT } from "./collect.ts";
import { decidingCommands } from "./commands.ts";
import { fillDisk } from "./full_disk.ts";
import { killWriters } from "./kills.ts";
import { processors, type Reason, whyNoFaults, whyNoImages, whyNoTmpfs } from "./machine.ts";
import { openPlace, type Place } from "./place.ts";
import { cutPower } from "./power.ts";
import { type PartResult, printPart, printTotal } from "./report.ts";
import type { Subject } from "./subject.ts";
import { SUBMIT } from "./submit.ts";
import { sweep } from "./sweep.ts";

/** Whether a trial is wanted, by its name. */
type Pick = (name: string) => boolean;

/** A part of the sweep. */
interface Part {
  readonly name: string;
  readonly whyNot: Reason;
  readonly run: () => Promise<PartResult>;
}

async function partsAt(place: Place, isPicked: Pick, isWhole: boolean): Promise<Part[]> {
  const noFaults = await whyNoFaults();
  const noTmpfs = await whyNoTmpfs(place);
  // Where nothing is ever written out, a sync costs nothing; its system call is made all the same.
  if (noTmpfs === undefined) {
    await place.mount("memory", ["-t", "tmpfs", "-o", "size=64m", "tmpfs"]);
  } else await Deno.mkdir(place.at("memory"));
  const rootOf = (cpu: number) => place.at("memory", `root-${cpu}`);
  const swept = <T>(subject: Subject<T>): Part => ({
    name: subject.name,
    whyNot: noFaults,
    run: () => sweep(subject, processors(), rootOf, isPicked, isWhole),
  });
  return [
    ...decidingCommands(place.at("memory", "version")).map(swept),
    ...applyingCommands(place.at("memory", "applied-version")).map(swept),
    swept(SUBMIT),
    swept(COLLECT),
    {
      name: "full-disk",
      whyNot: noTmpfs,
      async run() {
        await using disk = await place.mount("small", ["-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
        return await fillDisk(disk.path, place.at("memory", "big-version"), isPicked);
      },
    },
    { name: "power", whyNot: await whyNoImages(place), run: () => cutPower(place, isPicked) },
    { name: "kills", whyNot: undefined, run: () => killWriters(place, isPicked) },
  ];
}

const LEGEND = `System calls on files under the root are killed, or fail; then the disk is judged,
the same is done again, and the disk is judged once more. What became of a decision:
  succeeded  it stands all the same, and was said to
  refused    it was said to have failed, and nothing was decided
  recorded   it was said to be recorded; the next command answered
  unwritten  it was said to be answered, and the rule that it makes to be lost, perhaps
  dropped    the process died before the record; it was decided anew
  completed  the process died after the record; the next command answered
  answered   the process died after the answer`;

async function main(args: readonly string[]): Promise<boolean> {
  await using place = await openPlace();
  const words = args.filter((word) => word !== "--all");
  console.log(LEGEND);
  const isPicked: Pick = (name) => words.every((word) => name.split(" ").includes(word));
  // A trial that is named may be one that is not chosen.
  const isWhole = words.length > 1 || args.includes("--all");
  const parts = await partsAt(place, isPicked, isWhole);
  const named = parts.filter(({ name }) => name === words[0]);
  const results: PartResult[] = [];
  let skipped = 0;
  for (const { name, whyNot, run } of named.length > 0 ? named : parts) {
    if (whyNot === undefined) {
      const result = await run();
      results.push(result);
      printPart(result);
    } else {
      skipped++;
      console.log(`\nskipped: ${name}, because ${whyNot}`);
    }
  }
  const isSound = printTotal(results);
  if (skipped > 0) return isSound && Deno.env.get("CI") !== "true";
  // Words that pick nothing are a mistake.
  return isSound && results.some(({ trials }) => trials.length > 0);
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
