/**
 * Starts a sidecar as a bottle does: its own process, under exactly its permissions.
 *
 * @module
 */

import type { Incoming } from "../../sidecar/http.ts";
import { sidecarFlags } from "../../sidecar/settings.ts";
import { inEnvironment } from "./environment.ts";
import { TextLineStream } from "./lines.ts";
import { REPO } from "./run.ts";
import { join } from "@std/path";

/** An event of a sidecar's log. */
export interface LogEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A sidecar that runs. */
export interface Sidecar extends AsyncDisposable {
  /** Where its MCP endpoint is. */
  readonly url: URL;
  /** Its process. */
  readonly process: Deno.ChildProcess;
  /** Everything it has logged. */
  readonly events: LogEvent[];
  /** Lines on its stderr that are no events; there should be none. */
  readonly noise: string[];
  /** Waits until it has logged something more. */
  readonly next: () => Promise<void>;
  /** Waits until it has logged an event. */
  readonly logged: (event: string) => Promise<LogEvent>;
}

/**
 * Starts a sidecar, and waits until it listens. At the end of the block it is stopped.
 *
 * @param queueDir Its queue directory.
 * @param slug Its bottle.
 * @param port What it listens on; any free port unless given.
 * @param more Further flags of its own.
 * @param env Its environment, besides the test's.
 * @returns The sidecar.
 */
export async function startSidecar(
  queueDir: string,
  slug = "dev-1",
  port = 0,
  more: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Sidecar> {
  const process = new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      ...sidecarFlags(queueDir, `127.0.0.1:${port}`),
      join(REPO, "sidecar/main.ts"),
      `--slug=${slug}`,
      `--queue-dir=${queueDir}`,
      `--port=${port}`,
      ...more,
    ],
    ...inEnvironment(env),
    stdin: "null",
    stdout: "inherit",
    stderr: "piped",
  }).spawn();

  const events: LogEvent[] = [];
  const noise: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const reading = (async () => {
    const lines = process.stderr
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      if (line.startsWith("{")) events.push(JSON.parse(line));
      else noise.push(line);
      arrived.resolve();
      arrived = Promise.withResolvers();
    }
    arrived.reject(new Error(`The sidecar ended: ${noise.join("\n")}`));
    arrived.promise.catch(() => {});
  })();

  async function logged(event: string): Promise<LogEvent> {
    while (true) {
      const found = events.find((logged) => logged.event === event);
      if (found !== undefined) return found;
      await arrived.promise;
    }
  }

  const { port: listening } = await logged("listening");
  return {
    url: new URL(`http://127.0.0.1:${listening}/mcp`),
    process,
    events,
    noise,
    next: () => arrived.promise,
    logged,
    async [Symbol.asyncDispose]() {
      const end = (signal: Deno.Signal) => {
        try {
          process.kill(signal);
        } catch {
          // It has ended already.
        }
      };
      // Asked to end, it writes down what of it was tested; nothing else waits for that.
      end("SIGTERM");
      const patience = setTimeout(() => end("SIGKILL"), 5_000);
      await process.status;
      clearTimeout(patience);
      await reading;
    },
  };
}

/** A message to the MCP endpoint, as the HTTP side hands it on. */
export function incomingMessage(body: Uint8Array, parts: Partial<Incoming> = {}): Incoming {
  return {
    method: "POST",
    path: "/mcp",
    rawHeaders: [
      ...["Content-Type", "application/json", "Host", "localhost"],
      ...["Accept", "application/json, text/event-stream"],
    ],
    read: () => Promise.resolve(body),
    giveBack: () => {},
    nextTurn: () => Promise.resolve(),
    isTaken: () => true,
    ...parts,
  };
}
