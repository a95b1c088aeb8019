/**
 * Runs its arguments as a command line of the operator's, again and again.
 *
 * @module
 */

import { runHere } from "./again.ts";
import { repeat } from "./repeat.ts";

await repeat(() => runHere(Deno.args));
