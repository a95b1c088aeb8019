/**
 * What can come next on a command line that is being typed. The scripts of `completions bash|zsh|fish`
 * ask each time Tab is pressed.
 *
 * @module
 */

import { isProposalId } from "../../start_mod.ts";
import {
  type FlagName,
  FLAGS,
  type Flags,
  flagsOf,
  splitArgs,
  type VerbName,
  VERBS,
} from "./flags.ts";
import { aboutFlag, familyOf, firstWords, verbIn } from "./help.ts";

/** How many ids are offered at most: a person does not pick from more. */
const MOST_OFFERED = 500;

type Offer = readonly [word: string, about: string];

type Where = Pick<Flags, "root" | "bottle">;

/** The ids of what is pending, each with its bottle. It reads the names of files, and opens none. */
export async function pendingIds(prefix: string, { root, bottle }: Where): Promise<Offer[]> {
  const { findProposals } = await import("../../read_mod.ts");
  const where = {
    ...(root !== undefined && { root }),
    ...(bottle !== undefined && { bottleSlug: bottle }),
  };
  return findProposals(prefix, where).filter(({ pending }) => pending)
    .map(({ proposalId, bottleSlug }): Offer => [proposalId, bottleSlug])
    .sort().slice(0, MOST_OFFERED);
}

/** The ids of the latest decisions, by the last megabyte of each log, each with its bottle. */
async function recordedIds(prefix: string, { root, bottle }: Where): Promise<Offer[]> {
  const { claudeBottleRoot, listAuditLogs, readLatestEntries } = await import(
    "../../internal_mod.ts"
  );
  const where = root ?? claudeBottleRoot();
  const ids = new Map<string, string>();
  for (const { component, slug } of listAuditLogs(where)) {
    if (bottle !== undefined && slug !== bottle) continue;
    for (const { proposalId } of readLatestEntries(component, slug, where).entries) {
      // Another program may have written any text for an id.
      if (proposalId?.startsWith(prefix) && isProposalId(proposalId)) ids.set(proposalId, slug);
    }
  }
  return [...ids].sort().slice(0, MOST_OFFERED);
}

/** The ids of what is granted for a time, each with its bottle. */
async function grantedIds({ root, bottle }: Where): Promise<Offer[]> {
  const { claudeBottleRoot, readOpenGrants } = await import("../../read_mod.ts");
  return readOpenGrants({ root: root ?? claudeBottleRoot(), bottleSlug: bottle }).grants
    .map(({ proposalId, bottleSlug }): Offer => [proposalId, bottleSlug]);
}

export async function bottleSlugs(root: string | undefined): Promise<Offer[]> {
  const { claudeBottleRoot, listBottles } = await import("../../read_mod.ts");
  return listBottles(root ?? claudeBottleRoot()).slugs.map((slug) => [slug, "a bottle"]);
}

function verbOffers([first, ...rest]: readonly string[]): Offer[] {
  const second = (name: VerbName) => name.slice(name.indexOf(" ") + 1);
  if (rest.length > 0) return [];
  if (first !== undefined) return familyOf(first).map((name) => [second(name), VERBS[name].about]);
  return firstWords().map((word) => {
    const family = familyOf(word);
    return [
      word,
      family.length > 0 ? family.map(second).join(", ") : VERBS[word as VerbName].about,
    ];
  });
}

function flagOffers(verb: VerbName | undefined): Offer[] {
  if (verb === undefined) {
    return (["help", "root", "version"] as const).map((name) => [`--${name}`, FLAGS[name].about]);
  }
  return flagsOf(verb).map((name) => [`--${name}`, aboutFlag(verb, name)]);
}

async function valueOffers(name: FlagName, where: Where): Promise<Offer[]> {
  const { offers = [], about } = FLAGS[name];
  if (offers === "bottles") return await bottleSlugs(where.root);
  // No word begins with a colon: it asks the shell to complete a path.
  if (typeof offers === "string") return [[`:${offers}`, ""]];
  return offers.map((word) => [word, about]);
}

async function argumentOffers(
  { name, rest }: { readonly name: VerbName; readonly rest: readonly string[] },
  current: string,
  where: Where,
): Promise<Offer[]> {
  const { takes } = VERBS[name];
  if (takes === "ids" || takes === "id" && rest.length === 0) {
    return await pendingIds(current, where);
  }
  if (takes === "granted id" && rest.length === 0) return await grantedIds(where);
  if (takes === "bottle") return rest.length > 0 ? [] : await bottleSlugs(where.root);
  if ((takes === "any id" || takes === "recorded id") && rest.length === 0) {
    const pending = takes === "any id" ? await pendingIds(current, where) : [];
    return pending.length > 0 ? pending : await recordedIds(current, where);
  }
  if (takes === "verb") return verbOffers(rest);
  if (typeof takes !== "object" || rest.length > 0) return [];
  return takes.map((word) => [word, VERBS[name].about]);
}

/**
 * What can come next: a line for each word, with a tab and what it is. The last word of `line` is the one
 * being typed; for `--flag=value` the value is completed. `:dirs` and `:files` ask the shell for paths.
 */
export async function completeLine(line: readonly string[]): Promise<readonly string[]> {
  const { flags, words } = splitArgs(line.slice(0, -1));
  const current = line.at(-1) ?? "";
  const typed = (name: FlagName) => flags.findLast((flag) => flag.name === name)?.value;
  const where = { root: typed("root"), bottle: typed("bottle") };
  const last = flags.at(-1);
  const open = last?.value === undefined ? last?.name : undefined;
  const [, bound = "", value = current] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  const flag = open ?? (Object.hasOwn(FLAGS, bound) ? bound as FlagName : undefined);
  const verb = verbIn(words);
  const offered = flag !== undefined
    ? await valueOffers(flag, where)
    : current.startsWith("-")
    ? flagOffers(verb?.name)
    : verb === undefined
    ? verbOffers(words)
    : await argumentOffers(verb, current, where);
  const begun = open === undefined ? value : current;
  return offered.filter(([word]) => word.startsWith(":") || word.startsWith(begun))
    .map(([word, about]) => `${word}\t${about}`);
}
