/**
 * What a shell has to know to complete a command line: made from the verbs' and the flags' own tables,
 * so that a new verb is completed as soon as there is one.
 *
 * @module
 */

import { AUDIT_COMPONENTS, TOOLS } from "../../mod.ts";
import { FLAG_WORDS } from "../flags.ts";
import { SORTS } from "../select_pending.ts";

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
