import { REPO, run } from "../../support/run.ts";
import { assert, assertEquals } from "@std/assert";
import { toFileUrl } from "@std/path";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string };
  }[];
}

/** What a file imports with `import defer`: it runs when it is used first. */
function deferredIn(file: URL): readonly string[] {
  const imports = Deno.readTextFileSync(file).matchAll(
    /^import defer \* as \w+ from "([^"]+)";$/gm,
  );
  return Array.from(imports, ([, specifier]) => specifier!);
}

/** What a file runs at once: files of the checkout by their path, packages and Node's modules. */
async function loadedAtOnce(...entries: readonly string[]): Promise<Set<string>> {
  const root = toFileUrl(REPO).href.replace(/\/?$/, "/");
  const { code, out, err } = await run("deno", ["info", "--json", "cli/main.ts"], { cwd: REPO });
  assertEquals(code, 0, err);
  const modules = new Map<string, Module>(
    (JSON.parse(out).modules as Module[]).map((module) => [module.specifier, module]),
  );
  const found = new Set<string>();
  const visit = (specifier: string) => {
    const name = specifier.startsWith(root) ? specifier.slice(root.length) : specifier;
    if (found.has(name)) return;
    found.add(name);
    const deferred = specifier.startsWith(root) ? deferredIn(new URL(specifier)) : [];
    for (
      const { specifier: written, isDynamic, code } of modules.get(specifier)?.dependencies ?? []
    ) {
      if (isDynamic === true || deferred.includes(written)) continue;
      if (code?.specifier !== undefined) visit(code.specifier);
    }
  };
  for (const entry of entries) visit(root + entry);
  return found;
}

Deno.test("main() loads no package and no module of Node's before it runs a verb", async () => {
  const loaded = await loadedAtOnce("cli/main.ts");
  assert(loaded.has("src/records/names.ts"));
  assertEquals([...loaded].filter((name) => /^(npm|node|jsr|https?):/.test(name)), []);
});

Deno.test("list loads nothing that decides, records or makes a diff", async () => {
  const loaded = await loadedAtOnce("cli/command/context.ts", "cli/verbs/list.ts");
  assert(loaded.has("src/decision/overview.ts"));
  const needless =
    /^src\/(log\/append|text\/diff|decision\/(decide|journal|inspect))\.ts$|^npm:\/?diff@/;
  assertEquals([...loaded].filter((name) => needless.test(name)), []);
  // The verbs that decide do load it.
  assert((await loadedAtOnce("cli/verbs/decide.ts")).has("src/decision/decide.ts"));
});
