/**
 * What a flood of connections costs a sidecar: memory at most, and whether others still get in.
 *
 * @module
 */

import { makeDirectory, sleep } from "./fixtures.ts";
import { type FlagsOf, startSidecar } from "./hold_sides.ts";
import type { Row, Subject } from "./measure.ts";
import { here, residentMib } from "./processes.ts";

const FLOODS = [
  ["silent", 10_000],
  ["half-headers", 3_000],
  ["drip", 2_000],
  ["half-bodies", 2_000],
  ["small-chunks", 200],
] as const;

const MAX_MIB = 200;

/** How long a flood stays once all of it has been sent. */
const STAY_MS = 3_000;

const HEALTH_EVERY_MS = 100;

async function flood(
  side: { readonly pid: number; readonly port: number },
  kind: string,
  count: number,
): Promise<Row> {
  const args = ["run", "--allow-net=127.0.0.1", here("./attacker.ts")];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, String(side.port), kind, String(count)],
    stdout: "piped",
    stderr: "null",
  });
  await using attacker = command.spawn();
  const output = attacker.stdout.getReader();
  let [peakMib, answered, asked] = [0, 0, 0];
  let until = Infinity;
  void output.read().then(() => until = performance.now() + STAY_MS);
  while (performance.now() < until) {
    asked++;
    answered += await fetch(`http://127.0.0.1:${side.port}/healthz`, {
      headers: { connection: "close" },
    }).then(async (response) => (await response.text()) === "ok\n" ? 1 : 0, () => 0);
    peakMib = Math.max(peakMib, await residentMib(side.pid));
    await sleep(HEALTH_EVERY_MS);
  }
  await output.cancel();
  return {
    what: `${count.toLocaleString("en")} ${kind}: resident memory at most`,
    figure: `${peakMib.toFixed(0)} MiB`,
    ratio: `${answered} of ${asked} asked`,
    aim: `<= ${MAX_MIB} MiB`,
    met: peakMib <= MAX_MIB,
  };
}

/** A flood of connections, one call held meanwhile. */
export const floods = (flagsOf: FlagsOf): Subject => ({
  title: "A flood of connections",
  about: "No floor. Beside each: how many requests for /healthz were answered at once meanwhile.",
  async run() {
    await using dir = await makeDirectory();
    await using side = await startSidecar(dir, flagsOf, ["--max-held", "256"]);
    const [held] = await side.hold(1);
    const rows: Row[] = [];
    for (const [kind, count] of FLOODS) rows.push(await flood(side, kind, count));
    // The call that was held before the first flood gets its own answer.
    (await held!.prepare())();
    await held!.receivedAt;
    return rows;
  },
});
