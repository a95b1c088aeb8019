/**
 * Writes the table at the end of `docs/threat-model.md`: for each threat the tests that show that it is
 * met. A test names its threats itself, in a line before it:
 *
 * ```ts
 * // Threat: A1, B2
 * Deno.test("a name", () => {});
 * ```
 *
 * @module
 */

/** A file with tests. */
export interface TestFile {
  /** Its path from the root. */
  readonly path: string;
  readonly text: string;
}

/** A test, and the threats that it names. */
export interface TaggedTest {
  readonly threats: readonly string[];
  readonly path: string;
  /** Its name, with `…` for what is filled in. */
  readonly name: string;
}

const MODEL = "docs/threat-model.md";

const BEGIN = "<!-- Written by `deno task threats`. -->";

const END = "<!-- End of what `deno task threats` writes. -->";

const TAG = /^[ \t]*\/\/ Threat: (.*)$/gm;

/** A test behind its tag, with other comments between. */
const TEST =
  /^(?:\s*\/\/.*\n)*\s*Deno\.test(?:\.each(?:(?!\nDeno)[^])*?\))?\(\s*(["`])((?:\\.|(?!\1)[^\\])+)\1/;

/**
 * Finds the tests that name threats.
 *
 * @throws {Error} If there is no test behind a tag.
 */
export function taggedTests(files: readonly TestFile[]): TaggedTest[] {
  return files.flatMap(({ path, text }) =>
    Array.from(text.matchAll(TAG), ({ index, 0: line, 1: threats }) => {
      const name = TEST.exec(text.slice(index + line.length + 1))?.[2];
      if (name === undefined) throw new Error(`Cannot find a test behind "${line}" in ${path}`);
      return {
        threats: threats!.split(", "),
        path,
        name: name.replace(/\$\{[^}]*\}|%\w|\$[a-z]\w*/g, "…").replace(/\\(.)/g, "$1"),
      };
    })
  );
}

/** The numbers of the threats in the model, in its order. */
export function threatsIn(model: string): string[] {
  return Array.from(model.matchAll(/^\*\*([A-Z]\d+)\. /gm), ([, threat]) => threat!);
}

/** The rows of the table, without its head. */
function rowsOf(threats: readonly string[], tests: readonly TaggedTest[]): string[][] {
  const unknown = tests.find((test) => test.threats.some((threat) => !threats.includes(threat)));
  if (unknown !== undefined) {
    throw new Error(
      `Cannot place "${unknown.name}" in ${unknown.path}: ${MODEL} has no threat ` +
        unknown.threats.find((threat) => !threats.includes(threat)),
    );
  }
  return threats.flatMap((threat) => {
    const rows = tests.filter((test) => test.threats.includes(threat))
      .map(({ path, name }) => [threat, `\`${path}\``, name.replace(/[|\\*_<`]/g, "\\$&")]);
    if (rows.length === 0) {
      throw new Error(
        `Cannot leave threat ${threat} without a test: tag one with // Threat: ${threat}`,
      );
    }
    return rows;
  });
}

/** A Markdown table as `deno fmt` writes it. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[], fill: string) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!, fill)).join(" | ")} |\n`;
  const [head, ...body] = rows;
  return line(head!, " ") + line(head!.map(() => ""), "-") +
    body.map((row) => line(row, " ")).join("");
}

/**
 * The model with the table as the tests are now.
 *
 * @throws {Error} If a threat has no test, a test names no threat of the model, or the model has no
 * place for the table.
 */
export function withTable(model: string, files: readonly TestFile[]): string {
  const [before, rest] = model.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`Cannot find the table in ${MODEL}: keep its comments`);
  const rows = rowsOf(threatsIn(model), taggedTests(files));
  const table = formatTable([["Threat", "File", "Test"], ...rows]);
  return `${before}${BEGIN}\n\n${table}\n${END}${after}`;
}

function filesBelow(root: URL, folder: string): TestFile[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    const path = folder + name;
    if (isDirectory) return filesBelow(root, `${path}/`);
    if (!name.endsWith("_test.ts")) return [];
    return [{ path, text: Deno.readTextFileSync(new URL(path, root)) }];
  }).sort((a, b) => a.path < b.path ? -1 : 1);
}

/** The model of a checkout, as it is and as it should be. */
export function readModel(root: URL): { readonly is: string; readonly shouldBe: string } {
  const is = Deno.readTextFileSync(new URL(MODEL, root));
  return { is, shouldBe: withTable(is, filesBelow(root, "tests/")) };
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  await Deno.writeTextFile(new URL(MODEL, root), readModel(root).shouldBe);
}
