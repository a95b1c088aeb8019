/**
 * Stand-in for `parseArgs` of `jsr:@std/cli`: the same answers for the same words, and the same
 * types for options that are named literally and without dots.
 *
 * @module
 */
import type { Aliases, Args, ParseOptions, Values } from "./types.ts";

export type { Aliases, Args, ParseOptions, Values };

type Value = string | number | boolean;
// deno-lint-ignore no-explicit-any
type Tree = Record<string, any>;

/**
 * Reads command line words into options and positional words, as `parseArgs` of `@std/cli` does.
 *
 * Words that look like numbers become numbers unless their option is declared `string`.
 */
export function parseArgs<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  A extends Aliases<Name> = Record<never, never>,
  Name extends string = string,
  DD extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<B, S, C, N, D, A, DD> = {},
): Args<Values<B, S, C, N, D, A>, DD> {
  return new Parser(options).parse(args) as Args<Values<B, S, C, N, D, A>, DD>;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #booleans: ReadonlySet<string>;
  readonly #strings: ReadonlySet<string>;
  readonly #collected: ReadonlySet<string>;
  readonly #negatable: ReadonlySet<string>;
  readonly #everyFlag: boolean;
  readonly #result: Tree = { _: [] };

  constructor(options: ParseOptions) {
    this.#options = options;
    this.#aliases = aliasGroups(options.alias ?? {});
    const flags = options.boolean ?? [];
    this.#everyFlag = flags === true;
    this.#booleans = this.#withAliases(typeof flags === "boolean" ? [] : flags);
    this.#strings = this.#withAliases(options.string ?? []);
    this.#collected = this.#withAliases(options.collect ?? []);
    this.#negatable = this.#withAliases(options.negatable ?? []);
  }

  parse(args: readonly string[]): Tree {
    const end = args.indexOf("--");
    const rest = end < 0 ? [] : args.slice(end + 1);
    const words = end < 0 ? args : args.slice(0, end);
    for (let i = 0; i < words.length;) {
      const word = words[i]!;
      if (word.startsWith("-") && word.length > 1) {
        const next = words[i + 1] || undefined;
        i += word.startsWith("--") ? this.#long(word, next) : this.#letters(word, next);
        continue;
      }
      i++;
      if (this.#options.unknown?.(word) !== false) {
        this.#result["_"].push(this.#strings.has("_") ? word : toNumber(word));
      }
      if (this.#options.stopEarly) {
        this.#result["_"].push(...words.slice(i));
        break;
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.#result["--"] = rest;
    else this.#result["_"].push(...rest);
    return this.#result;
  }

  /** Handles `--name`, `--name value`, `--name=value`, `--no-name`; returns the words that took. */
  #long(word: string, next: string | undefined): number {
    const body = word.slice(2);
    const name = body.length > 3 && body.startsWith("no-") ? body.slice(3) : body;
    // A name has at least one character, be it "=".
    const equals = name.indexOf("=", 1);
    if (equals > 0) {
      const key = name.slice(0, equals);
      const value = name.slice(equals + 1);
      this.#set(key, this.#booleans.has(key) ? value !== "false" : value, word);
      return 1;
    }
    if (name !== body && this.#negatable.has(name)) {
      this.#set(name, false, word, false);
      return 1;
    }
    const takesWord = !this.#isBoolean(body) && !this.#everyFlag &&
      !next?.startsWith("-");
    return this.#setFromNext(body, next, takesWord, word);
  }

  /** Handles `-a`, `-abc`, `-a value`, `-a=value`, `-a1`; returns how many words that took. */
  #letters(word: string, next: string | undefined): number {
    const last = word.length - 1;
    for (let i = 1; i < last; i++) {
      const letter = word[i]!;
      const after = word.slice(i + 1);
      if (after === "-") {
        this.#set(letter, "-", word);
        continue;
      }
      const value = attachedValue(letter, after);
      if (value !== undefined) {
        this.#set(letter, value, word);
        return 1;
      }
      this.#set(letter, this.#strings.has(letter) ? "" : true, word);
    }
    const key = word[last]!;
    if (key === "-") return 1;
    const takesWord = !this.#isBoolean(key) && !/^--?[^-]/.test(next ?? "");
    return this.#setFromNext(key, next, takesWord, word);
  }

  #setFromNext(
    key: string,
    next: string | undefined,
    takesWord: boolean,
    word: string,
  ): number {
    if (next !== undefined && takesWord) this.#set(key, next, word);
    else if (next === "true" || next === "false") {
      this.#set(key, next === "true", word);
    } else {
      this.#set(key, this.#strings.has(key) ? "" : true, word);
      return 1;
    }
    return 2;
  }

  #set(key: string, value: Value, word: string, mayCollect = true): void {
    const declared = this.#booleans.has(key) || this.#strings.has(key) ||
      this.#aliases.has(key) ||
      this.#collected.has(key) || this.#everyFlag && /^--[^=]+$/.test(word);
    if (!declared && this.#options.unknown?.(word, key, value) === false) {
      return;
    }
    const typed = typeof value === "string" && !this.#strings.has(key) ? toNumber(value) : value;
    const collect = mayCollect && this.#collected.has(key);
    for (const name of [key, ...this.#aliases.get(key) ?? []]) {
      put(this.#result, name, typed, collect);
    }
  }

  #fillIn(): void {
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (has(this.#result, key)) continue;
      for (const name of [key, ...this.#aliases.get(key) ?? []]) {
        put(this.#result, name, value, false);
      }
    }
    for (const key of this.#booleans) {
      if (!has(this.#result, key)) {
        put(this.#result, key, this.#collected.has(key) ? [] : false, false);
      }
    }
    for (const key of this.#strings) {
      if (!has(this.#result, key) && this.#collected.has(key)) {
        put(this.#result, key, [], false);
      }
    }
  }

  #isBoolean(key: string): boolean {
    return this.#booleans.has(key) ||
      [...this.#aliases.get(key) ?? []].some((name) => this.#booleans.has(name));
  }

  #withAliases(names: string | readonly string[]): Set<string> {
    const declared = [names].flat().filter((name) => name !== "");
    return new Set(
      declared.flatMap((name) => [name, ...this.#aliases.get(name) ?? []]),
    );
  }
}

function aliasGroups(alias: Aliases): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const [key, value] of Object.entries(alias)) {
    if (value === undefined) throw new TypeError("Alias value must be defined");
    const names = [value].flat();
    groups.set(key, new Set(names));
    for (const name of names) {
      groups.set(
        name,
        new Set([key, ...names.filter((other) => other !== name)]),
      );
    }
  }
  return groups;
}

/** The value inside a letter group: `-a=value`, `-a1.5`, `-a/path`. */
function attachedValue(letter: string, after: string): string | undefined {
  if (after === "=") return "";
  if (/[A-Za-z]/.test(letter)) {
    // The first "=" that has something behind it, wherever it stands in the group.
    const assigned = /=(.+)/.exec(after)?.[1];
    if (assigned !== undefined) return assigned;
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(after)) return after;
  }
  return after.length > 1 && /^\W/.test(after) ? after : undefined;
}

function toNumber(word: string): string | number {
  return /\S/.test(word) && Number.isFinite(Number(word)) ? Number(word) : word;
}

/** Whether writing this key would reach a prototype. */
function unsafe(tree: Tree, key: string): boolean {
  return key === "__proto__" ||
    key === "constructor" && typeof tree[key] === "function";
}

/** Sets a value; dots in the name make objects inside objects. */
function put(tree: Tree, name: string, value: unknown, collect: boolean): void {
  const path = name.split(".");
  const last = path.pop()!;
  for (const key of path) {
    if (unsafe(tree, key)) return;
    tree = tree[key] ??= {};
  }
  if (unsafe(tree, last)) return;
  const before = tree[last];
  if (!collect) tree[last] = value;
  else if (Array.isArray(before)) before.push(value);
  else tree[last] = before ? [before, value] : [value];
}

function has(tree: Tree, name: string): boolean {
  for (const key of name.split(".")) {
    if (!Object.hasOwn(tree, key)) return false;
    tree = tree[key];
  }
  return true;
}
