/**
 * Reads the tables of mutants: single-point changes to the code, each of which breaks a promise that a
 * test must notice. A table is text, one area a file:
 *
 * ```text
 * file: src/disk/write.ts
 * tests: tests/disk/write_test.ts
 *
 * A staging file is made anew, and never one that is there
 * - createNew: true,
 * + create: true,
 * ```
 *
 * `file` and `tests` count for all mutants below them; a mutant may have `tests` of its own. Without `+`
 * the text goes. `lives` says why no test can notice the change.
 *
 * @module
 */

/** A change to one place in the code. */
export interface Mutant {
  readonly area: string;
  /** The promise that it breaks. */
  readonly promise: string;
  readonly file: string;
  /** The text as it is, which occurs once in the file. */
  readonly is: string;
  readonly becomes: string;
  /** The test files of which at least one must fail. */
  readonly tests: readonly string[];
  /** Why no test notices it, where none can. */
  readonly lives?: string;
}

/**
 * Reads one table.
 *
 * @throws {SyntaxError} If a line is of no known form, or a mutant lacks something.
 */
export function parseTable(area: string, text: string): readonly Mutant[] {
  const mutants: Mutant[] = [];
  const common = { file: "", tests: [] as readonly string[] };
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const own = { tests: undefined as readonly string[] | undefined, lives: "", promise: "" };
    const [is, becomes]: [string[], string[]] = [[], []];
    for (const line of lines) {
      const [, key, value = ""] = /^(file|tests|lives): (.*)$/.exec(line) ?? [];
      if (key === "file") common.file = value;
      else if (key === "tests") own.tests = value.split(" ");
      else if (key === "lives") own.lives = value;
      else if (/^-(?: |$)/.test(line)) is.push(line.slice(2));
      else if (/^\+(?: |$)/.test(line)) becomes.push(line.slice(2));
      else if (own.promise === "") own.promise = line;
      else throw new SyntaxError(`Cannot read the table ${area}: ${line}`);
    }
    if (own.promise === "") {
      common.tests = own.tests ?? common.tests;
      continue;
    }
    const tests = own.tests ?? common.tests;
    if (is.length === 0 || common.file === "" || tests.length === 0) {
      throw new SyntaxError(`Cannot read the table ${area}: incomplete: ${own.promise}`);
    }
    mutants.push({
      area,
      promise: own.promise,
      file: common.file,
      is: is.join("\n"),
      becomes: becomes.join("\n"),
      tests,
      ...(own.lives !== "" && { lives: own.lives }),
    });
  }
  return mutants;
}

/** Reads every table in this directory. */
export function readTables(): readonly Mutant[] {
  const here = new URL(".", import.meta.url);
  return [...Deno.readDirSync(here)].map(({ name }) => name).filter((name) => name.endsWith(".txt"))
    .sort().flatMap((name) =>
      parseTable(name.slice(0, -".txt".length), Deno.readTextFileSync(new URL(name, here)))
    );
}

/** Why a mutant cannot be made in this text; `undefined` if it can. */
export function whyNot({ file, is, becomes }: Mutant, text: string): string | undefined {
  const count = text.split(is).length - 1;
  if (count !== 1) return `its text occurs ${count} times in ${file}, expected once`;
  return is === becomes ? "it changes nothing" : undefined;
}
