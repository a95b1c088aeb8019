/**
 * The operator's command line: from arguments to a verb, and from what it throws to an exit code.
 *
 * It needs to read and write the root, to start the editor, and nothing of the network but the hosts
 * that `notify.json` names, if there is one. Run it with `cli/supervise.sh`, which grants exactly that,
 * or from JSR:
 *
 * ```sh
 * deno run --no-prompt --allow-read=$ROOT --allow-write=$ROOT --allow-run=vi \
 *   --allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR,TERM,TERM_PROGRAM \
 *   --allow-sys=hostname,uid,gid,userInfo,statfs jsr:@claude-bottle/supervise/cli list
 * ```
 *
 * On the whole screen, `review` wants `--ignore-env` and `--allow-env=NODE_ENV` besides, because Ink
 * asks for a dozen variables that it does not need, and `--allow-run` for `cli/suspend.sh`, without
 * which Ctrl-Z does nothing. `review --plain` wants neither.
 *
 * @module
 */

import { asciiJson, finishInterrupted } from "../internal_mod.ts";
import {
  complainIn,
  type Context,
  makeContext,
  processTerminal,
  type Terminal,
} from "./command/context.ts";
import { failureOf } from "./command/exit.ts";
import { completedVerbs, FLAG_WORDS, type Flags, readFlags, UsageError } from "./command/flags.ts";
import { auditExport, auditHead, auditShow, auditVerify } from "./verbs/audit.ts";
import { completions } from "./verbs/completions.ts";
import { approve, modify, reject } from "./verbs/decide.ts";
import { doctor } from "./verbs/doctor.ts";
import { list } from "./verbs/list.ts";
import { notify } from "./verbs/notify.ts";
import { review } from "./verbs/review.ts";
import { show } from "./verbs/show.ts";
import { watch } from "./verbs/watch.ts";

export type { Terminal };

/** A verb: its words for `--help`, its flags, what it does. Without a number it ends with 0. */
interface Verb {
  readonly usage: string;
  readonly about: string;
  readonly flags: readonly string[];
  /** Whether it leaves what was interrupted as it is: it only looks, and says what it saw. */
  readonly looksOnly?: boolean;
  readonly run: (context: Context, words: readonly string[]) => Promise<number | void> | void;
}

const EVERYWHERE = ["root", "bottle", "json", "plain", "help"];

const ANY_DECISION = ["notes", "sha256", "operator", "override-foreign"];

const DECIDING = [...ANY_DECISION, "confirm", "allow-stale"];

const VERBS: Readonly<Record<string, Verb>> = {
  list: {
    usage: "list",
    about: "what is pending",
    flags: ["tool", "since", "sort"],
    run: withoutWords(list),
  },
  show: {
    usage: "show ID",
    about: "one proposal: why, and what would change",
    flags: [],
    run: show,
  },
  approve: {
    usage: "approve [ID...]",
    about: "accept proposals as they are; without an ID: review",
    flags: [...DECIDING, "if-unmarked"],
    run: (context, words) => {
      if (words.length > 0) return approve(context, words);
      refuseFlags(context.flags, VERBS.review!);
      return review(context);
    },
  },
  modify: {
    usage: "modify ID",
    about: "accept your version of the file, from --file or $EDITOR",
    flags: [...DECIDING, "file"],
    run: modify,
  },
  reject: {
    usage: "reject ID... --notes TEXT",
    about: "change nothing, and say why",
    flags: ANY_DECISION,
    run: reject,
  },
  review: {
    usage: "review",
    about: "decide what is pending, on the whole screen; --plain: at a prompt",
    flags: ["notes", "operator"],
    run: withoutWords(review),
  },
  watch: {
    usage: "watch",
    about: "print what arrives as it arrives",
    flags: ["tool"],
    run: withoutWords((context) => watch(context, interrupted())),
  },
  notify: {
    usage: "notify",
    about: "send a test to whoever notify.json says is to be told",
    flags: [],
    run: withoutWords(notify),
  },
  "audit show": {
    usage: "audit show",
    about: "what was decided, by whom",
    flags: ["component"],
    run: withoutWords(auditShow),
  },
  "audit verify": {
    usage: "audit verify",
    about: "whether anybody changed the audit logs",
    flags: ["component", "public-key", "anchors", "archive"],
    run: withoutWords(auditVerify),
  },
  "audit export": {
    usage: "audit export",
    about: "the logs in one file, to be verified elsewhere",
    flags: ["component"],
    run: withoutWords(auditExport),
  },
  "audit head": {
    usage: "audit head",
    about: "the anchors to keep elsewhere",
    flags: ["component"],
    run: withoutWords(auditHead),
  },
  doctor: {
    usage: "doctor",
    about: "what is wrong here, and what to do about it",
    flags: [],
    looksOnly: true,
    run: withoutWords(doctor),
  },
  completions: {
    usage: "completions bash|zsh|fish",
    about: "a script that completes these words in your shell",
    flags: [],
    looksOnly: true,
    run: (context, words) => completions(context, words, completedVerbs(VERBS, EVERYWHERE)),
  },
};

function withoutWords(run: (context: Context) => Promise<number | void> | void): Verb["run"] {
  return (context, words) => {
    if (words.length > 0) throw new UsageError(`Cannot use ${words.join(" ")}: one word too many`);
    return run(context);
  };
}

/** Ends on Ctrl-C, with everything that was printed. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => controller.abort());
  Deno.addSignalListener("SIGTERM", () => controller.abort());
  return controller.signal;
}

/** A flag that a verb does not know must not be dropped in silence. */
function refuseFlags(flags: Flags, verb: Verb): void {
  const misplaced = flags.given.find((name) => ![...verb.flags, ...EVERYWHERE].includes(name));
  if (misplaced !== undefined) throw new UsageError(`Cannot use --${misplaced} with ${verb.usage}`);
}

function helpFor(verb: Verb): string {
  const flags = [...verb.flags, ...EVERYWHERE].map((name) => `  ${FLAG_WORDS[name]}`);
  return `Usage: supervise ${verb.usage}\n\n${verb.about}\n\n${flags.join("\n")}`;
}

function generalHelp(): string {
  const width = Math.max(...Object.values(VERBS).map(({ usage }) => usage.length));
  const verbs = Object.values(VERBS)
    .map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`);
  return `Usage: supervise VERB [ARGUMENTS] [FLAGS]

${verbs.join("\n")}

An ID may be shortened, as long as it is unambiguous. supervise VERB --help lists a verb's flags.
Exit codes: 0 done, 1 failed, 2 usage, 3 no such proposal, 4 already decided, 5 changed or stale,
6 marked, so a person has to look. Of several IDs: their own if all failures share one, else 1.`;
}

const OUTCOMES = {
  completed: "was recorded and is answered now",
  dropped: "was not recorded, so it never happened; decide anew",
  superseded: "was recorded, but another program's answer stands; see audit show",
} as const;

/** Finishes what a crash left open, and says what came of it. What cannot be finished stops no verb. */
async function reportInterrupted(context: Context): Promise<void> {
  const { finished, failed } = await finishInterrupted(context.root);
  for (const { bottleSlug, proposalId, outcome } of finished) {
    const words = OUTCOMES[outcome];
    context.complain(`! an interrupted decision on ${proposalId} (${bottleSlug}) ${words}`);
  }
  for (const { bottleSlug, error } of failed) {
    context.complain(`! bottle ${bottleSlug}: ${error.message}`);
  }
}

/** Splits what was typed into a verb and its arguments. */
function findVerb(words: readonly string[]): { verb: Verb; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (verb !== undefined && words.length >= length) return { verb, rest: words.slice(length) };
  }
  const [tried] = words;
  if (tried === undefined) throw new UsageError("Cannot tell what to do: name a verb");
  if (tried === "audit") {
    throw new UsageError("Cannot audit: say audit show, verify, export or head");
  }
  throw new UsageError(`Cannot do ${JSON.stringify(tried)}: there is no such verb`);
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
    const flags = readFlags(args);
    if (flags.words.length === 0 && flags.help) {
      terminal.print(generalHelp());
      return 0;
    }
    const { verb, rest } = findVerb(flags.words);
    if (flags.help) {
      terminal.print(helpFor(verb));
      return 0;
    }
    refuseFlags(flags, verb);
    context = makeContext(flags, terminal);
    if (verb.looksOnly !== true) await reportInterrupted(context);
    return await verb.run(context, rest) ?? 0;
  } catch (error) {
    const { exit, code, message } = failureOf(error, context?.root);
    const json = context?.flags.json ?? args.includes("--json");
    if (json) terminal.print(asciiJson({ version: 1, error: { code, message } }));
    complainIn(terminal, message);
    if (code === "usage" && !json) terminal.complain("See --help");
    return exit;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
