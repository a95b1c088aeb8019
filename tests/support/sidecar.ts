/**
 * Starts a sidecar as a bottle does: its own process, under exactly its permissions.
 *
 * @module
 */

import { join } from "@std/path";
import { sidecarFlags } from "../../sidecar/permissions.ts";
import { TextLineStream } from "./lines.ts";
import { REPO } from "./run.ts";

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
  /** Waits until it has logged an event. */
  readonly logged: (event: string) => Promise<LogEvent>;
}

/**
 * Starts a sidecar, and waits until it listens. At the end of the block it is stopped.
 *
 * @param queueDir Its queue directory.
 * @param slug Its bottle.
 * @param port What it listens on; any free port unless given.
 * @returns The sidecar.
 */
export async function startSidecar(queueDir: string, slug = "dev-1", port = 0): Promise<Sidecar> {
  const process = new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      ...sidecarFlags(queueDir, `127.0.0.1:${port}`),
      join(REPO, "sidecar/main.ts"),
      `--slug=${slug}`,
      `--queue-dir=${queueDir}`,
      `--port=${port}`,
    ],
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
    logged,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await process.status;
      await reading;
    },
  };
}
