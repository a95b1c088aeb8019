/**
 * The sidecar's command: flags, environment, wiring. A sidecar serves one bottle and can write one
 * directory. Run it with no more permissions than these:
 *
 * ```sh
 * deno run --no-prompt --v8-flags=--optimize-for-size \
 *   --allow-net=127.0.0.1:9100 --allow-read=$QUEUE --allow-write=$QUEUE \
 *   --allow-env=SUPERVISE_BOTTLE_SLUG,SUPERVISE_QUEUE_DIR,SUPERVISE_HOST,SUPERVISE_PORT,SUPERVISE_HOLD_SECONDS,SUPERVISE_REPEAT_SECONDS,SUPERVISE_MAX_HELD,SUPERVISE_MAX_PENDING,SUPERVISE_ALLOWED_HOSTS,SUPERVISE_TOKEN \
 *   jsr:@claude-bottle/supervise/sidecar --slug dev-1 --queue-dir $QUEUE
 * ```
 *
 * It does not start if it may not read one of its variables, unless the flag is given instead. `--help` names
 * them all.
 *
 * @module
 */

import denoJson from "../deno.json" with { type: "json" };
import { clearUnfinished, InvalidNameError } from "../sidecar_mod.ts";
import { listen } from "./listen.ts";
import { createServer } from "./server.ts";
import {
  boundLog,
  logToStderr,
  readSettings,
  type Settings,
  settingsInForce,
  usage,
  UsageError,
} from "./settings.ts";

/** How long the sidecar waits, when it stops, for held calls to get "pending". */
const STOP_MS = 1_500;

/** Serves until a signal says to stop. Held calls then get "pending", and their proposals stay. */
async function serve(settings: Settings): Promise<void> {
  const { host, port, slug, ...rest } = settings;
  clearUnfinished(rest.queueDir);
  const log = boundLog(logToStderr);
  const sidecar = createServer({
    ...rest,
    bottleSlug: slug,
    version: denoJson.version,
    log,
  });
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: host, port });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
  const { maxHeld } = rest.limits;
  const stop = listen({ listener, maxHeld, log, handle: sidecar.handle });
  const { port: listening } = listener.addr;
  logToStderr("listening", { ...settingsInForce(settings), port: listening });
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      logToStderr("stopping", { signal });
      sidecar.close();
      setTimeout(stopped.resolve, STOP_MS);
      stop().then(stopped.resolve);
    });
  }
  await stopped.promise;
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
      console.log(usage());
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
