/**
 * The two servers that hold calls: the sidecar, and the bare one that is its floor. A call of either
 * is answered by putting a response's file in place, and must come back with its own words.
 *
 * @module
 */

import { writeResponse } from "../mod.ts";
import { BOTTLE_SLUG, type Directory, sleep } from "./fixtures.ts";
import { firstAnswer, freePort, here } from "./processes.ts";

const START_TIMEOUT_MS = 30_000;

const POLL_MS = 5;

const PROPOSAL = ".proposal.json";

/** The permission flags of a sidecar with that queue directory, listening on that address. */
export type FlagsOf = (queueDir: string, address: string) => readonly string[];

/** A call that is held. */
export interface Held {
  /** Prepares its answer; what that returns puts the file in place, and says when that was. */
  readonly prepare: () => Promise<() => number>;
  /** When its own answer was received and parsed; rejects if it got another one. */
  readonly receivedAt: Promise<number>;
}

/** A server that holds calls. */
export interface Side extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** Makes so many calls at once, and returns when all are held. */
  readonly hold: (count: number) => Promise<readonly Held[]>;
}

/** The result of a call, from its event stream. */
async function resultOf(response: Response): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    let end: number;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      const message = data === undefined ? {} : JSON.parse(data);
      // Not a comment, and no news of progress.
      if (message.id === undefined && message.result === undefined) continue;
      if (message.result?.structuredContent === undefined) {
        throw new Error(`Cannot hold a call: ${JSON.stringify(message)}`);
      }
      return message.result.structuredContent;
    }
  }
  throw new Error(`Cannot hold a call: ${response.status}, and the stream ended without a result`);
}

/** Its own answer, whichever call it is: nothing else of the calls need differ. */
function heldCall(dirs: { staging: string; queue: string }, id: string, call: Promise<Response>) {
  const notes = `To ${id} alone.`;
  const name = `${id}.response.json`;
  const receive = async () => {
    const { proposal_id, notes: told } = await resultOf(await call);
    const at = performance.now();
    if (proposal_id === id && told === notes) return at;
    throw new Error(`Cannot trust the answers: ${id} got ${JSON.stringify([proposal_id, told])}`);
  };
  const receivedAt = receive();
  receivedAt.catch(() => {}); // Whoever awaits it is told.
  return {
    receivedAt,
    prepare: async () => {
      const response = { proposalId: id, status: "approved", notes, finalFile: null } as const;
      await writeResponse(dirs.staging, response);
      return () => {
        Deno.renameSync(`${dirs.staging}/${name}`, `${dirs.queue}/${name}`);
        return performance.now();
      };
    },
  };
}

async function spawn(args: readonly string[], origin: string): Promise<Deno.ChildProcess> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...args],
    stdout: "null",
    stderr: "null",
  });
  const child = command.spawn();
  await firstAnswer(`${origin}/healthz`, performance.now() + START_TIMEOUT_MS);
  return child;
}

/** Ends at once: its calls are answered, or nobody waits for them. */
async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
}

/**
 * Starts the floor: an event stream each, one `Deno.watchFs` for all, readFile and JSON.parse.
 *
 * @param dir Where it may work.
 * @param more `durable` if it must have a file on disk for each call.
 * @returns The side.
 */
export async function startBare(dir: Directory, ...more: readonly "durable"[]): Promise<Side> {
  const dirs = { staging: `${dir.path}/bare-staging`, queue: `${dir.path}/bare` };
  await Deno.mkdir(dirs.queue);
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const flags = ["--no-prompt", `--allow-net=127.0.0.1:${port}`, `--allow-read=${dirs.queue}`];
  if (more.length > 0) flags.push(`--allow-write=${dirs.queue}`);
  const child = await spawn(
    [...flags, here("./floor_server.ts"), String(port), dirs.queue, ...more],
    origin,
  );
  return {
    pid: child.pid,
    hold: (count) =>
      Promise.all(Array.from({ length: count }, async () => {
        const id = crypto.randomUUID();
        const response = await fetch(`${origin}/held/${id}.response.json`);
        return heldCall(dirs, id, Promise.resolve(response));
      })),
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** A sidecar. */
export interface SidecarSide extends Side {
  /** Where it listens. */
  readonly port: number;
  /** Makes one call, and returns when its result is there; for a sidecar that holds no call. */
  readonly propose: () => Promise<void>;
}

/**
 * Starts a sidecar under its permissions, which takes on as many calls as are made.
 *
 * @param dir Where it may work.
 * @param flagsOf Its permissions.
 * @param more Further flags of its own.
 * @returns The side.
 */
export async function startSidecar(
  dir: Directory,
  flagsOf: FlagsOf,
  more: readonly string[] = [],
): Promise<SidecarSide> {
  const dirs = { staging: `${dir.path}/staging`, queue: dir.queueDir };
  await Deno.mkdir(dirs.queue, { recursive: true, mode: 0o700 });
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = await spawn([
    ...flagsOf(dirs.queue, `127.0.0.1:${port}`),
    here("../sidecar/main.ts"),
    ...["--slug", BOTTLE_SLUG, "--queue-dir", dirs.queue, "--port", String(port)],
    ...["--max-held", "100000", "--max-pending", "100000"],
    ...more,
  ], origin);
  let asked = 0;
  const seen = new Set<string>();

  /** Every call has the same id and the same token, as those of different clients may. */
  const ask = (justification: string) =>
    fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: {
          name: "pipelock-block",
          arguments: { proposed_file: "api.github.com\n", justification },
          _meta: { progressToken: 1 },
        },
      }),
    });

  return {
    pid: child.pid,
    port,
    async propose() {
      const { status } = await resultOf(await ask(`Call ${asked++}.`));
      if (status !== "pending") throw new Error(`Cannot propose: the call is ${status}`);
    },
    async hold(count) {
      const calls = new Map<string, Promise<Response>>();
      for (let n = 0; n < count; n++) {
        const justification = `Call ${asked++}.`;
        calls.set(justification, ask(justification));
      }
      const held: Held[] = [];
      while (held.length < count) {
        for (const { name } of Deno.readDirSync(dirs.queue)) {
          if (!name.endsWith(PROPOSAL) || seen.has(name)) continue;
          seen.add(name);
          const { id, justification } = JSON.parse(
            Deno.readTextFileSync(`${dirs.queue}/${name}`),
          );
          const call = calls.get(justification);
          if (call !== undefined) held.push(heldCall(dirs, id, call));
        }
        await sleep(POLL_MS);
      }
      return held;
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}
