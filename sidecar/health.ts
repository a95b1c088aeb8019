/**
 * The health check: asks a sidecar on this host for `/healthz`. Exits with 0 if the answer is 200, else with 1.
 * A container asks its port, 9100; a systemd unit gives the port, and the process that must be the one that
 * answers. Needs `--allow-net=127.0.0.1:9100`, or that port, and nothing else.
 *
 * @module
 */

import { get } from "node:http";

/** Shorter than the `--timeout` in the Containerfile, so that the reason is printed. */
const TIMEOUT_MS = 4_000;

function end(code: number, text: string): never {
  console.error(text);
  Deno.exit(code);
}

if (import.meta.main) {
  const [port = "9100", pid] = Deno.args;
  // Not `fetch`: it uses `http_proxy`, which container engines pass in from the host.
  get(
    { host: "127.0.0.1", port, path: "/healthz", timeout: TIMEOUT_MS },
    ({ statusCode, headers }) => {
      if (pid !== undefined && headers.pid !== pid) end(1, "/healthz: another process answers");
      end(statusCode === 200 ? 0 : 1, `/healthz: ${statusCode}`);
    },
  )
    .on("timeout", () => end(1, `/healthz: no answer in ${TIMEOUT_MS} ms`))
    .on("error", (error) => end(1, `/healthz: ${error.message}`));
}
