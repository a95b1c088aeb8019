/**
 * An attacker who controls a queue directory: puts something else in the place of a file or a directory as
 * fast as the system lets it, until it is killed or its time is up. Run as a program:
 *
 * ```sh
 * deno run -A tests/support/attack.ts file <queueDir> <outside> <milliseconds>
 * ```
 *
 * - `file`: `p1.proposal.json` in the queue is in turn sound, a link to the file of that name outside,
 *   a FIFO, and a link to a FIFO.
 * - `directory`: `processed` in the queue is in turn a directory and a link to the directory outside.
 *
 * It prints `ready` once it has begun, and at the end how often everything was swapped.
 *
 * @module
 */

const [what, queueDir = "", outside = "", forMs] = Deno.args;

/** What a reader looks for: it is in files outside of the queue alone. */
export const SECRET = "nobody in the queue may see this";

/** The file that is attacked. */
export const TARGET = "p1.proposal.json";

/** A second name for the FIFO, because a rename uses one up. */
function fifoAgain(tmp: string): void {
  Deno.linkSync(`${outside}/fifo`, tmp);
}

function swapFile(): void {
  const target = `${queueDir}/${TARGET}`;
  const tmp = `${queueDir}/tmp`;
  const sound = Deno.readTextFileSync(target);
  const states = [
    () => Deno.symlinkSync(`${outside}/${TARGET}`, tmp),
    () => Deno.writeTextFileSync(tmp, sound),
    () => fifoAgain(tmp),
    () => Deno.writeTextFileSync(tmp, sound),
    () => Deno.symlinkSync(`${outside}/fifo`, tmp),
    () => Deno.writeTextFileSync(tmp, sound),
  ];
  repeat(() => {
    for (const plant of states) {
      plant();
      Deno.renameSync(tmp, target);
    }
  });
}

function swapDirectory(): void {
  const target = `${queueDir}/processed`;
  const [link, directory] = [`${queueDir}/link`, `${queueDir}/directory`];
  Deno.symlinkSync(outside, link);
  repeat(() => {
    Deno.renameSync(target, directory);
    Deno.renameSync(link, target);
    Deno.renameSync(target, link);
    Deno.renameSync(directory, target);
  });
}

function repeat(round: () => void): void {
  const end = performance.now() + Number(forMs);
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    round();
    if (rounds === 0) console.log("ready");
  }
  console.log(rounds);
}

if (import.meta.main) {
  if (what === "file") swapFile();
  else swapDirectory();
}
