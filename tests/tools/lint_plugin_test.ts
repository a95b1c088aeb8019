import { assertEquals, assertStringIncludes } from "@std/assert";
import plugin from "../../tools/lint_plugin.ts";

const DIRECTION = "supervise/import-direction";
const WRITES = "supervise/only-durable-writes";

function lint(file: string, source: string) {
  return Deno.lint.runPlugin(plugin, file, source);
}

const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ["src/paths.ts", "./errors.ts"],
  ["src/untrusted.ts", "./errors.ts"],
  ["src/untrusted.ts", "node:fs"],
  ["src/durable.ts", "node:fs"],
  ["src/durable.ts", "@std/fs"],
  ["src/queue.ts", "./durable.ts"],
  ["src/queue.ts", "./watch.ts"],
  ["src/queue.ts", "zod"],
  ["src/queue.ts", "node:crypto"],
  ["src/listing.ts", "./queue.ts"],
  ["src/config/routes.ts", "./problem.ts"],
  ["src/config/routes.ts", "../errors.ts"],
  ["src/config/validate.ts", "../proposal.ts"],
  ["src/config/validate.ts", "./routes.ts"],
  ["src/intent.ts", "./audit_append.ts"],
  ["src/decide.ts", "./intent.ts"],
  ["mod.ts", "./src/decide.ts"],
  ["sidecar/main.ts", "./server.ts"],
  ["sidecar/hold.ts", "../mod.ts"],
  ["sidecar/server.ts", "@modelcontextprotocol/server"],
  ["cli/verbs/list.ts", "../../mod.ts"],
  ["cli/verbs/list.ts", "../output.ts"],
  ["cli/verbs/list.ts", "@claude-bottle/supervise"],
  ["cli/verbs/serve.ts", "node:fs"],
  ["cli/main.ts", "../sidecar/main.ts"],
  ["cli/main.ts", "../deno.json"],
  ["bench/hold.ts", "@modelcontextprotocol/client"],
  ["bench/reads.ts", "../src/untrusted.ts"],
  ["tests/src/queue_test.ts", "../../src/queue.ts"],
  ["tests/sidecar/server_test.ts", "../../sidecar/server.ts"],
  ["tests/sidecar/server_test.ts", "@modelcontextprotocol/sdk/client"],
  ["demo/agent.ts", "npm:@modelcontextprotocol/client@2"],
  ["tools/check.ts", "../src/queue.ts"],
  ["links/std/assert/mod.ts", "./equal.ts"],
];

const FORBIDDEN: readonly (readonly [
  file: string,
  specifier: string,
  named: string,
  wayOut: string,
])[] = [
  ["src/errors.ts", "./paths.ts", "src/paths.ts", "move what both need to a lower one"],
  ["src/paths.ts", "./queue.ts", "src/queue.ts", "move what both need to a lower one"],
  ["src/queue.ts", "./decide.ts", "src/decide.ts", "pass it in"],
  ["src/queue.ts", "../src/decide.ts", "src/decide.ts", "pass it in"],
  ["src/queue.ts", "./find.ts", "src/find.ts", "SAME_FLOOR"],
  ["src/durable.ts", "./untrusted.ts", "src/untrusted.ts", "SAME_FLOOR"],
  ["src/diff.ts", "./visible.ts", "src/visible.ts", "SAME_FLOOR"],
  ["src/chain.ts", "./config/routes.ts", "src/config/routes.ts", "SAME_FLOOR"],
  ["src/config/routes.ts", "../paths.ts", "src/paths.ts", "a lower one"],
  ["src/config/routes.ts", "../diff.ts", "src/diff.ts", "SAME_FLOOR"],
  ["src/config/routes.ts", "./validate.ts", "src/config/validate.ts", "pass it in"],
  ["src/config/routes.ts", "../proposal.ts", "src/proposal.ts", "pass it in"],
  ["src/intent.ts", "./decide.ts", "src/decide.ts", "pass it in"],
  ["src/queue.ts", "../mod.ts", "mod.ts", "pass it in as an argument"],
  ["src/queue.ts", "@claude-bottle/supervise", "mod.ts", "pass it in as an argument"],
  ["src/decide.ts", "../appliers/routes.ts", "appliers/routes.ts", "pass it in as an argument"],
  ["src/decide.ts", "../tests/support/dir.ts", "tests/support/dir.ts", "pass it in as an argument"],
  ["src/queue.ts", "node:fs", "node:fs", "through src/durable.ts"],
  ["src/queue.ts", "node:fs/promises", "node:fs/promises", "through src/durable.ts"],
  ["src/queue.ts", "@std/fs", "@std/fs", "through src/durable.ts"],
  ["src/queue.ts", "../links/std/fs/mod.ts", "links/std/fs/mod.ts", "by its name"],
  ["tests/x_test.ts", "../links/std/assert/mod.ts", "links/std/assert/mod.ts", "by its name"],
  ["mod.ts", "./sidecar/main.ts", "sidecar/main.ts", "re-exports src/ alone"],
  ["sidecar/hold.ts", "../src/queue.ts", "src/queue.ts", "from mod.ts"],
  ["sidecar/main.ts", "../src/queue.ts", "src/queue.ts", "from mod.ts"],
  ["sidecar/hold.ts", "../cli/output.ts", "cli/output.ts", "have sidecar/main.ts import it"],
  ["cli/verbs/list.ts", "../../sidecar/hold.ts", "sidecar/hold.ts", "have cli/main.ts import it"],
  ["cli/verbs/main.ts", "../../sidecar/hold.ts", "sidecar/hold.ts", "have cli/main.ts import it"],
  ["appliers/routes.ts", "../cli/main.ts", "cli/main.ts", "have appliers/main.ts import it"],
  ["bench/hold.ts", "../tests/support/dir.ts", "tests/support/dir.ts", "its own folder"],
  [
    "sidecar/tools.ts",
    "@modelcontextprotocol/server",
    "@modelcontextprotocol/server",
    "keep MCP in sidecar/server.ts",
  ],
  [
    "src/queue.ts",
    "npm:@modelcontextprotocol/server@2",
    "npm:@modelcontextprotocol/server@2",
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
    `import { decide } from "./decide.ts";`,
    `import type { Decision } from "./decide.ts";`,
    `import * as decide from "./decide.ts";`,
    `export { decide } from "./decide.ts";`,
    `export type { Decision } from "./decide.ts";`,
    `export * from "./decide.ts";`,
    `export * as decide from "./decide.ts";`,
    `await import("./decide.ts");`,
    "await import(`./decide.ts`);",
    `type Decision = import("./decide.ts").Decision;`,
  ];
  for (const form of forms) {
    assertEquals(lint("src/queue.ts", form).map(({ id }) => id), [DIRECTION], form);
  }
});

Deno.test("import-direction leaves exports without a source and computed imports alone", () => {
  const source = `export const a = 1; export { a as b }; await import(a + ".ts");`;
  assertEquals(lint("src/queue.ts", source), []);
});

Deno.test("import-direction judges absolute names like relative ones", () => {
  const file = new URL("../../src/queue.ts", import.meta.url);
  const forbidden = new URL("../../src/decide.ts", import.meta.url).href;
  assertEquals(lint(file.pathname, `import "./errors.ts";`), []);
  for (const specifier of ["./decide.ts", forbidden]) {
    const [found] = lint(file.pathname, `import "${specifier}";`);
    assertStringIncludes(found?.message ?? "", "Cannot import src/decide.ts from src/queue.ts: ");
  }
});

Deno.test("import-direction ignores files outside of the repository", () => {
  assertEquals(lint("/elsewhere/src/queue.ts", `import "./decide.ts"; Deno.mkdirSync("a");`), []);
});

Deno.test("import-direction says what to do about a source file that it does not know", () => {
  const found = lint("src/novelty.ts", `import "./decide.ts";\nexport const a = 1;`);
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
    const found = lint("src/queue.ts", source);
    assertEquals(found.map(({ id }) => id), [WRITES], source);
    const message = found[0]?.message ?? "";
    assertStringIncludes(message, `Cannot use Deno.${name} in src/queue.ts: `);
    assertStringIncludes(
      message,
      "only src/durable.ts and src/durable_log.ts write to disk; call one of",
    );
  }
});

Deno.test("only-durable-writes allows reading, writing in durable.ts, and what is not Deno's", () => {
  const reading =
    `Deno.readFileSync("a"); Deno.watchFs("a"); const { errors } = Deno; a.open("a");`;
  assertEquals(lint("src/untrusted.ts", reading), []);
  const writing = `Deno.openSync("a"); Deno.renameSync("a", "b"); const { linkSync } = Deno;`;
  assertEquals(lint("src/durable.ts", writing), []);
  assertEquals(lint("src/durable_log.ts", writing), []);
  assertEquals(lint("tests/src/queue_test.ts", writing), []);
});
