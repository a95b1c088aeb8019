import plugin from "../../../tools/lint_plugin.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const RULE = "supervise/file-calls-in-disk";

function lint(file: string, source: string) {
  return Deno.lint.runPlugin(plugin, file, source);
}

/** One file of each folder that may not touch files. */
const OUTSIDE: readonly string[] = [
  "mod.ts",
  "src/text/hash.ts",
  "src/records/codec.ts",
  "src/config/check.ts",
  "src/queue/find.ts",
  "src/host/memos.ts",
  "src/log/entries.ts",
  "src/decision/decide.ts",
  "sidecar/hold.ts",
  "cli/main.ts",
  "cli/command/flags.ts",
  "cli/render/diff.ts",
  "cli/operate/batch.ts",
  "cli/notify/outbox.ts",
  "cli/doctor/machine.ts",
  "cli/review/app.ts",
  "cli/verbs/show.ts",
  "appliers/routes.ts",
];

/** Ways to write, and the member of `Deno` that is named. */
const WRITES: readonly (readonly [source: string, name: string])[] = [
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
  ["Deno[`mkdirSync`](`a`);", "mkdirSync"],
  [`Deno?.mkdirSync("a");`, "mkdirSync"],
  [`[].map(Deno.mkdirSync);`, "mkdirSync"],
  [`const { mkdirSync: make } = Deno;`, "mkdirSync"],
  [`const { ["mkdirSync"]: make } = Deno;`, "mkdirSync"],
];

/** Ways to read, and the member of `Deno` that is named. */
const READS: readonly (readonly [source: string, name: string])[] = [
  [`Deno.readTextFileSync("a");`, "readTextFileSync"],
  [`await Deno.readFile("a");`, "readFile"],
  [`Deno.statSync("a");`, "statSync"],
  [`Deno.lstatSync("a");`, "lstatSync"],
  [`for (const entry of Deno.readDirSync("a")) use(entry);`, "readDirSync"],
  [`Deno.realPathSync("a");`, "realPathSync"],
  [`Deno.readLinkSync("a");`, "readLinkSync"],
  [`Deno.watchFs("a");`, "watchFs"],
  [`const { readFileSync } = Deno;`, "readFileSync"],
];

/** Members that nobody has listed: one that Deno has, and one that it may get some day. */
const UNKNOWN: readonly (readonly [source: string, name: string])[] = [
  [`Deno.dlopen("a", {});`, "dlopen"],
  [`await Deno.openKv("a");`, "openKv"],
  [`Deno.someFutureFileCall("a");`, "someFutureFileCall"],
];

Deno.test.each([...WRITES, ...READS, ...UNKNOWN])(
  "file-calls-in-disk refuses %s outside of src/disk/, and names %s",
  (source, name) => {
    for (const file of OUTSIDE) {
      const found = lint(file, source);
      assertEquals(found.map(({ id }) => id), [RULE], file);
      assertStringIncludes(
        found[0]!.message,
        `Cannot use Deno.${name} in ${file}: file calls are in src/disk/; call one of`,
      );
    }
  },
);

/** Ways to get hold of `Deno`, or of files, without naming a member; and the name that is reported. */
const HIDDEN: readonly (readonly [source: string, name: string])[] = [
  [`const files = Deno; files.mkdirSync("a");`, "Deno"],
  [`Deno[name]("a");`, "Deno"],
  [`const { ...rest } = Deno;`, "Deno"],
  [`const { [name]: call } = Deno;`, "Deno"],
  [`use(Deno);`, "Deno"],
  [`(Deno as unknown as Files).mkdirSync("a");`, "Deno"],
  [`(Deno satisfies object).mkdirSync("a");`, "Deno"],
  [`Deno!.mkdirSync("a");`, "Deno"],
  [`(<Files> Deno).mkdirSync("a");`, "Deno"],
  [`(0, Deno).mkdirSync("a");`, "Deno"],
  [`const { mkdirSync } = Deno as Files;`, "Deno"],
  [`(fetch as Get)("file:///a");`, "fetch"],
  [`export default Deno;`, "Deno"],
  [`class Files { static all = Deno; }`, "Deno"],
  [`const all = { Deno };`, "Deno"],
  [`export { Deno };`, "Deno"],
  [`let files; files = Deno;`, "Deno"],
  [`function f(files = Deno) {}`, "Deno"],
  [`globalThis.Deno.mkdirSync("a");`, "globalThis"],
  [`globalThis["Deno"].mkdirSync("a");`, "globalThis"],
  [`globalThis[name].mkdirSync("a");`, "globalThis"],
  [`const { Deno: files } = globalThis;`, "globalThis"],
  [`Reflect.get(globalThis, "Deno");`, "globalThis"],
  [`self.Deno.mkdirSync("a");`, "self"],
  [`global.Deno.mkdirSync("a");`, "global"],
  [`process.getBuiltinModule("fs");`, "process"],
  [`await fetch("file:///a");`, "fetch"],
  [`new Worker("data:text/javascript,1");`, "Worker"],
  [`eval("De" + "no");`, "eval"],
  [`new Function("return De" + "no")();`, "Function"],
  [`localStorage.setItem("a", "b");`, "localStorage"],
  [`await caches.open("a");`, "caches"],
];

Deno.test.each(HIDDEN)("file-calls-in-disk refuses %s, and names %s", (source, name) => {
  for (const file of ["src/queue/find.ts", "cli/main.ts", "sidecar/hold.ts"]) {
    const found = lint(file, source);
    assertEquals([...new Set(found.map(({ id }) => id))], [RULE], file);
    assert(found.some(({ message }) => message.startsWith(`Cannot use ${name} in ${file}: `)));
  }
});

Deno.test.each([
  `const { errors } = Deno; throw new Deno.errors.NotFound("a");`,
  `a.open("a"); a.Deno; a.fetch; const b = { process: 1, fetch() {} }; b.process;`,
  `let file: Deno.FsFile; type Open = typeof Deno.open; interface Storage { process: string }`,
  `globalThis.addEventListener("error", listener); globalThis["structuredClone"](a);`,
  `export { process as fetch } from "./settings.ts";`,
])("file-calls-in-disk allows %s", (source) => {
  const kept = lint("src/queue/find.ts", source).filter(({ id }) => id === RULE);
  assertEquals(kept, []);
});

Deno.test("file-calls-in-disk allows reading in src/disk/, and writing in its writers alone", () => {
  for (const [source] of READS) assertEquals(lint("src/disk/read_own.ts", source), [], source);
  for (const [source, name] of WRITES) {
    const found = lint("src/disk/read_untrusted.ts", source);
    assertEquals(found.map(({ id }) => id), [RULE], source);
    assertStringIncludes(
      found[0]!.message,
      `Cannot use Deno.${name} in src/disk/read_untrusted.ts: ` +
        "only src/disk/write.ts, src/disk/write_together.ts, src/disk/lock.ts write to disk; call one of",
    );
    assertEquals(lint("src/disk/write.ts", source), [], source);
    assertEquals(lint("src/disk/lock.ts", source), [], source);
  }
});

Deno.test("file-calls-in-disk leaves programs alone that handle throw-away folders", () => {
  for (const file of ["bench/reads.ts", "demo/main.ts", "tests/src/queue_test.ts", "tools/a.ts"]) {
    for (const [source] of WRITES) assertEquals(lint(file, source), [], file);
  }
});

Deno.test.each([
  [`Deno.serve(handle);`, "sidecar/main.ts", "cli/main.ts"],
  [`new Deno.Command("vi");`, "cli/operate/editor.ts", "cli/operate/decision.ts"],
  [`new Deno.Command("vi");`, "cli/operate/editor.ts", "sidecar/hold.ts"],
  [`await fetch(url);`, "cli/notify/receivers.ts", "cli/notify/message.ts"],
  [`Deno.statSync(path);`, "cli/notify/config.ts", "cli/notify/receivers.ts"],
])("file-calls-in-disk allows %s in %s, and not in %s", (source, there, elsewhere) => {
  assertEquals(lint(there, source), []);
  assertEquals(lint(elsewhere, source).map(({ id }) => id), [RULE]);
});
