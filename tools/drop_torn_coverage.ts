/**
 * Takes out what a killed process left of its coverage: tests kill programs, also while they write down
 * what of them was tested, and `deno coverage` reads no half file.
 *
 * @module
 */

const FOLDER = "coverage";

const CLOSING = "}".charCodeAt(0);

/** Whether a file is whole: JSON objects end as they began. */
function isWhole(path: string): boolean {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  if (size < 2) return false;
  file.seekSync(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  return file.readSync(last) === 1 && last[0] === CLOSING;
}

let torn = 0;

for (const { name } of Deno.readDirSync(FOLDER)) {
  const path = `${FOLDER}/${name}`;
  if (isWhole(path)) continue;
  Deno.removeSync(path);
  torn++;
}

if (torn > 0) console.log(`Left out what ${torn} killed processes wrote half of their coverage`);
