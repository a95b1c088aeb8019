/**
 * The flags and the verbs: how they are read, and the tables that completions are made from.
 *
 * @module
 */

import { AUDIT_COMPONENTS, checkBottleSlug } from "../../internal_mod.ts";
import { TOOLS } from "../../mod.ts";
import { SORTS } from "./resolve.ts";
import { parseArgs } from "@std/cli";

/** What the command line says of a verb. */
export interface VerbWords {
  /** How it is typed: `show ID`, `completions bash|zsh|fish`. */
  readonly usage: string;
  /** What it does. */
  readonly about: string;
  /** Its own flags, by name. */
  readonly flags: readonly string[];
}

/** What stands behind a flag: nothing, one of some words, or something to be looked up. */
export type FlagValue = "none" | "text" | "dir" | "file" | "slugs" | readonly string[];

/** A flag, as a shell completes it. */
export interface CompletedFlag {
  /** With its dashes. */
  readonly name: string;
  readonly about: string;
  readonly value: FlagValue;
}

/** A verb, as a shell completes it. */
export interface CompletedVerb {
  /** One word, or two. */
  readonly name: string;
  readonly about: string;
  /** Its flags, those that every verb has included. */
  readonly flags: readonly CompletedFlag[];
  /** What its arguments are. */
  readonly words: "none" | "ids" | readonly string[];
  /** Whether it takes one argument and no more. */
  readonly single: boolean;
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  component: AUDIT_COMPONENTS,
  tool: TOOLS,
  sort: SORTS,
};

const LOOKED_UP: Readonly<Record<string, FlagValue>> = { DIR: "dir", FILE: "file", SLUG: "slugs" };

function completedFlag(flag: string): CompletedFlag {
  const [, placeholder, about = ""] = /^--[\w-]+(?: ([A-Z0-9]+))? +(.*)$/.exec(FLAG_WORDS[flag]!)!;
  const value = placeholder === undefined
    ? "none"
    : CHOICES[flag] ?? LOOKED_UP[placeholder] ?? "text";
  return { name: `--${flag}`, about, value };
}

/**
 * All flags that there are.
 *
 * @returns The flags.
 */
export function completedFlags(): readonly CompletedFlag[] {
  return Object.keys(FLAG_WORDS).map(completedFlag);
}

/**
 * All verbs, as a shell completes them.
 *
 * @param verbs The verbs, by name.
 * @param everywhere The names of the flags that every verb has.
 * @returns The verbs.
 */
export function completedVerbs(
  verbs: Readonly<Record<string, VerbWords>>,
  everywhere: readonly string[],
): readonly CompletedVerb[] {
  return Object.entries(verbs).map(([name, { usage, about, flags }]) => {
    const choices = /\b\w+(?:\|\w+)+\b/.exec(usage)?.[0].split("|");
    const takesIds = /\bID\b/.test(usage);
    return {
      name,
      about,
      flags: [...flags, ...everywhere].map(completedFlag),
      words: choices ?? (takesIds ? "ids" : "none"),
      single: !usage.includes("ID..."),
    };
  });
}

/**
 * A text in single quotes, for a POSIX shell.
 *
 * @param text The text.
 * @returns The quoted text.
 */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The names of flags whose value is of a kind, as the alternatives of a shell's `case`. */
export function alternatives(isOne: (value: FlagValue) => boolean): string {
  return completedFlags().filter(({ value }) => isOne(value)).map(({ name }) => name).join(" | ");
}

/** A mistake in the command line; the message is for whoever typed it. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What was typed. */
export interface Flags {
  /** The names of the flags that were given. */
  readonly given: readonly string[];
  /** What is no flag: the verb, then its arguments. */
  readonly words: readonly string[];
  /** The root, unless the default. */
  readonly root: string | undefined;
  /** One bottle only. */
  readonly bottle: string | undefined;
  /** One component only. */
  readonly component: string | undefined;
  /** One tool only. */
  readonly tool: string | undefined;
  /** What arrived since then only: a duration before now, or a timestamp. */
  readonly since: string | undefined;
  /** The order of a list. */
  readonly sort: string | undefined;
  /** The operator's words. */
  readonly notes: string | undefined;
  /** The operator's version of the file. */
  readonly file: string | undefined;
  /** The hash of what the operator saw, or its beginning. */
  readonly sha256: string | undefined;
  /** The bottles' slugs, of whoever decides though there are high marks. */
  readonly confirm: readonly string[];
  /** Whether to approve only what nobody would have to look at. */
  readonly ifUnmarked: boolean;
  /** Whether to decide though the config in force has changed. */
  readonly allowStale: boolean;
  /** A name besides what the system says of the operator. */
  readonly operator: string | undefined;
  /** Whether to decide though an answer without a record stands there. */
  readonly overrideUnrecorded: boolean;
  /** The file of trusted public keys. */
  readonly publicKey: string | undefined;
  /** The file of heads that were kept elsewhere. */
  readonly anchors: string | undefined;
  /** The archive to check. */
  readonly archive: string | undefined;
  /** Whether to print JSON. */
  readonly json: boolean;
  /** Whether to print without colours, and to review line by line. */
  readonly plain: boolean;
  /** Whether to print help. */
  readonly help: boolean;
}

/** Words for the flags, for `--help`. */
export const FLAG_WORDS: Readonly<Record<string, string>> = {
  root: "--root DIR          the root (default: $CLAUDE_BOTTLE_ROOT, or ~/.claude-bottle)",
  bottle: "--bottle SLUG       this bottle only",
  component: "--component NAME    this log only: cred-proxy, pipelock or rebuild",
  tool: "--tool NAME         this tool only: cred-proxy-block, pipelock-block or capability-block",
  since: "--since WHEN        what arrived since then: 90s, 15m, 2h, 3d ago, or a timestamp",
  sort: "--sort ORDER        age (the youngest first), bottle, tool, marks; else as it arrived",
  notes: "--notes TEXT        your words for the agent and the log",
  file: "--file FILE         your version of the file, instead of an editor; - for standard input",
  sha256: "--sha256 HEX        decide only if the proposal has this hash (32 digits or more)",
  confirm:
    "--confirm SLUG      decide though there are high marks: the bottle's slug; again for more",
  "if-unmarked":
    "--if-unmarked       only if nothing is marked, stale, unsound or answered already",
  "allow-stale": "--allow-stale       decide though the file in force is not the agent's",
  operator: "--operator NAME     your name in the log, besides user@host and the key",
  "override-foreign": "--override-foreign  decide though an answer without a record stands there",
  "public-key": "--public-key FILE   trust these keys (PEM), not the root's own",
  anchors:
    "--anchors FILE      heads kept elsewhere, as audit head prints them; - for standard input",
  archive: "--archive FILE      check what audit export made, without a root; - for standard input",
  json: '--json              JSON, "version": 1; errors too',
  plain: "--plain             no colours, no full screen",
  help: "--help              this text",
};

const STRINGS = [
  "root",
  "bottle",
  "component",
  "tool",
  "since",
  "sort",
  "notes",
  "file",
  "sha256",
  "confirm",
  "operator",
  "public-key",
  "anchors",
  "archive",
] as const;

const BOOLEANS = [
  "allow-stale",
  "if-unmarked",
  "override-foreign",
  "json",
  "plain",
  "help",
] as const;

/** Binds each value to its flag, so that `--file -` and `--notes "-1 is wrong"` mean what they say. */
function bindValues(args: readonly string[]): string[] {
  const bound: string[] = [];
  for (let n = 0; n < args.length; n++) {
    const arg = args[n]!;
    const value = STRINGS.some((name) => arg === `--${name}`) ? args[n + 1] : undefined;
    bound.push(value === undefined ? arg : `${arg}=${value}`);
    if (value !== undefined) n++;
  }
  return bound;
}

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @returns The flags.
 * @throws {UsageError} If a flag is unknown, lacks its value, or is given twice.
 * @throws {InvalidNameError} If the bottle is no slug.
 */
export function readFlags(args: readonly string[]): Flags {
  const words: string[] = [];
  const parsed = parseArgs(bindValues(args), {
    string: [...STRINGS],
    boolean: [...BOOLEANS],
    alias: { help: "h" },
    collect: [...STRINGS],
    unknown: (arg, key) => {
      if (key !== undefined) {
        throw new UsageError(`Cannot use ${arg.split("=", 1)[0]}: there is no such flag`);
      }
      // A word, kept here as it was typed: where the parser keeps its own, a flag -_ could write too.
      words.push(arg);
      return false;
    },
  });
  const texts = (name: (typeof STRINGS)[number]): readonly string[] => {
    const values = parsed[name] as string[];
    if (values.includes("") && name !== "notes") {
      throw new UsageError(`Cannot use --${name} without a value: write --${name}=VALUE`);
    }
    return values;
  };
  const text = (name: (typeof STRINGS)[number]): string | undefined => {
    const [value, another] = texts(name);
    if (another !== undefined) throw new UsageError(`Cannot use --${name} twice`);
    return value;
  };
  const bottle = text("bottle");
  return {
    given: [...STRINGS, ...BOOLEANS].filter((name) => {
      const value = parsed[name];
      return Array.isArray(value) ? value.length > 0 : value === true;
    }),
    words: [...words, ...parsed._.map(String)],
    root: text("root"),
    bottle: bottle === undefined ? undefined : checkBottleSlug(bottle),
    component: text("component"),
    tool: text("tool"),
    since: text("since"),
    sort: text("sort"),
    notes: text("notes"),
    file: text("file"),
    sha256: text("sha256"),
    confirm: texts("confirm"),
    ifUnmarked: parsed["if-unmarked"],
    allowStale: parsed["allow-stale"],
    operator: text("operator"),
    overrideUnrecorded: parsed["override-foreign"],
    publicKey: text("public-key"),
    anchors: text("anchors"),
    archive: text("archive"),
    json: parsed.json,
    plain: parsed.plain,
    help: parsed.help,
  };
}
