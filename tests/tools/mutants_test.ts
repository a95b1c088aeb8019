import { parseTable, readTables, whyNot } from "../../tools/mutants/table.ts";
import { REPO } from "../support/run.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";

const MUTANTS = readTables();

Deno.test("the tables of mutants fit the code, and name tests that are there", () => {
  const unfit = MUTANTS.flatMap((mutant) => {
    const reason = whyNot(mutant, Deno.readTextFileSync(join(REPO, mutant.file)));
    return reason === undefined ? [] : [`${mutant.area}: ${mutant.promise}: ${reason}`];
  });
  assertEquals(unfit, []);
  const tests = new Set(MUTANTS.flatMap(({ tests }) => tests));
  assertEquals([...tests].filter((test) => !/^tests\/.*_test\.ts$/.test(test)), []);
  for (const test of tests) assert(Deno.statSync(join(REPO, test)).isFile);
});

Deno.test("the tables of mutants have enough of each area, and no promise twice", () => {
  assert(MUTANTS.length >= 150, `${MUTANTS.length} changes`);
  const areas = Map.groupBy(MUTANTS, ({ area }) => area);
  for (const area of ["config", "decision", "disk", "launcher", "log", "queue", "screen"]) {
    assert((areas.get(area)?.length ?? 0) >= 10, area);
  }
  for (const area of ["sidecar", "text", "verbs"]) {
    assert((areas.get(area)?.length ?? 0) >= 10, area);
  }
  const named = MUTANTS.map(({ file, promise }) => `${file}: ${promise}`);
  assertEquals(named.filter((name, n) => named.indexOf(name) !== n), []);
  // At least 95 % must be noticed, so few can have a reason to live.
  assert(MUTANTS.filter(({ lives }) => lives !== undefined).length <= MUTANTS.length / 20);
});

Deno.test("parseTable() reads changes over several lines, and refuses what is incomplete", () => {
  const table = `# A comment.
file: a.ts
tests: a_test.ts b_test.ts

One
- first
-
-   third
+ other

Two
tests: c_test.ts
lives: nothing notices it
- gone
`;
  const own = { area: "x", file: "a.ts" };
  assertEquals(parseTable("x", table), [
    {
      ...{ ...own, promise: "One", is: "first\n\n  third", becomes: "other" },
      tests: ["a_test.ts", "b_test.ts"],
    },
    {
      ...{ ...own, promise: "Two", is: "gone", becomes: "" },
      ...{ tests: ["c_test.ts"], lives: "nothing notices it" },
    },
  ]);
  assertThrows(() => parseTable("x", "file: a.ts\n\nOne\n- a\n"), SyntaxError, "incomplete: One");
  assertThrows(() => parseTable("x", `${table}\nOne\nmore\n- a\n`), SyntaxError, ": more");
});

Deno.test("whyNot() refuses a text that occurs twice, or not at all, and a change that changes nothing", () => {
  const [mutant] = parseTable("x", "file: a.ts\ntests: a_test.ts\n\nOne\n- a\n+ b\n");
  assertEquals(whyNot(mutant!, "xax"), undefined);
  assertEquals(whyNot(mutant!, "xaxa"), "its text occurs 2 times in a.ts, expected once");
  assertEquals(whyNot(mutant!, "x"), "its text occurs 0 times in a.ts, expected once");
  assertEquals(whyNot({ ...mutant!, becomes: "a" }, "a"), "it changes nothing");
});
