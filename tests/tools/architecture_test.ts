import { FLOORS } from "../../tools/lint/floors.ts";
import { filesOf } from "../support/checkout.ts";
import { REPO } from "../support/run.ts";
import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";

const TEXT = await Deno.readTextFile(join(REPO, "ARCHITECTURE.md"));

/** The block of code below a heading, line by line. */
function blockBelow(heading: string): readonly string[] {
  const block = TEXT.split(`\n## ${heading}\n`)[1]?.split("\n```\n")[1];
  assert(block !== undefined, heading);
  return block.split("\n");
}

function isThere(name: string, files: readonly string[]): boolean {
  const folder = name.replace(/\/?$/, "/");
  return files.some((file) => file === name || file.startsWith(folder));
}

const isSource = (file: string) => /^(src|sidecar|cli)\/.*\.(ts|sh)$|^[^/]+\.ts$/.test(file);

Deno.test("ARCHITECTURE.md names each folder of the source, and no other", () => {
  const named = blockBelow("The tree").map((line) => line.split(/\s+/)[0]!);
  const files = filesOf();
  const missing = files.filter(isSource)
    .filter((file) => !named.includes(file) && !named.includes(`${dirname(file)}/`));
  // The doors of folders of the same name.
  assertEquals(missing, ["src/audit.ts", "src/diff.ts", "src/queue.ts"]);
  const gone = named.filter((name) =>
    !files.some((file) => file === name || file.startsWith(name))
  );
  assertEquals(gone, []);
});

Deno.test("ARCHITECTURE.md shows the floors that deno lint keeps", () => {
  const shown = blockBelow("Who imports whom").map((line) => line.split(/\s+/)).toReversed();
  assertEquals(shown, FLOORS);
});

Deno.test("ARCHITECTURE.md refers to files and folders that there are", () => {
  const files = filesOf();
  const named = [...TEXT.matchAll(/[`(]((?:src|cli|sidecar|tests|tools|docs)\/[\w/.-]*)[`)]/g)]
    .map(([, name]) => name!);
  assert(named.length > 40);
  assertEquals(named.filter((name) => !isThere(name, files)), []);
});

Deno.test("deno task check lints the documentation of each entry that is published", async () => {
  const { exports, tasks } = JSON.parse(await Deno.readTextFile(join(REPO, "deno.json")));
  const linted = tasks.check.command.split(" deno doc --lint ")[1]?.split(" ");
  assertEquals(linted, Object.values(exports).map((file) => String(file).replace("./", "")));
});
