import { importsOf } from "../../../tools/lint/circles.ts";
import { isFenced } from "../../../tools/lint/floors.ts";
import plugin from "../../../tools/lint_plugin.ts";
import { filesOf } from "../../support/checkout.ts";
import { REPO, run } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";

const DIRECTION = "supervise/import-direction";

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
  ["src/queue/wait.ts", "./files.ts"],
  ["sidecar/tools.ts", "zod"],
  ["src/config/hosts/resemblance.ts", "tldts/dist/index.esm.min.js"],
  ["src/records/codec.ts", "@std/path"],
  ["src/queue/files.ts", "node:crypto"],
  ["src/config/routes/check.ts", "../../records/problem.ts"],
  ["src/config/check.ts", "./routes/check.ts"],
  ["src/decision/journal.ts", "../log/append.ts"],
  ["src/queue.ts", "./queue/files.ts"],
  ["mod.ts", "./src/decision/decide.ts"],
  ["sidecar_mod.ts", "./src/queue/wait.ts"],
  ["sidecar/main.ts", "./server.ts"],
  ["sidecar/main.ts", "../deno.json"],
  ["sidecar/hold.ts", "../sidecar_mod.ts"],
  ["sidecar/server.ts", "@modelcontextprotocol/server"],
  ["cli/verbs/list.ts", "../../mod.ts"],
  ["cli/verbs/list.ts", "../../internal_mod.ts"],
  ["cli/verbs/list.ts", "../operate/decision.ts"],
  ["cli/verbs/decide.ts", "../review/run.ts"],
  ["cli/review/run.ts", "../operate/decision.ts"],
  ["cli/review/run.ts", "./terminal.ts"],
  ["cli/operate/decision.ts", "../render/diff.ts"],
  ["cli/main.ts", "./verbs/list.ts"],
  ["cli/verbs/list.ts", "@claude-bottle/supervise"],
  ["cli/main.ts", "../sidecar/main.ts"],
  ["bench/hold.ts", "@modelcontextprotocol/client"],
  ["bench/reads.ts", "../src/disk/read_untrusted.ts"],
  ["demo/bottle.ts", "../sidecar/settings.ts"],
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
  ["src/disk/layout.ts", "../config/check.ts", "src/config/check.ts", "same floor"],
  ["src/queue/files.ts", "../decision/decide.ts", "src/decision/decide.ts", "pass it in"],
  ["src/queue/files.ts", "../host/memos.ts", "src/host/memos.ts", "same floor"],
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
  ["sidecar_mod.ts", "./src/decision/decide.ts", "src/decision/decide.ts", "src/queue/"],
  ["sidecar_mod.ts", "./src/log/key.ts", "src/log/key.ts", "src/queue/"],
  ["sidecar_mod.ts", "./src/queue.ts", "src/queue.ts", "src/queue/"],
  ["sidecar_mod.ts", "./src/queue/respond.ts", "src/queue/respond.ts", "src/queue/"],
  ["cli/verbs/list.ts", "./show.ts", "cli/verbs/show.ts", "do not import each other"],
  ["cli/review/run.ts", "../verbs/list.ts", "cli/verbs/list.ts", "a lower one"],
  ["cli/operate/batch.ts", "../review/run.ts", "cli/review/run.ts", "a lower one"],
  ["cli/render/diff.ts", "../operate/batch.ts", "cli/operate/batch.ts", "a lower one"],
  ["cli/verbs/list.ts", "../main.ts", "cli/main.ts", "a lower one"],
  [
    "cli/verbs/list.ts",
    "../../src/queue.ts",
    "src/queue.ts",
    "sees mod.ts and internal_mod.ts and read_mod.ts and start_mod.ts and appliers/mod.ts and appliers/presets.ts only",
  ],
  ["demo/agent.ts", "../sidecar/settings.ts", "sidecar/settings.ts", "have demo/main.ts import it"],
  [
    "cli/main.ts",
    "../src/queue.ts",
    "src/queue.ts",
    "sees mod.ts and internal_mod.ts and read_mod.ts and start_mod.ts and appliers/mod.ts and appliers/presets.ts only",
  ],
  ["sidecar/hold.ts", "../cli/output.ts", "cli/output.ts", "have sidecar/main.ts import it"],
  ["cli/verbs/list.ts", "../../sidecar/hold.ts", "sidecar/hold.ts", "have cli/main.ts import it"],
  ["appliers/routes.ts", "../cli/main.ts", "cli/main.ts", "have appliers/main.ts import it"],
  ["bench/hold.ts", "../tests/support/dir.ts", "tests/support/dir.ts", "its own folder"],
  ["cli/main.ts", "node:fs", "node:fs", "through src/disk/"],
  ["sidecar/http.ts", "fs/promises", "fs/promises", "through src/disk/"],
  ["cli/review/run.ts", "@std/fs", "@std/fs", "through src/disk/"],
  ["cli/main.ts", "npm:left-pad@1", "npm:left-pad@1", "say in an ADR why"],
  ["src/queue/files.ts", "node:module", "node:module", "say in an ADR why"],
  ["src/queue/files.ts", "data:text/javascript,1", "data:text/javascript,1", "in an ADR why"],
  ["src/records/codec.ts", "zod", "zod", "through src/records/"],
  ["src/config/allowlist/marks.ts", "tldts", "tldts", "in src/config/hosts/"],
  ["cli/review/terminal.ts", "ink", "ink", "say in an ADR why"],
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

Deno.test.each([
  [`import { decide } from "../decision/decide.ts";`],
  [`import type { Decision } from "../decision/decide.ts";`],
  [`import * as decide from "../decision/decide.ts";`],
  [`export { decide } from "../decision/decide.ts";`],
  [`export type { Decision } from "../decision/decide.ts";`],
  [`export * from "../decision/decide.ts";`],
  [`export * as decide from "../decision/decide.ts";`],
  [`await import("../decision/decide.ts");`],
  ["await import(`../decision/decide.ts`);"],
  [`type Decision = import("../decision/decide.ts").Decision;`],
])("import-direction sees %s", (form) => {
  assertEquals(lint("src/queue/files.ts", form).map(({ id }) => id), [DIRECTION]);
});

Deno.test("import-direction leaves exports without a source alone", () => {
  assertEquals(lint("src/queue/files.ts", `export const a = 1; export { a as b };`), []);
});

Deno.test("import-direction refuses computed imports, but not in tests", () => {
  const source = `await import(a + ".ts");`;
  const [found] = lint("cli/main.ts", source);
  assertStringIncludes(found?.message ?? "", "Cannot import a computed name from cli/main.ts: ");
  assertEquals(lint("tests/cli/main_test.ts", source), []);
});

Deno.test("import-direction judges absolute names like relative ones", () => {
  const file = new URL("../../../src/queue/files.ts", import.meta.url);
  const forbidden = new URL("../../../src/decision/decide.ts", import.meta.url).href;
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

Deno.test.each([["src/novelty.ts"], ["novelty/main.ts"], ["cli/novelty.ts"], ["novelty.ts"]])(
  "import-direction says what to do about a source file that it does not know: %s",
  (file) => {
    const found = lint(file, `import "./decision/decide.ts";\nexport const a = 1;`);
    assertEquals(found.map(({ message }) => message), [
      `Cannot place ${file}: it is on no floor; add it to FLOORS in tools/lint/floors.ts`,
    ]);
  },
);

Deno.test("import-direction refuses an import that closes a circle, and shows the way round", () => {
  const [found] = lint("src/text/characters.ts", `import "./visible.ts";`);
  assertStringIncludes(
    found?.message ?? "",
    "that closes a circle: src/text/characters.ts -> src/text/visible.ts -> src/text/characters.ts;",
  );
  assertEquals(lint("src/text/characters.ts", `import "./hash.ts";`), []);
});

interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

Deno.test("importsOf() finds the imports that Deno finds, in every file within the fences", async () => {
  const files = filesOf().filter((file) => file.endsWith(".ts") && isFenced(file));
  assert(files.length > 80);
  await using dir = await tempDir();
  const all = files.map((file) => `import "${toFileUrl(join(REPO, file))}";\n`);
  await Deno.writeTextFile(dir.at("all.ts"), all.join(""));
  const { out } = await run(Deno.execPath(), [
    ...["info", "--json", "--config", join(REPO, "deno.json"), dir.at("all.ts")],
  ]);
  const root = toFileUrl(REPO).href;
  const inCheckout = (specifier?: string) =>
    specifier?.startsWith(root) ? [specifier.slice(root.length)].filter(isFenced) : [];
  const modules = JSON.parse(out).modules as ModuleInfo[];
  const byDeno = modules.flatMap(({ specifier, dependencies = [] }) =>
    inCheckout(specifier).map((file) => {
      const imports = dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier]);
      return [file, [...new Set(imports.flatMap(inCheckout))].sort()] as const;
    })
  );
  const byText = byDeno.map(([file]) =>
    [file, importsOf(file, Deno.readTextFileSync(join(REPO, file))).sort()] as const
  );
  assertEquals(byText, byDeno);
  assertEquals(byDeno.map(([file]) => file).sort().filter((file) => file.endsWith(".ts")), files);
});
