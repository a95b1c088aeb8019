/**
 * Says how much of the code the tests reached, by what they left in `coverage/`, and fails below the
 * thresholds of `deno.json`. Takes out first what a killed process left half written: tests kill
 * programs, and `deno coverage` reads no half file.
 *
 * @module
 */

import { fromFileUrl, toFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

const FOLDER = `${ROOT}coverage`;

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

// The whole address: a checkout may itself be below a folder called src or tests.
const include = `^${RegExp.escape(toFileUrl(ROOT).href)}(src|sidecar|cli)/`;

const { code } = await new Deno.Command("deno", {
  args: ["coverage", `--include=${include}`, FOLDER],
}).spawn().status;

Deno.exit(code);
