import { flagsOf, VERB_NAMES } from "../../../cli/command/flags.ts";
import { REPO, run } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

Deno.test("docs/FORMAT.md says of each verb that takes --json what it prints, and of no other", async () => {
  const text = await Deno.readTextFile(join(REPO, "docs", "FORMAT.md"));
  const [, table = ""] = /\n\| Verb +\| Object[^\n]*\n\|[-| ]+\n([^]*?)\n\n/.exec(text) ?? [];
  const cells = table.split("\n").map((row) => row.split("|")[1]!);
  const listed = new Set(
    cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, verb]) => verb)),
  );
  const taking = VERB_NAMES.filter((name) => flagsOf(name).includes("json"));
  assertEquals([...listed].toSorted(), taking.toSorted());
});

Deno.test.each([["review"], ["audit export"], ["completions bash"], ["launcher"], ["help"]])(
  "%s refuses --json",
  async (verb) => {
    await using dir = await tempDir();
    const words = [...verb.split(" "), "--json", "--root", dir.path];
    const args = ["run", "-A", "--quiet", "cli/main.ts", ...words];
    const { code, out } = await run(Deno.execPath(), args, { cwd: REPO });
    assertEquals(code, 2);
    assertMatch(out, /^\{"version":1,"error":\{"code":"usage"/);
  },
);
