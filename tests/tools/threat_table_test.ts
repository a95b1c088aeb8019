import { readModel, type TestFile, threatsIn, withTable } from "../../tools/threat_table.ts";
import { REPO } from "../support/run.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join, toFileUrl } from "@std/path";

const { is, shouldBe } = readModel(toFileUrl(join(REPO, "/")));

Deno.test("the threat model's table is what deno task threats writes", () => {
  assertEquals(is, shouldBe);
});

Deno.test("the threat model refers to files that there are", () => {
  const files = [...is.matchAll(/`((?:src|cli|sidecar|tests)\/[\w/]+(?:\.\w+|\/))`/g)]
    .map(([, file]) => file!);
  assert(files.length > 20);
  const missing = files.filter((file) => {
    try {
      return !Deno.statSync(join(REPO, file));
    } catch {
      return true;
    }
  });
  assertEquals(missing, []);
});

Deno.test("threatsIn() finds the threats of the threat model, each once", () => {
  const threats = threatsIn(is);
  assert(threats.length > 40);
  assertEquals(threats.length, new Set(threats).size);
});

const MODEL = "**A1. Read.** (Q)\n\n**B1. Write.** (L)\n\n" +
  "<!-- Written by `deno task threats`. -->\n\n<!-- End of what `deno task threats` writes. -->\n";

const READS: TestFile = {
  path: "tests/a_test.ts",
  text: `// Threat: A1\nDeno.test("read() refuses \\"x\\" | y", () => {});\n`,
};

const WRITES: TestFile = {
  path: "tests/b_test.ts",
  text: "for (const name of NAMES) {\n  // Threat: A1, B1\n  // Why.\n" +
    "  Deno.test(`write() refuses ${name}`, () => {});\n}\n" +
    `// Threat: B1\nDeno.test.each<[string, (n: number) => object]>([["a", (n) => ({ n })]])(\n  "write() keeps %s",\n  () => {},\n);\n`,
};

Deno.test("withTable() writes a row for each threat of each tagged test, in the model's order", () => {
  const written = withTable(MODEL, [READS, WRITES]);
  assertEquals(written.split("\n").filter((line) => line.startsWith("|")), [
    "| Threat | File              | Test                    |",
    "| ------ | ----------------- | ----------------------- |",
    '| A1     | `tests/a_test.ts` | read() refuses "x" \\| y |',
    "| A1     | `tests/b_test.ts` | write() refuses …       |",
    "| B1     | `tests/b_test.ts` | write() refuses …       |",
    "| B1     | `tests/b_test.ts` | write() keeps …         |",
  ]);
  assertEquals(withTable(written, [READS, WRITES]), written);
});

Deno.test("withTable() writes another table when a test is renamed or gone", () => {
  const both = withTable(MODEL, [READS, WRITES]);
  const renamed = { ...WRITES, text: WRITES.text.replace("keeps", "leaves") };
  assert(withTable(both, [READS, renamed]) !== both);
  const gone = { ...READS, text: `Deno.test("read() refuses nothing", () => {});` };
  assert(withTable(both, [gone, WRITES]) !== both);
});

Deno.test("withTable() refuses a threat without a test, a tag without either, and no place", () => {
  assertThrows(() => withTable(MODEL, [READS]), Error, "Cannot leave threat B1 without a test: ");
  const unknown = { ...READS, text: READS.text.replace("A1", "A9") };
  assertThrows(() => withTable(MODEL, [unknown, WRITES]), Error, "has no threat A9");
  const bare = { ...READS, text: "// Threat: A1\nconst a = 1;\n" };
  assertThrows(
    () => withTable(MODEL, [bare, WRITES]),
    Error,
    'Cannot find a test behind "// Threat: A1" in tests/a_test.ts',
  );
  assertThrows(() => withTable("**A1. Read.**", [READS]), Error, "Cannot find the table in ");
});
