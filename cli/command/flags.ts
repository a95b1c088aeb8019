/**
 * The command line: a table of its verbs, a table of its flags, and the reader of both. Help, shell
 * completion and the generated part of `cli/supervise.sh` are made from the same tables.
 *
 * @module
 */

import { AUDIT_COMPONENTS, checkBottleSlug, STATUSES, TOOLS } from "../../start_mod.ts";

/** A flag. A flag without `value` is a switch. */
interface Flag {
  readonly value?: string;
  /** What a shell offers for its value. The launcher lets the program read the file of a `files` flag. */
  readonly offers?: "dirs" | "files" | "bottles" | readonly string[];
  readonly repeats?: true;
  readonly mayBeEmpty?: true;
  readonly about: string;
}

export const SORTS = ["age", "bottle", "tool", "marks"] as const;

/** The MCP clients that `bottle add` knows. */
export const CLIENT_NAMES = [
  "claude-code",
  "codex",
  "gemini",
  "qwen",
  "opencode",
  "vscode",
  "cursor",
] as const;

export type ClientName = (typeof CLIENT_NAMES)[number];

/** The programs for which `apply init` has a set-up. */
export const PRESET_NAMES = ["squid", "tinyproxy", "pipelock", "nginx", "buildah"] as const;

/** The words for the files in force. */
export const FILE_WORDS = ["routes", "allowlist", "dockerfile"] as const;

/** What `--action` can be. */
export const ACTIONS = [
  ...STATUSES,
  "operator-edit",
  "superseded",
  "apply-failed",
  "apply-resolved",
  "frozen",
  "freeze-ended",
  "grant-expired",
  "grant-revoked",
] as const;

const FLAG_TABLE = {
  "root": {
    value: "DIR",
    offers: "dirs",
    about: "the root (default: $CLAUDE_BOTTLE_ROOT, or ~/.claude-bottle)",
  },
  "bottle": { value: "SLUG", offers: "bottles", about: "only this bottle" },
  "component": {
    value: "NAME",
    offers: AUDIT_COMPONENTS,
    about: "only these logs: cred-proxy, pipelock or rebuild",
  },
  "tool": {
    value: "NAME",
    offers: TOOLS,
    about: "only this tool: cred-proxy-block, pipelock-block or capability-block",
  },
  "since": {
    value: "WHEN",
    about: "only what arrived since then: 90s, 15m, 2h, 3d ago, or a timestamp",
  },
  "until": { value: "WHEN", about: "only what was recorded before then: like --since" },
  "for": { value: "TIME", about: "how long, from now: 90m, 12h or 7d" },
  "end": { about: "end it now" },
  "show": { value: "N", about: "print the bytes of this version alone" },
  "to": { value: "N", about: "the version, by its number in versions (default: the one before)" },
  "record": { about: "record the file that was found, and have it take effect" },
  "restore": { about: "put the recorded file in force again" },
  "all": { about: "all that are open" },
  "action": {
    value: "NAME",
    offers: ACTIONS,
    about: `only ${ACTIONS.join(", ")}`,
  },
  "host": {
    value: "TEXT",
    about: "only changes with this text in an added or removed line; capitals do not matter",
  },
  "full": { about: "print whole entries, not a line for each" },
  "final": { about: "print the bytes of the decided file alone" },
  "sort": {
    value: "ORDER",
    offers: SORTS,
    about: "age (newest first), bottle, tool, marks; default: oldest first",
  },
  "notes": { value: "TEXT", mayBeEmpty: true, about: "your words for the agent and the log" },
  "file": {
    value: "FILE",
    offers: "files",
    about: "your version of the file, instead of an editor; - reads standard input",
  },
  "sha256": {
    value: "HEX",
    about: "decide only if the proposal has this hash (32 digits or more)",
  },
  "confirm": {
    value: "SLUG",
    offers: "bottles",
    repeats: true,
    about: "confirm high marks: the bottle's name; repeat it for more bottles",
  },
  "if-unmarked": { about: "approve only what adds no reach, has no mark and nothing to confirm" },
  "standing": {
    value: "TIME",
    about:
      "let rules approve the same change until then, with watch --decide: 12h, 30d, at most 90d",
  },
  "group": {
    value: "NAME",
    about: "with --standing: in every bottle of this group of policy.json",
  },
  "decide": { about: "decide by the rules of policy.json what they cover; see docs/policy.md" },
  "dry-run": { about: "say what the rules would decide, and decide nothing" },
  "allow-stale": { about: "approve even though the file changed since the agent read it" },
  "operator": { value: "NAME", about: "your name in the log, next to user@host and the key" },
  "override-unrecorded": { about: "decide even though the proposal has an unrecorded response" },
  "public-key": {
    value: "FILE",
    offers: "files",
    about: "trust the keys in this PEM file, not the root's own",
  },
  "anchors": {
    value: "FILE",
    offers: "files",
    about: "heads saved elsewhere, as audit head prints them; - reads standard input",
  },
  "archive": {
    value: "FILE",
    offers: "files",
    about: "verify a file made by audit export, without a root; - reads standard input",
  },
  "routes": { value: "FILE", offers: "files", about: "the routes.json in force at first" },
  "allowlist": { value: "FILE", offers: "files", about: "the allowlist in force at first" },
  "dockerfile": { value: "FILE", offers: "files", about: "the Dockerfile in force at first" },
  "client": {
    value: "NAME",
    offers: CLIENT_NAMES,
    about: `print what this client needs: ${CLIENT_NAMES.join(", ")}`,
  },
  "systemd": { about: "on this host, as a systemd unit of yours, instead of in a container" },
  "json": { about: 'print JSON, "version": 1; errors too' },
  "plain": { about: "no colours, no full screen, no pager" },
  "help": { about: "print this help" },
  "version": { about: "print the version" },
} as const satisfies Readonly<Record<string, Flag>>;

/** Names that flags had before. They still work. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  "override-foreign": "override-unrecorded",
};

export type FlagName = keyof typeof FLAG_TABLE;

export const FLAGS: Readonly<Record<FlagName, Flag>> = FLAG_TABLE;

/** A verb of the command line. */
export interface Verb {
  /** Its arguments, as help shows them behind its name. */
  readonly usage?: string;
  readonly about: string;
  /** Its own flags. */
  readonly flags?: readonly FlagName[];
  /** The flags of other verbs that mean nothing for it. */
  readonly without?: readonly FlagName[];
  /** Whether the launcher lets it start podman, docker and systemctl. */
  readonly startsSidecars?: true;
  /** What some of its flags do with it, where that is not what they do with other verbs. */
  readonly says?: Readonly<Partial<Record<FlagName, string>>>;
  /** The file in `cli/verbs/` that the launcher starts for it; without this it starts `cli/main.ts`. */
  readonly program?: string;
  /** What its arguments are; without this it takes none. */
  readonly takes?:
    | "id"
    | "ids"
    | "granted id"
    | "recorded id"
    | "any id"
    | "bottle"
    | "verb"
    | readonly string[];
  /** The verb that it means without arguments. */
  readonly withoutWords?: "review";
  /** Whether it leaves interrupted decisions as they are, because it only reads. */
  readonly readsOnly?: true;
  /** Whether the launcher lets it start the editor. */
  readonly edits?: true;
  /** Whether the launcher lets it start the pager, on a terminal. */
  readonly pages?: true;
  /** Whether the launcher lets it reach the hosts that `notify.json` names. */
  readonly notifies?: true;
  /**
   * Whether it makes decided files take effect: then the launcher lets it start the programs of `apply.json`,
   * reach its addresses and write its directories. `watch` does so with `--decide` alone.
   */
  readonly applies?: true;
  /** Whether it takes over the terminal, so that the launcher stays to restore it. */
  readonly fullScreen?: true;
}

const ANY_DECISION = ["notes", "sha256", "operator", "override-unrecorded"] as const;

const APPROVAL = [...ANY_DECISION, "confirm", "allow-stale"] as const;

const UNTIL_THEN = {
  for: "then take it back, counted from when it is in force: 90m, 12h or 7d",
  until: "take it back then: 2026-11-22T10:00:00Z, or local time without the Z",
} as const;

const EVERYWHERE: readonly FlagName[] = ["root", "bottle", "json", "plain", "help"];

const VERB_TABLE = {
  "list": { program: "list", about: "list pending proposals", flags: ["tool", "since", "sort"] },
  "show": {
    program: "show",
    usage: "ID",
    about: "show a proposal and what would change, or the record of a decided one",
    flags: ["final"],
    takes: "any id",
  },
  "approve": {
    program: "decide",
    usage: "[ID...]",
    about: "accept proposals as they are; without an ID: review",
    flags: [...APPROVAL, "for", "until", "if-unmarked", "standing", "group"],
    says: UNTIL_THEN,
    takes: "ids",
    withoutWords: "review",
    applies: true,
  },
  "modify": {
    program: "decide",
    usage: "ID",
    about: "accept your version of the file, from --file or $EDITOR",
    flags: [...APPROVAL, "for", "until", "file"],
    says: UNTIL_THEN,
    takes: "id",
    edits: true,
    applies: true,
  },
  "reject": {
    program: "decide",
    usage: "ID... --notes TEXT",
    about: "change nothing, and tell the agent why",
    flags: ANY_DECISION,
    takes: "ids",
  },
  "review": {
    program: "review",
    about: "decide pending proposals on the full screen; --plain: at a prompt",
    flags: ["notes", "operator"],
    edits: true,
    notifies: true,
    applies: true,
    fullScreen: true,
  },
  "watch": {
    program: "watch",
    about: "print proposals and decisions as they happen; --decide: decide by rules",
    flags: ["tool", "decide", "dry-run"],
    notifies: true,
    applies: true,
  },
  "notify": {
    program: "notify",
    without: ["bottle"],
    about: "send a test to every receiver in notify.json",
    notifies: true,
  },
  "policy test": {
    program: "policy",
    about: "check policy.json, and say what its rules would do and would have done",
    flags: ["file"],
    says: { file: "a policy that is not in force yet; - reads standard input" },
    readsOnly: true,
  },
  "policy suggest": {
    program: "suggest",
    about: "draft rules from what people approved again and again; writes nothing",
    readsOnly: true,
  },
  "policy standing": {
    program: "standing",
    without: ["bottle"],
    usage: "[remove NAME]",
    about: "list the standing decisions, or end one",
    takes: ["remove"],
  },
  "apply init": {
    program: "apply",
    without: ["bottle"],
    usage: "NAME [FILE]",
    about: `print an apply.json: ${PRESET_NAMES.join(", ")}`,
    takes: PRESET_NAMES,
    readsOnly: true,
  },
  "apply check": {
    program: "apply",
    about: "try the programs of apply.json with the files in force",
    applies: true,
  },
  "apply resolve": {
    program: "apply_state",
    usage: "--bottle SLUG",
    about: "go on after a change that could not be taken back: try the file in force again",
    flags: ["notes", "confirm"],
    says: {
      bottle: "the bottle",
      notes: "your words for the log",
      confirm: "without apply.json: the bottle's name; you say that its enforcer has the file",
    },
    applies: true,
  },
  "edit": {
    program: "edit",
    usage: "FILE --bottle SLUG",
    about: "change the routes, allowlist or dockerfile in force, without a proposal",
    flags: ["file", "sha256", "notes", "confirm", "operator"],
    says: {
      bottle: "the bottle",
      file: "the whole new file, instead of an editor; - reads standard input",
      sha256: "change only a file in force that has this hash: the one that yours is made from",
      notes: "your words for the log",
    },
    takes: FILE_WORDS,
    edits: true,
    applies: true,
  },
  "versions": {
    program: "versions",
    usage: "FILE --bottle SLUG",
    about: "list what was in force, the newest first: when, and by whom",
    flags: ["show"],
    says: { bottle: "the bottle" },
    takes: FILE_WORDS,
  },
  "rollback": {
    program: "versions",
    usage: "FILE --bottle SLUG",
    about: "put an earlier version of a file in force, as edit does",
    flags: ["to", "notes", "confirm", "operator"],
    says: { bottle: "the bottle", notes: "your words for the log" },
    takes: FILE_WORDS,
    applies: true,
  },
  "drift": {
    program: "versions",
    usage: "[FILE]",
    about: "name the files in force that are not the recorded ones; 1 if there are any",
    flags: ["record", "restore", "notes", "confirm", "operator"],
    says: { notes: "your words for the log" },
    takes: FILE_WORDS,
    applies: true,
  },
  "freeze": {
    program: "apply_state",
    usage: "--bottle SLUG",
    about: "keep each file in force of a bottle as it is until a time",
    flags: ["until", "for", "end", "notes", "operator"],
    says: {
      bottle: "the bottle",
      notes: "your words for the log",
      until: "until then: 2026-11-22T10:00:00Z, or local time without the Z",
    },
  },
  "grants": { program: "grants", about: "list the approvals that end, and what is overdue" },
  "revoke": {
    program: "grants",
    usage: "ID",
    about: "end a grant before its time; --all --bottle SLUG: all of a bottle",
    flags: ["all", "notes", "confirm"],
    says: {
      notes: "your words for the log",
      confirm:
        "if it cannot be taken out of the file in force, or that not applied: leave the file as it is",
    },
    takes: "granted id",
    applies: true,
  },
  "expire": {
    program: "grants",
    about: "end the grants whose time is over; for a timer",
    applies: true,
  },
  "audit show": {
    program: "audit_show",
    usage: "[ID]",
    about: "print the recorded decisions, the newest first",
    flags: ["component", "tool", "since", "until", "operator", "action", "host", "full"],
    says: {
      since: "only what was recorded since then: 90s, 15m, 2h, 3d ago, or a timestamp",
      operator: "only what this operator did: user@host, or the name they gave",
    },
    takes: "recorded id",
    pages: true,
  },
  "audit verify": {
    program: "audit_verify",
    about: "check whether the audit logs were changed",
    flags: ["component", "public-key", "anchors", "archive"],
  },
  "audit export": {
    program: "audit",
    about: "write the logs into one file, to verify them elsewhere",
    flags: ["component"],
  },
  "audit head": {
    program: "audit",
    about: "print the anchors to save elsewhere",
    flags: ["component"],
  },
  "bottle add": {
    program: "bottle",
    without: ["bottle"],
    usage: "NAME",
    about: "make a bottle's directories and files; print how to wire it",
    flags: ["routes", "allowlist", "dockerfile", "client", "systemd"],
    takes: "bottle",
  },
  "bottle up": {
    program: "bottle",
    without: ["bottle"],
    usage: "NAME",
    about: "start a bottle's sidecar, in a container or with --systemd",
    flags: ["systemd"],
    takes: "bottle",
    startsSidecars: true,
  },
  "bottle down": {
    program: "bottle",
    without: ["bottle"],
    usage: "NAME",
    about: "stop a bottle's sidecar; what is pending stays in the queue",
    takes: "bottle",
    startsSidecars: true,
  },
  "bottle status": {
    program: "bottle",
    without: ["bottle"],
    usage: "NAME",
    about: "say whether a bottle's sidecar runs; 0 yes, 1 no",
    takes: "bottle",
    startsSidecars: true,
  },
  "bottle list": { program: "bottle", about: "list the bottles and what is pending in each" },
  "bottle remove": {
    program: "bottle",
    without: ["bottle"],
    usage: "NAME",
    about: "stop its sidecar and move its queue away, unless something is undecided",
    takes: "bottle",
    startsSidecars: true,
  },
  "doctor": {
    program: "doctor",
    without: ["bottle"],
    about: "find problems, and say what to do about each",
    readsOnly: true,
  },
  "completions": {
    usage: "bash|zsh|fish",
    about: "print a script that completes commands in your shell",
    takes: ["bash", "zsh", "fish"],
    readsOnly: true,
  },
  "launcher": {
    without: ["root", "bottle", "json"],
    about: "print a script that starts this version with the permissions of each call",
    readsOnly: true,
  },
  "help": {
    without: ["root", "bottle", "json"],
    usage: "[VERB]",
    about: "print help on all verbs, or on one",
    takes: "verb",
    readsOnly: true,
  },
} as const satisfies Readonly<Record<string, Verb>>;

export type VerbName = keyof typeof VERB_TABLE;

/** Every verb, in the order of help. */
export const VERBS: Readonly<Record<VerbName, Verb>> = VERB_TABLE;

/** The flags that a verb takes; every other one is wrong usage, because it would be ignored. */
export function flagsOf(name: VerbName): readonly FlagName[] {
  const { flags = [], without = [] } = VERBS[name];
  return [...flags, ...EVERYWHERE.filter((flag) => !without.includes(flag))];
}

export const VERB_NAMES = Object.keys(VERBS) as readonly VerbName[];

export class UsageError extends Error {
  override name = "UsageError";
}

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

type ValueOf<F extends Flag> = F extends { readonly repeats: true } ? readonly string[]
  : F extends { readonly value: string } ? string | undefined
  : boolean;

/** What was typed: a value for each flag of {@linkcode FLAGS}, under its name in camelCase. */
export type Flags =
  & { readonly [Name in FlagName as CamelCase<Name>]: ValueOf<(typeof FLAG_TABLE)[Name]> }
  & {
    /** The names of the flags that were typed. */
    readonly given: readonly string[];
    /** The other words: the verb, then its arguments. */
    readonly words: readonly string[];
  };

interface TypedFlag {
  /** What was typed, without a value. */
  readonly typed: string;
  /** Missing if there is no such flag. */
  readonly name?: FlagName;
  readonly value?: string;
}

/**
 * Splits a command line into flags and words. `cli/supervise.sh` splits it by the same rules: the word
 * after a flag that takes a value is that value, whatever it looks like.
 */
export function splitArgs(
  args: readonly string[],
): { readonly flags: readonly TypedFlag[]; readonly words: readonly string[] } {
  const flags: TypedFlag[] = [];
  const words: string[] = [];
  for (let n = 0; n < args.length; n++) {
    const arg = args[n]!;
    if (arg === "--") return { flags, words: [...words, ...args.slice(n + 1)] };
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    const [typed = arg] = arg.split("=", 1);
    const written = typed === "-h" ? "help" : /^--(.*)$/s.exec(typed)?.[1] ?? "";
    const name = Object.hasOwn(FORMER_NAMES, written) ? FORMER_NAMES[written]! : written;
    if (!Object.hasOwn(FLAGS, name)) {
      flags.push({ typed });
      continue;
    }
    const bound = arg === typed ? undefined : arg.slice(typed.length + 1);
    const isSwitch = FLAGS[name as FlagName].value === undefined;
    const value = bound ?? (isSwitch ? "true" : args[++n]);
    flags.push({ typed, name: name as FlagName, ...(value !== undefined && { value }) });
  }
  return { flags, words };
}

/** How many letters have to be typed, dropped, changed or swapped to make one word of another. */
function distance(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last![j]! + 1, row[j - 1]! + 1, last![j - 1]! + changed);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j]!, beforeLast![j - 2]! + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last![b.length]!;
}

/** The name that a mistyped word probably means; a word of over 32 letters means none. */
export function closest(word: string, names: readonly string[]): string | undefined {
  if (word === "" || word.length > 32) return undefined;
  const begun = names.filter((name) => name.startsWith(word));
  if (begun.length === 1) return begun[0];
  const most = Math.max(1, Math.floor(word.length / 3));
  const [nearest] = names
    .map((name) => ({ name, far: distance(word, name) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far);
  return nearest?.name;
}

/** The values that each flag was given; a switch has `"true"` or `"false"`. */
function valuesOf(flags: readonly TypedFlag[]): ReadonlyMap<FlagName, readonly string[]> {
  const values = new Map<FlagName, string[]>();
  for (const { typed, name, value = "" } of flags) {
    if (name === undefined) {
      const meant = closest(typed.replace(/^-*/, ""), Object.keys(FLAGS));
      const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
      throw new UsageError(`Cannot use ${typed}: there is no such flag${hint}`);
    }
    const { value: placeholder, mayBeEmpty, repeats } = FLAGS[name];
    const before = values.get(name) ?? [];
    if (placeholder === undefined) {
      if (!/^(true|false)$/.test(value)) {
        throw new UsageError(`Cannot use --${name} with a value: write --${name} alone`);
      }
    } else if (value === "" && !mayBeEmpty) {
      throw new UsageError(`Cannot use --${name} without a value: write --${name}=VALUE`);
    } else if (before.length > 0 && !repeats) {
      throw new UsageError(`Cannot use --${name} twice`);
    }
    values.set(name, [...before, value]);
  }
  return values;
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} If a flag is unknown, lacks its value, or is given twice.
 * @throws {InvalidNameError} If `--bottle` is not a valid slug.
 */
export function readFlags(args: readonly string[]): Flags {
  const { flags, words } = splitArgs(args);
  const values = valuesOf(flags);
  const read: Record<string, unknown> = {};
  const given: string[] = [];
  for (const [name, { value, repeats }] of Object.entries(FLAGS) as [FlagName, Flag][]) {
    const typed = values.get(name) ?? [];
    const isOn = typed.at(-1) === "true";
    if (value === undefined ? isOn : typed.length > 0) given.push(name);
    const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    read[key] = value === undefined ? isOn : repeats ? typed : typed[0];
  }
  const bottle = values.get("bottle")?.[0];
  if (bottle !== undefined) checkBottleSlug(bottle);
  return { ...read as Omit<Flags, "given" | "words">, given, words };
}
