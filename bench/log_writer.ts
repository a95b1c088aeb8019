/**
 * One of several writers of one log: says that it is ready, and begins when its input ends.
 *
 * @module
 */

import { writeAuditEntry } from "../mod.ts";

const [mode, path, about, count] = Deno.args;

const content = Deno.readFileSync(about!);

console.log("ready");

await new Response(Deno.stdin.readable).bytes();

for (let n = 0; n < Number(count); n++) {
  if (mode === "bare") {
    using file = Deno.openSync(`${path}/log`, { append: true, create: true });
    file.lockSync(true);
    file.writeSync(content);
    file.syncDataSync();
  } else {
    const entry = JSON.parse(new TextDecoder().decode(content));
    await writeAuditEntry(entry, { root: path! });
  }
}
