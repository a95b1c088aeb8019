/**
 * `completions bash|zsh|fish`: prints a script that completes the command line.
 *
 * @module
 */

import { bottleSlugs, pendingIds } from "../command/complete.ts";
import { SCRIPTS } from "../command/completion_scripts.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";

/**
 * Prints a completion script. `completions ids` and `completions slugs` are what scripts of earlier
 * versions ask.
 *
 * @throws {UsageError} If that is no shell, or JSON is asked for.
 */
export async function completions(context: Context, words: readonly string[]): Promise<void> {
  const [what, ...rest] = words;
  const { root, flags: { bottle, json } } = context;
  if (rest.length > 0) throw new UsageError(`Cannot use ${rest.join(" ")}: one word too many`);
  if (json) throw new UsageError("Cannot print completions as JSON");
  if (what === "ids") {
    for (const offer of await pendingIds("", { root, bottle })) context.print(offer.join("\t"));
  } else if (what === "slugs") {
    for (const [slug] of await bottleSlugs({ root })) context.print(slug);
  } else if (what !== undefined && Object.hasOwn(SCRIPTS, what)) {
    context.print(SCRIPTS[what]!);
  } else {
    const tried = what === undefined ? "the command line" : `in ${JSON.stringify(what)}`;
    throw new UsageError(`Cannot complete ${tried}: name a shell, bash, zsh or fish`);
  }
}
