/**
 * Finds the verb that was typed, or the one that was meant, and prints help.
 *
 * @module
 */

import { alignColumns } from "../render/wrap.ts";
import {
  closest,
  type FlagName,
  FLAGS,
  flagsOf,
  UsageError,
  VERB_NAMES,
  type VerbName,
  VERBS,
} from "./flags.ts";

/** A verb as it is typed, with its arguments. */
export function usageOf(name: VerbName): string {
  return [name, VERBS[name].usage ?? []].flat().join(" ");
}

/** A verb, and its arguments. */
interface FoundVerb {
  readonly name: VerbName;
  readonly rest: readonly string[];
}

export function verbIn(words: readonly string[]): FoundVerb | undefined {
  const name = VERB_NAMES.find((name) => name.split(" ").every((part, n) => words[n] === part));
  return name && { name, rest: words.slice(name.split(" ").length) };
}

/**
 * Splits words into a verb and its arguments.
 *
 * @throws {UsageError} If they name no verb. The message has the one that was probably meant.
 */
export function findVerb(words: readonly string[]): FoundVerb {
  const found = verbIn(words);
  if (found !== undefined) return found;
  const [first, second] = words;
  if (first === undefined) throw new UsageError("Cannot tell what to do: name a verb");
  const family = familyOf(first);
  if (family.length > 0 && second === undefined) {
    const names = family.join(", ");
    throw new UsageError(`Cannot run ${JSON.stringify(first)}: write one of ${names}`);
  }
  const typed = family.length > 0 ? `${first} ${second}` : first;
  const meant = closest(typed, family.length > 0 ? family : firstWords());
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new UsageError(`Cannot run ${JSON.stringify(typed)}: there is no such verb${hint}`);
}

export function firstWords(): readonly string[] {
  return [...new Set(VERB_NAMES.map((name) => name.split(" ")[0]!))];
}

/** The verbs of two words that begin with a word, such as `audit`. */
export function familyOf(first: string): readonly VerbName[] {
  return VERB_NAMES.filter((name) => name.startsWith(`${first} `));
}

function table(rows: readonly (readonly [left: string, right: string])[]): string {
  return alignColumns(rows).map((row) => `  ${row}\n`).join("");
}

/**
 * The help on a verb, on a family of verbs such as `audit`, or on all. Words after the verb are ignored.
 *
 * @throws {UsageError} If the words name no verb.
 */
export function helpOn(words: readonly string[]): string {
  const [first] = words;
  if (first === undefined) return generalHelp();
  const family = familyOf(first);
  if (words.length === 1 && family.length > 0) {
    return `Usage: supervise ${first} VERB [FLAGS]\n\n${tableOf(family)}`.trimEnd();
  }
  const { name } = findVerb(words);
  const { about } = VERBS[name];
  const rows = flagsOf(name).map((flag): [string, string] => {
    const { value } = FLAGS[flag];
    return [`--${flag}${value === undefined ? "" : ` ${value}`}`, aboutFlag(name, flag)];
  });
  return `Usage: supervise ${usageOf(name)}\n\n${about}\n\n${table(rows)}`.trimEnd();
}

/** What a flag does with a verb. */
export function aboutFlag(name: VerbName, flag: FlagName): string {
  return VERBS[name].says?.[flag] ?? FLAGS[flag].about;
}

function tableOf(names: readonly VerbName[]): string {
  return table(names.map((name) => [usageOf(name), VERBS[name].about]));
}

function generalHelp(): string {
  return `Usage: supervise VERB [ARGUMENTS] [FLAGS]

${tableOf(VERB_NAMES)}
COLUMNS says how wide the output is, from 20 to 9999; without it, and without a terminal, no line is
cut or broken. An ID may be shortened while no other one begins the same. supervise help VERB lists a verb's
flags, supervise --version prints the version.
Exit codes: 0 done, 1 failed, or not all could be looked at, 2 wrong usage, 3 no such root, bottle or
proposal, or no audit log, 4 already decided, 5 changed or stale, 6 marked or never shown, so a person has
to look. Of several IDs: their own if all failures share one, else 1.`;
}
