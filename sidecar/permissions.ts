/**
 * What a sidecar may do. There is nothing else.
 *
 * @module
 */

import { SIDECAR_VARIABLES } from "./settings.ts";

/**
 * The permissions of a sidecar, for whoever starts one.
 *
 * @param queueDir Its queue directory.
 * @param address What it listens on, `host:port`.
 * @returns Flags for `deno run`.
 */
export function sidecarFlags(queueDir: string, address: string): string[] {
  return [
    "--no-prompt",
    `--allow-net=${address}`,
    `--allow-read=${queueDir}`,
    `--allow-write=${queueDir}`,
    `--allow-env=${SIDECAR_VARIABLES.join(",")}`,
  ];
}
