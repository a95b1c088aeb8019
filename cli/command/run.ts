/**
 * From arguments to a verb, and from what it throws to an exit code.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { type Flags, flagsOf, readFlags, UsageError, type VerbName, VERBS } from "./flags.ts";
import { findVerb, helpOn, usageOf } from "./help.ts";
import { type Terminal, withParts } from "./terminal.ts";

/** Runs a verb. Without a number it ends with 0. */
export type Run = (
  context: Context,
  words: readonly string[],
) => Promise<number | void> | number | void;

/** The verbs that have a file in `cli/verbs/`. */
export type VerbWithFile = Exclude<VerbName, "help" | "launcher">;

/**
 * Refuses flags and arguments that the verb does not take: a dropped word could change what is meant.
 * `typed` is the verb that was typed, which means another one without arguments.
 */
function refuseSurplus(
  name: VerbName,
  typed: VerbName,
  { given }: Flags,
  rest: readonly string[],
): void {
  const { takes } = VERBS[name];
  const taken: readonly string[] = flagsOf(name);
  const misplaced = given.find((flag) => !taken.includes(flag));
  const ofTyped: readonly string[] = VERBS[typed].flags ?? [];
  if (misplaced !== undefined && ofTyped.includes(misplaced)) {
    throw new UsageError(
      `Cannot use --${misplaced} without an ID: write ${typed} ID --${misplaced}; ` +
        `${typed} alone is ${name}, which asks`,
    );
  }
  if (misplaced !== undefined) {
    throw new UsageError(`Cannot use --${misplaced} with ${usageOf(name)}`);
  }
  if (takes !== undefined || rest.length === 0) return;
  throw new UsageError(`Cannot use ${rest.join(" ")}: ${name} takes no arguments`);
}

/** What a command line prints that needs no verb: help, and the version. */
async function answerTo(flags: Flags): Promise<string | undefined> {
  const { help, version, words } = flags;
  if (version) {
    const { default: config } = await import("../../deno.json", { with: { type: "json" } });
    return `supervise ${config.version}`;
  }
  if (words[0] === "help") {
    refuseSurplus("help", "help", flags, []);
    return helpOn(words.slice(1));
  }
  return help ? helpOn(words) : undefined;
}

/** What a program gives to {@linkcode runCommand}, loaded when it is needed. */
export interface Program {
  /** The verb that the command names. */
  readonly load: (name: VerbWithFile) => Promise<Run>;
  /** What makes a verb's context. */
  readonly context: () => Promise<typeof import("./context.ts")>;
}

/**
 * Runs a command; gives its exit code. What cannot be printed, as on a full disk, stops nothing: a decision
 * would look as if it had failed, and a batch would end in the middle.
 */
export async function runCommand(
  args: readonly string[],
  terminal: Terminal,
  program: Program,
): Promise<number> {
  let unprinted: unknown;
  const orNote = (print: (text: string) => void) => (text: string) => {
    try {
      print(text);
    } catch (error) {
      unprinted ??= error;
    }
  };
  const [print, complain] = [orNote(terminal.print), orNote(terminal.complain)];
  /** Throws, because what is written in parts has no end; a verb knows what it means that a pipe was closed. */
  const write = (bytes: Uint8Array) => {
    try {
      terminal.write(bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) unprinted ??= error;
      throw error;
    }
  };
  const parts = { print, complain, write, unprinted: () => unprinted };
  const code = await runIn(withParts(terminal, parts), args, program);
  // Who leaves a pipe early has read enough.
  if (unprinted === undefined || unprinted instanceof Deno.errors.BrokenPipe) return code;
  const reason = unprinted instanceof Error ? unprinted.message : String(unprinted);
  complain(`Cannot print all of it: ${reason}; what was decided is recorded, see audit show`);
  return code || 1;
}

async function runIn(
  terminal: Terminal,
  args: readonly string[],
  program: Program,
): Promise<number> {
  let context: Context | undefined;
  try {
    // A shell asks what could come next. Its words are not a whole command line, so no flag is refused.
    if (args[0] === "completions" && args[1] === "line") {
      const { completeLine } = await import("./complete.ts");
      for (const offer of await completeLine(args.slice(2))) terminal.print(offer);
      return 0;
    }
    const flags = readFlags(args);
    const answer = await answerTo(flags);
    if (answer !== undefined) {
      terminal.print(answer);
      return 0;
    }
    const { name: typed, rest } = findVerb(flags.words);
    const name = rest.length === 0 ? VERBS[typed].withoutWords ?? typed : typed;
    refuseSurplus(name, typed, flags, rest);
    if (name === "launcher") {
      // Before there is a context: from JSR it is run without any permission.
      const { makeLauncher } = await import("./launcher.ts");
      terminal.print(makeLauncher().trimEnd());
      return 0;
    }
    const [{ makeContext, refuseBadRoot, refuseUnknownBottle, reportInterrupted }, run] =
      await Promise.all([
        program.context(),
        program.load(name as VerbWithFile),
      ]);
    context = makeContext(flags, terminal);
    if (name !== "doctor") await refuseBadRoot(context, name);
    // doctor takes no bottle at all, and says that itself; watch waits for one that is not there yet.
    if (name !== "doctor" && name !== "watch") await refuseUnknownBottle(context);
    const { readsOnly, applies } = VERBS[name];
    const isApplied = applies === true && (name !== "watch" || flags.decide);
    const isFinished = readsOnly === true || await reportInterrupted(context, isApplied);
    const code = await run(context, rest) ?? 0;
    // A timer that runs them fails then, and its operator learns of it: something may be in force for too long.
    return isFinished || name !== "expire" && name !== "grants" ? code : code || 1;
  } catch (error) {
    // An error as JSON would stand behind a part of an object.
    if (error === terminal.unprinted?.()) return 1;
    const { complainOf } = await program.context();
    const { failureOf } = await import("./exit.ts");
    const failure = failureOf(error, context);
    complainOf(failure, terminal, context?.flags.json ?? args.includes("--json"), context?.visible);
    return failure.exit;
  }
}
