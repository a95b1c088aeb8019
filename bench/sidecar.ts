/**
 * The sidecar's cold start and its memory.
 *
 * @module
 */

import { BOTTLE_SLUG, makeDirectory } from "./fixtures.ts";
import type { FlagsOf } from "./hold_sides.ts";
import { median, medianRatio, type Row, showMs, type Subject, takeTurns } from "./measure.ts";
import { firstAnswer, freePort, here, residentMib } from "./processes.ts";

const ROUNDS = 9;

const START_TIMEOUT_MS = 30_000;

/** What one start cost. */
interface Start {
  /** From spawn to the first 200, in milliseconds. */
  readonly answeredMs: number;
  /** From spawn to the answer of what was asked next, in milliseconds. */
  readonly askedMs: number;
  /** What it holds in memory then, in MiB. */
  readonly residentMib: number;
}

function sidecarArgs(flagsOf: FlagsOf, queueDir: string, port: number): string[] {
  return [
    "run",
    ...flagsOf(queueDir, `127.0.0.1:${port}`),
    here("../sidecar/main.ts"),
    ...["--slug", BOTTLE_SLUG, "--queue-dir", queueDir, "--port", String(port)],
  ];
}

function bareArgs(port: number): string[] {
  const program = here("./floor_server.ts");
  return ["run", "--no-prompt", `--allow-net=127.0.0.1:${port}`, program, String(port)];
}

/** Asks as an MCP client does first: `initialize`, then which tools there are. */
async function askForTools(origin: string): Promise<void> {
  const call = async (id: number, method: string, params: object): Promise<string> => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(method === "initialize" ? {} : { "mcp-protocol-version": "2025-06-18" }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
    });
    return await response.text();
  };
  await call(1, "initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "0" },
  });
  const answer = await call(2, "tools/list", {});
  if (!answer.includes("inputSchema")) throw new Error(`Cannot list the tools: ${answer}`);
}

async function start(
  args: string[],
  origin: string,
  ask: (origin: string) => Promise<void>,
): Promise<Start> {
  const spawnedAt = performance.now();
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" });
  await using child = command.spawn();
  await firstAnswer(`${origin}/healthz`, spawnedAt + START_TIMEOUT_MS);
  const answeredMs = performance.now() - spawnedAt;
  await ask(origin);
  const askedMs = performance.now() - spawnedAt;
  return { answeredMs, askedMs, residentMib: await residentMib(child.pid) };
}

async function run(flagsOf: FlagsOf): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const { queueDir } = dir;
  await Deno.mkdir(queueDir, { recursive: true });
  const bare: Start[] = [];
  const sidecar: Start[] = [];
  // The first, uncounted turn fills Deno's caches.
  const counted = async (starts: Start[], started: Promise<Start>): Promise<number> => {
    starts.push(await started);
    return starts.at(-1)!.answeredMs;
  };
  await takeTurns(ROUNDS, {
    bare: () => {
      const port = freePort();
      return counted(bare, start(bareArgs(port), `http://127.0.0.1:${port}`, async () => {}));
    },
    sidecar: () => {
      const port = freePort();
      const args = sidecarArgs(flagsOf, queueDir, port);
      return counted(sidecar, start(args, `http://127.0.0.1:${port}`, askForTools));
    },
  });
  bare.shift();
  sidecar.shift();

  const row = (
    what: string,
    of: keyof Start,
    floorOf: keyof Start,
    show: (n: number) => string,
  ) => {
    const figures = sidecar.map((started) => started[of]);
    const floors = bare.map((started) => started[floorOf]);
    return {
      what,
      figure: show(median(figures)),
      floor: show(median(floors)),
      ratio: `${medianRatio(figures, floors).toFixed(1)} x`,
    };
  };
  return [
    row("spawn to the first 200 of /healthz", "answeredMs", "answeredMs", showMs),
    row("spawn to initialize and tools/list answered", "askedMs", "answeredMs", showMs),
    row(
      "resident memory after that",
      "residentMib",
      "residentMib",
      (mib) => `${mib.toFixed(0)} MiB`,
    ),
  ];
}

/** The sidecar's cold start and memory. */
export const sidecar = (flagsOf: FlagsOf): Subject => ({
  title: "The sidecar's cold start",
  about:
    "Floor: a bare Deno.serve, from spawn to its first answer, and what it holds in memory then.",
  run: () => run(flagsOf),
});
