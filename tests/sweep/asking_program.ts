/**
 * Asks as a sidecar does that has just been started, again and again.
 *
 * Usage: `asking_program.ts QUEUE_DIR`.
 *
 * @module
 */

import type { Outcome } from "../../sidecar/hold.ts";
import { askHere } from "./asking.ts";
import { repeat } from "./repeat.ts";

/** What a sidecar's server makes of a queue that fails. */
const failed = (error: Error): Outcome => ({ kind: "refused", reason: error.message });

await repeat(() => askHere(Deno.args[0]!).catch(failed));
