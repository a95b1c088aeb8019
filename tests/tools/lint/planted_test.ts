/**
 * Plants breaches in a copy of the checkout, runs the command that CI runs, and reads what it says.
 *
 * @module
 */

import { isFenced } from "../../../tools/lint/floors.ts";
import { copyFiles, filesOf } from "../../support/checkout.ts";
import { REPO, run } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

interface Breach {
  /** What the test is called after. */
  readonly name: string;
  /** The file that is changed, or made. */
  readonly file: string;
  /** What is written behind what is in it. */
  readonly code: string;
  /** How the message begins that has to come. */
  readonly message: string;
}

const BREACHES: readonly Breach[] = [
  {
    name: "an import from a higher floor",
    file: "src/records/head.ts",
    code: `export { decide } from "../decision/decide.ts";`,
    message: "Cannot import src/decision/decide.ts from src/records/head.ts: it is on a higher",
  },
  {
    name: "an import of a program in src/",
    file: "src/host/memos.ts",
    code: `export { main } from "../../cli/main.ts";`,
    message: "Cannot import cli/main.ts from src/host/memos.ts: src/ imports nothing above it",
  },
  {
    name: "a folder that is on no floor",
    file: "src/novelty/first.ts",
    code: `export const first = 1;`,
    message: "Cannot place src/novelty/first.ts: it is on no floor",
  },
  {
    name: "a circle of two files in a folder",
    file: "src/text/characters.ts",
    code: `export { visible } from "./visible.ts";`,
    message:
      "Cannot import src/text/visible.ts from src/text/characters.ts: that closes a circle: ",
  },
  {
    name: "a circle of three files in tests/, where no floors are",
    file: "tests/circle_1.ts",
    code: `export { circle } from "./circle_2.ts";`,
    message: "Cannot import tests/circle_2.ts from tests/circle_1.ts: that closes a circle: " +
      "tests/circle_1.ts -> tests/circle_2.ts -> tests/circle_3.ts -> tests/circle_1.ts",
  },
  {
    name: "a circle through an import of types",
    file: "tests/circle_2.ts",
    code: `import type { C } from "./circle_3.ts"; export type circle = C;`,
    message: "Cannot import tests/circle_3.ts from tests/circle_2.ts: that closes a circle: ",
  },
  {
    name: "a circle through an import that runs later",
    file: "tests/circle_3.ts",
    code: `export type C = 1; export const later = () => import("./circle_1.ts");`,
    message: "Cannot import tests/circle_1.ts from tests/circle_3.ts: that closes a circle: ",
  },
  {
    name: "a write in cli/",
    file: "cli/render/style.ts",
    code: `export const breach = () => Deno.writeTextFileSync("a", "");`,
    message:
      "Cannot use Deno.writeTextFileSync in cli/render/style.ts: file calls are in src/disk/",
  },
  {
    name: "a read in src/queue/",
    file: "src/queue/find.ts",
    code: `export const breach = Deno.readTextFileSync("a");`,
    message: "Cannot use Deno.readTextFileSync in src/queue/find.ts: file calls are in src/disk/",
  },
  {
    name: "a file call in the sidecar",
    file: "sidecar/hold.ts",
    code: `export const breach = () => Deno.watchFs("/");`,
    message: "Cannot use Deno.watchFs in sidecar/hold.ts: file calls are in src/disk/",
  },
  {
    name: "a file call under another name",
    file: "src/log/chain.ts",
    code: `const files = Deno; export const breach = () => files.removeSync("a");`,
    message: "Cannot use Deno in src/log/chain.ts: its members have to be named",
  },
  {
    name: "a write in src/disk/ outside of the files that write",
    file: "src/disk/read_untrusted.ts",
    code: `export const breach = () => Deno.renameSync("a", "b");`,
    message: "Cannot use Deno.renameSync in src/disk/read_untrusted.ts: only src/disk/write.ts, ",
  },
  {
    name: "Node's file calls in cli/",
    file: "cli/verbs/show.ts",
    code: `export { readFileSync } from "node:fs";`,
    message: "Cannot import node:fs from cli/verbs/show.ts: only src/disk/",
  },
  {
    name: "a package for file calls in src/host/",
    file: "src/host/config_files.ts",
    code: `export { ensureDir } from "@std/fs";`,
    message: "Cannot import @std/fs from src/host/config_files.ts: only src/disk/",
  },
  {
    name: "decide in the sidecar, by its file",
    file: "sidecar/tools.ts",
    code: `export { decide } from "../src/decision/decide.ts";`,
    message:
      "Cannot import src/decision/decide.ts from sidecar/tools.ts: sidecar/ sees sidecar_mod.ts",
  },
  {
    name: "decide in the sidecar, by the public API",
    file: "sidecar/server.ts",
    code: `export { decide } from "../mod.ts";`,
    message: "Cannot import mod.ts from sidecar/server.ts: sidecar/ sees sidecar_mod.ts only",
  },
  {
    name: "decide in the sidecar, by the package's own name",
    file: "sidecar/settings.ts",
    code: `export { decide } from "@claude-bottle/supervise";`,
    message: "Cannot import mod.ts from sidecar/settings.ts: sidecar/ sees sidecar_mod.ts only",
  },
  {
    name: "the signing key in the sidecar",
    file: "sidecar/main.ts",
    code: `export { ensureSigningKey } from "../internal_mod.ts";`,
    message:
      "Cannot import internal_mod.ts from sidecar/main.ts: sidecar/ sees sidecar_mod.ts only",
  },
  {
    name: "the signing key in what the sidecar sees",
    file: "sidecar_mod.ts",
    code: `export { ensureSigningKey } from "./src/log/key.ts";`,
    message: "Cannot import src/log/key.ts from sidecar_mod.ts: sidecar_mod.ts sees src/text/",
  },
  {
    name: "a verb in a verb",
    file: "cli/verbs/list.ts",
    code: `export * from "./watch.ts";`,
    message:
      "Cannot import cli/verbs/watch.ts from cli/verbs/list.ts: the files of cli/verbs/ do not",
  },
  {
    name: "a verb on the screen",
    file: "cli/review/app.ts",
    code: `export * from "../verbs/list.ts";`,
    message: "Cannot import cli/verbs/list.ts from cli/review/app.ts: it is on a higher floor",
  },
  {
    name: "the screen in what verbs and screen share",
    file: "cli/operate/batch.ts",
    code: `export * from "../review/app.ts";`,
    message: "Cannot import cli/review/app.ts from cli/operate/batch.ts: it is on a higher floor",
  },
  {
    name: "a file of src/ in a verb",
    file: "cli/verbs/audit.ts",
    code: `export { sealLine } from "../../src/log/chain.ts";`,
    message: "Cannot import src/log/chain.ts from cli/verbs/audit.ts: cli/ sees mod.ts and",
  },
  {
    name: "MCP outside of the sidecar's server",
    file: "sidecar/http.ts",
    code: `export { McpServer } from "@modelcontextprotocol/server";`,
    message:
      "Cannot import @modelcontextprotocol/server from sidecar/http.ts: only sidecar/server.ts",
  },
  {
    name: "a package that nobody listed",
    file: "cli/notify/message.ts",
    code: `export { get } from "node:https";`,
    message: "Cannot import node:https from cli/notify/message.ts: only listed packages may",
  },
  {
    name: "a test that measures time",
    file: "tests/planted_test.ts",
    code: `const start = performance.now(); assert(performance.now() - start < 1_000);`,
    message: "Cannot call performance.now() in tests/planted_test.ts: a busy machine makes such a",
  },
  {
    name: "a property that passes over cases and counts none",
    file: "tests/planted_test.ts",
    code: `fc.property(fc.nat(), (n) => { if (n > 0) return; assert(n === 0); });`,
    message: "Cannot pass over cases in tests/planted_test.ts: it holds if every case returns",
  },
  {
    name: "a test that changes a variable of the whole process",
    file: "tests/planted_test.ts",
    code: `Deno.env.set("HOME", "/");`,
    message:
      "Cannot call Deno.env.set() in tests/planted_test.ts: other tests run at the same time",
  },
  {
    name: "a test that changes the user of the whole process",
    file: "tests/planted_test.ts",
    code: `process.seteuid!(65_534);`,
    message:
      "Cannot call process.seteuid() in tests/planted_test.ts: other tests run at the same time",
  },
  {
    name: "an import that no rule can check",
    file: "cli/main.ts",
    code: `export const load = (name: string) => import(name);`,
    message: "Cannot import a computed name from cli/main.ts: no rule can be checked for it",
  },
];

interface Report {
  readonly diagnostics: readonly { readonly filename: string; readonly message: string }[];
}

/** What the command says of a copy of the checkout in which all of them are planted at once. */
async function lintPlanted(): Promise<{ readonly code: number; readonly said: readonly string[] }> {
  await using dir = await tempDir();
  const outside = ["docs/", "tests/"];
  copyFiles(filesOf().filter((file) => !outside.some((o) => file.startsWith(o))), dir.path);
  for (const { file, code } of BREACHES) {
    await Deno.mkdir(dir.at(file, ".."), { recursive: true });
    await Deno.writeTextFile(dir.at(file), `\n${code}\n`, { append: true, create: true });
  }
  const { code, out } = await run(Deno.execPath(), ["lint", "--json"], { cwd: dir.path });
  const { diagnostics } = JSON.parse(out) as Report;
  return { code, said: diagnostics.map(({ message }) => message) };
}

const { code, said } = await lintPlanted();

Deno.test("deno lint fails for a checkout with planted breaches", () => {
  assertEquals(code, 1);
});

Deno.test.each(BREACHES.map((breach) => [breach.name, breach] as const))(
  "deno lint names %s",
  (_, { message }) => {
    assert(said.some((line) => line.startsWith(message)), [message, ...said].join("\n"));
  },
);

Deno.test("no file within the fences tells deno lint to pass over them", () => {
  const silenced = filesOf().filter((file) => file.endsWith(".ts") && isFenced(file)).filter(
    (file) => /deno-lint-ignore(-file|.*supervise\/)/.test(Deno.readTextFileSync(join(REPO, file))),
  );
  assertEquals(silenced, []);
});
