/**
 * Counts the work of pure code without a clock: how many characters and elements the engine's own
 * functions are given. A loop that reads the same text again and again shows in it, on any machine.
 *
 * @module
 */

// deno-fmt-ignore
const TEXT_FUNCTIONS = [
  "at", "charCodeAt", "codePointAt", "endsWith", "includes", "indexOf", "isWellFormed", "lastIndexOf",
  "localeCompare", "normalize", "padEnd", "repeat", "replace", "replaceAll", "slice", "split",
  "startsWith", "substring", "toLowerCase", "toUpperCase", "trim", "trimEnd", "trimStart",
];

// deno-fmt-ignore
const LIST_FUNCTIONS = [
  "concat", "every", "filter", "find", "findIndex", "flat", "flatMap", "forEach", "includes", "indexOf",
  "join", "map", "reduce", "slice", "some", "sort", "toSorted", "entries",
];

type Functions = Record<string, (this: { readonly length: number }, ...args: unknown[]) => unknown>;

/**
 * Runs a function and counts its work.
 *
 * @param run What to run; not asynchronous.
 * @returns The count.
 */
export function countWork(run: () => unknown): number {
  let work = 0;
  const restore: (() => void)[] = [];
  type Cost = (self: unknown, out: unknown, args: readonly unknown[]) => number;
  const patch = (owner: Functions, name: string, cost: Cost) => {
    const original = owner[name]!;
    owner[name] = function (...args) {
      const out = Reflect.apply(original, this, args);
      work += cost(this, out, args);
      return out;
    };
    restore.push(() => owner[name] = original);
  };
  const lengthOf = (value: unknown) =>
    typeof value === "string" || Array.isArray(value) ? value.length + 1 : 1;
  // A slice costs what it gives, and one character costs one; all else may read the whole text.
  const SMALL = ["at", "charCodeAt", "codePointAt", "slice", "substring"];
  const texts = String.prototype as unknown as Functions;
  for (const name of TEXT_FUNCTIONS) {
    const isSmall = SMALL.includes(name);
    // A comparison with a beginning or an end stops early.
    const isShort = name === "startsWith" || name === "endsWith";
    if (name === "indexOf") continue;
    patch(texts, name, (self, out) => isSmall ? lengthOf(out) : isShort ? 1 : lengthOf(self));
  }
  // A search costs what it reads, from its beginning to what it finds.
  patch(texts, "indexOf", (self, out, [, from = 0]) => {
    const end = Number(out) < 0 ? lengthOf(self) : Number(out) + 1;
    return Math.max(1, end - Number(from));
  });
  const lists = Array.prototype as unknown as Functions;
  for (const name of LIST_FUNCTIONS) {
    patch(lists, name, (self, out) => lengthOf(name === "slice" ? out : self));
  }
  const patterns = RegExp.prototype;
  const exec = patterns.exec;
  patterns.exec = function (this: RegExp, text: string) {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const match = Reflect.apply(exec, this, [text]) as RegExpExecArray | null;
    if (match !== null) work += match.index + match[0].length - from + 1;
    else work += this.sticky ? 1 : text.length - from + 1;
    return match;
  };
  restore.push(() => patterns.exec = exec);
  try {
    run();
    return work;
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}
