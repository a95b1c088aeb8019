/**
 * Says which commands are plain: a closed list, by their words. Any other command that is new is told, at least
 * with a low mark, whatever else is known of it. Pure.
 *
 * @module
 */

import lists from "./commands.json" with { type: "json" };
import { judgeVariable } from "../dockerfile/judge_variables.ts";
import type { Call } from "./read.ts";
import { spell, type Value } from "./value.ts";

/** What the words of a program may be. */
interface Form {
  readonly words: RegExp;
  /** What the first word without a `-` may be. */
  readonly verb?: RegExp;
}

const whole = (form: string) => new RegExp(`^(?:${form})$`);

const formsOf = <T>(list: Readonly<Record<string, T>>, form: (written: T) => Form) =>
  Object.entries(list).flatMap(([names, written]) =>
    names.split(" ").map((name) => [name, form(written)] as const)
  );

const FORMS: ReadonlyMap<string, Form> = new Map([
  ...formsOf(lists.plain, (words) => ({ words: whole(words) })),
  ...formsOf(lists.verbs, ([verb, words]) => ({ verb: whole(verb!), words: whole(words!) })),
]);

/** Programs that are given words of which nobody knows what they say, and do nothing with them. */
const SAYING = new Set([":", "true", "false", "echo", "printf", "test", "["]);

/** What only starts the program behind it, and where programs of the system are. */
const STARTS =
  /^(?:(?:sudo|exec|command|builtin|nohup|nice|time|env|timeout \d+[smh]?|python3? -m) )*(?:(?:\/usr)?(?:\/local)?\/s?bin\/)?/;

/** No word of a plain command is longer, but for what is printed. */
const MAX_WORD_CHARS = 2048;

const fits = (form: RegExp, { text, isKnown }: Value, isSaying = false) =>
  text.length > MAX_WORD_CHARS ? isSaying : (isKnown || isSaying) && form.test(text);

/** Whether a program is asked for its version alone. */
export function isAsking(words: readonly Value[]): boolean {
  return words.length === 1 && words[0]!.text === "--version";
}

/** Whether a word sets a variable that changes only what is shown, or asks for a check. */
function isInnocent({ text, isKnown }: Value): boolean {
  const [, name, value] = /^(\w+)=([^]*)$/.exec(text) ?? [];
  return isKnown && name !== undefined && judgeVariable(name, value!) === "innocent";
}

/** What is beyond the list. */
interface Beyond {
  /** The whole command; of a manager's, whose packages are told by their names, the other words. */
  readonly value: string;
  /** Whether variables that it gets are. */
  readonly hasVariables: boolean;
}

/** What of a command is not on the list; `undefined` if it is plain. */
export function findBeyond(written: Call, { name, words }: Call): Beyond | undefined {
  const variables = written.variables
    .map(([name, value]) => ({ ...value, text: `${name}=${value.text}` }))
    .filter((each) => !isInnocent(each)).map(spell);
  const hasVariables = variables.length > 0;
  const all = [name, ...words].map(spell).join(" ");
  const isStarted = written.text.replace(STARTS, "") === all;
  const whole = { hasVariables, value: [...variables, written.text].join(" ") };
  const form = FORMS.get(name.text);
  const isListed = isAsking(words) || (name.text === "export" && words.every(isInnocent));
  if (!isStarted || (form === undefined && !isListed)) return whole;
  const verb = form?.verb && words.find(({ text }) => !text.startsWith("-"));
  const isVerb = form?.verb === undefined || (verb !== undefined && fits(form.verb, verb));
  const isOdd = (word: Value) => word !== verb && !fits(form!.words, word, SAYING.has(name.text));
  const odd = isListed ? [] : words.filter(isOdd);
  if (isListed || isVerb && odd.length === 0) return hasVariables ? whole : undefined;
  if (!isVerb || verb === undefined) return whole;
  return { hasVariables, value: [...variables, ...[name, verb, ...odd].map(spell)].join(" ") };
}
