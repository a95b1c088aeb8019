import { REPO } from "./support/run.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

/** A test that the threat model refers to. */
interface Reference {
  readonly file: string;
  readonly name: string;
}

/** The references `tests/x_test.ts` "a name", "another", wherever lines were broken. */
function referencesIn(text: string): Reference[] {
  const cited = text.replace(/\s+/g, " ").matchAll(
    /`(tests\/[\w/]+_test\.ts)`((?:,? "[^"]+")+)/g,
  );
  return [...cited].flatMap(([, file, names]) =>
    [...names!.matchAll(/"([^"]+)"/g)].map(([, name]) => ({ file: file!, name: name! }))
  );
}

/** The names of a file's tests, with `…` for what is filled in. */
function testsIn(file: string): string[] {
  const source = Deno.readTextFileSync(join(REPO, file));
  return [...source.matchAll(/Deno\.test\(\s*(["`])(.+?)\1/g)]
    .map(([, , name]) => name!.replace(/\$\{[^}]*\}/g, "…"));
}

const MODEL = await Deno.readTextFile(join(REPO, "docs/threat-model.md"));

Deno.test("the threat model refers to tests that there are", () => {
  const references = referencesIn(MODEL);
  assert(references.length > 40);
  const missing = references.filter(({ file, name }) => !testsIn(file).includes(name));
  assertEquals(missing, []);
});

Deno.test("the threat model refers to files that there are", () => {
  const files = [...MODEL.matchAll(/`((?:src|cli|sidecar|tests)\/[\w/]+(?:\.ts|\/))`/g)]
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

Deno.test("the threat model says of each threat what shows that it is met", () => {
  const threats = MODEL.split(/^\*\*(?=[ABCL]\d+\.)/m).slice(1)
    .map((threat) => threat.split(/^## /m)[0]!.replace(/\s+/g, " "));
  assert(threats.length > 20);
  const silent = threats.filter((threat) => !/_[Ss]hown by_ (?:`tests\/|TODO)/.test(threat));
  assertEquals(silent.map((threat) => threat.slice(0, 60)), []);
});
