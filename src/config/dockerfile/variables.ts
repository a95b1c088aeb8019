/**
 * Reads what an ARG or ENV sets, and puts the values that the file knows into the place of variables, as
 * BuildKit does. Pure.
 *
 * @module
 */

import { expand, pairWords, splitKeyword } from "./words.ts";

/** A variable as an ARG or ENV writes it; `at` is the offset of its name in the arguments. */
export interface Setting {
  readonly name: string;
  /** Its value with quotes and escapes; `undefined` of an ARG that only declares. */
  readonly written: string | undefined;
  readonly at: number;
}

/** What a stage knows of variables. An ENV counts before an ARG of the same name. */
export interface Scope {
  readonly args: Map<string, Resolved>;
  readonly env: Map<string, Resolved>;
  /** All of their texts, until one is set: each instruction asks for them. */
  known?: ReadonlyMap<string, string> | undefined;
  /** The lines whose variables are too many or too long to be followed. */
  readonly lost: number[];
}

/** What a text says with the values known here in the place of variables. */
export interface Resolved {
  readonly text: string;
  /** Two texts with equal keys say the same, whatever the base image sets. */
  readonly key: string;
  /** The line of the last variable in it, or its own. */
  readonly line: number;
}

/** How many variables of one text are replaced, and how long a value grows: values can double each line. */
const MAX_REPLACED = 64;
const MAX_CHARS = 8192;

export function newScope(parent?: Scope): Scope {
  return { args: new Map(parent?.args), env: new Map(parent?.env), lost: parent?.lost ?? [] };
}

/** The texts of all variables. */
export function textsOf(scope: Scope): ReadonlyMap<string, string> {
  const { args, env } = scope;
  return scope.known ??= new Map([...args, ...env].map(([name, { text }]) => [name, text]));
}

export function readSettings(keyword: string, args: string, escape: string): readonly Setting[] {
  const words = pairWords(args, escape);
  if (keyword === "ENV" && words[0]?.includes("=") === false) {
    // The older form: a name, and the rest is its value.
    const { name, args: written } = splitKeyword(args);
    return [{ name, written, at: 0 }];
  }
  let from = 0;
  return words.map((word) => {
    const at = args.indexOf(word, from);
    from = at + word.length;
    const equals = word.indexOf("=");
    if (equals < 0) return { name: word, written: undefined, at };
    return { name: word.slice(0, equals), written: word.slice(equals + 1), at };
  });
}

export function resolve(
  written: string,
  escape: string,
  line: number,
  { args, env, lost }: Scope,
): Resolved {
  const used = new Map<string, string | undefined>();
  let [place, replaced] = [line, 0];
  const lookUp = (name: string) => {
    const variable = ++replaced > MAX_REPLACED ? undefined : env.get(name) ?? args.get(name);
    used.set(name, variable?.text);
    if (variable !== undefined) place = variable.line;
    return variable?.text;
  };
  const expanded = expand(written, { escape, lookUp })?.text;
  const text = (expanded ?? written).slice(0, MAX_CHARS);
  const isLost = replaced > MAX_REPLACED || text !== (expanded ?? written);
  if (isLost) lost.push(line);
  return { text, key: keyOf(written, isLost ? undefined : expanded, used, escape), line: place };
}

/** The base image may know a variable that the file does not, and an escaped `$` is no variable. */
function keyOf(
  written: string,
  text: string | undefined,
  used: ReadonlyMap<string, string | undefined>,
  escape: string,
): string {
  const isKnown = [...used.values()].every((value) => value !== undefined);
  if (text !== undefined && isKnown) {
    return /^\[|^literally|\$/.test(text) ? `literally ${text}` : text;
  }
  const isPlain = !/['"]|\$\{\w*[^\w}]/.test(written) && !written.includes(escape);
  const isText = text !== undefined && isPlain;
  return isText ? text.replace(/\$(\w+)/g, "${$1}") : JSON.stringify([written, ...used]);
}
