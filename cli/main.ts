/**
 * The operator's command line: from arguments to a verb, and from what it throws to an exit code.
 *
 * It needs to read and write the root, to start the editor, and, if there is a `notify.json`, to reach
 * the hosts that it names. Run it with `cli/supervise.sh`, which grants exactly that, or from JSR:
 *
 * ```sh
 * deno run --no-prompt --allow-read=$ROOT --allow-write=$ROOT --allow-run=vi \
 *   --allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR,TERM,TERM_PROGRAM \
 *   --allow-sys=hostname,uid,gid,userInfo,statfs jsr:@claude-bottle/supervise/cli list
 * ```
 *
 * On the whole screen, `review` also needs `--allow-run` for `cli/suspend.sh`; without it Ctrl-Z does
 * nothing.
 *
 * @module
 */

import type { Context } from "./command/context.ts";
import {
  EVERYWHERE,
  type Flags,
  readFlags,
  UsageError,
  type VerbName,
  VERBS,
} from "./command/flags.ts";
import { findVerb, helpOn, usageOf } from "./command/help.ts";
import { processTerminal, type Terminal } from "./command/terminal.ts";

export type { Terminal };

/** Runs a verb. Without a number it ends with 0. */
type Run = (context: Context, words: readonly string[]) => Promise<number | void> | void;

/** Each verb is loaded when it runs, so that no verb waits for the imports of another kind. */
const LOAD: Readonly<Record<Exclude<VerbName, "help">, () => Promise<Run>>> = {
  "list": async () => (await import("./verbs/list.ts")).list,
  "show": async () => (await import("./verbs/show.ts")).show,
  "approve": async () => (await import("./verbs/decide.ts")).approve,
  "modify": async () => (await import("./verbs/decide.ts")).modify,
  "reject": async () => (await import("./verbs/decide.ts")).reject,
  "review": async () => (await import("./verbs/decide.ts")).review,
  "watch": async () => (await import("./verbs/watch.ts")).watch,
  "notify": async () => (await import("./verbs/notify.ts")).notify,
  "audit show": async () => (await import("./verbs/audit.ts")).auditShow,
  "audit verify": async () => (await import("./verbs/audit_verify.ts")).auditVerify,
  "audit export": async () => (await import("./verbs/audit.ts")).auditExport,
  "audit head": async () => (await import("./verbs/audit.ts")).auditHead,
  "doctor": async () => (await import("./verbs/doctor.ts")).doctor,
  "completions": async () => (await import("./verbs/completions.ts")).completions,
};

/** Refuses flags and arguments that the verb does not take: a dropped word could change what is meant. */
function refuseSurplus(name: VerbName, { given }: Flags, rest: readonly string[]): void {
  const { flags = [], takes } = VERBS[name];
  const taken: readonly string[] = [...flags, ...EVERYWHERE];
  const misplaced = given.find((flag) => !taken.includes(flag));
  if (misplaced !== undefined) {
    throw new UsageError(`Cannot use --${misplaced} with ${usageOf(name)}`);
  }
  if (takes !== undefined || rest.length === 0) return;
  throw new UsageError(`Cannot use ${rest.join(" ")}: ${name} takes no arguments`);
}

/** What a command line prints that needs no verb: help, and the version. */
async function answerTo({ help, version, words }: Flags): Promise<string | undefined> {
  if (version) {
    const { default: config } = await import("../deno.json", { with: { type: "json" } });
    return `supervise ${config.version}`;
  }
  if (words[0] === "help") return helpOn(words.slice(1));
  return help ? helpOn(words) : undefined;
}

/**
 * Runs a command.
 *
 * @param args The command line, without the program's name.
 * @param terminal Where to print; the process's own unless given.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  let context: Context | undefined;
  try {
    // A shell asks what could come next. Its words are not a whole command line, so no flag is refused.
    if (args[0] === "completions" && args[1] === "line") {
      const { completeLine } = await import("./command/complete.ts");
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
    refuseSurplus(name, flags, rest);
    const [{ makeContext, reportInterrupted }, run] = await Promise.all([
      import("./command/context.ts"),
      LOAD[name as keyof typeof LOAD](),
    ]);
    context = makeContext(flags, terminal);
    if (VERBS[name].readsOnly !== true) await reportInterrupted(context);
    return await run(context, rest) ?? 0;
  } catch (error) {
    const { complainOf } = await import("./command/context.ts");
    const { failureOf } = await import("./command/exit.ts");
    const failure = failureOf(error, context?.root);
    complainOf(failure, terminal, context?.flags.json ?? args.includes("--json"));
    return failure.exit;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
