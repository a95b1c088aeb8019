/**
 * Appends entries to an audit log with {@linkcode writeAuditEntry}.
 *
 * Usage: `append.ts ROOT NAME COUNT`. Says "ready", then starts when its input ends.
 *
 * @module
 */

import { writeAuditEntry } from "../../mod.ts";

const [root, name, count] = Deno.args;

console.log("ready");

await new Response(Deno.stdin.readable).text();

for (let n = 0; n < Number(count); n++) {
  const entry = {
    timestamp: new Date().toISOString(),
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: "approved",
    operatorNotes: `${name} ${n}`,
    justification: "é".repeat(500),
    diff: "",
    operator: "ada@host",
  };
  await writeAuditEntry(entry, { root: root! });
}
