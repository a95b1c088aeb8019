/**
 * The sidecar's command: flags, environment, wiring. It serves one bottle and can write one
 * directory; run it with no more than
 *
 * ```sh
 * deno run --no-prompt \
 *   --allow-net=127.0.0.1:9100 --allow-read=$QUEUE --allow-write=$QUEUE \
 *   --allow-env=SUPERVISE_BOTTLE_SLUG,SUPERVISE_QUEUE_DIR,SUPERVISE_HOST,SUPERVISE_PORT \
 *   jsr:@claude-bottle/supervise/sidecar --slug dev-1 --queue-dir $QUEUE
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import {
  checkBottleSlug,
  InvalidNameError,
  QUEUE_DIR_IN_CONTAINER,
  SUPERVISE_PORT,
} from "../mod.ts";
import denoJson from "../deno.json" with { type: "json" };
import { logToStderr } from "./log.ts";
import { createFetchHandler } from "./server.ts";

const USAGE = `Usage: sidecar --slug SLUG [--queue-dir DIR] [--host HOST] [--port PORT]

Serves the MCP tools of one bottle and holds each call until an operator has decided.

  --slug SLUG       the bottle                        SUPERVISE_BOTTLE_SLUG
  --queue-dir DIR   its queue directory               SUPERVISE_QUEUE_DIR (${QUEUE_DIR_IN_CONTAINER})
  --host HOST       the address to listen on          SUPERVISE_HOST (127.0.0.1)
  --port PORT       the port to listen on; 0: any     SUPERVISE_PORT (${SUPERVISE_PORT})
  --help            this text
`;

/** What the sidecar was told. */
interface Settings {
  readonly slug: string;
  readonly queueDir: string;
  readonly host: string;
  readonly port: number;
}

/** A mistake in the flags or the environment; the message is for whoever started the sidecar. */
class UsageError extends Error {}

function readSettings(args: readonly string[]): Settings | "help" {
  const unknown: string[] = [];
  const flags = parseArgs(args, {
    boolean: ["help"],
    string: ["slug", "queue-dir", "host", "port", "_"],
    unknown: (name) => {
      unknown.push(name);
      return false;
    },
  });
  if (flags.help) return "help";
  if (unknown.length > 0) {
    throw new UsageError(`Cannot use ${unknown.join(", ")}: there is no such flag`);
  }
  // A variable is read only where its flag is missing, so that flags alone need no permission.
  const setting = (flag: string | undefined, variable: string, otherwise: string): string =>
    flag ?? Deno.env.get(variable) ?? otherwise;

  const slug = setting(flags.slug, "SUPERVISE_BOTTLE_SLUG", "");
  if (slug === "") throw new UsageError("Cannot start: --slug or SUPERVISE_BOTTLE_SLUG is missing");
  const port = setting(flags.port, "SUPERVISE_PORT", String(SUPERVISE_PORT));
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    throw new UsageError(`Cannot listen on port ${JSON.stringify(port)}: expected 0 to 65535`);
  }
  return {
    slug: checkBottleSlug(slug),
    queueDir: setting(flags["queue-dir"], "SUPERVISE_QUEUE_DIR", QUEUE_DIR_IN_CONTAINER),
    host: setting(flags.host, "SUPERVISE_HOST", "127.0.0.1"),
    port: Number(port),
  };
}

/** Serves until a signal says to stop. Proposals that are still open stay in the queue. */
async function serve({ slug, queueDir, host, port }: Settings): Promise<void> {
  const fetch = createFetchHandler({
    bottleSlug: slug,
    queueDir,
    version: denoJson.version,
    log: logToStderr,
  });
  const listenOptions: Deno.ServeTcpOptions = {
    hostname: host,
    port,
    onListen: (address) =>
      logToStderr("listening", { host: address.hostname, port: address.port, bottle: slug }),
    onError: (error) => {
      logToStderr("failed", { error: error instanceof Error ? error.name : "unknown" });
      return new Response("Cannot answer: the sidecar failed\n", { status: 500 });
    },
  };
  let server: Deno.HttpServer;
  try {
    server = Deno.serve(listenOptions, fetch);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      logToStderr("stopping", { signal });
      // Held calls would keep a graceful shutdown waiting for hours.
      Deno.exit(0);
    });
  }
  await server.finished;
}

/**
 * Runs the sidecar.
 *
 * @param args The command line.
 * @returns The exit code: 0 done, 1 failed, 2 usage.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const settings = readSettings(args);
    if (settings === "help") {
      console.log(USAGE);
      return 0;
    }
    await serve(settings);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError || error instanceof InvalidNameError;
    console.error(error instanceof Error ? error.message : String(error));
    if (usage) console.error("See --help");
    return usage ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
