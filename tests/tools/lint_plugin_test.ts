import plugin from "../../tools/lint_plugin.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const DIRECTION = "supervise/import-direction";

const WRITES = "supervise/only-durable-writes";

function lint(file: string, source: string) {
  return Deno.lint.runPlugin(plugin, file, source);
}

const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ["src/text/visible.ts", "./characters.ts"],
  ["src/records/errors.ts", "../text/quote.ts"],
  ["src/disk/layout.ts", "../records/errors.ts"],
  ["src/disk/read_untrusted.ts", "node:fs"],
  ["src/disk/write.ts", "@std/fs"],
  ["src/queue/files.ts", "../disk/write.ts"],
  ["src/queue/files.ts", "./watch.ts"],
  ["src/queue/files.ts", "zod"],
  ["src/queue/files.ts", "node:crypto"],
  ["src/config/routes/check.ts", "../../records/problem.ts"],
  ["src/config/check.ts", "./routes/check.ts"],
  ["src/decision/journal.ts", "../log/append.ts"],
  ["src/queue.ts", "./queue/files.ts"],
  ["mod.ts", "./src/decision/decide.ts"],
  ["sidecar_mod.ts", "./src/queue.ts"],
  ["sidecar/main.ts", "./server.ts"],
  ["sidecar/main.ts", "../deno.json"],
  ["sidecar/hold.ts", "../sidecar_mod.ts"],
  ["sidecar/server.ts", "@modelcontextprotocol/server"],
  ["cli/verbs/list.ts", "../../mod.ts"],
  ["cli/verbs/list.ts", "../../internal_mod.ts"],
  ["cli/verbs/list.ts", "../output.ts"],
  ["cli/verbs/list.ts", "@claude-bottle/supervise"],
  ["cli/main.ts", "../sidecar/main.ts"],
  ["bench/hold.ts", "@modelcontextprotocol/client"],
  ["bench/reads.ts", "../src/disk/read_untrusted.ts"],
  ["tests/queue/files_test.ts", "../../src/queue/files.ts"],
  ["tests/sidecar/server_test.ts", "@modelcontextprotocol/sdk/client"],
  ["demo/agent.ts", "npm:@modelcontextprotocol/client@2"],
  ["links/std/assert/mod.ts", "./equal.ts"],
];

const FORBIDDEN: readonly (readonly [
  file: string,
  specifier: string,
  named: string,
  wayOut: string,
])[] = [
  ["src/text/json.ts", "../records/errors.ts", "src/records/errors.ts", "a lower one"],
  ["src/records/errors.ts", "../disk/layout.ts", "src/disk/layout.ts", "a lower one"],
  ["src/disk/layout.ts", "../queue/files.ts", "src/queue/files.ts", "pass it in"],
  ["src/disk/layout.ts", "../config/check.ts", "src/config/check.ts", "SAME_FLOOR"],
  ["src/queue/files.ts", "../decision/decide.ts", "src/decision/decide.ts", "pass it in"],
  ["src/queue/files.ts", "../host/memos.ts", "src/host/memos.ts", "SAME_FLOOR"],
  ["src/log/chain.ts", "../queue.ts", "src/queue.ts", "a lower one"],
  ["src/queue/files.ts", "../../mod.ts", "mod.ts", "pass it in as an argument"],
  ["src/queue/files.ts", "@claude-bottle/supervise", "mod.ts", "pass it in as an argument"],
  ["src/decision/decide.ts", "../../appliers/a.ts", "appliers/a.ts", "pass it in as an argument"],
  ["src/queue/files.ts", "node:fs", "node:fs", "through src/disk/"],
  ["src/queue/files.ts", "node:fs/promises", "node:fs/promises", "through src/disk/"],
  ["src/queue/files.ts", "@std/fs", "@std/fs", "through src/disk/"],
  ["src/queue/files.ts", "../../links/std/fs/mod.ts", "links/std/fs/mod.ts", "by its name"],
  ["tests/x_test.ts", "../links/std/assert/mod.ts", "links/std/assert/mod.ts", "by its name"],
  ["mod.ts", "./sidecar/main.ts", "sidecar/main.ts", "re-exports src/ alone"],
  ["sidecar/hold.ts", "../src/queue.ts", "src/queue.ts", "sees sidecar_mod.ts only"],
  ["sidecar/hold.ts", "../mod.ts", "mod.ts", "sees sidecar_mod.ts only"],
  ["sidecar/main.ts", "../internal_mod.ts", "internal_mod.ts", "sees sidecar_mod.ts only"],
  ["cli/main.ts", "../src/queue.ts", "src/queue.ts", "sees mod.ts and internal_mod.ts only"],
  ["sidecar/hold.ts", "../cli/output.ts", "cli/output.ts", "have sidecar/main.ts import it"],
  ["cli/verbs/list.ts", "../../sidecar/hold.ts", "sidecar/hold.ts", "have cli/main.ts import it"],
  ["appliers/routes.ts", "../cli/main.ts", "cli/main.ts", "have appliers/main.ts import it"],
  ["bench/hold.ts", "../tests/support/dir.ts", "tests/support/dir.ts", "its own folder"],
  [
    "sidecar/tools.ts",
    "@modelcontextprotocol/server",
    "@modelcontextprotocol/server",
    "keep MCP in sidecar/server.ts",
  ],
];

Deno.test.each(ALLOWED)("import-direction lets %s import %s", (file, specifier) => {
  assertEquals(lint(file, `import "${specifier}";`), []);
});

Deno.test.each(FORBIDDEN)(
  "import-direction refuses that %s imports %s, naming both files and the way out",
  (file, specifier, named, wayOut) => {
    const found = lint(file, `import "${specifier}";`);
    assertEquals(found.map(({ id }) => id), [DIRECTION]);
    const message = found[0]?.message ?? "";
    assertStringIncludes(message, `Cannot import ${named} from ${file}: `);
    assertStringIncludes(message, wayOut);
  },
);

Deno.test("import-direction sees every form of import", () => {
  const forms = [
    `import { decide } from "../decision/decide.ts";`,
    `import type { Decision } from "../decision/decide.ts";`,
    `import * as decide from "../decision/decide.ts";`,
    `export { decide } from "../decision/decide.ts";`,
    `export type { Decision } from "../decision/decide.ts";`,
    `export * from "../decision/decide.ts";`,
    `export * as decide from "../decision/decide.ts";`,
    `await import("../decision/decide.ts");`,
    "await import(`../decision/decide.ts`);",
    `type Decision = import("../decision/decide.ts").Decision;`,
  ];
  for (const form of forms) {
    assertEquals(lint("src/queue/files.ts", form).map(({ id }) => id), [DIRECTION], form);
  }
});

Deno.test("import-direction leaves exports without a source and computed imports alone", () => {
  const source = `export const a = 1; export { a as b }; await import(a + ".ts");`;
  assertEquals(lint("src/queue/files.ts", source), []);
});

Deno.test("import-direction judges absolute names like relative ones", () => {
  const file = new URL("../../src/queue/files.ts", import.meta.url);
  const forbidden = new URL("../../src/decision/decide.ts", import.meta.url).href;
  assertEquals(lint(file.pathname, `import "../records/errors.ts";`), []);
  for (const specifier of ["../decision/decide.ts", forbidden]) {
    const [found] = lint(file.pathname, `import "${specifier}";`);
    assertStringIncludes(
      found?.message ?? "",
      "Cannot import src/decision/decide.ts from src/queue/files.ts: ",
    );
  }
});

Deno.test("import-direction ignores files outside of the repository", () => {
  assertEquals(
    lint("/elsewhere/src/queue.ts", `import "../decision/decide.ts"; Deno.mkdirSync("a");`),
    [],
  );
});

Deno.test("import-direction says what to do about a source file that it does not know", () => {
  const found = lint("src/novelty.ts", `import "./decision/decide.ts";\nexport const a = 1;`);
  assertEquals(found.map(({ message }) => message), [
    "Cannot place src/novelty.ts: it is on no floor; add it to LAYERS in tools/lint_plugin.ts",
  ]);
});

Deno.test("only-durable-writes refuses each way to write in src/", () => {
  const forms: readonly (readonly [source: string, name: string])[] = [
    [`Deno.openSync("a");`, "openSync"],
    [`await Deno.open("a");`, "open"],
    [`Deno.writeTextFileSync("a", "");`, "writeTextFileSync"],
    [`await Deno.writeFile("a", b);`, "writeFile"],
    [`Deno.renameSync("a", "b");`, "renameSync"],
    [`Deno.linkSync("a", "b");`, "linkSync"],
    [`await Deno.remove("a");`, "remove"],
    [`Deno.mkdirSync("a");`, "mkdirSync"],
    [`Deno.truncateSync("a");`, "truncateSync"],
    [`Deno.makeTempDirSync();`, "makeTempDirSync"],
    [`Deno["mkdirSync"]("a");`, "mkdirSync"],
    [`globalThis.Deno.mkdirSync("a");`, "mkdirSync"],
    [`Deno?.mkdirSync("a");`, "mkdirSync"],
    [`[].map(Deno.mkdirSync);`, "mkdirSync"],
    [`const { mkdirSync: make } = Deno;`, "mkdirSync"],
  ];
  for (const [source, name] of forms) {
    const found = lint("src/queue/files.ts", source);
    assertEquals(found.map(({ id }) => id), [WRITES], source);
    const message = found[0]?.message ?? "";
    assertStringIncludes(message, `Cannot use Deno.${name} in src/queue/files.ts: `);
    assertStringIncludes(
      message,
      "only src/disk/write.ts and src/disk/lock.ts write to disk; call one of",
    );
  }
});

Deno.test("only-durable-writes allows reading, writing in durable.ts, and what is not Deno's", () => {
  const reading =
    `Deno.readFileSync("a"); Deno.watchFs("a"); const { errors } = Deno; a.open("a");`;
  assertEquals(lint("src/disk/read_untrusted.ts", reading), []);
  const writing = `Deno.openSync("a"); Deno.renameSync("a", "b"); const { linkSync } = Deno;`;
  assertEquals(lint("src/disk/write.ts", writing), []);
  assertEquals(lint("src/disk/lock.ts", writing), []);
  assertEquals(lint("tests/src/queue_test.ts", writing), []);
});
