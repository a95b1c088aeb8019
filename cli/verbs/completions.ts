/**
 * `completions bash|zsh|fish`: a script that completes the command line; and what such a script asks.
 *
 * @module
 */

import { findProposals, listBottles } from "../../internal_mod.ts";
import { bashScript } from "../command/completions/bash.ts";
import { fishScript } from "../command/completions/fish.ts";
import { zshScript } from "../command/completions/zsh.ts";
import type { Context } from "../command/context.ts";
import { type CompletedVerb, UsageError } from "../command/flags.ts";

/** How many ids are offered: more are a flood, and nobody picks from them. */
const MOST_OFFERED = 500;

const SHELLS: Readonly<Record<string, (verbs: readonly CompletedVerb[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** What is pending, by its files' names alone: quick, and nothing of an agent's but what can be an id. */
function ids({ root, flags: { bottle } }: Context): string[] {
  const where = bottle === undefined ? { root } : { root, bottleSlug: bottle };
  return findProposals("", where).filter(({ pending }) => pending)
    .map(({ proposalId, bottleSlug }) => `${proposalId}\t${bottleSlug}`)
    .sort().slice(0, MOST_OFFERED);
}

/**
 * Prints a completion script. Such a script calls it again, as `completions ids` and `completions slugs`,
 * for a line each of what can stand there now.
 *
 * @param context The context.
 * @param words The shell.
 * @param verbs The verbs.
 * @throws {UsageError} If that is none, or JSON is asked for.
 */
export function completions(
  context: Context,
  words: readonly string[],
  verbs: readonly CompletedVerb[],
): void {
  const [what, ...rest] = words;
  if (rest.length > 0) throw new UsageError(`Cannot use ${rest.join(" ")}: one word too many`);
  if (context.flags.json) throw new UsageError("Cannot print completions as JSON");
  const print = (lines: readonly string[]) => lines.forEach(context.print);
  if (what === "ids") return print(ids(context));
  if (what === "slugs") return print(listBottles(context.root).slugs);
  const script = what !== undefined && Object.hasOwn(SHELLS, what) ? SHELLS[what] : undefined;
  if (script === undefined) {
    const tried = what === undefined ? "the command line" : `in ${JSON.stringify(what)}`;
    throw new UsageError(`Cannot complete ${tried}: name a shell, bash, zsh or fish`);
  }
  context.print(script(verbs));
}
