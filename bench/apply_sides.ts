/**
 * Approves while an applier works with a real Squid, and without one, beside what each could not do without.
 * Squid is no program for root, so this one becomes an ordinary user. Prints the samples as JSON.
 *
 * Usage: `apply_sides.ts DIRECTORY ROUNDS`.
 *
 * @module
 */

import { type Applier, hookApplier, parseApplyConfig } from "../appliers/mod.ts";
import { presetFiles } from "../appliers/presets.ts";
import {
  decide,
  inspectProposal,
  newProposal,
  queueDirForSlug,
  sha256Hex,
  TOOL_PIPELOCK_BLOCK,
  waitForResponse,
  writeProposal,
} from "../mod.ts";
import { sleep } from "./fixtures.ts";
import { takeTurns, timeMs } from "./measure.ts";
import { freePort, run } from "./processes.ts";
import { basename, dirname, join } from "@std/path";
import process from "node:process";

const SQUID = "/usr/sbin/squid";

const NOBODY = 65_534;

const KEPT = "kept.test\n";

/** The times of one approval, from the key that says so. */
export interface ApprovalMs {
  /** Until the applier saw that the file is in force. */
  readonly inForce: number;
  /** Until the agent's call has its answer. */
  readonly told: number;
}

/** The samples of each side, one for each round. */
export interface ApplySamples {
  readonly squid: readonly ApprovalMs[];
  /** Check, write, reload, and the first right answer, and nothing else. Without Squid there is none. */
  readonly bareSquid: readonly number[];
  readonly plain: readonly ApprovalMs[];
  /** The three files that must be on disk: in force, recorded, answered. */
  readonly barePlain: readonly number[];
}

/** Puts a file into force in the most direct way. */
function write(path: string, text: string): void {
  {
    using file = Deno.openSync(`${path}.tmp`, { write: true, create: true, truncate: true });
    file.writeSync(new TextEncoder().encode(text));
    file.syncDataSync();
  }
  Deno.renameSync(`${path}.tmp`, path);
}

/** What a proxy answers to CONNECT; `undefined` if nothing. */
async function ask(port: number, host: string): Promise<number | undefined> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`CONNECT ${host}:443 HTTP/1.1\r\n\r\n`));
    const bytes = new Uint8Array(64);
    const length = await connection.read(bytes) ?? 0;
    const [, status] = /^HTTP\/1\.\d (\d+)/.exec(
      new TextDecoder().decode(bytes.subarray(0, length)),
    ) ??
      [];
    return status === undefined ? undefined : Number(status);
  } catch {
    return undefined; // It is about to listen again.
  }
}

/** A bottle whose agent asks for one more host each time. */
async function openBottle(root: string, bottleSlug: string, given?: Applier) {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  const inForce = join(root, "current-config", bottleSlug);
  await Deno.mkdir(inForce, { recursive: true });
  await Deno.writeTextFile(join(inForce, "allowlist"), KEPT);
  let current = KEPT;
  return async (host: string): Promise<ApprovalMs> => {
    const proposal = newProposal({
      bottleSlug,
      tool: TOOL_PIPELOCK_BLOCK,
      proposedFile: `${current}${host}\n`,
      justification: "The build needs it.",
      currentFileHash: sha256Hex(current),
    });
    await writeProposal(queueDir, proposal);
    current = proposal.proposedFile;
    const shown = await inspectProposal({ root, bottleSlug, proposalId: proposal.id });
    const begin = performance.now();
    let inForceMs = NaN;
    const applier = given && {
      ...given,
      apply: async (...args: Parameters<Applier["apply"]>) => {
        const says = await given.apply(...args);
        inForceMs = performance.now() - begin;
        return says;
      },
    };
    const told = waitForResponse(queueDir, proposal.id)
      .then(() => performance.now() - begin);
    const verdict = { status: "approved" } as const;
    await decide({ ...shown, root, verdict, notes: "", operator: "ada@bench", applier });
    return { inForce: inForceMs, told: await told };
  };
}

/** Starts Squid as `examples/` has it; returns its port, its applier, and what ends it. */
async function startSquid(root: string, hosts: readonly string[]) {
  const [dir, port] = [join(root, "proxy"), freePort()];
  await Deno.mkdir(dir, { mode: 0o700 });
  await Deno.writeTextFile(
    join(dir, "hosts"),
    hosts.map((host) => `127.0.0.1 ${host}\n`).join(""),
  );
  const more: Readonly<Record<string, string>> = {
    "common.conf": `hosts_file ${join(dir, "hosts")}\nshutdown_lifetime 0 seconds\n`,
  };
  const files = Object.entries(presetFiles("squid", dir)!)
    .map(([name, text]) => [name, text.replaceAll("127.0.0.1:3128", `127.0.0.1:${port}`)] as const);
  for (const [name, text] of files) {
    await Deno.writeTextFile(join(dir, name), `${text}${more[name] ?? ""}`);
  }
  await Deno.writeTextFile(join(dir, "allowed"), KEPT);
  const conf = join(dir, "squid.conf");
  await run(SQUID, ["-f", conf], root);
  while (await ask(port, "kept.test") === undefined) await sleep(5);
  return {
    dir,
    port,
    applier: hookApplier(parseApplyConfig(files[0]![1], "apply.json")),
    end: () => run(SQUID, ["-k", "shutdown", "-f", conf], root),
  };
}

async function measure(root: string, rounds: number): Promise<ApplySamples> {
  const isThere = [...Deno.readDirSync(dirname(SQUID))].some(({ name }) =>
    name === basename(SQUID)
  );
  const hosts = Array.from({ length: 4 * (rounds + 1) }, (_, n) => `new-${n}.test`);
  const squid = isThere ? await startSquid(root, ["kept.test", ...hosts]) : undefined;
  await using _end = { [Symbol.asyncDispose]: async () => void await squid?.end() };
  const withSquid = squid && await openBottle(root, "bench-1", squid.applier);
  const without = await openBottle(join(root, "without"), "bench-1");
  const samples = { squid: [] as ApprovalMs[], plain: [] as ApprovalMs[] };
  let n = 0;
  const bareDir = join(root, "bare");
  await Deno.mkdir(bareDir);
  const withoutFirst = <T>(all: readonly T[]) => all.slice(1);
  const bare = await takeTurns(rounds, {
    squid: async () => {
      if (withSquid === undefined) return NaN;
      samples.squid.push(await withSquid(hosts[n++]!));
      return 0;
    },
    bareSquid: () => {
      if (squid === undefined) return NaN;
      const host = hosts[n++]!;
      return timeMs(async () => {
        write(join(squid.dir, "allowed.next"), `${KEPT}${host}\n`);
        await run(SQUID, ["-k", "parse", "-f", join(squid.dir, "check.conf")], root);
        write(join(squid.dir, "allowed"), `${KEPT}${host}\n`);
        await run(SQUID, ["-k", "reconfigure", "-f", join(squid.dir, "squid.conf")], root);
        while ([403, undefined].includes(await ask(squid.port, host))) await sleep(2);
      });
    },
    plain: async () => {
      samples.plain.push(await without(hosts[n++]!));
      return 0;
    },
    barePlain: () =>
      timeMs(() => {
        for (const name of ["file", "line", "answer"]) write(join(bareDir, name), KEPT);
      }),
  });
  return {
    squid: withoutFirst(samples.squid),
    bareSquid: squid === undefined ? [] : bare.bareSquid,
    plain: withoutFirst(samples.plain),
    barePlain: bare.barePlain,
  };
}

if (import.meta.main) {
  const [root = "", rounds] = Deno.args;
  if (Deno.uid() === 0) {
    Deno.chownSync(root, NOBODY, NOBODY);
    process.setgid!(NOBODY);
    process.setuid!(NOBODY);
  }
  console.log(JSON.stringify(await measure(root, Number(rounds))));
}
