/**
 * Runs the verbs of one file as a program. The launcher starts the file of the verb that was typed: Deno
 * reads every file that a program could ever load, and with `cli/main.ts` that is all of them.
 *
 * @module
 */

import * as context from "./context.ts";
import { UsageError } from "./flags.ts";
import { type Run, runCommand, type VerbWithFile } from "./run.ts";
import { processTerminal } from "./terminal.ts";

/** Runs this process's command with some verbs, and ends the process. */
export async function runAlone(verbs: Partial<Record<VerbWithFile, Run>>): Promise<never> {
  const load = (name: VerbWithFile) => {
    const run = verbs[name];
    if (run !== undefined) return Promise.resolve(run);
    throw new UsageError(`Cannot run ${name}: this program runs ${Object.keys(verbs).join(", ")}`);
  };
  const program = { load, context: () => Promise.resolve(context) };
  Deno.exit(await runCommand(Deno.args, processTerminal(), program));
}
