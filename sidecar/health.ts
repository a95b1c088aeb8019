/**
 * The container's health check: asks the sidecar in the same container for `/healthz`. Exits with 0 if the
 * answer is 200, else with 1. Needs `--allow-net=127.0.0.1:9100`, and nothing else.
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
  // Not `fetch`: it uses `http_proxy`, which container engines pass in from the host.
  get(
    { host: "127.0.0.1", port: 9100, path: "/healthz", timeout: TIMEOUT_MS },
    ({ statusCode }) => end(statusCode === 200 ? 0 : 1, `/healthz: ${statusCode}`),
  )
    .on("timeout", () => end(1, `/healthz: no answer in ${TIMEOUT_MS} ms`))
    .on("error", (error) => end(1, `/healthz: ${error.message}`));
}
