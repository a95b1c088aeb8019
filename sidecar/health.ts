/**
 * The container's health check: asks the sidecar beside it for `/healthz`. Exits with 0 if that
 * answers 200, else with 1. Needs `--allow-net=127.0.0.1:9100`, and nothing else.
 *
 * @module
 */

import { get } from "node:http";

/** Within the `--timeout` of the Containerfile, so that the reason is printed. */
const TIMEOUT_MS = 4_000;

function end(code: number, text: string): never {
  console.error(text);
  Deno.exit(code);
}

if (import.meta.main) {
  // Not `fetch`: that goes through `http_proxy`, which container engines hand in from the host.
  get(
    { host: "127.0.0.1", port: 9100, path: "/healthz", timeout: TIMEOUT_MS },
    ({ statusCode }) => end(statusCode === 200 ? 0 : 1, `/healthz: ${statusCode}`),
  )
    .on("timeout", () => end(1, `/healthz: no answer in ${TIMEOUT_MS} ms`))
    .on("error", (error) => end(1, `/healthz: ${error.message}`));
}
